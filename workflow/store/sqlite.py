"""The store in one SQLite file, for any number of processes and threads of one user on one machine."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import apsw

from workflow.local.private import private_file, private_folder, restrict
from workflow.model.brakes import Pause
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.fault import MOST_FAULTS, Fault
from workflow.model.journal import START, Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Held
from workflow.model.session import Session
from workflow.store import (
    brakes,
    check_append,
    other_definition,
    statements,
    timers_of,
    turn_taken,
    write_body,
    write_snapshot,
)
from workflow.store.brake_rows import Rows
from workflow.store.chain import linked
from workflow.store.connection import (
    DATABASE,
    Connection,
    check_schema,
    connect,
    fetch_all,
    fetch_one,
    transaction,
    translated,
    understood,
)
from workflow.store.ledger import BESIDE, Ledgers
from workflow.store.locks import Holds, take_turn
from workflow.store.payments import adopt
from workflow.store.queries import Found, Queries


class SqliteStore(Queries):
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
        holds, ledgers = Holds(folder / "holds"), Ledgers(folder / BESIDE, ledger)
        super().__init__(folder / DATABASE, holds, ledgers, verifies=verifies)
        weakref.finalize(self, holds.close)  # also where nobody closes the store before the process ends
        self._writers = folder / "writers.lock"
        self._patience = patience
        private_folder(folder / "holds")
        private_file(self._path)
        for suffix in ("-wal", "-shm", "-journal"):
            restrict(self._path.with_name(self._path.name + suffix), missing_ok=True)
        with self._reading():
            """Whatever is wrong with the file is found out here."""

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """The sole right to append to ``name``; freed by the kernel when the process dies."""
        self._check_open()
        return self._holds.hold(name, wait, part)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot in one durable commit."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            kept = Rows(connection)
            held_back = brakes.stops(kept, entries, session)
            if held_back is None:
                if _append(connection, entries, session, status):  # all of a new session is written by this connection
                    self._remember(session.name, connection.pragma("data_version"))
                brakes.count(kept, entries, session)
        if held_back:  # raised outside: a window that begins again stays so
            raise held_back

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> None:
        """Append the entry and erase what those before it held; then no file holds a byte of it any more."""
        with self._writing() as connection:
            self._holds.check(held, session.name)
            _append(connection, [entry], session, status)
            connection.execute(statements.ERASE, (session.name, entry.seq))
            connection.execute(statements.ERASE_FAULTS, (session.name,))
        if sweep:
            self.sweep()

    def sweep(self) -> None:
        """Rewrite the database and empty the write-ahead log: pages keep bytes of what was moved within them.

        The index of words keeps what left it until it is made again.
        """
        with translated(self._path):
            connection = self._connection()
            with take_turn(self._writers):
                with transaction(connection):
                    for statement in statements.RENEW_WORDS:
                        connection.execute(statement)
                connection.execute("VACUUM").fetchall()
                try:
                    connection.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
                except apsw.BusyError as error:
                    raise StoreError(
                        f"what was erased is still in {self._path}-wal: another program is reading the store",
                        "Close what else has it open, then run the same command again.",
                    ) from error

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

    def pause(self, pause: Pause) -> bool:
        """Keep it; one that holds already stays as it is."""
        with self._writing() as connection:
            connection.execute(statements.PAUSE, (pause.scope, pause.name, pause.since, pause.who, pause.why))
            return connection.changes() == 1

    def unpause(self, scope: str, name: str) -> bool:
        """Remove it."""
        with self._writing() as connection:
            connection.execute(statements.UNPAUSE, (scope, name))
            return connection.changes() == 1

    def begin_ledger(self, time: str) -> None:
        """Make the ledgers, and let them know this store."""
        self._ledgers.begin(self.identity(), time)

    def enter(self, payment: Payment) -> None:
        """Append a line to each ledger, durably."""
        self._ledgers.enter(payment)

    def adopt(self, time: str) -> list[str]:
        """Take a new id and the real path of now; the ledgers are repaired."""
        with self._writing() as connection:
            return adopt(connection, self._path, self._ledgers, time)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with understood(self._path):
            yield self._connection()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One durable transaction, in turn with other writers so that none starves.

        No trigger that another program added meanwhile takes part in it.
        """
        with self._reading() as connection, take_turn(self._writers), transaction(connection):
            version = connection.pragma("schema_version")
            if version != self._own.schema:
                check_schema(connection, self._path)
                self._own.schema = version
            yield connection

    def _read(self, look: Callable[[Connection], Found]) -> Found:
        with self._reading() as connection:
            return look(connection)

    def _connect(self) -> Connection:
        return connect(self._path, self._writers, self._patience)


def _append(connection: Connection, entries: Sequence[Entry], session: Session, status: str) -> bool:
    """Write all within the caller's transaction; whether they began a session."""
    name, stored = session.name, fetch_one(connection, statements.HEAD, session.name)
    if stored and stored[2] != stored[0]:
        message = f"the journal of {name} ends with entry {stored[2] or 0}, the stored session is of entry {stored[0]}"
        raise JournalTampered(message, stored[2] or 0, statements.hint(name))
    check_append(entries, session, stored and stored[:2])
    known = (session.workflow, session.state, status, session.revision, session.seq, session.head)
    told = (*known, entries[-1].time, write_snapshot(session), session.about, name)
    spoken = stored is None or stored[3] != session.about
    if stored is None:
        connection.execute(statements.INSERT_SESSION, (*told, entries[0].time, session.owner, session.sandbox))
    else:
        if spoken:
            connection.execute(statements.DROP_WORDS, (name,))
        connection.execute(statements.UPDATE_SESSION, told)
    if spoken:
        connection.execute(statements.KEEP_WORDS, (name,))
    _keep_timers(connection, session, status)
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


def _keep_timers(connection: Connection, session: Session, status: str) -> None:
    """Few turns change one, and most sessions have none: then nothing is written."""
    timers = timers_of(session, status)
    if fetch_all(connection, statements.TIMERS, session.name) != timers:
        connection.execute(statements.DROP_TIMERS, (session.name,))
        connection.executemany(statements.KEEP_TIMER, [(session.name, *each) for each in timers])


def _check_turns(connection: Connection, entries: Sequence[Entry]) -> None:
    """Say which unique index refused: a turn was accepted before."""
    for entry in entries:
        if entry.turn is None:
            continue
        taken = fetch_one(connection, statements.TURN, entry.session, entry.turn)
        if taken or (entry.kind == "started" and fetch_one(connection, statements.START, entry.turn)):
            raise turn_taken(entry.session)
