"""The file of the SQLite store: who may read it, and what else may be found in its place."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from tests.contract.journals import answered, append, begin, replied
from workflow.model.digest import sha256
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.frozen import replace
from workflow.model.session import Session
from workflow.store import connection, sqlite, statements, write_snapshot
from workflow.store.sqlite import SqliteStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that is not there yet."""
    return tmp_path / "above" / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """A store that is open."""
    store = SqliteStore(folder)
    yield store
    store.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_only_the_owner_can_read(folder: Path, umask: int) -> None:
    """Folders are 0700 and files 0600, the write-ahead log and the locks included, under any umask."""
    before = os.umask(umask)
    try:
        store = SqliteStore(folder)
        begin(store, "amber-fox")
        with store.hold("amber-fox"):
            modes = _modes(folder.parent)
        store.close()
    finally:
        os.umask(before)
    assert modes == {
        "state": 0o700,
        "holds": 0o700,
        "amber-fox.lock": 0o600,
        "phasegate.db": 0o600,
        "phasegate.db-shm": 0o600,
        "phasegate.db-wal": 0o600,
        "writers.lock": 0o600,
    }
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_nothing_is_wider_even_briefly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a umask that takes nothing, each file and folder has its mode from its first instant."""
    seen: dict[str, int] = {}
    make_folder, make_file = os.mkdir, os.open

    def mkdir(path: Path, mode: int) -> None:
        make_folder(path, mode)
        seen[path.name] = stat.S_IMODE(path.stat().st_mode)

    def create(path: Path, flags: int, mode: int = 0o777) -> int:
        file = make_file(path, flags, mode)
        seen.setdefault(Path(path).name, stat.S_IMODE(os.fstat(file).st_mode))
        return file

    before = os.umask(0)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "mkdir", mkdir)
            patch.setattr(os, "open", create)
            _use(folder)
    finally:
        os.umask(before)
    folders, files = ["above", "state", "holds"], ["phasegate.db", "writers.lock", "amber-fox.lock"]
    assert seen == dict.fromkeys(folders, 0o700) | dict.fromkeys(files, 0o600)


def test_wider_modes_are_repaired(store: SqliteStore, folder: Path) -> None:
    """What others could read is closed to them when the store is opened again."""
    begin(store, "amber-fox")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    again = SqliteStore(folder)
    again.first_time("ann", "delivery")
    assert set(_modes(folder).values()) == {0o700, 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    again.close()


def test_a_folder_of_everybody_keeps_its_mode(tmp_path: Path) -> None:
    """A folder with the sticky bit, such as that of temporary files, is shared on purpose."""
    tmp_path.chmod(0o1777)
    SqliteStore(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert _modes(tmp_path) == {"phasegate.db": 0o600, "holds": 0o700, "writers.lock": 0o600}


def test_the_path_is_told(store: SqliteStore, folder: Path) -> None:
    """The database has one name in its folder."""
    assert store.path == folder.resolve() / "phasegate.db"
    assert store.path.is_file()


def test_a_folder_may_be_a_link(tmp_path: Path) -> None:
    """A state folder that is kept elsewhere works."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = SqliteStore(tmp_path / "link")
    assert store.path == (tmp_path / "real" / "phasegate.db").resolve()
    store.close()


def test_what_was_written_is_there_when_opened_again(folder: Path) -> None:
    """A session outlives the store that wrote it."""
    store = SqliteStore(folder)
    session = begin(store, "amber-fox")
    store.close()
    again = SqliteStore(folder)
    assert again.load("amber-fox") == session
    again.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param("CREATE TABLE recipes (title); INSERT INTO recipes VALUES ('soup')", id="tables"),
        pytest.param("PRAGMA user_version = 1", id="a version"),
        pytest.param("PRAGMA application_id = 42", id="another application"),
        pytest.param("PRAGMA application_id = 42; PRAGMA user_version = 1", id="application and version"),
        pytest.param("PRAGMA journal_mode = WAL; CREATE TABLE recipes (title)", id="a write-ahead log"),
    ],
)
def test_a_database_of_another_program_is_refused(tmp_path: Path, make: str) -> None:
    """It is told from ours by its header, and not a byte of it changes."""
    file = tmp_path / "phasegate.db"
    _sql(file, make)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="another program") as caught:
        SqliteStore(tmp_path)
    assert str(file) in str(caught.value)
    assert "another state folder" in caught.value.hint
    assert file.read_bytes() == before


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A version that does not know the schema keeps its hands off."""
    SqliteStore(tmp_path).close()
    _sql(tmp_path / "phasegate.db", f"PRAGMA user_version = {connection.SCHEMA + 1}")
    with pytest.raises(StoreError, match="newer version") as caught:
        SqliteStore(tmp_path)
    assert "Upgrade" in caught.value.hint


@pytest.mark.parametrize("content", [b"xy", b"[settings]\n", b"not a database " * 1000])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """Short or long, it is left as it is."""
    file = tmp_path / "phasegate.db"
    file.write_bytes(content)
    with pytest.raises(StoreError, match="not a database") as caught:
        SqliteStore(tmp_path)
    assert caught.value.hint
    assert isinstance(caught.value.__cause__, apsw.NotADBError)
    assert file.read_bytes() == content


def test_a_truncated_database_is_refused(folder: Path) -> None:
    """Half a file is damage, and said to be."""
    file = _filled(folder)
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(StoreError, match="is damaged") as caught:
        SqliteStore(folder)
    assert "backup" in caught.value.hint


def test_a_damaged_page_is_noticed(folder: Path) -> None:
    """Garbage in place of the tables is damage, not an empty store."""
    file = _filled(folder)
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (file.stat().st_size - 4096))
    for look in (lambda store: store.load("amber-fox"), lambda store: list(store.entries("amber-fox"))):
        with pytest.raises(StoreError, match="is damaged"):
            look(SqliteStore(folder))


def test_a_creation_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    """An empty file, with the log of what was never committed or without, becomes a store."""
    file = tmp_path / "phasegate.db"
    file.touch()
    _sql(file, "PRAGMA journal_mode = WAL")
    store = SqliteStore(tmp_path)
    begin(store, "amber-fox")
    store.close()


@pytest.mark.parametrize("name", ["phasegate.db", "phasegate.db-wal", "holds/amber-fox.lock", "writers.lock"])
def test_a_folder_in_the_way_is_reported(tmp_path: Path, name: str) -> None:
    """The error names what is in the way."""
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(StoreError, match=name) as caught:
        _use(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["state", "state/holds"])
def test_a_file_in_the_way_of_a_folder_is_reported(tmp_path: Path, name: str) -> None:
    """The error names what is in the way, and the file stays."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match="Not a directory") as caught:
        _use(tmp_path / "state")
    assert str(tmp_path / name) in str(caught.value)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["phasegate.db", "phasegate.db-wal", "holds/amber-fox.lock", "writers.lock"])
@pytest.mark.parametrize("exists", [True, False])
def test_links_are_not_followed(tmp_path: Path, name: str, exists: bool) -> None:
    """A link planted in place of one of our files leads nowhere."""
    target, link = tmp_path / "target", tmp_path / "state" / name
    if exists:
        target.write_bytes(b"")
        target.chmod(0o644)
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    with pytest.raises(StoreError, match=link.name):
        _use(tmp_path / "state")
    assert target.exists() == exists
    assert not exists or (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"", 0o644)


def test_a_database_exchanged_for_a_link_is_not_opened(tmp_path: Path) -> None:
    """Every further connection looks again: what lies behind a link is no store of ours."""
    folder = tmp_path / "state"
    with ThreadPoolExecutor(1) as other:
        store = SqliteStore(folder)
        begin(store, "amber-fox")
        shutil.copy(folder / "phasegate.db", tmp_path / "target")
        (folder / "phasegate.db").unlink()
        (folder / "phasegate.db").symlink_to(tmp_path / "target")
        with pytest.raises(StoreError, match=r"phasegate\.db"):
            other.submit(store.load, "amber-fox").result()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """Neither making nor changing a store there ends in anything but our own error."""
    empty, used = tmp_path / "empty", tmp_path / "used"
    empty.mkdir(mode=0o500)
    begin(SqliteStore(used), "amber-fox")
    SqliteStore(used).close()
    used.chmod(0o500)
    (used / "phasegate.db").chmod(0o400)
    for folder in (empty, empty / "deeper", used):
        with pytest.raises(StoreError, match=str(folder)) as caught:
            _without_privileges(lambda folder=folder: _use(folder))  # type: ignore[misc]
        assert caught.value.hint
    used.chmod(0o700)


def test_every_connection_is_durable(store: SqliteStore) -> None:
    """WAL, every commit synced, erased text overwritten: in each thread."""
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
        "application_id": connection.APPLICATION,
        "user_version": connection.SCHEMA,
    }

    def settings() -> dict[str, object]:
        mine = store._connection()
        return {name: mine.pragma(name) for name in expected}

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(settings).result(30) == settings() == expected


def test_the_connection_of_a_thread_goes_with_it(store: SqliteStore) -> None:
    """A server's threads do not pile up connections."""
    for _ in range(3):
        thread = threading.Thread(target=store.sessions)
        thread.start()
        thread.join(30)
    assert len(store._all) == 1


def test_the_schema_is_one_numbered_file(store: SqliteStore) -> None:
    """What every connection compares is the digest of what that file makes."""
    scripts = sorted(path.name for path in (Path(sqlite.__file__).parent / "schema").iterdir())
    assert scripts == [f"{connection.SCHEMA:03}_initial.sql"]
    assert sha256(repr(connection.made()).encode()) == connection.OBJECTS
    assert connection.APPLICATION.to_bytes(4, "big") == b"PHSC"


@pytest.mark.parametrize(("header", "version"), [(0x50474154, 1), (0x50474154, 3), (0x50485347, 1)])
def test_a_store_of_before_is_refused_by_its_name(tmp_path: Path, header: int, version: int) -> None:
    """The one next step works, and not a byte of it changes."""
    file = tmp_path / "phasegate.db"
    _sql(file, f"CREATE TABLE sessions (name); PRAGMA application_id = {header}; PRAGMA user_version = {version}")
    before = file.read_bytes()
    with pytest.raises(
        StoreError, match=f"earlier version of Phasegate \\({header.to_bytes(4).decode()} {version}\\)"
    ) as caught:
        SqliteStore(tmp_path)
    assert "Move it away" in caught.value.hint
    assert file.read_bytes() == before
    file.rename(tmp_path / "older.db")
    SqliteStore(tmp_path).close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (statements.TURN, "entries_turn"),
        (statements.START, "entries_start"),
        (statements.REPLY, "sqlite_autoindex_entries_1 (session=? AND seq>?)"),
        (statements.listing()[0], "sessions_by_update"),
        (statements.ENTRIES, "sqlite_autoindex_entries_1 (session=? AND seq>?)"),
        (statements.TURNS, "entries_turn (session=? AND turn>?)"),
        (statements.RECORD, "sqlite_autoindex_sessions_1 (name=?)"),
        (statements.SNAPSHOT, "sqlite_autoindex_entries_1 (session=? AND seq=?)"),
        (statements.HEAD, "sqlite_autoindex_entries_1 (session=?)"),
        (statements.log(()), "entries_by_time (time>?)"),
        (statements.log(("event", "refusal")), "entries_by_time (time>?)"),
        (statements.DEFINITIONS, "sqlite_autoindex_definitions_1 (key>? AND key<?)"),
        (f"{statements.ERASE} RETURNING 1", "sqlite_autoindex_entries_1 (session=? AND seq<?)"),
    ],
)
def test_lookups_do_not_read_whole_tables(store: SqliteStore, query: str, index: str) -> None:
    """Each finds its rows by the index that was made for it, and sorts nothing."""
    connection = store._connection()
    values = ("x",) * (1 if "?1" in query else query.count("?"))
    plan = "\n".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values))
    assert f"INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_full_disk_is_reported(store: SqliteStore) -> None:
    """What does not fit is not there, what was there before is, and there is a way on."""
    session = begin(store, "amber-fox")
    connection = store._connection()
    connection.pragma("max_page_count", connection.pragma("page_count"))
    entry, after = replied(session)
    with pytest.raises(StoreError, match="disk is full") as caught:
        while True:
            append(store, [entry], after, "waiting")
            session = after
            entry, after = replied(session)
    assert "Free some space" in caught.value.hint
    assert store.load("amber-fox") == session
    connection.pragma("max_page_count", 1 << 20)
    append(store, [entry], after, "waiting")


def test_another_program_that_locks_the_file_is_reported(folder: Path) -> None:
    """Reading goes on meanwhile; writing does once it lets go."""
    store = SqliteStore(folder, patience=0)
    session = begin(store, "amber-fox")
    entry, after = replied(session)
    browser = apsw.Connection(str(store.path))
    browser.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy") as caught:
        append(store, [entry], after, "waiting")
    assert "database browser" in caught.value.hint
    assert store.load("amber-fox") == session
    browser.execute("ROLLBACK")
    append(store, [entry], after, "waiting")
    browser.close()
    store.close()


@pytest.mark.parametrize("snapshot", ["", "{", "[]", "null", "{}", '{"name": "amber-fox"}', "[" * 100_000, None])
def test_a_snapshot_that_cannot_be_read_fails_closed(store: SqliteStore, snapshot: str | None) -> None:
    """Anything but a session is an error; it is never taken for a session that is not there."""
    begin(store, "amber-fox")
    _sql(store.path, "UPDATE sessions SET snapshot = ?", snapshot)
    with pytest.raises(StoreError, match="session amber-fox cannot be read") as caught:
        store.load("amber-fox")
    assert "backup" in caught.value.hint


@pytest.mark.parametrize(
    "edit",
    ["replace(snapshot, 'understand.receiving', 'confirm.presenting')", "json_remove(snapshot, '$.\"~sha256\"')"],
)
def test_a_snapshot_that_is_not_as_it_was_sealed_fails_closed(store: SqliteStore, edit: str) -> None:
    """With another state under its seal, and without one: it is a session, and not the one that was saved."""
    begin(store, "amber-fox")
    _sql(store.path, f"UPDATE sessions SET snapshot = {edit}")
    with pytest.raises(StoreError, match="session amber-fox cannot be read"):
        store.load("amber-fox")


def test_the_snapshot_of_another_session_fails_closed(store: SqliteStore) -> None:
    """A row holds its own session or none."""
    begin(store, "amber-fox")
    begin(store, "dry-owl")
    _sql(store.path, "UPDATE sessions SET snapshot = (SELECT snapshot FROM sessions WHERE name = 'dry-owl')")
    with pytest.raises(StoreError, match="session amber-fox cannot be read"):
        store.load("amber-fox")


ENDS: dict[str, str] = {
    "the last entry is gone": "DELETE FROM entries WHERE seq = 3",
    "an entry follows it": "INSERT INTO entries SELECT session, 4, kind, time, digest, x'00', NULL, body FROM entries"
    " WHERE seq = 3",
    "its content is another": "UPDATE entries SET body = replace(body, 'plan', 'plot') WHERE seq = 3",
    "its kind is another": "UPDATE entries SET kind = 'confirm' WHERE seq = 3",
    "the one before it is another": "UPDATE entries SET hash = zeroblob(32) WHERE seq = 2",
}


@pytest.mark.parametrize("edit", ENDS)
def test_a_session_is_loaded_with_the_end_of_its_journal(store: SqliteStore, edit: str) -> None:
    """What every turn reads is compared with the last entry, and that with its own hash."""
    _three(store)
    _sql(store.path, ENDS[edit])
    with pytest.raises(JournalTampered) as caught:
        store.load("amber-fox")
    assert "workflow audit verify amber-fox" in caught.value.hint


def test_the_end_of_a_journal_is_found_without_reading_the_rest(store: SqliteStore) -> None:
    """However long it is: nothing is sorted, and every table is entered by an index."""
    plan = " ".join(_plan(store.path, statements.SNAPSHOT))
    assert "SEARCH last USING INDEX" in plan and "SCAN" not in plan and "TEMP B-TREE" not in plan


def test_a_session_that_says_it_is_further_is_not_loaded(store: SqliteStore) -> None:
    """Sealed with its own digest, and of the same head: its journal is shorter than it says."""
    session = _three(store)
    further = write_snapshot(replace(session, seq=4))
    _sql(store.path, "UPDATE sessions SET seq = 4, snapshot = ?", further)
    with pytest.raises(JournalTampered, match="ends with entry 3, the stored session is of entry 4"):
        store.load("amber-fox")


def test_entries_of_a_session_that_is_gone_are_found(store: SqliteStore) -> None:
    """Its row and the last link are gone, so that the chain fits what is left: its entries are there."""
    begin(store, "amber-fox")
    begin(store, "dry-owl")
    assert store.verify().sessions == 2
    _sql(store.path, "DELETE FROM links WHERE session = 'dry-owl'")
    _sql(store.path, "DELETE FROM sessions WHERE name = 'dry-owl'")
    with pytest.raises(JournalTampered, match="entries of a session that was deleted"):
        store.verify()


def test_nothing_is_appended_behind_what_no_turn_wrote(store: SqliteStore) -> None:
    """Neither to the entry that another program added meanwhile, nor as if it were not there."""
    session = _three(store)
    _sql(
        store.path, "INSERT INTO entries SELECT session, 9, kind, time, digest, x'00', NULL, body FROM entries LIMIT 1"
    )
    entry, after = replied(session)
    with pytest.raises(JournalTampered, match="ends with entry 9"):
        append(store, [entry], after, "waiting")


def _three(store: SqliteStore) -> Session:
    """A session of three entries."""
    session = begin(store, "amber-fox")
    for follow in (answered, replied):
        entry, session = follow(session)
        append(store, [entry], session, "waiting")
    return session


@pytest.mark.parametrize("body", ["", "{", "[1]", "7", "[" * 100_000])
def test_a_body_that_cannot_be_read_fails_closed(store: SqliteStore, body: str) -> None:
    """Anything but an object is an error, wherever the entry is met."""
    session = begin(store, "amber-fox")
    entry, after = answered(session, turn="t1")
    append(store, [entry], after, "waiting")
    _sql(store.path, "UPDATE entries SET body = ? WHERE seq = 2", body)
    with pytest.raises(StoreError, match="entry 2 of session amber-fox cannot be read"):
        list(store.entries("amber-fox"))
    with pytest.raises(StoreError, match="entry 2 of session amber-fox cannot be read"):
        store.find_turn("t1", "amber-fox")


def test_an_erased_body_stays_an_entry(store: SqliteStore) -> None:
    """Its place in the chain and the turn that it accepted are still known."""
    session = begin(store, "amber-fox")
    entry, after = answered(session, turn="t1")
    append(store, [entry], after, "waiting")
    _sql(store.path, "UPDATE entries SET body = NULL")
    found = store.find_turn("t1", "amber-fox")
    assert found is not None
    assert (found.seq, found.hash, found.body) == (2, entry.hash, None)


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def _sql(file: Path, statements: str, *values: object) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statements, values or None).fetchall()
    connection.close()


def _plan(file: Path, statement: str) -> list[str]:
    """What SQLite does to answer it."""
    connection = apsw.Connection(str(file))
    plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("amber-fox",))]
    connection.close()
    return plan


def _filled(folder: Path) -> Path:
    """The file of a closed store with a journal of many pages."""
    store = SqliteStore(folder)
    session = begin(store, "amber-fox")
    for _ in range(50):
        entry, session = answered(session)
        append(store, [entry], session, "waiting")
    store.close()
    return store.path


def _use(folder: Path) -> None:
    store = SqliteStore(folder)
    try:
        with store.hold("amber-fox"):
            store.first_time("ann", "delivery")
    finally:
        store.close()


def _without_privileges(function: Callable[[], object]) -> object:
    """What happens to people who are not root: capabilities belong to a thread, and end with it."""

    def run() -> object:
        if os.geteuid() == 0:
            header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None, use_errno=True).capset(header, none) == 0
        return function()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(30)
