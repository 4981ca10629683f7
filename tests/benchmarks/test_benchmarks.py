"""The benchmarks run: a few turns of Phasegate and the floor, with no word about how long they take."""

from __future__ import annotations

import pytest

from benchmarks import report
from benchmarks.__main__ import BENCHMARKS
from benchmarks.floor import shape_of
from benchmarks.measure import QUICK, Entrant, Figure, race


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_quick_slice_runs(name: str) -> None:
    """Each benchmark measures every turn of the floor and of Phasegate, and a table comes of it."""
    _, _, measure = BENCHMARKS[name]
    figures = measure(QUICK, False)
    assert {len(each.times) for each in figures} == {QUICK.rounds * QUICK.turns}
    assert {"Phasegate"} < {each.title for each in figures}
    assert len(report.table(figures).splitlines()) == 2 + len(figures)


def test_the_floor_writes_what_a_turn_writes() -> None:
    """A plain turn is an event and its reply; a paid one also has the intent before the call and the result after."""
    assert [row[0] for row in shape_of("turn").rows] == ["event", "reply"]
    assert [row[0] for row in shape_of("pay").rows] == ["event", "intent", "result", "move", "reply"]


def test_a_system_that_is_not_installed_says_so() -> None:
    """It has a row with the reason, and no figure."""
    found = race([Entrant("Absent", "phasegate_absent:opened")], QUICK)
    assert found == [Figure("Absent", why="not measured: phasegate_absent is not installed")]
