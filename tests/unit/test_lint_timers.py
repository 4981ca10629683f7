"""Every rule of lint about timers, by one change to a bundle that has all of them; and the proofs take their ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_leave import LEAVE, changed
from workflow.bundle import find_problems

MANAGING = "after: {4d: review.escalated}        #"
ESCALATED = "after: {1d: review.escalated, 2d: review.escalated, 10d: over.expired}"
REMIND = "remind: {every: 24h, say: reminder, at_most: 3}"
DEADLINE = "deadline: {30d: over.late}"


def told(folder: Path, changes: dict[str, str]) -> list[str]:
    """Line, column and message of each problem."""
    return [
        f"{each.line}:{each.column}: {each.message.partition(': ')[2]}"
        for each in find_problems(changed(folder, changes))
    ]


def test_a_bundle_with_every_timer_has_no_problem() -> None:
    """Else the other tests show nothing."""
    assert find_problems(LEAVE) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (MANAGING, "after: {soon: review.escalated}  #", "the key 'soon' must be a duration such as 30m, 48h or 7d"),
        (MANAGING, "after: {0s: review.escalated} #", "`0s` has passed before anybody can answer"),
        (MANAGING, "after: {366d: review.escalated} #", "`366d` is longer than 365d"),
        (
            MANAGING,
            "after: {4d: review.escalate} #",
            "unknown state 'review.escalate'; did you mean 'review.escalated'?",
        ),
        (MANAGING, "after: {4d: [review.escalated]} #", "'4d' must be text"),
        (ESCALATED, "after: {2d: review.escalated, 1d: over.expired}", "`1d` does not come later than `2d`"),
        (ESCALATED, "after: {48h: review.escalated, 2d: over.expired}", "`2d` does not come later than `48h`"),
        (
            ESCALATED,
            "after: {1d: over.expired, 2d: review.escalated}",
            "`2d` never comes: after `1d` the session is in over.expired",
        ),
        (REMIND, "remind: {every: never, say: reminder}", "'every' must be a duration such as 3s, 20m, 1h30m or 7d"),
        (REMIND, "remind: {every: 59s, say: reminder}", "`every` must be at least 1m"),
        (REMIND, "remind: {every: 366d, say: reminder}", "`every` is longer than 365d"),
        (
            REMIND,
            "remind: {every: 4d, say: reminder}",
            "no reminder ever comes: after 4d the session leaves review.managing",
        ),
        (REMIND, "remind: {every: 24h, say: reminder, at_most: 0}", "`at_most` must be at least 1"),
        (REMIND, "remind: {every: 24h, say: remainder}", "unknown message 'remainder'; did you mean 'reminder'?"),
        (REMIND, "remind: {every: 24h, say: {booked: reminder}}", "`say` needs `else`"),
        (REMIND, "remind: {every: 24h, say: {else: reminder, booked: reminder}}", "`else` comes last"),
        (
            REMIND,
            "remind: {every: 24h, say: {booke: reminder, else: reminder}}",
            "unknown guard 'booke'; did you mean 'booked'?",
        ),
        (REMIND, "remind: {every: 24h}", "'say' is missing in 'remind'"),
        (REMIND, "remind: {every: 24h, say: reminder, most: 3}", "unknown key 'most'; did you mean 'at_most'?"),
        (DEADLINE, "deadline: {0s: over.late}", "`0s` has passed before anybody can answer"),
        (DEADLINE, "deadline: {366d: over.late}", "`366d` is longer than 365d"),
        (DEADLINE, "deadline: {30d: over.lat}", "unknown state 'over.lat'; did you mean 'over.late'?"),
        (DEADLINE, "deadline: {30d: over.late, 40d: over.late}", "a session has one `deadline`"),
        (
            "      then: review.managing\n    managing:",
            "      then: review.managing\n      after: {1d: over.late}\n    managing:",
            "`after` of review.receiving needs `say`",
        ),
        (
            "      then: review.managing\n    managing:",
            "      then: review.managing\n      remind: {every: 1d, say: reminder}\n    managing:",
            "`remind` of review.receiving needs `say`",
        ),
        (
            "{say: done, end: done}",
            "{say: done, end: done, after: {1d: over.late}}",
            "over.done ends, and has no `after`",
        ),
        (
            "{say: done, end: done}",
            "{say: done, end: done, remind: {every: 1d, say: reminder}}",
            "over.done ends, and has no `remind`",
        ),
        (
            "      say: waiting_for_calendar\n",
            "      say: waiting_for_calendar\n      after: {1d: review.managing}\n",
            "`after` of review.waiting stands beside `watch`: `within` and `late` say when its wait is over",
        ),
        (
            "      say: waiting_for_calendar\n",
            "      say: waiting_for_calendar\n      remind: {every: 1d, say: reminder}\n",
            "`remind` of review.waiting stands beside `watch`: the service is waited for",
        ),
        (
            "      on: {approve: pay.booking, reject: over.rejected, wait: review.waiting, seek: review.seeking}\n",
            "",
            "nobody is waited for in review.managing: it has no `on` that an answer could send",
        ),
        (
            "after: {40d: over.unclear}",
            "after: {40d: over.done}",
            "'after' settles a doubt, which takes a person: no time does",
        ),
        (
            "after: {40d: over.unclear}",
            "after: {40d: review.managing}",
            "'after' settles a doubt, which takes a person",
        ),
    ],
)
def test_one_change_is_told_with_its_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """A line and a column, and what to do."""
    found = told(tmp_path / "leave", {old: new})
    assert any(expected in each for each in found), found
    assert not any(each.startswith("0:") for each in found)


def test_a_state_that_asks_nothing_and_leads_to_itself_is_told(tmp_path: Path) -> None:
    """It would only say the same again: that is a reminder."""
    found = told(tmp_path / "leave", {"say: booking_late\n": "say: booking_late\n      after: {2d: pay.late}\n"})
    assert any("pay.late only leads back to itself, and asks nothing: use `remind`" in each for each in found), found


# --- the proofs ---


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        (MANAGING, "after: {4d: pay.booking} #", "4d have passed"),
        (ESCALATED, "after: {10d: pay.booking}", "10d have passed"),
        (DEADLINE, "deadline: {30d: pay.booking}", "30d since the start have passed"),
    ],
)
def test_time_opens_no_gate(tmp_path: Path, old: str, new: str, how: str) -> None:
    """A timer that leads to a paid call breaks `never_without`, with the run that shows it."""
    problems = find_problems(changed(tmp_path / "leave", {old: new}))
    (found,) = [each for each in problems if "'book' is reached without agreed" in each.message]
    assert any(how in line for line in found.trace), found.trace


def test_a_state_that_only_time_leaves_can_end(tmp_path: Path) -> None:
    """With the timer the state is no trap; without it, it is one."""
    only = {"on: {wait: pay.waiting, cancel: over.unclear}": "after: {3d: over.unclear}"}
    assert told(tmp_path / "with", only) == []
    without = {"on: {wait: pay.waiting, cancel: over.unclear}": "no_news: no_news"}
    assert told(tmp_path / "without", without)


def test_a_state_that_only_time_reaches_is_reached(tmp_path: Path) -> None:
    """`review.escalated` and `over.expired` are led to by nothing else; so is the end of the deadline."""
    for timer, state in ((MANAGING, "over.expired"), (DEADLINE, "over.late")):
        found = told(tmp_path / state, {timer: "#" if timer == MANAGING else ""})
        assert any("nothing leads to" in each or "doubt" in each for each in found), (state, found)
