"""A process that died in a paid call: whoever looks sees a run in doubt, before any turn was taken."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import change, creates, sends, to_plan, to_ready
from workflow.cli.app import run, workflow
from workflow.cli.people.admin import admin
from workflow.engine.run import Run
from workflow.engine.waiting import standing
from workflow.model.errors import SessionBusy
from workflow.model.strict_json import read_json
from workflow.store.sqlite import SqliteStore

Killing = Callable[[Player, Callable[[], Any]], None]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Killing:
    """Plays a turn whose process dies between the answer of the paid call and its record."""

    def die(play: Player, turn: Callable[[], Any]) -> None:
        note = Run.note

        def dying(self: Run, kind: str, body: Any) -> None:
            if kind == "result" and body["action"] in ("create", "send"):
                raise Killed
            note(self, kind, body)

        with monkeypatch.context() as patch:
            patch.setattr(Run, "note", dying)
            with pytest.raises(Killed):
                turn()

    return die


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox) -> Player:
    """A session about to start, in a store on disk, where the commands find it."""
    return player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"))


def listed(play: Player, **which: str) -> list[tuple[str, str]]:
    """Sessions and their status, as the list has them."""
    return [(each.name, each.status) for each in play.engine.sessions(**which)]  # type: ignore[arg-type]


def test_an_image_in_doubt_shows_before_any_turn(play: Player, sandbox: Sandbox, killed: Killing) -> None:
    """Status and list say in doubt, whose turn it is and that something is new to say; looking writes nothing."""
    to_plan(play)
    killed(play, lambda: play.send("approve", quote="yes"))
    entries = len(play.journal())
    reply = play.engine.status(play.name)
    assert (reply.state, reply.status, reply.exit_code) == ("create.unsure", "in_doubt", 7)
    assert [said.id for said in reply.say] == ["unsure_created"]
    assert [(option.event, option.who, option.ready) for option in reply.next] == [
        ("found", "person", True),  # this reply asks
        ("did_not_happen", "person", True),
        ("check", "agent", True),
        ("cancel", "agent", True),
    ]
    assert any("something new to say" in notice for notice in reply.notices)
    assert listed(play) == listed(play, status="in_doubt") == [(play.name, "in_doubt")]
    found = standing(play.engine, play.name).waiting
    assert found is not None and found.acts[0] == ("person", "found, did_not_happen")
    assert len(play.journal()) == entries
    assert reply.receipt == play.engine.status(play.name).receipt
    assert play.send(None).status == "in_doubt"
    assert len(creates(sandbox)) == 1


def test_where_the_lock_cannot_be_read_nobody_says_that_the_call_is_over(
    play: Player, killed: Killing, tmp_path: Path
) -> None:
    """Such as another user's: the process that makes the call may live, so that it is shown at work, and why."""
    to_plan(play)
    killed(play, lambda: play.send("approve", quote="yes"))
    lock = tmp_path / "state" / "holds" / f"{play.name}.lock"
    lock.unlink(missing_ok=True)
    lock.symlink_to(tmp_path)
    reply = play.engine.status(play.name)
    assert (reply.status, reply.next) == ("working", ())
    assert any("Whether a turn is at work on it cannot be told" in notice for notice in reply.notices)
    lock.unlink()
    assert play.engine.status(play.name).status == "in_doubt"


@pytest.mark.rule("R23")
@pytest.mark.parametrize(("language", "told"), [("en", "no clear answer came back"), ("zh-CN", "没有收到明确的答复")])
def test_doubt_is_told_in_the_language_of_the_user(
    play: Player, sandbox: Sandbox, killed: Killing, language: str, told: str
) -> None:
    """However it came about: here by a process that died."""
    to_plan(play, language=language)
    killed(play, lambda: play.send("approve", quote="好的"))
    assert told in play.engine.status(play.name).say[0].text
    assert told in play.send(None).say[0].text


def test_a_change_in_doubt_shows_before_it_is_looked_for(play: Player, sandbox: Sandbox, killed: Killing) -> None:
    """In doubt, and the agent is to go on, which looks for the message first; status itself asks nothing."""
    to_ready(play)
    killed(play, lambda: change(play))
    seen = len(sandbox.requests)
    reply = play.engine.status(play.name)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.searching", "in_doubt", 7)
    found = standing(play.engine, play.name).waiting
    assert found is not None and "workflow resume" in found.acts[0][1]
    assert len(sandbox.requests) == seen
    assert play.send(None).state == "revise.applying"
    assert len(sends(sandbox)) == 1


def test_a_watcher_ends_where_it_finds_doubt(play: Player, sandbox: Sandbox, killed: Killing) -> None:
    """There is nothing to wait for; the doubt is recorded, and nothing is sent again."""
    to_plan(play)
    killed(play, lambda: play.send("approve", quote="yes"))
    assert play.engine.look(play.name).moved
    assert [entry.kind for entry in play.journal()][-1] == "doubt"
    assert play.engine.status(play.name).exit_code == 7
    assert len(creates(sandbox)) == 1


def test_a_call_that_is_being_made_is_work_and_no_doubt(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """A slow service: while the session is held, its status is that of a run at work, in the list as well."""
    to_plan(play)
    arrived, go = threading.Event(), threading.Event()
    perform = sandbox._service.perform

    def slow(endpoint: Any, *given: Any, **named: Any) -> Any:
        if endpoint == "create":
            arrived.set()
            assert go.wait(10)
        return perform(endpoint, *given, **named)

    sandbox._service.perform = slow  # type: ignore[method-assign]
    other = player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(play.send, "approve", quote="yes")
        try:
            assert arrived.wait(10)
            reply = other.engine.status(play.name)
            assert (reply.state, reply.status, reply.exit_code, reply.next) == ("create.creating", "working", 0, ())
            assert listed(other) == [(play.name, "working")]
            with pytest.raises(SessionBusy):
                other.engine.resume(play.name)
        finally:
            go.set()
        assert running.result(10).state == "deliver.generating"
    assert listed(other) == [(play.name, "watching")]


def test_the_commands_show_it_and_settle_it(
    play: Player,
    sandbox: Sandbox,
    killed: Killing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`status`, `sessions`, `watch` and `workflow-admin resolve`, in a process that knows what is on disk alone."""
    monkeypatch.setenv("PHASEGATE_STATE", str(tmp_path / "state"))
    to_plan(play)
    killed(play, lambda: play.send("approve", quote="yes"))

    def told(group: Any, *arguments: str) -> tuple[int, Any]:
        code = run(group, [*arguments, "--json"], "workflow")
        return code, read_json(capsys.readouterr().out.encode())

    code, reply = told(workflow, "status", play.name)
    assert (code, reply["status"]) == (7, "in_doubt")
    code, page = told(workflow, "sessions", "--status", "in_doubt")
    assert [each["name"] for each in page["sessions"]] == [play.name]
    code, page = told(admin, "resolve")
    assert [(each["session"], each["events"]) for each in page["waiting"]] == [(play.name, ["found", "did_not_happen"])]
    code, reply = told(workflow, "watch", play.name)
    assert (code, reply["status"], reply["state"]) == (7, "in_doubt", "create.unsure")
    monkeypatch.setattr("workflow.cli.console.interactive", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("2\nthere is nothing\n"))
    assert run(admin, ["resolve", play.name], "workflow-admin") == 0
    assert play.engine.status(play.name).state == "confirm.presenting"
    assert len(creates(sandbox)) == 1


def test_resolve_goes_on_by_itself_where_the_call_can_be_looked_for(
    play: Player,
    sandbox: Sandbox,
    killed: Killing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message was sent: `workflow-admin resolve` lists it, finds it, and has nothing left to ask."""
    monkeypatch.setenv("PHASEGATE_STATE", str(tmp_path / "state"))
    to_ready(play)
    killed(play, lambda: change(play))
    assert run(admin, ["resolve", "--json"], "workflow-admin") == 0
    page: Any = read_json(capsys.readouterr().out.encode())
    assert [(each["session"], each["status"]) for each in page["waiting"]] == [(play.name, "in_doubt")]
    assert run(admin, ["resolve", play.name], "workflow-admin") == 3
    assert "nothing is in doubt" in capsys.readouterr().err
    assert play.engine.status(play.name).state == "revise.applying"
    assert len(sends(sandbox)) == 1
