"""Nothing is paid, listed as sound or copied from a store that somebody edited, however well the edit fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS, finish
from tests.on_leave import begun
from tests.playing import HandClock, Player, player, settings_in
from tests.promises.conftest import REFERENCE
from workflow.bundle import open_bundle
from workflow.cli.agent.store_health import examine_store
from workflow.history import audit, proof
from workflow.history.forget import forget
from workflow.model.digest import sealed, unsealed
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.session import Turn
from workflow.store import queries, whole
from workflow.store.sqlite import SqliteStore

Door = Callable[[Player, Path], object]


def pay(play: Player, seen: str | None = None) -> Turn:
    """The answer that pays."""
    return Turn("approve", quote="yes, go ahead", turn_id="pay", seen=seen or play.reply.seen)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """In files, so that somebody else can write to it."""
    store = SqliteStore(tmp_path / "state")
    yield store
    store.close()


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, store: SqliteStore, clock: HandClock) -> Player:
    """A session whose plan is shown: the next answer pays."""
    return planned(tmp_path, sandbox, store, clock)


def planned(folder: Path, sandbox: Sandbox, store: SqliteStore, clock: HandClock) -> Player:
    """The same, in a store that is given."""
    play = player(folder, REFERENCE, sandbox.url, store=store, clock=clock)
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    assert play.reply.state == "confirm.presenting"
    return play


def creates(sandbox: Sandbox) -> int:
    """How many images were ordered."""
    return sum((each.method, each.path) == ("POST", "/v1/openapi/tasks") for each in sandbox.requests)


def write(store: SqliteStore, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Somebody with a pen of their own."""
    pen = apsw.Connection(str(store.path))
    for each in statements:
        pen.execute(each, values or None)
    pen.close()


DELETED = [
    "DELETE FROM entries WHERE session = '{0}'; DELETE FROM sessions WHERE name = '{0}'",
    "DELETE FROM entries WHERE session IN ('{0}', '{1}'); DELETE FROM sessions WHERE name IN ('{0}', '{1}')",
    "DELETE FROM entries WHERE session = '{0}'; DELETE FROM sessions WHERE name = '{0}';"
    " DELETE FROM links WHERE session = '{0}'",
    "DELETE FROM sessions WHERE name = '{0}'",
    "DELETE FROM links WHERE number = (SELECT max(number) FROM links)",
    "UPDATE links SET session = '{1}' WHERE number = 1",
    "DELETE FROM entries; DELETE FROM sessions",
]
"""What one session's own chain cannot show."""
DOORS: dict[str, Door] = {
    "verify": lambda play, folder: play.engine.world.store.verify(),
    "audit verify --store": lambda play, folder: audit.verify_store(play.engine),
    "backup": lambda play, folder: play.engine.world.store.backup(str(folder / "copy.db")),
    "doctor": lambda play, folder: doctor(folder),
}


def doctor(folder: Path) -> None:
    """Raise what `workflow doctor` says of the store, if it is not well."""
    check = examine_store(settings_in(folder))
    if check.state != "ok":
        raise StoreError(check.what, check.hint)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("edit", DELETED)
def test_a_session_that_is_deleted_is_missed(
    tmp_path: Path, sandbox: Sandbox, store: SqliteStore, clock: HandClock, edit: str, door: str
) -> None:
    """Whole, with another one, with its links, or in part: the chain of the store names what is gone."""
    paid, other = (planned(tmp_path, sandbox, store, clock) for _ in range(2))
    planned(tmp_path, sandbox, store, clock)
    finish(paid, sandbox)
    DOORS[door](paid, tmp_path)
    (tmp_path / "copy.db").unlink(missing_ok=True)
    for each in edit.format(paid.name, other.name).split(";"):
        write(store, each)
    with pytest.raises(StoreError) as caught:
        DOORS[door](paid, tmp_path)
    assert caught.value.hint
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("door", DOORS)
def test_a_session_that_is_set_back_alone_is_missed(
    tmp_path: Path, sandbox: Sandbox, store: SqliteStore, play: Player, door: str
) -> None:
    """Every copy of it fits, and only the chain of the store knows that it went further."""
    row = apsw.Connection(str(store.path)).execute("SELECT * FROM sessions").fetchall()[0]
    seq = play.journal()[-1].seq
    play.engine.advance(play.name, pay(play))
    assert creates(sandbox) == 1
    write(store, f"DELETE FROM entries WHERE seq > {seq}", "DELETE FROM sessions")
    write(store, f"INSERT INTO sessions VALUES ({', '.join('?' * len(row))})", values=row)
    audit.verify(play.engine, play.name)
    with pytest.raises(StoreError):
        DOORS[door](play, tmp_path)


def test_a_receipt_of_the_store_outlives_what_is_forgotten(
    tmp_path: Path, sandbox: Sandbox, store: SqliteStore, clock: HandClock
) -> None:
    """To forget is an entry, so the chain goes on; only a store that was set back does not hold its receipt."""
    first, second = (planned(tmp_path, sandbox, store, clock) for _ in range(2))
    receipt = store.verify().receipt
    forget(first.engine, first.name)
    assert audit.verify_store(second.engine, receipt).sessions == 2
    store.backup(str(tmp_path / "copy.db"))
    later = store.verify(receipt).receipt
    assert later != receipt and store.verify(later).links == store.verify(receipt).links
    with pytest.raises(JournalTampered, match="does not hold the head"):
        store.verify(f"{later.split(':')[0]}:{'0' * 24}")


PLANTED = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON entries BEGIN UPDATE sessions SET status = 'done'; END",
    "view": "CREATE VIEW v AS SELECT * FROM sessions",
    "index": "CREATE INDEX i ON entries (kind)",
    "table": "CREATE TABLE more (a)",
    "column": "ALTER TABLE occasions ADD COLUMN more TEXT",
    "missing index": "DROP INDEX entries_turn",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_the_store_did_not_make_stops_everything(
    tmp_path: Path, sandbox: Sandbox, store: SqliteStore, play: Player, planted: str
) -> None:
    """In the process that has the store open, before a byte is written or paid, and in every new one."""
    before = store.load(play.name)
    write(store, PLANTED[planted])
    further: list[Door] = [
        lambda play, folder: play.engine.advance(play.name, pay(play)),
        lambda play, folder: play.engine.advance(play.name, Turn("adjust", {"words": "x"}, expect_revision=2)),
        lambda play, folder: audit.verify(play.engine, play.name),
        lambda play, folder: SqliteStore(folder / "state"),
    ]
    for refused in (*further, *DOORS.values()):
        with pytest.raises(StoreError, match="changed by another program") as caught:
            refused(play, tmp_path)
        assert caught.value.hint
    assert store.load(play.name) == before and creates(sandbox) == 0


EDITS = {
    "content": "UPDATE entries SET body = replace(body, 'jazz', 'rock') WHERE seq = 2",
    "deleted": "DELETE FROM entries WHERE seq = 3",
    "time": "UPDATE entries SET time = '2001-01-01T00:00:00.000Z' WHERE seq = 2",
    "kind": "UPDATE entries SET kind = 'refusal' WHERE seq = 2",
    "turn": "UPDATE entries SET turn = 'id:x' WHERE seq = 2",
    "status": "UPDATE sessions SET status = 'done'",
    "updated": "UPDATE sessions SET updated = '2001-01-01T00:00:00.000Z'",
    "workflow": "UPDATE sessions SET workflow = 'other'",
    "end": "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)",
    "not UTF-8": "UPDATE entries SET kind = CAST(x'ff' AS TEXT) WHERE seq = 2",
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("fresh", [False, True], ids=["same process", "new process"])
def test_an_edited_session_is_not_paid_for(
    tmp_path: Path, sandbox: Sandbox, store: SqliteStore, play: Player, edit: str, fresh: bool
) -> None:
    """Not even by the process that wrote all of it, which knows that somebody else has written since."""
    write(store, EDITS[edit])
    engine = player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state")) if fresh else play
    with pytest.raises(JournalTampered):
        engine.engine.advance(play.name, pay(play))
    assert creates(sandbox) == 0
    with pytest.raises(StoreError):
        doctor(tmp_path)


@pytest.mark.parametrize(("old", "new"), [("tester", "taster"), ('"revision":2', '"revision":2.0')])
def test_a_snapshot_that_python_takes_for_the_true_one_is_not_paid_for(
    play: Player, sandbox: Sandbox, store: SqliteStore, old: str, new: str
) -> None:
    """It is compared as text, sealed as it may be."""
    (text,) = apsw.Connection(str(store.path)).execute("SELECT snapshot FROM sessions").fetchone() or ("",)
    assert old in text
    write(store, "UPDATE sessions SET snapshot = ?", values=(sealed(unsealed(text).replace(old, new)),))
    with pytest.raises(StoreError, match="not what its journal adds up to"):
        play.engine.advance(play.name, pay(play, play.engine.status(play.name).seen))
    assert creates(sandbox) == 0


def test_a_check_that_fails_pays_for_nothing(
    play: Player, sandbox: Sandbox, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in the verification is no proof of a whole journal."""

    def fails(*_: object) -> None:
        raise RuntimeError("it raises here")

    write(store, "INSERT INTO occasions VALUES ('x', 'y')")  # so that nobody relies on what was verified before
    monkeypatch.setattr(queries, "check_record", fails)
    monkeypatch.setattr(whole, "check_record", fails)
    reply = play.engine.advance(play.name, pay(play))
    assert reply.error and reply.error.kind == "internal"
    assert creates(sandbox) == 0
    with pytest.raises(RuntimeError):
        store.backup(str(store.path.with_name("copy.db")))
    assert not store.path.with_name("copy.db").exists()


def test_what_this_process_wrote_is_not_read_again(
    play: Player, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its start on, all of it was written here, and nobody else has written to the store."""
    checked: list[object] = []
    monkeypatch.setattr(queries, "check_record", checked.append)
    assert play.send("approve", quote="yes, go ahead").ok
    assert checked == []
    write(store, "INSERT INTO occasions VALUES ('x', 'y')")
    session = store.load(play.name)
    assert session is not None
    store.check_session(session)
    store.check_session(session)
    assert len(checked) == 1


def test_a_process_that_lives_long_verifies_what_it_first_touches(
    tmp_path: Path, play: Player, store: SqliteStore
) -> None:
    """As ``serve``, ``mcp`` and ``watch`` do: a status of theirs is of a verified session."""
    long_lived = SqliteStore(tmp_path / "state", verifies=True)
    assert long_lived.load(play.name)
    write(store, EDITS["content"])
    assert store.load(play.name) and long_lived.load(play.name)
    again = SqliteStore(tmp_path / "state", verifies=True)
    with pytest.raises(JournalTampered):
        again.load(play.name)
    with pytest.raises(JournalTampered):
        again.load(play.name)
    long_lived.close()
    again.close()


def test_a_foreign_row_is_tampering(play: Player, store: SqliteStore) -> None:
    """A turn that meets it names the session, not an index of the database."""
    seq = play.journal()[-1].seq
    copy = "SELECT session, {0}, 'refusal', time, digest, hash, NULL, body FROM entries WHERE seq = {1}"
    write(store, f"INSERT INTO entries {copy.format(seq + 1, seq)}")
    for turn in (pay(play), Turn("adjust", {"words": "x"}, expect_revision=2)):
        with pytest.raises(JournalTampered, match=f"journal of {play.name} ends with entry {seq + 1}"):
            play.engine.advance(play.name, turn)


def test_rows_without_a_session_are_tampering(play: Player, store: SqliteStore) -> None:
    """A name whose session was deleted is not free, and not unknown."""
    write(store, "DELETE FROM sessions")
    with pytest.raises(JournalTampered, match="holds entries"):
        play.engine.status(play.name)


def test_the_definition_is_the_one_that_the_journal_names(
    play: Player, sandbox: Sandbox, store: SqliteStore, tmp_path: Path
) -> None:
    """Someone who writes the store can change what a proof asks; the journal has its digest, a checkout its text."""
    bundle = open_bundle(REFERENCE)
    assert (play.journal("started")[0].body or {})["compiled"] == bundle.compiled
    play.engine.advance(play.name, pay(play))
    assert proof.prove(play.engine, play.name).holds
    ((content,),) = store._connection().execute("SELECT content FROM definitions").fetchall()
    known = json.loads(unsealed(str(content)))
    known["document"]["never_without"] = {}
    forged = sealed(json.dumps(known, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
    write(store, "UPDATE definitions SET content = ?", values=(forged,))
    for refused in (
        lambda: proof.prove(play.engine, play.name),
        lambda: audit.verify(play.engine, play.name),
        lambda: doctor(tmp_path),
    ):
        with pytest.raises(StoreError, match="another definition"):
            refused()
    write(store, "DELETE FROM definitions")
    assert not proof.prove(play.engine, play.name).holds
    assert proof.prove(play.engine, play.name, bundles=[bundle]).holds


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM timers WHERE name = 'after'",
        "UPDATE timers SET boot = boot + 1",
        "UPDATE timers SET wall = wall - 1 WHERE name = 'remind'",
        "UPDATE timers SET boot_id = 'boot-9'",
        "UPDATE timers SET name = 'other' WHERE name = 'deadline'",
        "INSERT INTO timers SELECT session, 'another', 0, 0, boot_id FROM timers WHERE name = 'after'",
    ],
)
def test_a_timer_that_was_edited_is_noticed(tmp_path: Path, store: SqliteStore, edit: str) -> None:
    """It decides nothing, and somebody has written to the store: every door that verifies says so."""
    with begun(tmp_path, store=store) as (play, _, _):
        assert not audit.fault(play.engine, play.name)
        write(store, edit)
        assert "timers" in str(audit.fault(play.engine, play.name))
