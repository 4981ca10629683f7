"""Connections to the database: a few that are kept, transactions, and the driver's errors as ours.

Nothing is kept in a connection between two transactions: no setting, no lock, no prepared statement. So whatever hands
out connections by the transaction, such as pgbouncer, may stand in between.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors, sql

from workflow.model.database_address import Address
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.surface import Machine

Connection = psycopg.Connection[tuple[Any, ...]]
Violation = errors.UniqueViolation
Unknown = errors.UndefinedObject

MOST = 10
"""Connections of one process at a time; who finds none free waits for one."""
WAIT = 60.0
"""Seconds to wait for one; whoever is quicker may take it first."""
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Everything that is read within is of one instant."""
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
RESTORE = Machine("Restore the database from a backup; `workflow audit verify --store` shows whether a store is whole.")
LATER = "Nothing was done. Try again later; `workflow doctor` says whether the database can be reached."
_AGAIN = "Send the same turn again: it is never done twice."


class Connections:
    """Opens connections, keeps those that are idle, and gives each to one caller at a time.

    ``patience`` is how many seconds to wait for the server.
    """

    def __init__(self, address: Address, *, patience: float = 10.0, most: int = MOST) -> None:
        self.address = address
        self._patience = patience
        self._most = most
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._most)

    def check_open(self) -> None:
        """Raise :class:`StoreError` once they are closed."""
        if self._closed:
            raise StoreError(f"the store {self.address.shown} is closed")

    @contextmanager
    def transaction(self, begin: str = WRITE) -> Iterator[Connection]:
        """All or nothing; with the driver's errors as :class:`StoreError`."""
        with self.one(begin) as connection:
            try:
                yield connection
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            try:
                connection.execute("COMMIT")
            except psycopg.OperationalError as error:
                raise self._unanswered(error) from error

    @contextmanager
    def one(self, begin: str = "") -> Iterator[Connection]:
        """A connection: outside of any transaction, where each statement is one of its own, or just after ``begin``."""
        self.check_open()
        if self._process != os.getpid():  # a child shares its parent's sockets, which two cannot speak on
            self._begin()
        if not self._free.acquire(timeout=WAIT):
            raise StoreError(f"{self.address.shown}: all {self._most} connections of this process are in use", LATER)
        try:
            with self.translated():
                connection = self._take(time.monotonic() + self._patience, begin)
                try:
                    yield connection
                finally:
                    self._give_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle, and let nothing be opened any more; idempotent."""
        self._closed = True
        if self._process != os.getpid():
            return
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raises the driver's errors as :class:`StoreError`."""
        try:
            yield
        except (psycopg.Error, UnicodeError) as error:
            raise self.meaning(error) from error

    def meaning(self, error: Exception) -> StoreError:
        """The one place where the driver's errors become ours; the password is in none of them."""
        shown, told = self.address.shown, self.address.redacted(str(error))
        if isinstance(error, (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn)):
            return StoreError(
                f"{shown} holds no store of this version: {told}", Machine("Run `workflow-admin store migrate`.")
            )
        if isinstance(error, errors.InsufficientPrivilege):
            hint = Machine("Let its owner run `workflow-admin store migrate`, with --role for this role.")
            return StoreError(f"{shown} refuses: {told}", hint)
        if isinstance(error, (errors.InvalidAuthorizationSpecification, errors.InvalidCatalogName)):
            return StoreError(f"{shown} lets nobody in like this: {told}", "Correct the address of the store.")
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return StoreError(f"{shown} takes no writes: it is a standby, or was set so", "Use the primary. " + LATER)
        if isinstance(error, (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded)):
            return StoreError(f"{shown} has no room: {told}", "Free some space on the server. " + LATER)
        if isinstance(error, (UnicodeError, errors.DataError)):
            return StoreError(f"{shown} cannot keep this: {told}", "Leave out what is not text.")
        if isinstance(error, (errors.DeadlockDetected, errors.SerializationFailure)):
            return StoreError(f"{shown} is busy: {told}", _AGAIN)
        if isinstance(error, psycopg.OperationalError):
            return StoreError(f"{shown} cannot be reached: {told}", LATER)
        return StoreError(f"{shown} cannot be used: {told}", Machine("Run `workflow doctor`."))

    def _unanswered(self, error: Exception) -> StoreError:
        """The answer to a commit was lost: it may have been done."""
        told = self.address.redacted(str(error))
        return StoreError(f"{self.address.shown} did not say whether this was saved: {told}", _AGAIN)

    def _take(self, until: float, begin: str) -> Connection:
        """One that is idle and still answers, or a new one."""
        while (known := self._pop()) is not None:
            try:
                if _lives(known):
                    return _begun(known, begin)
            except psycopg.OperationalError:  # it ended just now, and nothing was done by it
                pass
            known.close()
        return _begun(self._connect(until), begin)

    def _pop(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection) -> None:
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if idle and not connection.closed and not self._closed:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()

    def _connect(self, until: float) -> Connection:
        seconds = max(2, round(until - time.monotonic()))
        return psycopg.connect(
            self.address.text,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=seconds,
            client_encoding="utf8",
            application_name="phasegate",
            tcp_user_timeout=round(self._patience * 1000),
        )


def _begun(connection: Connection, begin: str) -> Connection:
    if begin:
        connection.execute(begin)
    return connection


def _lives(connection: Connection) -> bool:
    """Whether nothing has come on it while it was idle: a server that ended says so, or closes it."""
    if connection.closed:
        return False
    try:
        connection.pgconn.consume_input()
    except psycopg.Error:
        return False
    return connection.pgconn.status == psycopg.pq.ConnStatus.OK and not connection.pgconn.is_busy()


def fetch_all(connection: Connection, query: str, *values: Any) -> list[Any]:
    """All rows; ``query`` is one of ``statements.py``."""
    return connection.execute(query, values or None).fetchall()


def fetch_one(connection: Connection, query: str, *values: Any) -> Any:
    """The first row, or None."""
    return connection.execute(query, values or None).fetchone()


def fetch_none(connection: Connection, script: str) -> None:
    """Carry out what gives no rows; what people wrote is quoted in it by :func:`identifier`."""
    connection.execute(script.encode())


def identifier(connection: Connection, name: str) -> str:
    """A name as it is written in a statement."""
    return sql.Identifier(name).as_string(connection)


def tampered(message: str, seq: int = 0) -> JournalTampered:
    """What to raise for a database that holds what no store wrote."""
    return JournalTampered(message, seq, RESTORE)
