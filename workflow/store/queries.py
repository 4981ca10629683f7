"""What can be asked of the store's database, whichever way it was opened."""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from workflow.model.brakes import Pause, Use
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.fault import Fault
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Chain, Holder, Over, Record, Summary
from workflow.model.session import Session
from workflow.store import read_snapshot, statements, write_snapshot
from workflow.store.brake_rows import Rows
from workflow.store.chain import check_receipt
from workflow.store.connection import (
    Connection,
    Error,
    check_schema,
    fetch_all,
    fetch_one,
    file_at,
    transaction,
    translated,
)
from workflow.store.identity import check_own, store_id, why_foreign
from workflow.store.ledger import Ledgers
from workflow.store.locks import Holds
from workflow.store.payments import check_paying, ledger_fault, unknown_payments
from workflow.store.search import candidates
from workflow.store.verification import check_record
from workflow.store.whole import copy, definitions_of, record_of, verified

MOST = 10_000
"""Sessions that a store remembers to have verified; any other is verified again."""
_PAGE = 200
"""Entries that are read at once."""
Found = TypeVar("Found")


class Queries(ABC):
    """The reading half of a store; :meth:`_read` is what differs.

    ``verifies`` checks the whole journal of each session the first time that it is loaded, for processes that live
    long. Every thread has a connection of its own, in ``_own`` with what it verified.
    """

    def __init__(self, path: Path, holds: Holds, ledgers: Ledgers, *, verifies: bool) -> None:
        self._path = path
        self._holds = holds
        self._ledgers = ledgers
        self._verifies = verifies
        self._touched: set[str] = set()
        self._own = threading.local()
        self._all: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def path(self) -> Path:
        """The database."""
        return self._path

    @abstractmethod
    def _read(self, look: Callable[[Connection], Found]) -> Found:
        """What ``look`` finds, with the driver's errors as :class:`StoreError`; it may be called again."""

    @abstractmethod
    def _connect(self) -> Connection:
        """A new connection to the file at the path."""

    def close(self) -> None:
        """Close the connections of all threads; idempotent."""
        with self._lock:
            self._closed = True
            connections = list(self._all)
        self._holds.close()
        with translated(self._path):
            for connection in connections:
                connection.close()

    def _connection(self) -> Connection:
        """The one of this thread; it goes with the thread."""
        self._check_open()
        file = self._file()
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is not None and file != self._own.file:  # another file was put in its place, such as a backup
            self._drop()
            connection = None
        if connection is None:
            connection = self._connect()
            with self._lock:
                self._all.add(connection)
            self._own.connection, self._own.schema, self._own.verified = connection, None, {}
            self._own.file = file
        return connection

    def _drop(self) -> None:
        """Give up this thread's connection, and what was verified by it."""
        connection, self._own.connection = getattr(self._own, "connection", None), None
        if connection is not None:
            with suppress(Error):  # the file that it had may be nobody's any more
                connection.close()
        self._touched.clear()

    def _file(self) -> tuple[int, int] | None:
        """Which file is at the path; raises :class:`StoreError` if there is none."""
        return file_at(self._path)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store {self._path} is closed")

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds ``name``, as its lock file says; the kernel is asked where that names nobody who lives."""
        self._check_open()
        return self._holds.held_by(name, part)

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session."""
        if self._verifies and name not in self._touched:
            self._touch(name)
        row = self._read(lambda connection: _snapshot(connection, name))
        if row is None:
            return None
        snapshot, seq, head, *last = row
        statements.check_end(name, seq, head, last)
        return read_snapshot(name, snapshot, (seq, head))

    def check_session(self, session: Session) -> None:
        """The whole journal, except where this connection verified it and no other one has written since."""
        name = session.name
        row, version = self._read(lambda connection: self._checked(connection, name))
        if row is None or row[-1] != write_snapshot(session):
            message = f"the session {name} in hand is not the one that its journal adds up to"
            raise JournalTampered(message, session.seq, statements.hint(name))
        self._remember(name, version)

    def verify(self, expect_head: str | None = None) -> Chain:
        """All links with the sessions and entries that they name, read in one transaction."""
        check_receipt(expect_head)
        return self._read(lambda connection: _verified(connection, self._path, expect_head))

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal in order, read page by page: no transaction stays open while the caller thinks."""
        known = self._read(lambda connection: fetch_one(connection, statements.HASH, name, after))
        previous = known[0] if known else None
        while True:
            page = self._read(lambda connection, at=after: fetch_all(connection, statements.ENTRIES, name, at, _PAGE))  # type: ignore[misc]
            yield from statements.following(page, previous)
            if len(page) < _PAGE:
                return
            after, previous = page[-1][1], page[-1][statements.HASH_OF]

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of one entry."""
        row = self._read(lambda connection: fetch_one(connection, statements.HASH, name, seq))
        return bytes(row[0]).hex() if row else None

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, read in one transaction."""
        return self._read(lambda connection: _record(connection, self._path, name))

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times."""
        rows = self._read(lambda connection: fetch_all(connection, statements.log(kinds), since, *kinds, limit))
        return [statements.entry(row) for row in reversed(rows)]

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn, in one session or (a start) in any."""
        query = (statements.START, turn) if name is None else (statements.TURN, name, turn)
        row = self._read(lambda connection: fetch_one(connection, *query))
        return None if row is None else statements.entry(row)

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry behind ``after``."""
        row = self._read(lambda connection: fetch_one(connection, statements.REPLY, name, after))
        return None if row is None else statements.entry(row)

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        owner: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """Sessions, the latest updated first, those of one instant by name."""

        def look(connection: Connection) -> list[Any]:
            among = candidates(connection, search)
            query, values = statements.listing(live, search, state, status, owner, among, limit, offset)
            return fetch_all(connection, query, *values)

        return [statements.summary(row) for row in self._read(look)]

    def count(self) -> tuple[int, str]:
        """By one look at the list."""
        count, oldest = self._read(lambda connection: fetch_one(connection, statements.COUNT))
        return count, oldest or ""

    def over(self, before: str) -> list[Over]:
        """By the index of updates; the size is that of the texts, so that no content is read."""
        return [Over(*row) for row in self._read(lambda connection: fetch_all(connection, statements.OVER, before))]

    def definition(self, key: str) -> str | None:
        """A compiled definition, as JSON."""
        row = self._read(lambda connection: fetch_one(connection, statements.DEFINITION, key))
        return None if row is None else str(row[0])

    def definitions(self, bundle: str) -> tuple[str, ...]:
        """The compiled definitions of this bundle, one per engine that compiled it."""
        return self._read(lambda connection: definitions_of(connection, bundle))

    def faults(self, name: str | None = None) -> list[Fault]:
        """Those that were kept, oldest first."""
        query = (statements.ALL_FAULTS,) if name is None else (statements.FAULTS, name)
        return [Fault(*row) for row in self._read(lambda connection: fetch_all(connection, *query))]

    def backup(self, file: str) -> Chain:
        """The database's own copy of itself, of one instant while others write; it is marked as a copy."""
        return self._read(lambda connection: copy(connection, Path(file)))

    def check(self) -> list[str]:
        """What SQLite's own quick check finds; writes nothing."""
        found, page = self._read(_quick_check)
        if self._ends_within_a_page(page):
            found = [*(each for each in found if each != "ok"), "the file ends within a page"]
        return [] if found == ["ok"] else found

    def identity(self) -> str:
        """The id in the database."""
        return self._read(store_id)

    def foreign(self) -> str:
        """What the database says of its place, compared with where it is."""
        return self._read(lambda connection: why_foreign(connection, self._path))

    def check_own(self) -> None:
        """Raise :class:`SetBack` for a copy, and for a store that was moved."""
        self._read(lambda connection: check_own(connection, self._path))

    def check_paying(self, session: str) -> None:
        """Compare the place and the ledgers with the database."""
        self._read(lambda connection: check_paying(connection, self._path, self._ledgers, session))

    def pauses(self) -> list[Pause]:
        """The rows that there are."""
        return self._read(lambda connection: Rows(connection).pauses())

    def uses(self, use: Use, per: float) -> list[Instant]:
        """When the paid calls like this one left."""
        return self._read(lambda connection: Rows(connection).like(use, per))

    def due(self, now: Instant) -> list[tuple[str, int]]:
        """By the indexes of timers: no session is read."""
        return self._read(lambda connection: fetch_all(connection, statements.DUE, now.wall, now.boot, now.boot_id))

    def ledger_fault(self) -> str:
        """What is wrong with the ledgers' files."""
        return self._read(lambda connection: ledger_fault(connection, self._ledgers))

    def unknown_payments(self) -> list[Payment]:
        """What the ledgers know of this store and the database does not."""
        return self._read(lambda connection: unknown_payments(connection, self._ledgers))

    def _checked(self, connection: Connection, name: str) -> tuple[Any, int]:
        """The session's row after its journal was verified, and the version of the database then."""
        with transaction(connection, "BEGIN"):
            row = fetch_one(connection, statements.RECORD, name)
            version = connection.pragma("data_version")
            if row and self._own.verified.get(name) != version:
                check_schema(connection, self._path)
                check_record(record_of(connection, row))
            return row, version

    def _touch(self, name: str) -> None:
        """Verify a session that this store has not loaded before."""
        record = self.record(name)
        if record is None:
            return
        check_record(record)
        if len(self._touched) >= MOST:
            self._touched.pop()
        self._touched.add(name)

    def _remember(self, name: str, version: int) -> None:
        """What this connection verified or wrote: it stands as long as no other connection writes."""
        verified: dict[str, int] = self._own.verified
        verified.pop(name, None)
        verified[name] = version
        if len(verified) > MOST:
            del verified[next(iter(verified))]

    def _ends_within_a_page(self, page: int) -> bool:
        """SQLite reads nothing for the rest; while there is a log, the whole page may still be in it."""
        log = self._path.with_name(self._path.name + "-wal")
        return self._path.stat().st_size % page != 0 and not (log.exists() and log.stat().st_size)


def _snapshot(connection: Connection, name: str) -> Any:
    row = fetch_one(connection, statements.SNAPSHOT, name)
    if row is None and fetch_one(connection, statements.ORPHAN, name):  # not one that was begun just now
        raise JournalTampered(f"the store holds entries of {name}, but no session", 1, statements.hint(name))
    return row


def _verified(connection: Connection, path: Path, expect_head: str | None) -> Chain:
    with transaction(connection, "BEGIN"):
        return verified(connection, path, expect_head)


def _record(connection: Connection, path: Path, name: str) -> Record | None:
    with transaction(connection, "BEGIN"):
        check_schema(connection, path)
        row = fetch_one(connection, statements.RECORD, name)
        return None if row is None else record_of(connection, row)


def _quick_check(connection: Connection) -> tuple[list[str], int]:
    return [str(row[0]) for row in fetch_all(connection, "PRAGMA quick_check(20)")], connection.pragma("page_size")
