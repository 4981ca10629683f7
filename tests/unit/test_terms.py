"""Terms by themselves: what two clocks say of an age, and how a term is told."""

from __future__ import annotations

import math

import pytest

from workflow.machine import terms
from workflow.model.duration import span
from workflow.model.instant import Instant

DAY = 86_400.0
WEEK = 7 * DAY
START = Instant(1_800_000_000.0, 5_000.0, "boot-1")

AGES = {
    # wall passes, boot passes (None: rebooted) → age
    "both clocks": (100.0, 100.0, 100.0),
    "wall set forward": (8 * DAY, 60.0, 8 * DAY),
    "wall set back a little": (50.0, 100.0, 100.0),
    "wall set back before the start": (-50.0, 100.0, -50.0),
    "wall stands still": (0.0, 8 * DAY, 8 * DAY),
    "boot clock ran back": (100.0, -10.0, -10.0),
    "rebooted": (100.0, None, 100.0),
    "rebooted and set back": (-100.0, None, -100.0),
    "rebooted and set forward": (9 * DAY, None, 9 * DAY),
}


@pytest.mark.parametrize("case", AGES)
def test_the_age_by_two_clocks(case: str) -> None:
    """The most that either clock says; a clock that ran back is never made good by the other."""
    wall, boot, age = AGES[case]
    now = Instant(START.wall + wall, 3.0 if boot is None else START.boot + boot, "boot-1" if boot is not None else "b2")
    assert terms.age(START, now) == age
    assert terms.runs(START, now, WEEK) is (0 <= age <= WEEK)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_an_age_that_cannot_be_told_is_over(odd: float) -> None:
    """Whatever a clock gives that is no time."""
    assert not terms.runs(START, Instant(odd, START.boot, START.boot_id), WEEK)
    assert not terms.runs(START, Instant(odd, 1.0, "boot-2"), WEEK)


@pytest.mark.parametrize(("passed", "runs"), [(0.0, True), (WEEK, True), (WEEK + 0.001, False), (-0.001, False)])
def test_the_bounds_of_a_term(passed: float, runs: bool) -> None:
    """The last instant counts, and none after it."""
    now = Instant(START.wall + passed, START.boot + passed, START.boot_id)
    assert terms.runs(START, now, WEEK) is runs


def test_the_end_is_by_the_wall_as_it_is_now() -> None:
    """A wall that was set back a little moves the end with it; a term that is over, or none, has no end."""
    later = Instant(START.wall + 50, START.boot + 100, START.boot_id)
    assert terms.end(START, later, 100.0) == "2027-01-15T08:00:50.000Z"
    assert terms.end(START, START, 100.0) == "2027-01-15T08:01:40.000Z"
    assert terms.end(START, later, 99.0) is None and terms.end(None, later, 100.0) is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1s"), (59, "59s"), (3600, "1h"), (WEEK, "7d"), (WEEK + 1, "7d1s"), (1.5 * DAY, "1d12h"), (90061, "1d1h")],
)
def test_a_span_in_words(seconds: float, told: str) -> None:
    """As a bundle writes it."""
    assert span(seconds) == told


def test_a_lapse_names_the_age_and_the_term() -> None:
    """Or that the clock was set back."""
    later = Instant(START.wall + 8 * DAY, START.boot + 8 * DAY, START.boot_id)
    assert terms.lapse(START, later, WEEK) == "is 8d old, and its term is 7d"
    assert terms.lapse(later, START, WEEK) == "is 8d in the future: the clock was set back"
