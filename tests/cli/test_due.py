"""What happens by itself when nobody answers, as a person sees it: where a session stands, and in the list."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.on_leave import DAY, begun
from workflow.cli.agent.sessions import show_sessions
from workflow.cli.agent.turns import facts_of
from workflow.engine.waiting import standing
from workflow.model.frozen import replace
from workflow.model.ports import Summary


def lines(out: str) -> list[str]:
    """Without styles, and blanks at the ends."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()]


def test_a_status_says_what_time_brings_and_since_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, after, and where something keeps it from happening."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with begun(tmp_path) as (play, sandbox, clock):

        def due() -> list[str]:
            found = standing(play.engine, play.name).waiting
            assert found is not None
            facts = dict(facts_of(found, clock.wall))
            return facts["due"].splitlines()

        assert [re.sub(r" \(.*?\)", "", line) for line in due()] == [
            "2027-01-16 08:00:00: the user is reminded",
            "2027-01-19 08:00:00: it goes to review.escalated",
            "2027-02-14 08:00:00: it goes to over.late",
        ]
        sandbox.fault("server-error", on="POST /bookings")
        play.send("approve", quote="yes, that is fine")
        clock.pass_(31 * DAY)
        (late, _) = due()
        assert late.startswith("since 2027-02-14 08:00:00")
        assert late.endswith(": it goes to over.late later, because it is not known whether 'book' happened")
        told = standing(play.engine, play.name).told.notices[-1]
        assert "Due since 2027-02-14T08:00:00.000Z: it goes to over.late later" in told


@pytest.mark.parametrize(
    ("width", "due", "about"), [(60, "", False), (80, "01-16 08:00", False), (120, "2027-01-16 08:00", True)]
)
def test_a_list_has_room_for_what_is_due(
    monkeypatch: pytest.MonkeyPatch,
    terminal: None,
    capsys: pytest.CaptureFixture[str],
    width: int,
    due: str,
    about: bool,
) -> None:
    """A table at each width: the times before the first words, and neither where it is narrow."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    now = "2027-01-15T08:00:00.000Z"
    known = Summary("rapid-falcon", "leave", "review.managing", "waiting", 1, now, now, None, None, "a week in May")
    show_sessions([replace(known, due="2027-01-16T08:00:00.000Z"), known])
    head, _, first, second = lines(capsys.readouterr().out)
    assert ("due" in head) == bool(due) and first.endswith(due or "01-15 08:00")
    assert ("a week" in first) is about and not second.endswith("01-16 08:00")
    assert max(map(len, (head, first, second))) <= width
