"""Adopting a store: what a person says of the calls that only the ledger knows, and what follows from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NoReturn

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.contract.journals import NOW, TIMES, append
from tests.playing import HandClock, Player
from tests.promises.journeys import creates
from tests.promises.places import (
    approve,
    at,
    backup,
    duplicate,
    like,
    payments,
    planned,
    restore,
    set_back,
    settled,
)
from workflow.history import adopt as adopting
from workflow.history import audit, proof
from workflow.history.adopt import LIVE, OVER, adopt, survey
from workflow.history.replay import replay
from workflow.model.errors import UsageError
from workflow.model.journal import START, fold, seal
from workflow.model.ledger import Payment
from workflow.store.sqlite import SqliteStore


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder."""
    return tmp_path / "state"


@pytest.fixture
def restored(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session whose order was paid for and is in no journal any more: the plan waits for its answer again."""
    play = planned(tmp_path, sandbox, clock)
    file = backup(play, tmp_path / "copy.db")
    approve(play)
    restore(file, state)
    return like(play, tmp_path, sandbox, clock)


def test_what_happened_ends_its_session(restored: Player, sandbox: Sandbox) -> None:
    """It can order nothing any more; the user hears that it may have cost something, and the log says who said so."""
    done = settled(restored, "happened")
    assert (done.ended, done.voided) == ((restored.name,), ())
    reply = restored.send(None)
    assert (reply.state, reply.status, restored.says()) == ("over.cancelled", "cancelled", ["cancelled_unsure"])
    assert restored.send("approve", quote="yes").ok is False and len(creates(sandbox)) == 1
    (entry,) = restored.journal("adopted")
    assert (entry.body or {})["outcome"] == "happened" and len((entry.body or {})["calls"]) == 1
    assert survey(restored.engine).reasons == ()


def test_what_did_not_happen_is_asked_again(restored: Player, state: Path, sandbox: Sandbox) -> None:
    """The plan is said once more, an answer to the plan of before counts for nothing, and a new one pays once."""
    held, before = restored.engine.stored(restored.name).opened, restored.engine.status(restored.name).seen
    settled(restored)
    assert restored.engine.stored(restored.name).opened["user_approved"] > held["user_approved"]
    assert "user_approved" not in restored.engine.stored(restored.name).shown
    reply = approve(restored, seen=before)
    assert reply.ok is False and len(creates(sandbox)) == 1
    assert restored.send(None).ok and restored.says() == [] or "plan" in restored.says()
    restored.reply = restored.engine.status(restored.name)
    assert restored.send("approve", quote="Yes, now").state == "deliver.generating"
    assert len(creates(sandbox)) == 2
    one, two = payments(state)
    assert one.call != two.call and one.store != two.store
    assert proof.prove(restored.engine, restored.name).holds
    assert audit.verify(restored.engine, restored.name).entries == len(restored.journal())
    assert replay(restored.engine, restored.name).differences == ()


def test_an_approval_that_was_held_is_void(tmp_path: Path, copied: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """It waited behind a missing key, the folder was moved: after adopting, a retry asks again."""
    play = at(tmp_path, sandbox, clock)
    play.bundle, play.sandbox = str(copied), None
    environ = {"ANYGEN_API_KEY": "sk-sandbox-0000000000000000"}
    keyed = like(play, tmp_path, sandbox, clock, environ=environ)
    keyed.bundle, keyed.sandbox = str(copied), None
    keyed.start({"words": "A poster"})
    keyed.send("answer", {"words": "Warm"})
    play.name, play.reply = keyed.name, keyed.reply
    play.send("approve", quote="yes, go ahead")
    (tmp_path / "state").rename(tmp_path / "moved")
    moved = like(play, tmp_path, sandbox, clock, "moved", environ=environ)
    assert set_back(moved.send("retry", revision=None), sandbox, 0)
    settled(moved)
    assert moved.engine.stored(moved.name).evidence == ()
    assert moved.send("retry", revision=None).state == "confirm.presenting"
    assert creates(sandbox) == []


def test_nobody_is_asked_about_sessions_that_are_over(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """A restore of last night with 200 finished sessions asks about the one live session alone."""
    store = SqliteStore(state)
    store.begin_ledger("2026-11-30T09:00:00.000Z")
    for number in range(200):
        finished(store, f"past-fox-{number}")
    live = planned(tmp_path, sandbox, clock)
    file = backup(live, tmp_path / "copy.db")
    approve(live)
    for number in range(0, 200, 40):  # what came later of a session that is over: nobody can settle it
        store.enter(payment(store, f"past-fox-{number}", f"99:{number:024}"))
    store.close()
    restore(file, state)
    after = like(live, tmp_path, sandbox, clock)
    found = survey(after.engine)
    assert [line.payment.session for line in found.open] == [live.name]
    assert sorted(line.stands for line in found.lines) == [OVER] * 5 + [LIVE]
    assert settled(after).voided == (live.name,)


def payment(store: SqliteStore, session: str, entry: str) -> Payment:
    """A line of the ledger."""
    return Payment(store.identity(), "c" * 32, session, "create", entry, "2026-11-30T09:00:00.000Z")


def finished(store: SqliteStore, name: str) -> None:
    """A session that has paid and is over; what its entries mean is no business of the ledger."""
    what: dict[str, str | None] = {
        "workflow": "image",
        "bundle": "b" * 64,
        "path": "",
        "language": "en",
        "host": "generic",
    }
    what |= {"profile": "default", "sandbox": None, "state": "over.cancelled"}
    first = seal(name, 1, START, "started", TIMES[0], what, "n" * 24)
    begun = fold(None, first)
    body = {"action": "create", "spends": [], "call": "c" * 32, "now": NOW.as_json()}
    intent = seal(name, 2, first.hash, "intent", TIMES[1], body, "n" * 24)
    append(store, [first, intent], fold(begun, intent), "done")
    store.enter(payment(store, name, intent.receipt))


def test_every_line_has_to_be_settled(restored: Player, sandbox: Sandbox) -> None:
    """Without a word on each of them nothing is written, and the store stays as foreign as it was."""
    before = len(restored.journal())
    with pytest.raises(UsageError, match="nobody has said"):
        adopt(restored.engine, survey(restored.engine), {})
    assert len(restored.journal()) == before and survey(restored.engine).reasons
    assert set_back(approve(restored), sandbox)


def test_what_stops_halfway_adopts_nothing(
    tmp_path: Path, restored: Player, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in the middle leaves the store foreign; once more does the rest."""
    other = planned(tmp_path, sandbox, clock)
    note = adopting._note
    done: list[str] = []

    def once(engine: Any, name: str, *rest: Any) -> bool:
        if done:
            raise RuntimeError("the power is gone")
        done.append(name)
        return note(engine, name, *rest)

    with monkeypatch.context() as failing:
        failing.setattr(adopting, "_note", once)
        with pytest.raises(RuntimeError):
            settled(restored)
    restored.send(None)
    assert set_back(restored.send("approve", quote="yes, now"), sandbox)
    assert restored.name in settled(restored).voided
    assert other.engine.world.store.foreign() == ""


def test_a_session_whose_bundle_is_gone(
    tmp_path: Path, copied: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """It can be ended by what the store has kept of the bundle, and freed without it."""
    for outcome, status in (("happened", "cancelled"), ("did_not_happen", "waiting")):
        bundle = tmp_path / outcome
        shutil.copytree(copied, bundle)
        play = at(tmp_path, sandbox, clock)
        play.bundle = str(bundle)
        play.start({"words": "A poster"})
        play.send("answer", {"words": "Warm"})
        file = backup(play, tmp_path / f"{outcome}.db")
        approve(play)
        restore(file, state)
        shutil.rmtree(bundle)
        after = like(play, tmp_path, sandbox, clock)
        settled(after, outcome)  # type: ignore[arg-type]  # as the table has it
        assert audit.read(after.engine, play.name).summary.status == status
        assert survey(after.engine).reasons == ()


def test_a_damaged_session_keeps_nobody_from_adopting(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """It pays for nothing by itself, and is named."""
    play, broken = planned(tmp_path, sandbox, clock), planned(tmp_path, sandbox, clock)
    duplicate(state, tmp_path / "other")
    copy = like(play, tmp_path, sandbox, clock, "other")
    pen = apsw.Connection(str(tmp_path / "other" / "phasegate.db"))
    pen.execute("UPDATE sessions SET snapshot = '{}' WHERE name = ?", (broken.name,))
    pen.close()
    done = settled(copy)
    assert done.voided == (play.name,) and done.left[0].startswith(f"{broken.name}: ")


def test_a_call_that_was_out_while_the_copy_was_made_is_in_doubt(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy knows the intent, so that a person settles it as a doubt, and the ledger asks nothing."""
    play = planned(tmp_path, sandbox, clock)

    def copies(self: SqliteStore, line: Payment) -> NoReturn:
        real(self, line)
        backup(play, tmp_path / "copy.db")
        raise KeyboardInterrupt

    real = SqliteStore.enter
    with monkeypatch.context() as dying:
        dying.setattr(SqliteStore, "enter", copies)
        with pytest.raises(KeyboardInterrupt):
            approve(play)
    restore(tmp_path / "copy.db", state)
    after = like(play, tmp_path, sandbox, clock)
    assert survey(after.engine).open == ()
    settled(after)
    after.send(None)
    assert after.reply.status == "in_doubt"
    assert after.send("did_not_happen", quote="no, it is not there").state == "confirm.presenting"
    assert creates(sandbox) == []


def test_two_copies_that_were_adopted_are_two_stores(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Each asks again by itself, and their calls have other names."""
    play = planned(tmp_path, sandbox, clock)
    for name in ("one", "two"):
        duplicate(state, tmp_path / name)
        copy = like(play, tmp_path, sandbox, clock, name)
        settled(copy)
        copy.send(None)
        copy.send("approve", quote="Yes, here too")
    calls = [each.call for name in ("one", "two") for each in payments(tmp_path / name)]
    assert len(set(calls)) == len(calls) == 2


def test_nothing_is_adopted_that_is_its_own(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """There is nothing to settle, before and after a payment."""
    play = planned(tmp_path, sandbox, clock)
    assert survey(play.engine).reasons == ()
    approve(play)
    found = survey(play.engine)
    assert (found.reasons, found.lines) == ((), ())
