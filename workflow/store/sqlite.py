"""The store in one SQLite file, for any number of processes and threads of one user on one machine."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import apsw

from workflow.local.private import private_file, private_folder, restrict
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.fault import MOST_FAULTS, Fault
from workflow.model.journal import START, Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Chain, Held, Holder, Record, Summary
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
from workflow.store.chain import check_receipt, linked
from workflow.store.connection import (
    RESTORE,
    check_schema,
    connect,
    fetch_all,
    fetch_one,
    file_at,
    meaning,
    transaction,
    translated,
)
from workflow.store.identity import check_own, store_id, why_foreign
from workflow.store.ledger import BESIDE, Ledgers
from workflow.store.locks import Holds, take_turn
from workflow.store.payments import adopt, check_paying, ledger_fault, unknown_payments
from workflow.store.verification import check_record
from workflow.store.whole import copy, definitions_of, record_of, verified

MOST = 10_000
"""Sessions that a store remembers to have verified; any other is verified again."""


class SqliteStore:
    """``phasegate.db`` in ``folder``, with the locks of sessions and writers beside it.

    ``patience`` is how many seconds to wait for a program that locks the database without taking turns. A store that
    ``verifies`` checks the whole journal of each session the first time that it loads it, for processes that live long.
    ``ledger`` is a second ledger of paid calls, elsewhere; see :mod:`workflow.store.ledger`.
    Every thread has a connection of its own. The file is never opened by its path: closing it again would
    drop the POSIX locks that SQLite has on it in this process.
    """

    def __init__(
        self, folder: Path, *, patience: float = 5.0, verifies: bool = False, ledger: Path | None = None
    ) -> None:
        private_folder(folder)  # as it was named: a link on the way to it may be anybody's
        folder = Path(os.path.realpath(folder))
        self._path = folder / "phasegate.db"
        self._holds = Holds(folder / "holds")
        weakref.finalize(self, self._holds.close)  # also where nobody closes the store before the process ends
        self._writers = folder / "writers.lock"
        self._ledgers = Ledgers(folder / BESIDE, ledger)
        self._patience = patience
        self._verifies = verifies
        self._touched: set[str] = set()
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
        if self._verifies and name not in self._touched:
            self._touch(name)
        with self._reading() as connection:
            row = fetch_one(connection, statements.SNAPSHOT, name)
            if row is None and fetch_one(connection, statements.ORPHAN, name):  # not one that was begun just now
                raise JournalTampered(f"the store holds entries of {name}, but no session", 1, statements.hint(name))
        if row is None:
            return None
        snapshot, seq, head, *last = row
        statements.check_end(name, seq, head, last)
        return read_snapshot(name, snapshot, (seq, head))

    def check_session(self, session: Session) -> None:
        """The whole journal, except where this connection verified it and no other one has written since."""
        name = session.name
        with self._reading() as connection, transaction(connection, "BEGIN"):
            row = fetch_one(connection, statements.RECORD, name)
            version = connection.pragma("data_version")
            if row and self._own.verified.get(name) != version:
                check_schema(connection, self._path)
                check_record(record_of(connection, row))
        if row is None or row[-1] != write_snapshot(session):
            message = f"the session {name} in hand is not the one that its journal adds up to"
            raise JournalTampered(message, session.seq, statements.hint(name))
        self._remember(name, version)

    def verify(self, expect_head: str | None = None) -> Chain:
        """All links with the sessions and entries that they name, read in one transaction."""
        check_receipt(expect_head)
        with self._reading() as connection, transaction(connection, "BEGIN"):
            return verified(connection, self._path, expect_head)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot in one durable commit."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            if _append(connection, entries, session, status):  # all of a new session is written by this connection
                self._remember(session.name, connection.pragma("data_version"))

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal in order, read page by page: no transaction stays open while the caller thinks."""
        with self._reading() as connection:
            known = fetch_one(connection, statements.HASH, name, after)
        previous = known[0] if known else None
        while True:
            with self._reading() as connection:
                page = fetch_all(connection, statements.ENTRIES, name, after, _PAGE)
            yield from statements.following(page, previous)
            if len(page) < _PAGE:
                return
            after, previous = page[-1][1], page[-1][statements.HASH_OF]

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of one entry."""
        with self._reading() as connection:
            row = fetch_one(connection, statements.HASH, name, seq)
        return bytes(row[0]).hex() if row else None

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, read in one transaction."""
        with self._reading() as connection, transaction(connection, "BEGIN"):
            check_schema(connection, self._path)
            row = fetch_one(connection, statements.RECORD, name)
            return None if row is None else record_of(connection, row)

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times."""
        with self._reading() as connection:
            rows = fetch_all(connection, statements.log(kinds), since, *kinds, limit)
        return [statements.entry(row) for row in reversed(rows)]

    def forget(self, held: Held, entry: Entry, session: Session, status: str) -> None:
        """Append the entry and erase what those before it held; then no file holds a byte of it any more."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            _append(connection, [entry], session, status)
            connection.execute(statements.ERASE, (session.name, entry.seq))
            connection.execute(statements.ERASE_FAULTS, (session.name,))
        self.sweep()

    def sweep(self) -> None:
        """Rewrite the database and empty the write-ahead log: pages keep bytes of what was moved within them."""
        with translated(self._path):
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
            row = fetch_one(connection, *((statements.START, turn) if name is None else (statements.TURN, name, turn)))
        return None if row is None else statements.entry(row)

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry behind ``after``."""
        with self._reading() as connection:
            row = fetch_one(connection, statements.REPLY, name, after)
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
        query, values = statements.listing(live, search, state, status, owner)
        with self._reading() as connection:
            rows = fetch_all(connection, query, *values, limit, offset)
        return [Summary(*row) for row in rows]

    def definition(self, key: str) -> str | None:
        """A compiled definition, as JSON."""
        with self._reading() as connection:
            row = fetch_one(connection, statements.DEFINITION, key)
        return None if row is None else str(row[0])

    def definitions(self, bundle: str) -> tuple[str, ...]:
        """The compiled definitions of this bundle, one per engine that compiled it."""
        with self._reading() as connection:
            return definitions_of(connection, bundle)

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
            if fetch_one(connection, statements.OCCASION, profile, occasion):
                return False
        with self._writing() as connection:
            connection.execute(statements.KEEP_OCCASION, (profile, occasion))
            return connection.changes() == 1

    def note_fault(self, fault: Fault) -> None:
        """Keep it, and drop what is older than the latest of its session."""
        with self._writing() as connection:
            told = (fault.session, fault.seq, fault.state, fault.time, fault.kind, fault.trace)
            connection.execute(statements.KEEP_FAULT, told)
            connection.execute(statements.DROP_FAULTS, (fault.session, fault.session, MOST_FAULTS))

    def faults(self, name: str | None = None) -> list[Fault]:
        """Those that were kept, oldest first."""
        query, values = (statements.ALL_FAULTS, ()) if name is None else (statements.FAULTS, (name,))
        with self._reading() as connection:
            return [Fault(*row) for row in fetch_all(connection, query, *values)]

    def backup(self, file: str) -> Chain:
        """The database's own copy of itself, of one instant while others write; it is marked as a copy."""
        with self._reading() as connection:
            return copy(connection, Path(file))

    def check(self) -> list[str]:
        """What SQLite's own quick check finds, and whether a write would be possible; writes nothing."""
        with self._reading() as connection:
            found = [str(row[0]) for row in fetch_all(connection, "PRAGMA quick_check(20)")]
            if self._ends_within_a_page(connection.pragma("page_size")):
                found = [*(each for each in found if each != "ok"), "the file ends within a page"]
        with self._writing():
            """The right to write was had: what is read-only or locked is an error."""
        return [] if found == ["ok"] else found

    def _ends_within_a_page(self, page: int) -> bool:
        """SQLite reads nothing for the rest; while there is a log, the whole page may still be in it."""
        log = self._path.with_name(self._path.name + "-wal")
        return self._path.stat().st_size % page != 0 and not (log.exists() and log.stat().st_size)

    def identity(self) -> str:
        """The id in the database."""
        with self._reading() as connection:
            return store_id(connection)

    def foreign(self) -> str:
        """What the database says of its place, compared with where it is."""
        with self._reading() as connection:
            return why_foreign(connection, self._path)

    def check_own(self) -> None:
        """Raise :class:`SetBack` for a copy, and for a store that was moved."""
        with self._reading() as connection:
            check_own(connection, self._path)

    def check_paying(self, session: str) -> None:
        """Compare the place and the ledgers with the database."""
        with self._reading() as connection:
            check_paying(connection, self._path, self._ledgers, session)

    def begin_ledger(self, time: str) -> None:
        """Make the ledgers, and let them know this store."""
        self._ledgers.begin(self.identity(), time)

    def enter(self, payment: Payment) -> None:
        """Append a line to each ledger, durably."""
        self._ledgers.enter(payment)

    def ledger_fault(self) -> str:
        """What is wrong with the ledgers' files."""
        with self._reading() as connection:
            return ledger_fault(connection, self._ledgers)

    def unknown_payments(self) -> list[Payment]:
        """What the ledgers know of this store and the database does not."""
        with self._reading() as connection:
            return unknown_payments(connection, self._ledgers)

    def adopt(self, time: str) -> list[str]:
        """Take a new id and the real path of now; the ledgers are repaired."""
        with self._writing() as connection:
            return adopt(connection, self._path, self._ledgers, time)

    def close(self) -> None:
        """Close the connections of all threads; idempotent."""
        with self._lock:
            self._closed = True
            connections = list(self._all)
        self._holds.close()
        with translated(self._path):
            for connection in connections:
                connection.close()

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

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        try:
            yield self._connection()
        except apsw.Error as error:
            raise meaning(self._path, error) from error
        except UnicodeDecodeError as error:
            raise JournalTampered(f"{self._path} holds text that is not UTF-8", 0, RESTORE) from error

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        """One durable transaction, in turn with other writers so that none starves.

        No trigger that another program added meanwhile takes part in it.
        """
        with self._reading() as connection, take_turn(self._writers), transaction(connection):
            version = connection.pragma("schema_version")
            if version != self._own.schema:
                check_schema(connection, self._path)
                self._own.schema = version
            yield connection

    def _connection(self) -> apsw.Connection:
        """The one of this thread; it goes with the thread."""
        self._check_open()
        file = file_at(self._path)
        connection: apsw.Connection | None = getattr(self._own, "connection", None)
        if connection is not None and file != self._own.file:  # another file was put in its place, such as a backup
            with suppress(apsw.Error):  # the file that it had is nobody's any more
                connection.close()
            connection = None
            self._touched.clear()
        if connection is None:
            connection = connect(self._path, self._writers, self._patience)
            with self._lock:
                self._all.add(connection)
            self._own.connection, self._own.schema, self._own.verified = connection, None, {}
            self._own.file = file
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store {self._path} is closed")


def _append(connection: apsw.Connection, entries: Sequence[Entry], session: Session, status: str) -> bool:
    """Write all within the caller's transaction; whether they began a session."""
    name, stored = session.name, fetch_one(connection, statements.HEAD, session.name)
    if stored and stored[2] != stored[0]:
        message = f"the journal of {name} ends with entry {stored[2] or 0}, the stored session is of entry {stored[0]}"
        raise JournalTampered(message, stored[2] or 0, statements.hint(name))
    check_append(entries, session, stored and stored[:2])
    known = (session.workflow, session.state, status, session.revision, session.seq, session.head)
    told = (*known, entries[-1].time, write_snapshot(session), session.about, name)
    if stored is None:
        connection.execute(statements.INSERT_SESSION, (*told, entries[0].time, session.owner))
    else:
        connection.execute(statements.UPDATE_SESSION, told)
    of = bytes.fromhex
    rows = [(e.session, e.seq, e.kind, e.time, of(e.digest), of(e.hash), e.turn, write_body(e)) for e in entries]
    try:
        connection.executemany(statements.INSERT_ENTRY, rows)
    except apsw.ConstraintError as error:
        _check_turns(connection, entries)
        message = f"the store holds an entry of {name} that no turn wrote"
        raise JournalTampered(message, entries[0].seq, statements.hint(name)) from error
    number, previous = fetch_one(connection, statements.LAST_LINK) or (0, b"")
    link = linked(previous.hex() or START, number + 1, name, session.seq, session.head)
    connection.execute(statements.INSERT_LINK, (number + 1, name, session.seq, of(link)))
    return stored is None


def _check_turns(connection: apsw.Connection, entries: Sequence[Entry]) -> None:
    """Say which unique index refused: a turn was accepted before."""
    for entry in entries:
        if entry.turn is None:
            continue
        taken = fetch_one(connection, statements.TURN, entry.session, entry.turn)
        if taken or (entry.kind == "started" and fetch_one(connection, statements.START, entry.turn)):
            raise turn_taken(entry.session)


_PAGE = 200
"""Entries that are read at once."""
