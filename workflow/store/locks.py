"""Locks that the kernel frees when their holder dies: one per session, one by which writers take turns."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workflow.local.private import unusable
from workflow.model.errors import HoldLost, SessionBusy, UsageError
from workflow.model.ports import Held, Holder
from workflow.model.session_names import is_name
from workflow.store.holder import myself, read_holder

_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two attempts: the first, and the longest that it doubles up to."""


class Holds:
    """The locks of sessions: files in one folder, which are removed again.

    To make and remove a file takes longer than all else about a hold, so that the files of sessions that this process
    held twice stay open, unlocked, until others take their place or :meth:`close` is called.
    """

    def __init__(self, folder: Path, most: int = 32) -> None:
        self._folder = str(folder)
        self._most = most
        self._kept: OrderedDict[str, int | None] = OrderedDict()
        self._process = os.getpid()

    @contextmanager
    def hold(self, name: str, wait: float, part: str = "") -> Iterator[FileHold]:
        """Hold session ``name``, or only this ``part`` of it.

        Raises :class:`SessionBusy` if another holder, be it in this process, keeps it for ``wait`` seconds.
        """
        check_name(name)
        held = FileHold(self, name, part)
        held.retake(wait)
        try:
            yield held
        finally:
            held.release()

    def check(self, held: Held, name: str) -> None:
        """Raise :class:`HoldLost` unless ``held`` is the right to append to ``name``, given by these locks."""
        if not (isinstance(held, FileHold) and held.stands(self, name)):
            raise lost(name)

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds session ``name``; raises :class:`StoreError` if its lock file cannot be read."""
        check_name(name)
        path = self.path(name, part)
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(Path(path), error) from error
        try:
            holder, alive = read_holder(os.pread(file, 512, 0))
            return holder if alive or _is_locked(file) else None
        finally:
            os.close(file)

    def path(self, name: str, part: str = "") -> str:
        """The lock file of a session, or of a part of it."""
        return f"{self._folder}/{_stem(name, part)}.lock"

    def close(self) -> None:
        """Remove the files that were kept, unless somebody else has them; idempotent."""
        while self._kept:
            path, file = self._kept.popitem()
            if file is not None and self._process == os.getpid():
                _remove(path, file)

    def take(self, path: str) -> tuple[bool, int | None]:
        """Whether it was held before, and its file if it was kept and nobody else here has it now."""
        if self._process != os.getpid():  # a lock belongs to the open file, which a child would share with its parent
            self._process = os.getpid()
            self._kept.clear()
        return path in self._kept, self._kept.pop(path, None)

    def give_back(self, path: str, file: int, *, keep: bool) -> None:
        """Unlock the file, and keep it open or remove it."""
        known = self._kept.setdefault(path, None)
        if keep and known is None:
            with suppress(OSError):
                os.ftruncate(file, 0)
            fcntl.flock(file, fcntl.LOCK_UN)
            self._kept[path] = file
        else:
            _unlink(path, file)
            os.close(file)
        if len(self._kept) > self._most:
            other, old = self._kept.popitem(last=False)
            if old is not None:
                _remove(other, old)


class FileHold:
    """A locked file. It is the right to append as long as the path still leads to it."""

    def __init__(self, holds: Holds, name: str, part: str = "") -> None:
        self.name = name
        self._holds = holds
        self._part = part
        self._path = holds.path(name, part)
        self._again = False
        self._file: int | None = None

    def release(self) -> None:
        """Let go; idempotent."""
        file, self._file = self._file, None
        if file is not None:
            self._holds.give_back(self._path, file, keep=self._again)

    def retake(self, wait: float = 0.0) -> None:
        """Take it, or take it again; raises :class:`SessionBusy` if another has it for ``wait`` seconds."""
        self.release()
        self._again, kept = self._holds.take(self._path)
        try:
            self._file = _hold(self._path, time.monotonic() + wait, kept)
        except BlockingIOError:
            raise busy(self.name, self._holds.held_by(self.name, self._part)) from None
        with suppress(OSError):  # on a full disk nobody can be named
            os.pwrite(self._file, myself(), 0)

    def stands(self, holds: Holds, name: str) -> bool:
        """Whether it is the right to append to this session: the file may have been removed meanwhile."""
        mine = (self._holds, self.name, self._part) == (holds, name, "")
        return mine and self._file is not None and _leads_to(self._path, self._file)


@contextmanager
def take_turn(path: Path) -> Iterator[None]:
    """Wait until the writers that came before are done; a writer keeps its turn for one transaction."""
    try:
        file = _open(path)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise unusable(path, error) from error
        yield
    finally:
        os.close(file)


def check_name(name: str) -> None:
    """Raise :class:`UsageError` for what cannot be a session's name, before it gets near a path."""
    if not is_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a session", "Names are words of a-z and 0-9 joined by hyphens."
        )


def busy(name: str, holder: Holder | None) -> SessionBusy:
    """What to raise for a session that another has."""
    message = f"session {name} is in use by another turn"
    if holder is None:
        return SessionBusy(message, "Wait until it is done, then try again.")
    hint = "Wait until it is done, then try again."
    if holder.stopped:
        hint = f"That process was stopped: `kill -CONT {holder.pid}` lets it continue. Then try again."
    return SessionBusy(f"{message}: {holder.sentence}", hint)


def lost(name: str) -> HoldLost:
    """What to raise for a handle that is not, or no longer, the right to append."""
    return HoldLost(
        f"this turn does not hold session {name} any more, so it can write nothing",
        "Send the same turn again: it is never done twice.",
    )


def _stem(name: str, part: str) -> str:
    return f"{name}.{part}" if part else name


def _is_locked(file: int) -> bool:
    """Ask the kernel, where the file names nobody who lives: a holder on a full disk, or in another container."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _hold(path: str, deadline: float, kept: int | None) -> int:
    pause = _PAUSE
    while True:
        try:
            file = _try(path, kept)
        except OSError as error:
            raise unusable(Path(path), error) from error
        if file is not None:
            return file
        left = deadline - time.monotonic()
        if left <= 0:
            raise BlockingIOError
        time.sleep(min(pause, left))
        pause, kept = min(2 * pause, _LONGEST_PAUSE), None


def _try(path: str, kept: int | None) -> int | None:
    """The locked file, ``kept`` or opened again, or None if another has it."""
    while True:
        file = _open(path) if kept is None else kept
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _leads_to(path, file):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # its last holder removed it just before it was ours
        kept = None


def _remove(path: str, file: int) -> None:
    """Give up a file that was kept; whoever has it now will remove it."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _unlink(path, file)
    os.close(file)


def _unlink(path: str, file: int) -> None:
    # While it is held: whoever opened it meanwhile sees that the path leads elsewhere, and opens it anew.
    with suppress(OSError):
        if _leads_to(path, file):
            os.unlink(path)


def _open(path: str | Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if stat.S_IMODE(os.fstat(file).st_mode) != 0o600:
            os.fchmod(file, 0o600)
    except BaseException:
        os.close(file)
        raise
    return file


def _leads_to(path: str, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False
