"""Forgetting: no byte of what people wrote is left in any file, and the chain holds and says so."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import GIVEN, answer, begin, finish, reach
from tests.playing import HandClock, Player, player, settings_in
from workflow.compose import open_engine
from workflow.history import audit, proof
from workflow.history.forget import Forgotten, forget
from workflow.model.errors import SessionBusy, SessionNotFound, StoreError
from workflow.model.reply import Failure
from workflow.model.session import Turn
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
SECRET = "Zaubernuss"
WORDS = f"A card for {SECRET}"


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session in files that is about to start."""
    return player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"), clock=clock)


def files_with(folder: Path, *texts: str) -> list[str]:
    """The files of a store that hold one of these, byte for byte."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted({path.name for path in found for text in texts if text.encode() in path.read_bytes()})


def forgotten(play: Player) -> Forgotten:
    """Forget the session, which nothing speaks against."""
    done = forget(play.engine, play.name)
    assert isinstance(done, Forgotten)
    return done


def test_no_byte_is_left_in_any_file(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Words, answers, plans, ids, turns and recorded replies are gone from the database and the files beside it."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    play.send("adjust", {"words": WORDS}, turn_id=f"turn-{SECRET}")
    finish(play, sandbox)
    data = play.engine.data(play.name)
    words = [SECRET, GIVEN["approve"]["quote"], "warm brass", "ref.png", data["task_id"], data["task_url"]]
    words += [entry.turn for entry in play.journal() if entry.turn]
    words += [each["subject"] for entry in play.journal("event") for each in (entry.body or {})["evidence"]]
    state = tmp_path / "state"
    for each in words:
        assert files_with(state, each), each
    done = forgotten(play)
    assert files_with(state, *words) == []
    assert (state / "phasegate.db-wal").stat().st_size == 0
    assert done.entries + 1 == audit.verify(play.engine, play.name).entries


def test_nothing_is_left_in_unused_space(play: Player, tmp_path: Path) -> None:
    """Bytes that no row points to any more, as pages keep them when rows were moved, are gone as well."""
    state = tmp_path / "state"
    begin(play, tmp_path)
    pen = apsw.Connection(str(state / "phasegate.db"))
    pen.execute("PRAGMA secure_delete = OFF")
    for _ in range(2):
        pen.execute("UPDATE entries SET body = replace(body, 'jazz', ?) WHERE seq = 2", (SECRET * 2000,))
        pen.execute("UPDATE entries SET body = replace(body, ?, 'jazz') WHERE seq = 2", (SECRET * 2000,))
    pen.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
    pen.close()
    assert files_with(state, SECRET) == ["phasegate.db"]
    audit.verify(play.engine, play.name)
    forgotten(play)
    assert files_with(state, SECRET) == []


def test_the_chain_holds_and_says_what_was_erased(play: Player, tmp_path: Path, clock: HandClock) -> None:
    """The receipts that were given before are still in it; kinds, times and hashes stay."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    before, receipt = play.journal(), play.reply.receipt
    clock.pass_(3600)
    done = forgotten(play)
    after = play.journal()
    assert [(e.kind, e.time, e.hash, e.body) for e in after[:-1]] == [(e.kind, e.time, e.hash, None) for e in before]
    assert after[-1].kind == "forgotten" and after[-1].time == done.at
    assert (done.entries, done.fault) == (len(before), None)
    found = audit.verify(play.engine, play.name, receipt)
    assert (found.receipt, found.erased, found.forgotten) == (done.receipt, len(before), done.at)
    (listed,) = play.engine.sessions()
    assert (listed.name, listed.status, listed.state) == (play.name, "cancelled", "confirm.presenting")
    assert play.engine.sessions(live=True) == []


def test_a_finished_session_stays_finished(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """How it ended is nobody's words."""
    begin(play, tmp_path)
    finish(play, sandbox)
    forgotten(play)
    assert play.engine.sessions()[0].status == "done"


def test_a_forgotten_session_takes_no_turns(play: Player, tmp_path: Path) -> None:
    """Neither a new turn nor a repeated one, whose recorded reply is gone; the error says what is left."""
    begin(play, tmp_path)
    last = play.reply
    forgotten(play)
    again = Turn("consent", quote="yes, send it", expect_revision=last.revision, seen=last.seen)
    for refused in (
        lambda: play.engine.advance(play.name, again),
        lambda: play.engine.status(play.name),
        lambda: play.engine.resume(play.name),
        lambda: play.engine.look(play.name),
        lambda: play.engine.data(play.name),
        lambda: proof.prove(play.engine, play.name),
    ):
        with pytest.raises(SessionNotFound, match="erased") as caught:
            refused()
        assert "audit" in caught.value.hint


def test_a_start_can_be_sent_again_afterwards(play: Player) -> None:
    """Nothing remembers the turn any more: the same start begins another session."""
    play.start({"words": WORDS}, turn_id="t1")
    first = play.name
    forgotten(play)
    play.start({"words": WORDS}, turn_id="t1")
    assert play.reply.ok and play.name != first


def test_a_session_in_doubt_is_refused(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Only what it holds can tell whether something was paid for; afterwards it can be forgotten."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    sandbox.fault("drop-after", on="create")
    answer(play, "approve")
    assert play.reply.status == "in_doubt"
    refused = forget(play.engine, play.name)
    assert isinstance(refused, Failure) and refused.type == "refused"
    assert "workflow-admin resolve" in refused.hint
    assert play.engine.status(play.name).status == "in_doubt"
    answer(play, "did_not_happen")
    assert forgotten(play).entries > 0


def test_an_open_intent_is_refused(play: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process died in the paid call: nobody has said yet that it is in doubt, and it is."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    with monkeypatch.context() as patch:
        patch.setattr("workflow.engine.work.attempt", _die)
        with pytest.raises(KeyboardInterrupt):
            answer(play, "approve")
    assert play.journal()[-1].kind == "intent"
    assert isinstance(forget(play.engine, play.name), Failure)


def _die(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_run_that_was_called_off_in_doubt_can_be_forgotten(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """It is over, and nobody can settle it any more."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    sandbox.fault("drop-after", on="create")
    answer(play, "approve")
    play.send("cancel")
    assert play.reply.status == "cancelled"
    forgotten(play)


def test_a_held_session_is_busy(play: Player, tmp_path: Path) -> None:
    """A turn or a look that goes on keeps what it needs."""
    begin(play, tmp_path)
    with play.engine.world.store.hold(play.name), pytest.raises(SessionBusy):
        forget(play.engine, play.name)
    assert play.engine.status(play.name).ok


def test_to_forget_once_more_is_no_second_entry(play: Player, tmp_path: Path) -> None:
    """It only looks after what another reader kept."""
    begin(play, tmp_path)
    first = forgotten(play)
    assert forgotten(play) == first
    assert len(play.journal("forgotten")) == 1


def test_a_reader_in_the_way_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """Somebody reads the store at an earlier instant: the command says so, and its repeat finishes it."""
    store = SqliteStore(tmp_path / "state", patience=0)
    play = player(tmp_path, REFERENCE, sandbox.url, store=store)
    play.start({"words": WORDS})
    reader = apsw.Connection(str(store.path))
    reader.execute("BEGIN; SELECT count(*) FROM entries").fetchall()
    with pytest.raises(StoreError, match="another program is reading the store") as caught:
        forget(play.engine, play.name)
    assert "run the same command again" in caught.value.hint
    assert files_with(tmp_path / "state", SECRET) != []
    reader.close()
    forgotten(play)
    assert files_with(tmp_path / "state", SECRET) == []


def test_what_was_wrong_before_stays_on_record(play: Player, tmp_path: Path) -> None:
    """To erase a log that was tampered with does not make it a good one: the entry says what was found."""
    begin(play, tmp_path)
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    pen = apsw.Connection(str(store.path))
    pen.execute("UPDATE entries SET body = replace(body, 'jazz', 'rock') WHERE seq = 2")
    pen.close()
    done = forgotten(play)
    assert done.fault == "the content of entry 2 was changed"
    assert (play.journal()[-1].body or {})["fault"] == done.fault
    assert audit.verify(play.engine, play.name).erased == done.entries


def test_words_that_are_put_back_are_noticed(play: Player, tmp_path: Path) -> None:
    """What was erased stays erased: from a backup it does not come back unseen."""
    begin(play, tmp_path)
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    pen = apsw.Connection(str(store.path))
    ((body,),) = pen.execute("SELECT body FROM entries WHERE seq = 2")
    forgotten(play)
    pen.execute("UPDATE entries SET body = ? WHERE seq = 2", (body,))
    pen.close()
    with pytest.raises(StoreError, match="some of it is there"):
        audit.verify(play.engine, play.name)


def test_others_go_on_meanwhile(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The store is written anew while other sessions take turns; none of these is lost."""
    other = player(tmp_path, REFERENCE, sandbox.url, store=play.engine.world.store)
    begin(play, tmp_path)
    begin(other, tmp_path)
    worker = threading.Thread(target=lambda: finish(other, sandbox))
    worker.start()
    forgotten(play)
    worker.join(60)
    assert not worker.is_alive() and other.reply.state == "over.finished"
    proof.prove(other.engine, other.name)
    again = open_engine(settings=settings_in(tmp_path), environ={"HOME": str(tmp_path)}, base=tmp_path)
    assert audit.verify(again, other.name).receipt
