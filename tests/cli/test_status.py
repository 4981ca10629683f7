"""``workflow status``: what a run waits for, who acts, since when and until when; ``--quiet`` and ``--no-color``."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli import terminals
from tests.cli.conftest import Commands
from tests.playing import HandClock, Player, player
from workflow.cli.console import show_table
from workflow.engine.waiting import Waiting, standing, waits_for
from workflow.model.frozen import replace
from workflow.show.times import local

ROOT = Path(__file__).parents[2]


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox) -> Player:
    """A session of the packaged bundle that is about to start."""
    return player(tmp_path, ROOT, sandbox.url, clock=HandClock())


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine stands in another time zone."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def waits(play: Player) -> Waiting:
    """What the run waits for now."""
    found = standing(play.engine, play.name).waiting
    assert found is not None
    return found


def test_the_person_and_the_agent_are_waited_for(play: Player) -> None:
    """Each with the events that are theirs; since the state was entered, not since the last turn."""
    play.start({"words": "A poster"})
    entered = waits(play).since
    play.engine.world.clock.sleep(90)
    play.send("approve")  # refused: no evidence
    found = waits(play)
    acts = (("person", "approve"), ("agent", "open, adjust, check, cancel"))
    assert found == Waiting(acts, entered, answer_by="2027-01-22T08:00:00.000Z")
    told = "It waits for the person (approve), or the agent (open, adjust, check, cancel)"
    assert found.sentence == f"{told}, since {entered}."


def test_the_service_is_waited_for_until_its_time_is_over(play: Player) -> None:
    """Twenty minutes from when the wait began; once they are over that is said."""
    play.start({"words": "A poster"})
    play.send("approve", quote="Yes, go ahead")
    found = waits(play)
    assert found.acts == (("service", "task_completed, task_failed, task_gone"),)
    assert (found.since, found.until) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:20:00.000Z")
    assert found.sentence.endswith(", until 2027-01-15T08:20:00.000Z.") and not found.overdue
    play.engine.world.clock.sleep(1200)
    assert waits(play).overdue and "the next turn looks once more" in waits(play).sentence


def test_behind_a_failed_call_its_cause_is_told(tmp_path: Path) -> None:
    """Without a key the person is needed; since the call failed."""
    play = player(tmp_path, ROOT, None)
    play.start({"words": "A poster"})
    assert waits(play).acts == (("person", "`retry`, once the cause is fixed: no_key"),)


def test_a_call_in_doubt_waits_for_the_person(play: Player, sandbox: Sandbox) -> None:
    """Only they can tell whether it happened; cancelling is open to the agent."""
    sandbox.fault("drop-after", on="create")
    play.start({"words": "A poster"})
    play.send("approve", quote="Yes, go ahead")
    assert play.reply.status == "in_doubt"
    assert waits(play).acts == (("person", "found, did_not_happen"), ("agent", "check, cancel"))


def test_work_that_was_cut_short_waits_for_the_agent(play: Player) -> None:
    """Any turn goes on with it; one command is named."""
    play.start({"words": "A poster"})
    run, holder = play.engine.seen(play.name)
    found = waits_for(run, replace(play.engine.shown(run, holder), status="working"))
    assert found.acts == (("agent", f"`workflow resume {play.name}` goes on with what was cut short"),)


def test_nothing_is_waited_for_when_it_is_over(play: Player) -> None:
    """An ended session waits for nothing."""
    play.start({"words": "A poster"})
    play.send("cancel")
    assert standing(play.engine, play.name).waiting is None


def test_status_says_it_as_a_notice(cli: Commands, sandbox: Sandbox) -> None:
    """For programs: the last of the notices; no other part of the reply is changed by it."""
    name = cli.planned()["session"]
    reply = cli("status", name).json
    about = f"{name} is about “A poster for a jazz night”."
    assert reply["notices"][:2] == [about, f"The sandbox at {sandbox.url} answers."] and len(reply["notices"]) == 3
    assert re.fullmatch(
        r"It waits for the person \(approve\), or the agent \(open, adjust, check, cancel\), since 20\S+Z\.",
        reply["notices"][2],
    )
    assert cli("resume", name).json["notices"] == [about]
    cli("advance", name, "cancel")
    assert cli("status", name).json["notices"] == [about]


def test_status_says_it_in_local_time_on_a_terminal(
    cli: Commands, sandbox: Sandbox, terminal: None, shanghai: None
) -> None:
    """Who, since when and until when, in the first lines; times by this machine's clock, and how far they are."""
    name = cli.begun()
    lines = [" ".join(line.split()) for line in cli("status", name).out.splitlines()]
    assert lines[0].startswith(f"{name} confirm.presenting waiting revision 1")
    assert lines[1] == "2 Confirm with user (mandatory)"
    assert lines[2:4] == ["waits for the person: approve", "the agent: open, adjust, check, cancel"]
    assert re.fullmatch(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \((now|\d+ seconds? ago)\)", lines[4])
    assert local("2025-01-01T00:00:00.000Z", 1735689600.0 + 7200) == "2025-01-01 08:00:00 (2 hours ago)"


def test_times_are_told_from_now() -> None:
    """In the largest unit that fits, before and after."""
    told = {
        0: "now",
        1: "1 second ago",
        119: "1 minute ago",
        7200: "2 hours ago",
        86400: "1 day ago",
        -90: "in 1 minute",
    }
    for seconds, words in told.items():
        assert local("2025-01-01T00:00:00.000Z", 1735689600.0 + seconds).endswith(f"({words})")


def test_a_watched_run_says_until_when_on_a_terminal(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """The deadline and the command that watches."""
    name = cli.begun()
    seen = cli("status", name, "--json").json["seen"]
    cli("advance", name, "approve", "--input-file", cli.write({"evidence": {"quote": "yes"}, "seen": seen}))
    out = cli("status", name).out
    assert re.search(r"until +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(in (19|20) minutes\)", out)
    assert f"Watch: workflow watch {name}" in out


def test_chinese_text_keeps_its_columns(
    cli: Commands, sandbox: Sandbox, terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame's right edge and a table's columns stand where they stand for Latin text: two cells a character."""
    name = cli.begun("--language", "zh-CN")
    framed = [line for line in cli("status", name).out.splitlines() if line[:1] in "│╭╰" and line]
    assert len(framed) > 3 and {_cells(line) for line in framed} == {80}
    show_table(("name", "x"), [("海港灯会", "|"), ("harbour", "|")])
    first, second = capsys.readouterr().out.splitlines()[2:4]
    assert _cells(first[: first.index("|")]) == _cells(second[: second.index("|")])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_flags_of_manner_may_stand_anywhere(cli: Commands, sandbox: Sandbox, place: int) -> None:
    """Before the command, behind it, and at the end; nothing of them is left to the next command."""
    name = cli.planned()["session"]
    for flag in ("--quiet", "--no-color"):
        arguments = ["status", name]
        arguments.insert(place, flag)
        assert cli(*arguments).json["session"] == name
    assert cli("status", name, "--", "--quiet").code == 2


def test_quiet_leaves_out_remarks(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """What was asked for stays; hints go. The variable says the same."""
    name = cli.begun()
    assert "Head: " in cli("audit", "log", name).out
    quiet = cli("audit", "log", name, "--quiet").out
    assert "Head: " not in quiet and "confirm.presenting" in quiet
    assert cli("watch", name, "--quiet").err == ""


def test_no_color_leaves_no_colour() -> None:
    """On a real terminal, where there would be some otherwise."""
    plain = terminals.workflow("graph", "--no-color")
    assert plain.end() == 0 and "makes a paid call" in plain.shown and "\x1b[3" not in plain.shown


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
