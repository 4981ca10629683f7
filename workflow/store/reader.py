"""The store as it is read: by anybody who may read its files, wherever they lie; nothing is created or changed.

SQLite reads a database with a write-ahead log by an index of that log in shared memory. While anybody writes, that
index is a file beside the database, and a reader shares it, read-only. Where the file does not exist nobody has the
store open, and the index is made in this process's own memory: the log counts either way, unlike with ``immutable``.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from workflow.local.readable import check_readable
from workflow.model.errors import StoreError
from workflow.model.ports import Chain
from workflow.store.connection import (
    DATABASE,
    Connection,
    connect_private,
    connect_reader,
    file_at,
    understood,
)
from workflow.store.ledger import BESIDE, Ledgers
from workflow.store.locks import Holds
from workflow.store.queries import Found, Queries
from workflow.store.whole import copy

_PAUSE = 0.01
"""Seconds between two tries, where somebody opened or closed the store meanwhile."""
_NOTHING = "/dev/null"
"""What is read in the place of a log that does not exist."""


class SqliteReader(Queries):
    """What can be read of the store in ``folder``; a folder or database that does not exist is an empty store.

    ``patience`` is how many seconds to try again while others open, close or lock the store. ``owner`` is whose store
    it is (a uid), None where there is none. Raises :class:`StoreError` for files that a third user could have written.

    A process that takes turns reads by its :class:`SqliteStore`. SQLite maps the shared index once for a process, and
    after a reader it would be read-only for turns too.
    """

    def __init__(
        self, folder: Path, *, patience: float = 5.0, verifies: bool = False, ledger: Path | None = None
    ) -> None:
        self.owner = check_readable(folder, (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"))
        folder = Path(os.path.realpath(folder))
        ledgers = Ledgers(folder / BESIDE, ledger, owner=self.owner)
        super().__init__(folder / DATABASE, Holds(folder / "holds"), ledgers, verifies=verifies)
        self._log = self._path.with_name(f"{DATABASE}-wal")
        self._index = self._path.with_name(f"{DATABASE}-shm")
        self._patience = patience
        self._read(lambda connection: None)  # whatever is wrong with the file is found out here

    def backup(self, file: str) -> Chain:
        """As :meth:`Queries.backup`; there has to be a store."""
        if self._file() is None:
            raise StoreError(f"there is no store at {self._path}", "PHASEGATE_STATE names the folder of another.")
        made: list[Path] = []

        def look(connection: Connection) -> Chain:
            for torn in made:
                torn.unlink(missing_ok=True)
            made.append(Path(file))
            return copy(connection, Path(file))

        return self._read(look)

    def check(self) -> list[str]:
        """As :meth:`Queries.check`; nothing is wrong with what does not exist."""
        return [] if self._file() is None else super().check()

    def _read(self, look: Callable[[Connection], Found]) -> Found:
        """What was found while the store was open as it was found to be; else it is looked at again."""
        until = time.monotonic() + self._patience
        while True:
            try:
                with understood(self._path):
                    found = look(self._connection())
            except Exception as error:
                if not self._passes(error):
                    raise
                if time.monotonic() > until:
                    raise _unfinished(self._path, error) from error
            else:
                if not self._overtaken():
                    return found
                if time.monotonic() > until:
                    raise _unfinished(self._path)
            self._drop()
            time.sleep(_PAUSE)

    def _passes(self, error: Exception) -> bool:
        """Whether it went wrong because others opened or closed the store meanwhile."""
        shared = getattr(self._own, "shared", None)
        if shared is None or not os.path.lexists(self._path):
            return False
        recovering = isinstance(error.__cause__, apsw.ReadOnlyError)  # who opened it has yet to make the shared index
        return recovering or self._own.index != _mark(self._index)

    def _overtaken(self) -> bool:
        """Whether somebody has opened the store since this thread opened it alone: what was read may be torn.

        They make the shared index before they write, and cannot remove it again while this connection is open.
        """
        return not self._own.shared and self._own.file is not None and self._index.exists()

    def _connect(self) -> Connection:
        self._own.index = _mark(self._index)
        self._own.shared = self._own.index is not None
        self._own.file = self._file()
        if self._own.file is None:
            if _size(self._log):
                hint = "Put the database back beside its log; neither is whole without the other."
                raise StoreError(f"{self._path} is missing, and its log {self._log.name} is there", hint)
            return connect_private(self._path)
        if self._own.shared and not self._log.exists():
            told = f"{self._log} is missing, though the store was in use: what was saved last may have been in it"
            raise StoreError(told, "Put it back beside the database, or restore the store from a backup.")
        layer = _SHARED if self._own.shared else _BY_ITSELF
        found = connect_reader(self._path, layer.name, self._patience, alone=not self._own.shared)
        return found or connect_private(self._path)

    def _file(self) -> tuple[int, int] | None:
        """Which file it is; None if there is none, and there was none before."""
        if getattr(self._own, "file", None) is None and not os.path.lexists(self._path):
            return None
        return file_at(self._path)


class _Reading(apsw.VFS):
    """The system's files, opened for reading alone: no flag of SQLite's makes one, and none is removed."""

    def __init__(self, name: str, file: type[apsw.VFSFile], *, without_log: bool) -> None:
        super().__init__(name, "unix")
        self.name = name
        self._file = file
        self._without_log = without_log

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """Open for reading; a log that does not exist is an empty one, where nobody else can make it."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if name is None or path is None:
            raise apsw.CantOpenError("whoever reads writes nothing down")
        kept = flags[0] & ~(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        flags[0] = kept | apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOFOLLOW
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise apsw.CantOpenError(f"{path} is not a file")
        except FileNotFoundError:
            if self._without_log and flags[0] & apsw.SQLITE_OPEN_WAL:
                return self._file("unix", _NOTHING, flags)
            raise apsw.CantOpenError(f"{path} does not exist") from None
        return self._file("unix", name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        """Never."""
        raise apsw.ReadOnlyError(f"{name} would be removed")


class _Alone(apsw.VFSFile):
    """A database that nobody else has open: SQLite asks for the sole right to it, and shares it with readers."""

    def xLock(self, level: int) -> None:  # noqa: N802
        """The right to read, whatever is asked for: it keeps whoever comes from removing the log at their end."""
        if level <= apsw.SQLITE_LOCK_SHARED:
            super().xLock(level)


_SHARED = _Reading("phasegate-reader", apsw.VFSFile, without_log=False)
_BY_ITSELF = _Reading("phasegate-reader-alone", _Alone, without_log=True)


def _unfinished(path: Path, error: Exception | None = None) -> StoreError:
    """What to raise for a store that others keep from being read."""
    if error and isinstance(error.__cause__, apsw.ReadOnlyError):
        hint = "Let its owner run any `workflow` command that writes, or restore it from a backup."
        return StoreError(f"{path} cannot be read: a write to it was cut short, and only a writer can finish it", hint)
    return StoreError(f"{path} was opened and closed by others each time it was read", "Try again.")


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells a file from the next one of its name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
