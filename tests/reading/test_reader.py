"""The reader of a store: it sees what a store sees, in every state of its files, and refuses what it cannot know."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.contract.journals import NOW, TIMES, answered, append, begin, pay, started
from workflow.engine import Engine, View
from workflow.local.readable import check_code
from workflow.model.brakes import Pause, Use
from workflow.model.errors import StoreError
from workflow.model.frozen import replace
from workflow.model.ports import Reader, Store
from workflow.model.session import Timer
from workflow.store.read_only import ReadOnlyStore
from workflow.store.reader import SqliteReader
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that is not there yet."""
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """A store with a session of two entries."""
    store = SqliteStore(folder)
    session = begin(store, "amber-fox")
    entry, after = answered(session, turn="t1")
    append(store, [entry], after, "waiting")
    yield store
    store.close()


QUERIES: dict[str, Callable[[Reader], Any]] = {
    "load": lambda store: store.load("amber-fox"),
    "load nobody": lambda store: store.load("dry-owl"),
    "check_session": lambda store: store.check_session(store.load("amber-fox") or pytest.fail("none")),
    "entries": lambda store: list(store.entries("amber-fox")),
    "entry_hash": lambda store: store.entry_hash("amber-fox", 2),
    "record": lambda store: store.record("amber-fox"),
    "log": lambda store: store.log(),
    "find_turn": lambda store: store.find_turn("t1", "amber-fox"),
    "find_reply": lambda store: store.find_reply("amber-fox", 0),
    "sessions": lambda store: store.sessions(search="fox"),
    "definition": lambda store: store.definition("x"),
    "definitions": lambda store: store.definitions("x"),
    "faults": lambda store: store.faults(),
    "verify": lambda store: store.verify(),
    "identity": lambda store: store.identity(),
    "foreign": lambda store: store.foreign(),
    "ledger_fault": lambda store: store.ledger_fault(),
    "unknown_payments": lambda store: store.unknown_payments(),
    "count": lambda store: store.count(),
    "over": lambda store: store.over("2099"),
    "check_own": lambda store: store.check_own(),
    "check_paying": lambda store: store.check_paying("amber-fox"),
    "pauses": lambda store: store.pauses(),
    "uses": lambda store: store.uses(Use("", 0, "image", "create", False, NOW), 86400),
    "due": lambda store: store.due(replace(NOW, boot=NOW.boot + 60)),
    "held_by": lambda store: store.held_by("amber-fox"),
    "check": lambda store: store.check(),
}


def told(ask: Callable[[Reader], Any], store: Reader) -> Any:
    """The answer, or what it raised: sessions of the contract do not add up, and both have to say so."""
    try:
        return ask(store)
    except StoreError as error:
        return str(error)


def methods(protocol: type) -> set[str]:
    """The names of what it can be asked."""
    return {name for name in dir(protocol) if not name.startswith("_")}


@pytest.mark.parametrize("closed", [False, True])
def test_a_reader_sees_what_the_store_sees(store: SqliteStore, folder: Path, closed: bool) -> None:
    """Beside a store that is open, and by itself: the same answer to every question."""
    assert set(QUERIES) - {"load nobody"} == methods(Reader) - {"backup", "close"}
    store.pause(Pause("bundle", "film", TIMES[3], "ann", "the invoice is wrong"))
    pay(store, "dry-owl")
    entry, timed = started("red-elk")
    append(store, [entry], replace(timed, timers={"after": Timer(NOW, 0, 60.0)}), "waiting")
    other = SqliteStore(folder)  # one that has verified nothing yet
    expected = {name: told(ask, other) for name, ask in QUERIES.items()}
    other.close()
    if closed:
        store.close()
    assert expected["pauses"] and expected["uses"] and expected["due"]
    reader = SqliteReader(folder)
    assert reader._own.shared is not closed
    assert {name: told(ask, reader) for name, ask in QUERIES.items()} == expected
    reader.close()
    with pytest.raises(StoreError, match="closed"):
        reader.sessions()


def test_a_reader_has_nothing_that_writes() -> None:
    """By its type; and what stands in for a store refuses every write, or keeps nothing."""
    writes = methods(Store) - methods(Reader)
    assert writes and not writes & methods(SqliteReader)
    assert not {"start", "advance", "look", "confirm"} & methods(View) and methods(View) < methods(Engine)
    assert writes <= set(vars(ReadOnlyStore))


def test_what_stands_in_for_a_store_refuses_every_write(store: SqliteStore, folder: Path) -> None:
    """Whatever a turn would do first stops it."""
    kept: Any = ReadOnlyStore(SqliteReader(folder))
    session = store.load("amber-fox")
    uses: dict[str, tuple[Any, ...]] = {
        "hold": ("amber-fox",),
        "append": (None, [], session, "waiting"),
        "forget": (None, None, session, "done"),
        "sweep": (),
        "begin_ledger": (TIMES[0],),
        "enter": (None,),
        "adopt": (TIMES[0],),
    }
    for name, values in uses.items():
        with pytest.raises(StoreError, match="opened for reading"):
            getattr(kept, name)(*values)
    assert kept.first_time("ann", "delivery") is False
    kept.keep_definition("x", "{}")
    kept.note_fault(None)
    assert store.definition("x") is None and store.faults() == []


def test_the_connection_itself_cannot_write(store: SqliteStore, folder: Path) -> None:
    """Neither beside a writer nor alone."""
    for _ in range(2):
        reader = SqliteReader(folder)
        with pytest.raises(apsw.ReadOnlyError):
            reader._connection().execute("DELETE FROM sessions").fetchall()
        reader.close()
        store.close()


def test_a_writer_who_comes_later_is_seen(store: SqliteStore, folder: Path) -> None:
    """A reader that had the store for itself notices whoever opens it, writes, and empties the log."""
    store.close()
    reader = SqliteReader(folder)
    assert [each.name for each in reader.sessions()] == ["amber-fox"]
    other = SqliteStore(folder)
    begin(other, "dry-owl")
    other.sweep()
    assert {each.name for each in reader.sessions()} == {"amber-fox", "dry-owl"}
    assert reader.verify().sessions == 2
    other.close()
    assert reader.verify().sessions == 2
    reader.close()


def test_what_was_read_while_a_writer_came_is_read_again(store: SqliteStore, folder: Path) -> None:
    """Whatever it was, an answer or an error, it may be of a torn page."""
    store.close()
    reader = SqliteReader(folder)
    opened: list[SqliteStore] = []

    def look(connection: apsw.Connection) -> int:
        if not opened:
            opened.append(SqliteStore(folder))
            begin(opened[0], "dry-owl")
            raise StoreError("a page that makes no sense")
        return len(connection.execute("SELECT name FROM sessions").fetchall())

    assert reader._read(look) == 2
    opened[0].close()
    reader.close()


WRITING = """
import sys
from pathlib import Path
from tests.contract.journals import begin
from workflow.store.sqlite import SqliteStore
for number in range(60):
    store = SqliteStore(Path(sys.argv[1]))
    begin(store, f"word-{number}")
    store.close()
"""


def test_reading_beside_writers_who_come_and_go(folder: Path) -> None:
    """Every answer is of one instant, and none is older than the one before."""
    counts = []
    with subprocess.Popen([sys.executable, "-c", WRITING, str(folder)], cwd=ROOT) as writing:
        while writing.poll() is None:
            reader = SqliteReader(folder)
            counts += [reader.verify().sessions, reader.verify().sessions]
            reader.close()
    assert writing.returncode == 0 and counts == sorted(counts)
    assert SqliteReader(folder).verify().sessions == 60


def test_where_there_is_no_store_nothing_is_made(tmp_path: Path, folder: Path) -> None:
    """It is an empty one, until somebody makes it."""
    reader = SqliteReader(folder)
    assert reader.sessions() == [] and reader.load("amber-fox") is None and reader.check() == []
    assert reader.verify().sessions == 0 and reader.owner is None
    with pytest.raises(StoreError, match="there is no store"):
        reader.backup(str(tmp_path / "copy.db"))
    assert list(tmp_path.iterdir()) == []
    store = SqliteStore(folder)
    begin(store, "amber-fox")
    assert [each.name for each in reader.sessions()] == ["amber-fox"]
    store.close()
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="moved or removed|cannot be used"):
        reader.sessions()
    reader.close()


def left(store: SqliteStore, folder: Path) -> Path:
    """A copy of the store with what was written last in its log alone."""
    begin(store, "dry-owl")
    copy = folder.with_name("left")
    shutil.copytree(folder, copy)
    copy.chmod(0o700)
    return copy


def test_a_log_without_its_database_is_refused(store: SqliteStore, folder: Path) -> None:
    """It holds what the database lost."""
    copy = left(store, folder)
    (copy / "phasegate.db").unlink()
    with pytest.raises(StoreError, match=r"phasegate\.db is missing"):
        SqliteReader(copy)


def test_an_index_without_its_log_is_refused(store: SqliteStore, folder: Path) -> None:
    """Somebody had the store open, and what they wrote may be gone with the log."""
    copy = left(store, folder)
    (copy / "phasegate.db-wal").unlink()
    with pytest.raises(StoreError, match=r"phasegate\.db-wal is missing"):
        SqliteReader(copy, patience=0)


def test_a_log_that_was_cut_short_is_read_up_to_its_last_commit(store: SqliteStore, folder: Path) -> None:
    """As a writer would find it after a crash."""
    copy = left(store, folder)
    log = copy / "phasegate.db-wal"
    os.truncate(log, log.stat().st_size - 100)
    (copy / "phasegate.db-shm").unlink()
    names = [each.name for each in SqliteReader(copy).sessions()]
    assert names == [each.name for each in SqliteStore(copy).sessions()] == ["amber-fox"]


def link_the_log(folder: Path) -> None:
    """What is written to it goes elsewhere."""
    log = folder / "phasegate.db-wal"
    log.rename(folder / "log")
    log.symlink_to(folder / "log")


def put_a_pipe(folder: Path) -> None:
    """Whoever opens it waits for somebody at its other end."""
    (folder / "phasegate.db").unlink()
    os.mkfifo(folder / "phasegate.db")


OTHERS = "can be written by other users"
SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder that others can write": (lambda folder: folder.chmod(0o777), OTHERS),
    "a database that others can write": (lambda folder: (folder / "phasegate.db").chmod(0o666), OTHERS),
    "a log that others can write": (lambda folder: (folder / "phasegate.db-wal").chmod(0o662), OTHERS),
    "a database with a second name": (
        lambda folder: os.link(folder / "phasegate.db", folder / "other.db"),
        "is known by 2 names",
    ),
    "a log that leads elsewhere": (link_the_log, "is not a regular file"),
    "a pipe": (put_a_pipe, "is not a regular file"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_a_third_user_could_have_made_is_refused(store: SqliteStore, folder: Path, how: str) -> None:
    """With the reason; the modes stay as they are."""
    copy = left(store, folder)
    spoil, why = SPOILED[how]
    spoil(copy)
    before = {path: stat.S_IMODE(path.lstat().st_mode) for path in (copy, *copy.rglob("*"))}
    with pytest.raises(StoreError, match=why) as caught:
        SqliteReader(copy)
    assert caught.value.hint
    assert {path: stat.S_IMODE(path.lstat().st_mode) for path in (copy, *copy.rglob("*"))} == before


def test_a_wider_mode_is_read_and_left(store: SqliteStore, folder: Path) -> None:
    """To close it is for whoever writes; whoever looks changes nothing."""
    copy = left(store, folder)
    copy.chmod(0o755)
    (copy / "phasegate.db").chmod(0o644)
    assert {each.name for each in SqliteReader(copy).sessions()} == {"amber-fox", "dry-owl"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "phasegate.db").stat().st_mode) == 0o644


def test_code_that_others_could_have_written_is_not_run(tmp_path: Path) -> None:
    """The whole folder of the bundle is looked at; root's files and one's own will do."""
    bundle = tmp_path / "bundle"
    (bundle / "phases").mkdir(parents=True)
    code = bundle / "phases" / "steps.py"
    code.write_text("raise SystemExit")
    check_code(bundle)
    code.chmod(0o646)
    with pytest.raises(StoreError, match=r"steps\.py can be written by other users") as caught:
        check_code(bundle)
    assert "audit log" in str(caught.value.hint)
    code.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(code, 54321, 54321)
        with pytest.raises(StoreError, match=r"steps\.py belongs to another user \(uid 54321\)"):
            check_code(bundle)
