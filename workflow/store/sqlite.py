"""The store in one SQLite file, for any number of processes and threads of one user on one machine."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import apsw

from workflow.local.private import new_file, private_file, private_folder, restrict
from workflow.model.errors import StoreError
from workflow.model.journal import Entry
from workflow.model.ports import Held, Holder, Record, Summary
from workflow.model.session import Session
from workflow.store import (
    check_append,
    other_definition,
    read_snapshot,
    statements,
    turn_taken,
    write_body,
    write_snapshot,
)
from workflow.store.locks import Holds, take_turn

SCHEMA = 3
"""The number of the last file in ``schema/``; the database keeps its own as ``user_version``."""

APPLICATION = 0x50474154
"""``PGAT`` in the header of the database: this file is ours."""


LIBRARY: str = apsw.sqlite_lib_version()
"""The version of SQLite that is running."""


class SqliteStore:
    """``phasegate.db`` in ``folder``, with the locks of sessions and writers beside it.

    ``patience`` is how many seconds to wait for a program that locks the database without taking turns.
    Every thread has a connection of its own. The file is never opened by its path: closing it again would
    drop the POSIX locks that SQLite has on it in this process.
    """

    def __init__(self, folder: Path, *, patience: float = 5.0) -> None:
        private_folder(folder)  # as it was named: a link on the way to it may be anybody's
        folder = Path(os.path.realpath(folder))
        self._path = folder / "phasegate.db"
        self._holds = Holds(folder / "holds")
        weakref.finalize(self, self._holds.close)  # also where nobody closes the store before the process ends
        self._writers = folder / "writers.lock"
        self._patience = patience
        self._own = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        private_folder(folder / "holds")
        private_file(self._path)
        for suffix in ("-wal", "-shm", "-journal"):
            restrict(self._path.with_name(self._path.name + suffix), missing_ok=True)
        with self._reading():
            """Whatever is wrong with the file is found out here."""

    @property
    def path(self) -> Path:
        """The database."""
        return self._path

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """The sole right to append to ``name``; freed by the kernel when the process dies."""
        self._check_open()
        return self._holds.hold(name, wait, part)

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds ``name``, as its lock file says; the kernel is asked where that names nobody who lives."""
        self._check_open()
        return self._holds.held_by(name, part)

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session."""
        with self._reading() as connection:
            row = _row(connection, statements.SNAPSHOT, name)
        return None if row is None else read_snapshot(name, row[0], (row[1], row[2]))

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot in one durable commit."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            _append(connection, entries, session, status)

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal in order, read page by page: no transaction stays open while the caller thinks."""
        with self._reading() as connection:
            known = _row(connection, statements.HASH, name, after)
        previous = known[0] if known else None
        while True:
            with self._reading() as connection:
                page = _rows(connection, statements.ENTRIES, name, after, _PAGE)
            yield from statements.following(page, previous)
            if len(page) < _PAGE:
                return
            after, previous = page[-1][1], page[-1][statements.HASH_OF]

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, read in one transaction."""
        with self._reading() as connection, _transaction(connection, "BEGIN"):
            row = _row(connection, statements.RECORD, name)
            if row is None:
                return None
            entries = tuple(statements.following(_rows(connection, statements.ENTRIES, name, 0, -1)))
            turns = dict(_rows(connection, statements.TURNS, name))
        *summary, seq, head, snapshot = row
        return Record(
            Summary(*summary), seq, head, read_snapshot(name, snapshot, trusted=False), snapshot, entries, turns
        )

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times."""
        with self._reading() as connection:
            rows = _rows(connection, statements.log(kinds), since, *kinds, limit)
        return [statements.entry(row) for row in reversed(rows)]

    def forget(self, held: Held, entry: Entry, session: Session, status: str) -> None:
        """Append the entry and erase what those before it held; then no file holds a byte of it any more."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            _append(connection, [entry], session, status)
            connection.execute(statements.ERASE, (session.name, entry.seq))
        self.sweep()

    def sweep(self) -> None:
        """Write the database anew and empty the write-ahead log: pages keep bytes of what was moved within them."""
        with _translated(self._path):
            connection = self._connection()
            with take_turn(self._writers):
                connection.execute("VACUUM").fetchall()
                try:
                    connection.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
                except apsw.BusyError as error:
                    raise StoreError(
                        f"what was erased is still in {self._path}-wal: another program is reading the store",
                        "Close what else has it open, then run the same command again.",
                    ) from error

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn, in one session or (a start) in any."""
        with self._reading() as connection:
            row = _row(connection, *((statements.START, turn) if name is None else (statements.TURN, name, turn)))
        return None if row is None else statements.entry(row)

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry behind ``after``."""
        with self._reading() as connection:
            row = _row(connection, statements.REPLY, name, after)
        return None if row is None else statements.entry(row)

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """Sessions, the latest updated first, those of one instant by name."""
        query, values = statements.listing(live, search, state, status)
        with self._reading() as connection:
            rows = _rows(connection, query, *values, limit, offset)
        return [Summary(*row) for row in rows]

    def definition(self, key: str) -> str | None:
        """A compiled definition, as JSON."""
        with self._reading() as connection:
            row = _row(connection, statements.DEFINITION, key)
        return None if row is None else str(row[0])

    def find_definition(self, bundle: str) -> str | None:
        """A compiled definition of this bundle, whatever compiled it."""
        with self._reading() as connection:
            first, end = f"{bundle}:", f"{bundle};"  # which follows the colon in ASCII
            row = _row(connection, statements.DEFINITION_OF, first, end)
        return None if row is None else str(row[0])

    def keep_definition(self, key: str, content: str) -> None:
        """Keep a compiled definition; another one under the same key raises :class:`StoreError`."""
        kept = self.definition(key)
        if kept is None:
            with self._writing() as connection:
                connection.execute(statements.KEEP_DEFINITION, (key, content))
            kept = self.definition(key)
        if kept != content:
            raise other_definition(key)

    def first_time(self, profile: str, occasion: str) -> bool:
        """True once per profile and occasion."""
        with self._reading() as connection:
            if _row(connection, statements.OCCASION, profile, occasion):
                return False
        with self._writing() as connection:
            connection.execute(statements.KEEP_OCCASION, (profile, occasion))
            return connection.changes() == 1

    def backup(self, file: str) -> int:
        """The database's own copy of itself, of one instant while others write; a part of one is removed again."""
        path = Path(file)
        with self._reading() as connection:
            new_file(path)
            try:
                return _copy(connection, path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def check(self) -> list[str]:
        """What SQLite's own quick check finds, and whether a write would be possible; writes nothing."""
        with self._reading() as connection:
            found = [str(row[0]) for row in _rows(connection, "PRAGMA quick_check(20)")]
            if self._ends_within_a_page(connection.pragma("page_size")):
                found = [*(each for each in found if each != "ok"), "the file ends within a page"]
        with self._writing():
            """The right to write was had: what is read-only or locked is an error."""
        return [] if found == ["ok"] else found

    def _ends_within_a_page(self, page: int) -> bool:
        """SQLite reads nothing for the rest; while there is a log, the whole page may still be in it."""
        log = self._path.with_name(self._path.name + "-wal")
        return self._path.stat().st_size % page != 0 and not (log.exists() and log.stat().st_size)

    def close(self) -> None:
        """Close the connections of all threads; idempotent."""
        with self._lock:
            self._closed = True
            connections = list(self._all)
        self._holds.close()
        with _translated(self._path):
            for connection in connections:
                connection.close()

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        try:
            yield self._connection()
        except apsw.Error as error:
            raise _meaning(self._path, error) from error

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        """One durable transaction, in turn with other writers so that none starves."""
        with self._reading() as connection, take_turn(self._writers), _transaction(connection):
            yield connection

    def _connection(self) -> apsw.Connection:
        """The one of this thread; it goes with the thread."""
        self._check_open()
        connection: apsw.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._lock:
                self._all.add(connection)
            self._own.connection = connection
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store {self._path} is closed")

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)
        try:
            connection.set_busy_timeout(round(self._patience * 1000))
            connection.execute(_PRAGMAS).fetchall()
            if _identity(connection) != (APPLICATION, SCHEMA):
                with take_turn(self._writers):
                    _migrate(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection


def _migrate(connection: apsw.Connection, path: Path) -> None:
    """Make the database of an empty file, or bring an older one up to date; refuse anything else."""
    from importlib.resources import files  # here alone: an up-to-date store opens without it

    application, version = _identity(connection)
    empty = (application, version) == (0, 0) and _row(connection, "SELECT 1 FROM sqlite_schema LIMIT 1") is None
    if application != APPLICATION and not empty:
        raise StoreError(
            f"{path} is a database of another program",
            "Move it away, or choose another state folder; nothing in it was changed.",
        )
    if version > SCHEMA:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}, this one knows {SCHEMA})",
            "Upgrade Phasegate, or choose another state folder; nothing in it was changed.",
        )
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StoreError(
            f"{path} is on a file system that cannot share memory between processes",
            "Choose a state folder on a local disk.",
        )
    folder = files("workflow.store") / "schema"
    scripts = sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    with _transaction(connection):
        for script in scripts[version:SCHEMA]:
            connection.execute(script.read_text("utf-8")).fetchall()
        connection.pragma("application_id", APPLICATION)
        connection.pragma("user_version", SCHEMA)


def _copy(connection: apsw.Connection, path: Path) -> int:
    """Fill an empty file of ours, and have the copy checked; how many sessions are in it."""
    with _translated(path):
        copy = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)
        try:
            with copy.backup("main", connection, "main") as progress:
                progress.step()
            found = [str(row[0]) for row in _rows(copy, "PRAGMA integrity_check(20)")]
            if found != ["ok"]:
                hint = "Run `workflow doctor`; the copy was removed."
                raise StoreError(f"the copy of the store is damaged: {'; '.join(found)}", hint)
            return int(_row(copy, "SELECT count(*) FROM sessions")[0])
        finally:
            copy.close()


def _identity(connection: apsw.Connection) -> tuple[int, int]:
    """Whose database it is, and its schema's number; of an empty file both are 0."""
    return connection.pragma("application_id"), connection.pragma("user_version")


@contextmanager
def _transaction(connection: apsw.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself has rolled back after some errors
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise _meaning(path, error) from error


def _meaning(path: Path, error: apsw.Error) -> StoreError:
    """The one place where the driver's errors become ours."""
    for kinds, what, hint in _MEANING:
        if isinstance(error, kinds):
            return StoreError(f"{path} {what}", hint)
    return StoreError(f"{path} cannot be used: {error}", "Run `workflow doctor`.")


_KEPT = "What was saved before is safe."
_MEANING: tuple[tuple[tuple[type[apsw.Error], ...], str, str], ...] = (
    (
        (apsw.BusyError, apsw.LockedError),
        "is busy: another program keeps it locked",
        "Close what else has it open, such as a database browser or a backup, then try again.",
    ),
    ((apsw.FullError,), "cannot grow: the disk is full", f"Free some space, then try again. {_KEPT}"),
    (
        (apsw.ReadOnlyError, apsw.PermissionsError),
        "cannot be written: it is read-only",
        "Give yourself the right to write to the file and its folder, or choose another state folder.",
    ),
    (
        (apsw.CorruptError,),
        "is damaged",
        "Keep the file and those beside it, and restore the store from a backup.",
    ),
    (
        (apsw.NotADBError,),
        "is not a database",
        "Move it away, or choose another state folder; nothing in it was changed.",
    ),
    (
        (apsw.CantOpenError,),
        "cannot be opened",
        "Check that it is there, and that you may read and write it and its folder.",
    ),
    (  # a full disk too, where memory that is shared cannot grow, or a write is found out to have failed only later
        (apsw.IOError,),
        "cannot be read or written: the disk reports an error",
        f"Check the disk, and that there is free space on it. {_KEPT}",
    ),
)


def _append(connection: apsw.Connection, entries: Sequence[Entry], session: Session, status: str) -> None:
    stored = _row(connection, statements.HEAD, session.name)
    check_append(entries, session, stored)
    known = (session.workflow, session.state, status, session.revision, session.seq, session.head)
    told = (*known, entries[-1].time, write_snapshot(session), session.name)
    if stored is None:
        connection.execute(statements.INSERT_SESSION, (*told, entries[0].time))
    else:
        connection.execute(statements.UPDATE_SESSION, told)
    of = bytes.fromhex
    rows = [(e.session, e.seq, e.kind, e.time, of(e.digest), of(e.hash), e.turn, write_body(e)) for e in entries]
    try:
        connection.executemany(statements.INSERT_ENTRY, rows)
    except apsw.ConstraintError:
        _check_turns(connection, entries)
        raise


def _check_turns(connection: apsw.Connection, entries: Sequence[Entry]) -> None:
    """Say which unique index refused: a turn was accepted before."""
    for entry in entries:
        if entry.turn is None:
            continue
        taken = _row(connection, statements.TURN, entry.session, entry.turn)
        if taken or (entry.kind == "started" and _row(connection, statements.START, entry.turn)):
            raise turn_taken(entry.session)


def _row(connection: apsw.Connection, query: str, *values: Any) -> Any:
    """The first row, or None."""
    rows = _rows(connection, query, *values)
    return rows[0] if rows else None


def _rows(connection: apsw.Connection, query: str, *values: Any) -> list[Any]:
    """All rows, so that no statement is left open."""
    return connection.execute(query, values).fetchall()


_PAGE = 200
"""Entries that are read at once."""

# Erased text is overwritten; no schema of a tampered file can call functions with side effects.
_PRAGMAS = """
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
"""
