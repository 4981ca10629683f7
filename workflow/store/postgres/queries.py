"""What can be asked of the database: the reading half of the store."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from workflow.model.brakes import Pause, Use
from workflow.model.database_address import Address
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.fault import Fault
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Chain, Holder, Over, Record, Summary
from workflow.model.session import Session
from workflow.store import read_snapshot, write_snapshot
from workflow.store.ledger import BESIDE, Ledgers
from workflow.store.postgres import payments, statements
from workflow.store.postgres.brake_rows import Rows
from workflow.store.postgres.connection import READ, Connection, Connections, fetch_all, fetch_one, tampered
from workflow.store.postgres.identity import check_own, store_id, why_foreign
from workflow.store.postgres.leases import LEASE, Leases
from workflow.store.postgres.schema import check_schema
from workflow.store.postgres.whole import definitions_of, record_of, verified
from workflow.store.statements import HASH_OF, check_end, entry, following, hint, summary
from workflow.store.verification import check_record

MOST = 10_000
"""Sessions that a store remembers to have verified; any other is verified again."""
_PAGE = 200
"""Entries that are read at once."""
Found = TypeVar("Found")


class PostgresReader:
    """What can be read of the store in a database; this host's ledger lies in ``folder``.

    ``verifies`` checks the whole journal of each session the first time that it is loaded. ``lease`` and ``patience``
    are seconds: how long a hold lasts without being renewed, and how long to wait for the server. Raises
    :class:`UsageError` for an address that is none, :class:`StoreError` where no store of this version can be read.
    """

    owner: int | None = None
    """No user of this machine: who may read or write is the database's business."""

    def __init__(
        self,
        address: str,
        folder: Path,
        *,
        patience: float = 10.0,
        verifies: bool = False,
        ledger: Path | None = None,
        lease: float = LEASE,
    ) -> None:
        folder = Path(os.path.realpath(folder))
        self.connections = Connections(Address(address), patience=patience)
        self._leases = Leases(self.connections, lease)
        self._ledgers = Ledgers(folder / BESIDE, ledger)
        self._verifies = verifies
        weakref.finalize(self, self.connections.close)  # also where nobody closes the store before the process ends
        self._touched: set[str] = set()
        self._lock = threading.Lock()
        try:
            self._read(lambda connection: check_schema(connection, self.shown))
        except BaseException:
            self.close()
            raise

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return self.connections.address.shown

    def close(self) -> None:
        """End the renewals and close the connections; idempotent."""
        self._leases.close()
        self.connections.close()

    def _read(self, look: Callable[[Connection], Found]) -> Found:
        """What ``look`` finds with one statement or several."""
        with self.connections.one() as connection:
            return look(connection)

    def _read_at_once(self, look: Callable[[Connection], Found]) -> Found:
        """What ``look`` finds, all of one instant."""
        with self.connections.transaction(READ) as connection:
            return look(connection)

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who has the row, unless its time is over."""
        return self._leases.held_by(name, part)

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session."""
        if self._verifies and name not in self._touched:
            self._touch(name)
        row = self._read(lambda connection: _snapshot(connection, name))
        if row is None:
            return None
        snapshot, seq, head, *last = row
        check_end(name, seq, head, last)
        return read_snapshot(name, snapshot, (seq, head))

    def check_session(self, session: Session) -> None:
        """The whole journal, each time: nothing says whether somebody has written to the database since."""
        record = self.record(session.name)
        if record is None or record.snapshot != write_snapshot(session):
            message = f"the session {session.name} in hand is not the one that its journal adds up to"
            raise JournalTampered(message, session.seq, hint(session.name))
        check_record(record)

    def verify(self, expect_head: str | None = None) -> Chain:
        """All links with the sessions and entries that they name, of one instant."""
        return self._read_at_once(lambda connection: verified(connection, self.shown, expect_head))

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal in order, read page by page: no transaction stays open while the caller thinks."""
        known = self._read(lambda connection: fetch_one(connection, statements.HASH, name, after))
        previous = known[0] if known else None
        while True:
            page = self._read(lambda connection, at=after: fetch_all(connection, statements.ENTRIES, name, at, _PAGE))  # type: ignore[misc]
            yield from following(page, previous)
            if len(page) < _PAGE:
                return
            after, previous = page[-1][1], page[-1][HASH_OF]

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of one entry."""
        row = self._read(lambda connection: fetch_one(connection, statements.HASH, name, seq))
        return row[0].hex() if row else None

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, of one instant."""

        def look(connection: Connection) -> Record | None:
            check_schema(connection, self.shown)
            row = fetch_one(connection, statements.RECORD, name)
            return None if row is None else record_of(connection, row)

        return self._read_at_once(look)

    def due(self, now: Instant) -> list[tuple[str, int]]:
        """By the indexes of timers: no session is read."""
        values = {"wall": now.wall, "boot": now.boot, "boot_id": now.boot_id}
        return self._read(lambda connection: connection.execute(statements.DUE, values).fetchall())

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times."""
        query = statements.LOG_OF if kinds else statements.LOG
        values = {"since": since, "kinds": list(kinds), "limit": limit}
        rows = self._read(lambda connection: connection.execute(query, values).fetchall())
        return [entry(row) for row in reversed(rows)]

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn, in one session or (a start) in any."""
        query = (statements.START, turn) if name is None else (statements.TURN, name, turn)
        row = self._read(lambda connection: fetch_one(connection, *query))
        return None if row is None else entry(row)

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry after ``after``."""
        row = self._read(lambda connection: fetch_one(connection, statements.REPLY, name, after))
        return None if row is None else entry(row)

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
        """Sessions, the latest updated first, those of one instant by name; a search compares all of them."""
        if any("\0" in text for text in (search, state, status, owner)):  # which no text in the database has
            return []
        values = {"live": live, "search": search, "state": state, "status": status, "owner": owner}
        values |= {"limit": limit, "offset": offset}
        rows = self._read(lambda connection: connection.execute(statements.LISTED, values).fetchall())
        return [summary(row) for row in rows]

    def count(self) -> tuple[int, str]:
        """By one look at the list."""
        count, oldest = self._read(lambda connection: fetch_one(connection, statements.COUNT))
        return count, oldest or ""

    def over(self, before: str) -> list[Over]:
        """By the index of updates."""
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
        """Refused: a database is backed up by its server's own means."""
        raise StoreError(f"{self.shown} cannot be copied as a file", "Use pg_dump, or the server's own backups.")

    def check(self) -> list[str]:
        """Whether the tables are as they were made, and writers' turns end with the last link; writes nothing."""

        def look(connection: Connection) -> list[str]:
            try:
                check_schema(connection, self.shown)
                payments.check_durable(connection)
            except StoreError as error:
                return [error.message]
            return []

        return self._read_at_once(look)

    def described(self) -> str:
        """The server's version and who gets copies of its log, for people."""
        version, replicas, synchronous = self._read(lambda connection: fetch_one(connection, statements.SERVER))
        kind = "synchronous" if synchronous else "asynchronous"
        return f"PostgreSQL {version}" + (f", {replicas} standbys or archivers, {kind}" if replicas else "")

    def identity(self) -> str:
        """The id in the database."""
        return self._read(store_id)

    def foreign(self) -> str:
        """What the database says of its place, compared with where it is."""
        return self._read(why_foreign)

    def check_own(self) -> None:
        """Raise :class:`SetBack` for a restored or promoted database."""
        self._read(check_own)

    def check_paying(self, session: str) -> None:
        """Compare the place, and this host's ledgers, with the database; the ledgers are read before the journals."""
        self._read(lambda connection: payments.check_paying(connection, self._ledgers, session))

    def pauses(self) -> list[Pause]:
        """The rows that there are."""
        return self._read(lambda connection: Rows(connection).pauses())

    def uses(self, use: Use, per: float) -> list[Instant]:
        """When the paid calls like this one left."""
        return self._read(lambda connection: Rows(connection).like(use, per))

    def ledger_fault(self) -> str:
        """What is wrong with this host's ledgers."""
        return self._read(lambda connection: payments.ledger_fault(connection, self._ledgers))

    def unknown_payments(self) -> list[Payment]:
        """What this host's ledgers know of this store and the database does not."""
        return self._read(lambda connection: payments.unknown_payments(connection, self._ledgers))

    def _touch(self, name: str) -> None:
        """Verify a session that this store has not loaded before."""
        record = self.record(name)
        if record is None:
            return
        check_record(record)
        with self._lock:
            if len(self._touched) >= MOST:
                self._touched.pop()
            self._touched.add(name)


def _snapshot(connection: Connection, name: str) -> Any:
    row = fetch_one(connection, statements.SNAPSHOT, name)
    if row is None and fetch_one(connection, statements.ORPHAN, name):
        again = fetch_one(connection, statements.SNAPSHOT, name)  # one that was begun between the two
        if again is None:
            raise tampered(f"the store holds entries of {name}, but no session", 1)
        return again
    return row
