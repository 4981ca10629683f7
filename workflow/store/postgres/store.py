"""The store in a PostgreSQL database, for any number of processes and threads on any number of hosts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from workflow.local.private import private_folder
from workflow.model.brakes import Pause
from workflow.model.errors import JournalTampered
from workflow.model.fault import MOST_FAULTS, Fault
from workflow.model.journal import START, Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Held
from workflow.model.session import Session
from workflow.store import (
    brakes,
    check_append,
    other_definition,
    timers_of,
    turn_taken,
    write_body,
    write_snapshot,
)
from workflow.store.chain import linked
from workflow.store.postgres import payments, statements
from workflow.store.postgres.brake_rows import Rows
from workflow.store.postgres.connection import Connection, Violation, fetch_all, fetch_one, tampered
from workflow.store.postgres.queries import PostgresReader
from workflow.store.statements import hint


class PostgresStore(PostgresReader):
    """The schema ``phasegate`` of a database, which `workflow-admin store migrate` made.

    ``folder`` is where this host has its ledger and its secrets. See :class:`PostgresReader` for the rest.
    """

    def __init__(self, address: str, folder: Path, **options: Any) -> None:
        private_folder(folder)
        super().__init__(address, folder, **options)

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """The sole right to append to ``name``; it ends by the database's clock if its holder stops renewing it."""
        self.connections.check_open()
        return self._leases.hold(name, wait, part)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot in one durable commit."""
        calls = any(each.kind == "intent" for each in entries)
        rows = [_row(each) for each in entries]
        snapshot = write_snapshot(session)
        with self.connections.transaction() as connection:
            self._leases.keep(connection, held, session.name, calls=calls)
            number, previous = fetch_one(connection, statements.HEAD)
            kept = Rows(connection)
            held_back = brakes.stops(kept, entries, session)
            if held_back is None:
                _append(connection, entries, rows, session, snapshot, status)
                _link(connection, number + 1, previous, session)
                brakes.count(kept, entries, session)
        if held_back:  # raised outside: a window that begins again stays so
            raise held_back

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> None:
        """Append the entry and erase what those before it held, in one commit."""
        snapshot = write_snapshot(session)
        with self.connections.transaction() as connection:
            self._leases.keep(connection, held, session.name, calls=False)
            number, previous = fetch_one(connection, statements.HEAD)
            _append(connection, [entry], [_row(entry)], session, snapshot, status)
            _link(connection, number + 1, previous, session)
            connection.execute(statements.ERASE, (session.name, entry.seq))
            connection.execute(statements.ERASE_FAULTS, (session.name,))
        if sweep:
            self.sweep()

    def sweep(self) -> None:
        """Nothing: no query finds what was erased, and the server's files are for whoever runs the server.

        Old versions of rows go with the next VACUUM; the write-ahead log, its archive, standbys and backups keep theirs
        as long as the server's operator says (docs/postgres.md).
        """
        self.connections.check_open()

    def keep_definition(self, key: str, content: str) -> None:
        """Keep a compiled definition; another one under the same key raises :class:`StoreError`."""
        kept = self.definition(key)
        if kept is None:
            self._read(lambda connection: connection.execute(statements.KEEP_DEFINITION, (key, content)))
            kept = self.definition(key)
        if kept != content:
            raise other_definition(key)

    def first_time(self, profile: str, occasion: str) -> bool:
        """True once per profile and occasion."""

        def look(connection: Connection) -> bool:
            if fetch_one(connection, statements.OCCASION, profile, occasion):
                return False
            return connection.execute(statements.KEEP_OCCASION, (profile, occasion)).rowcount == 1

        return self._read(look)

    def note_fault(self, fault: Fault) -> None:
        """Keep it, and drop what is older than the latest of its session."""
        trace = fault.trace.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        with self.connections.transaction() as connection:
            told = (fault.session, fault.seq, fault.state, fault.time, fault.kind, trace)
            connection.execute(statements.KEEP_FAULT, told)
            connection.execute(statements.DROP_FAULTS, (fault.session, fault.session, MOST_FAULTS))

    def pause(self, pause: Pause) -> bool:
        """Keep it; one that holds already stays as it is."""
        told = (pause.scope, pause.name, pause.since, pause.who, pause.why)
        return self._read(lambda connection: connection.execute(statements.PAUSE, told).rowcount == 1)

    def unpause(self, scope: str, name: str) -> bool:
        """Remove it."""
        return self._read(lambda connection: connection.execute(statements.UNPAUSE, (scope, name)).rowcount == 1)

    def begin_ledger(self, time: str) -> None:
        """Make this host's ledgers, and let them know this store."""
        with self.connections.transaction() as connection:
            payments.begin(connection, self._ledgers, time)

    def enter(self, payment: Payment) -> None:
        """Append a line to each ledger of this host, durably."""
        self._ledgers.enter(payment)

    def adopt(self, time: str) -> list[str]:
        """Take a new id and the place of now; this host's ledgers are repaired."""
        with self.connections.transaction() as connection:
            fetch_one(connection, statements.HEAD)
            return payments.adopt(connection, self._ledgers, time)


def _append(
    connection: Connection,
    entries: Sequence[Entry],
    rows: Sequence[tuple[Any, ...]],
    session: Session,
    snapshot: str,
    status: str,
) -> None:
    """Write all within the caller's transaction, in which no other writer is at work."""
    name, stored = session.name, fetch_one(connection, statements.STORED, session.name)
    if stored and stored[2] != stored[0]:
        message = f"the journal of {name} ends with entry {stored[2] or 0}, the stored session is of entry {stored[0]}"
        raise JournalTampered(message, stored[2] or 0, hint(name))
    check_append(entries, session, stored and stored[:2])
    known = (session.workflow, session.state, status, session.revision, session.seq, session.head)
    told = (*known, entries[-1].time, snapshot, session.about, name)
    try:
        if stored is None:
            connection.execute(statements.INSERT_SESSION, (*told, entries[0].time, session.owner, session.sandbox))
        else:
            connection.execute(statements.UPDATE_SESSION, told)
        with connection.cursor() as cursor:
            cursor.executemany(statements.INSERT_ENTRY, rows)
        _keep_timers(connection, session, status)
    except Violation as error:
        if error.diag.constraint_name in ("entries_turn", "entries_start"):
            raise turn_taken(name) from error
        raise tampered(f"the store holds an entry of {name} that no turn wrote", entries[0].seq) from error


def _keep_timers(connection: Connection, session: Session, status: str) -> None:
    """Few turns change one, and most sessions have none: then nothing is written."""
    timers = timers_of(session, status)
    if fetch_all(connection, statements.TIMERS, session.name) != timers:
        connection.execute(statements.DROP_TIMERS, (session.name,))
        with connection.cursor() as cursor:
            cursor.executemany(statements.KEEP_TIMER, [(session.name, *each) for each in timers])


def _link(connection: Connection, number: int, previous: bytes, session: Session) -> None:
    link = bytes.fromhex(linked(previous.hex() or START, number, session.name, session.seq, session.head))
    try:
        connection.execute(statements.INSERT_LINK, (number, session.name, session.seq, link))
    except Violation as error:
        raise tampered(f"the store holds link {number}, which no writer made") from error
    connection.execute(statements.MOVE_HEAD, (number, link))


def _row(entry: Entry) -> tuple[Any, ...]:
    known = (entry.session, entry.seq, entry.kind, entry.time, bytes.fromhex(entry.digest), bytes.fromhex(entry.hash))
    return (*known, entry.turn, write_body(entry))
