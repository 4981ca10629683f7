"""A pause holds back what costs something or needs an approval, whoever asks for it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import change, creates, looks, sends, to_ready
from tests.promises.places import approve, at, backup, like, planned, restore, settled
from tests.promises.test_phase1_files import picture
from workflow.engine import Engine
from workflow.history.forget import forget
from workflow.history.fork import fork
from workflow.model.brakes import Pause
from workflow.model.reply import Reply
from workflow.store.brake_rows import Rows
from workflow.store.sqlite import SqliteStore

WHY = "the invoice is wrong"
WORKFLOW = "anygen-image"


def pause(engine: Engine, scope: str, name: str) -> None:
    """As ``workflow-admin pause`` does it."""
    assert engine.world.store.pause(Pause(scope, name, "2027-01-15T08:00:00.000Z", "ann", WHY))


def held_back(reply: Reply) -> bool:
    """The call did not leave; the agent is told why and what to do, the person hears it, and the session waits."""
    assert reply.error is not None and (reply.error.kind, reply.error.type) == ("paused", "service"), reply
    assert WHY in reply.error.message and "ann" in reply.error.message
    assert "workflow-admin unpause" in reply.error.hint and "`retry`" in reply.error.hint
    assert reply.status == "waiting" and [each.event for each in reply.next if each.event == "retry"]
    return [each.id for each in reply.say][-1:] in (["paused"], [])


SCOPES: dict[str, Callable[[Player], tuple[str, str]]] = {
    "session": lambda play: ("session", play.name),
    "bundle": lambda play: ("bundle", play.engine.stored(play.name).workflow),
    "all": lambda play: ("all", ""),
}
"""Scope → what is paused by it for a session."""


def _order(folder: Path, sandbox: Sandbox, clock: HandClock) -> tuple[Player, Callable[[], Reply], Callable[[], int]]:
    play = planned(folder, sandbox, clock)
    return play, lambda: approve(play), lambda: len(creates(sandbox))


def _change(folder: Path, sandbox: Sandbox, clock: HandClock) -> tuple[Player, Callable[[], Reply], Callable[[], int]]:
    play = at(folder, sandbox, clock)
    to_ready(play)
    return play, lambda: change(play), lambda: len(sends(sandbox))


def _upload(folder: Path, sandbox: Sandbox, clock: HandClock) -> tuple[Player, Callable[[], Reply], Callable[[], int]]:
    play = at(folder, sandbox, clock)
    play.start({"words": "A poster", "references": [picture(folder, "a.png")]})
    sent = "/v1/openapi/files/upload"
    return (
        play,
        lambda: play.send("consent", quote="yes, send it"),
        lambda: sum(each.path == sent for each in sandbox.requests),
    )


CALLS = {"a paid call": _order, "a paid change": _change, "a file that needs consent": _upload}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("call", CALLS)
def test_what_costs_or_was_asked_about_is_held_back(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, scope: str, call: str
) -> None:
    """Nothing leaves, also not by ``retry``; the answer is kept, and goes on once the pause has ended."""
    play, act, left = CALLS[call](tmp_path, sandbox, clock)
    what = SCOPES[scope](play)
    pause(play.engine, *what)
    assert held_back(act()) and left() == 0
    assert held_back(play.send("retry")) and left() == 0
    told = play.engine.status(play.name)
    assert any(WHY in each and "is paused since" in each for each in told.notices)
    assert play.engine.world.store.unpause(*what)
    assert any("The pause has ended" in each for each in play.engine.status(play.name).notices)
    assert play.send("retry").ok and left() == 1


@pytest.mark.parametrize("scope", SCOPES)
def test_everything_else_goes_on(tmp_path: Path, sandbox: Sandbox, clock: HandClock, scope: str) -> None:
    """Beginning, answering, reading, looking and ending."""
    play = planned(tmp_path, sandbox, clock)
    approve(play)
    pause(play.engine, *SCOPES[scope](play))
    play.watch()
    assert play.send(None).state == "deliver.ready" and looks(sandbox)
    other = planned(tmp_path, sandbox, clock)
    assert other.reply.state == "confirm.presenting" and other.send("cancel").status == "cancelled"
    assert len(creates(sandbox)) == 1
    assert {each.name: each.status for each in play.engine.sessions()}[other.name] == "cancelled"


def test_a_pause_of_another_holds_nothing_back(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Neither that of another session, nor that of another bundle."""
    play = planned(tmp_path, sandbox, clock)
    pause(play.engine, "session", "dry-owl")
    pause(play.engine, "bundle", "film")
    assert approve(play).state == "deliver.generating"
    assert not any("paused" in each for each in play.engine.status(play.name).notices)


def test_an_approval_is_kept_within_its_term_and_no_longer(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """After it the question is put again: a pause renews nothing."""
    play = planned(tmp_path, sandbox, clock)
    pause(play.engine, "all", "")
    held_back(approve(play))
    clock.pass_(8 * 86_400)
    play.engine.world.store.unpause("all", "")
    assert play.send("retry").state == "confirm.presenting" and creates(sandbox) == []
    assert play.journal("failure")[-1].body["kind"] == "void"  # type: ignore[index]


def test_the_entry_says_what_held_it_back(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """So that a log tells by itself who stopped the call, and no route of the bundle is taken."""
    play = planned(tmp_path, sandbox, clock)
    pause(play.engine, "bundle", play.engine.stored(play.name).workflow)
    approve(play)
    body = play.journal("failure")[-1].body or {}
    assert (body["kind"], body["to"]) == ("paused", None) and WHY in body["message"]
    assert body["pause"] == {"scope": "bundle", "since": "2027-01-15T08:00:00.000Z", "who": "ann"}
    assert play.journal("intent") == []


def test_a_pause_is_in_backups_and_outlives_what_is_erased(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """A store that is restored and adopted is as paused as it was."""
    play = planned(tmp_path, sandbox, clock)
    pause(play.engine, "all", "")
    done = planned(tmp_path, sandbox, clock)
    done.send("cancel")
    forget(done.engine, done.name)
    restore(backup(play, tmp_path / "copy.db"), tmp_path / "state")
    after = like(play, tmp_path, sandbox, clock)
    settled(after)
    assert held_back(after.send("approve", quote="yes, go ahead", seen=after.engine.status(after.name).seen))
    assert creates(sandbox) == []


def test_a_fork_of_a_paused_session_is_paused(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Nobody gets around a pause by forking; each has its own from then on."""
    play = planned(tmp_path, sandbox, clock)
    pause(play.engine, "session", play.name)
    other = like(play, tmp_path, sandbox, clock)
    other.reply = fork(other.engine, play.name)
    other.name = other.reply.session or ""
    assert other.name != play.name and held_back(other.send("approve", quote="yes"))
    assert play.engine.world.store.unpause("session", other.name)
    assert other.send("retry").ok and held_back(approve(play)) and len(creates(sandbox)) == 1


def test_a_pause_that_comes_as_the_call_is_about_to_leave(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the check before it, and before the intent: the same transaction asks again."""
    play = planned(tmp_path, sandbox, clock)
    begin = SqliteStore.begin_ledger

    def paused(self: SqliteStore, time: str) -> None:
        begin(self, time)
        pause(play.engine, "all", "")

    monkeypatch.setattr(SqliteStore, "begin_ledger", paused)
    assert held_back(approve(play))
    assert creates(sandbox) == [] and play.journal("intent") == []
    monkeypatch.undo()
    play.engine.world.store.unpause("all", "")
    assert play.send("retry").ok and len(creates(sandbox)) == 1


@pytest.mark.parametrize("where", ["pauses", "like", "add", "restart"])
def test_it_raises_here(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whatever is wrong with a check of brakes: nothing leaves, nothing is lost, and the same turn goes on later."""
    from workflow.model.brakes import Limit

    play = planned(tmp_path, sandbox, clock, limits={"create": Limit(86_400.0, 20)})

    def fault(*values: Any) -> NoReturn:
        raise RuntimeError("sk-raised-0123456789")

    monkeypatch.setattr(Rows, where, fault)
    try:
        reply = approve(play)
    except RuntimeError:
        pass
    else:
        assert reply.error is not None and "sk-raised" not in str(reply.as_json())
    assert creates(sandbox) == []
    monkeypatch.undo()
    after = like(play, tmp_path, sandbox, clock)
    after.reply = after.engine.status(after.name)
    told = after.send("retry") if any(each.event == "retry" for each in after.reply.next) else approve(after)
    assert told.ok and len(creates(sandbox)) == 1
