"""Connections to the store's database: opening, creating, comparing its schema, transactions, and the errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from workflow.model.digest import sha256
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.surface import Machine
from workflow.store.locks import take_turn

Connection = apsw.Connection
Error = apsw.Error

DATABASE = "phasegate.db"
"""Its name in the folder of the store."""

SCHEMA = 1
"""The number of the schema; the database keeps its own as ``user_version``."""

APPLICATION = 0x50485343
"""``PHSC`` in the header of the database: this file is a store of Phasegate."""

FORMER = {0x50474154: "PGAT", 0x50485347: "PHSG", 0x50485342: "PHSB"}
"""Headers of stores that were written before the schema was as it is now."""

OBJECTS = "d7a85b27753e8733f761eb97ab7368ed77eadbad87c12eab12927a2808eff72e"
"""SHA-256 of everything that the schema script makes, so that no turn has to run the script to compare."""

LIBRARY: str = apsw.sqlite_lib_version()
"""The version of SQLite that is running."""


def connect(path: Path, writers: Path, patience: float) -> apsw.Connection:
    """A connection to a sound store; makes the tables of an empty file, and refuses any other database."""
    connection = open_file(path)
    try:
        connection.set_busy_timeout(round(patience * 1000))
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # else each new value makes it plan a join again
        connection.execute(_PRAGMAS).fetchall()
        if _identity(connection) != (APPLICATION, SCHEMA):
            with take_turn(writers):
                _create(connection, path)
        check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_private(path: Path) -> Connection:
    """An empty store in memory, for whoever reads where there is none yet."""
    connection = apsw.Connection(":memory:")
    connection.execute(_script()).fetchall()
    connection.execute(_IDENTITY, (os.fsencode(path),))
    return connection


def connect_reader(path: Path, vfs: str, patience: float, *, alone: bool) -> Connection | None:
    """A connection that cannot write, through the file system layer ``vfs``; None for a database that is empty.

    ``alone`` says that nobody else has the store open, so that the index of its log can be this process's own.
    """
    name = f"file:{quote(os.fsencode(path))}?mode=ro&readonly_shm=1"
    connection = apsw.Connection(name, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, vfs)
    try:
        connection.set_busy_timeout(round(patience * 1000))
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute(_READING + _ALONE * alone).fetchall()
        if not is_ours(connection, path):
            connection.close()
            return None
        check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_file(path: Path) -> Connection:
    """A connection to a file as it is, such as one that is to be filled; nothing is checked and nothing made."""
    return apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)


def file_at(path: Path) -> tuple[int, int]:
    """Which file is at ``path`` now; raises :class:`StoreError` if there is none."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be used: {error.strerror or error}", "Was it moved or removed? Put it back, or start again."
        ) from error
    return found.st_dev, found.st_ino


def check_schema(connection: apsw.Connection, path: Path) -> None:
    """Raise :class:`JournalTampered` if the database holds anything else than the schema script makes."""
    found = fetch_all(connection, _OBJECTS)
    if sha256(repr(found).encode()) != OBJECTS:
        raise JournalTampered(f"{path} was changed by another program: {_strange(found)}", 0, RESTORE)


def made() -> list[Any]:
    """What the schema script makes, as the database lists it."""
    memory = apsw.Connection(":memory:")
    try:
        memory.execute(_script()).fetchall()
        return fetch_all(memory, _OBJECTS)
    finally:
        memory.close()


def fetch_one(connection: apsw.Connection, query: str, *values: Any) -> Any:
    """The first row, or None."""
    found = fetch_all(connection, query, *values)
    return found[0] if found else None


def fetch_all(connection: apsw.Connection, query: str, *values: Any) -> list[Any]:
    """All rows, so that no statement is left open."""
    return connection.execute(query, values).fetchall()


def trigrams(connection: apsw.Connection, text: str) -> list[str]:
    """Every three characters of a text in a row, folded as the index of words folds them."""
    cut = connection.fts5_tokenizer("trigram")
    found = cut(text.encode(), apsw.FTS5_TOKENIZE_QUERY, None, include_offsets=False, include_colocated=False)
    return [str(each) for each in found]


@contextmanager
def transaction(connection: apsw.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """All or nothing."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself has rolled back after some errors
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raises the driver's errors as :class:`StoreError`."""
    try:
        yield
    except apsw.Error as error:
        raise meaning(path, error) from error


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """As :func:`translated`; text that is not UTF-8 was written by another program."""
    try:
        with translated(path):
            yield
    except UnicodeDecodeError as error:
        raise JournalTampered(f"{path} holds text that is not UTF-8", 0, RESTORE) from error


def meaning(path: Path, error: apsw.Error) -> StoreError:
    """The one place where the driver's errors become ours."""
    for kinds, what, hint in _MEANING:
        if isinstance(error, kinds):
            return StoreError(f"{path} {what}", hint)
    return StoreError(f"{path} cannot be used: {error}", Machine("Run `workflow doctor`."))


def is_ours(connection: apsw.Connection, path: Path) -> bool:
    """Whether the database is a store, rather than empty; raises :class:`StoreError` for anything else."""
    application, version = _identity(connection)
    if (application, version) == (APPLICATION, SCHEMA):
        return True
    if application in FORMER:
        former = f"an earlier version of Phasegate ({FORMER[application]} {version})"
        raise StoreError(
            f"{path} was written by {former}, which this version cannot read",
            "Move it away, or choose another state folder; nothing in it was changed.",
        )
    empty = (application, version) == (0, 0) and fetch_one(connection, "SELECT 1 FROM sqlite_schema LIMIT 1") is None
    if application != APPLICATION and not empty:
        raise StoreError(
            f"{path} is a database of another program",
            "Move it away, or choose another state folder; nothing in it was changed.",
        )
    if version:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}, this one knows {SCHEMA})",
            "Upgrade Phasegate, or choose another state folder; nothing in it was changed.",
        )
    return False


def _create(connection: apsw.Connection, path: Path) -> None:
    """Make the tables in an empty file; refuse anything else."""
    if is_ours(connection, path):
        return  # another process has just made them
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StoreError(
            f"{path} is on a file system that cannot share memory between processes",
            "Choose a state folder on a local disk.",
        )
    with transaction(connection):
        connection.execute(_script()).fetchall()
        connection.execute(_IDENTITY, (os.fsencode(os.path.realpath(path)),))
        connection.pragma("application_id", APPLICATION)
        connection.pragma("user_version", SCHEMA)


def _script() -> str:
    from importlib.resources import files  # here alone: a store that exists opens without it

    return (files("workflow.store") / "schema" / "001_initial.sql").read_text("utf-8")


def _identity(connection: apsw.Connection) -> tuple[int, int]:
    """Whose database it is, and its schema's number; of an empty file both are 0."""
    return connection.pragma("application_id"), connection.pragma("user_version")


def _strange(found: list[Any]) -> str:
    """What is there, gone or changed against the schema script, each by its kind and name."""
    known = {(kind, name): rest for kind, name, *rest in made()}
    there = {(kind, name): rest for kind, name, *rest in found}
    added = [f"the {kind} {name[:64]!r} was added" for kind, name in there if (kind, name) not in known]
    gone = [f"the {kind} {name!r} is missing" for kind, name in known if (kind, name) not in there]
    both = [each for each in known if each in there]
    changed = [f"the {kind} {name!r} was changed" for kind, name in both if known[kind, name] != there[kind, name]]
    return "; ".join((added + gone + changed)[:5]) or "its tables were changed"


RESTORE = Machine("Restore the store from a backup; `workflow audit verify --store` shows whether a store is whole.")
_IDENTITY = "INSERT INTO identity VALUES (1, lower(hex(randomblob(16))), ?)"
_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
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

# Erased text is overwritten; no schema of a tampered file can call functions with side effects.
_PRAGMAS = """
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
"""
_READING = "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
_ALONE = "PRAGMA locking_mode = EXCLUSIVE;"
