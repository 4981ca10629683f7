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
from workflow.model.errors import SessionBusy, UsageError
from workflow.model.session_names import is_name

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
    def hold(self, name: str, wait: float) -> Iterator[None]:
        """Hold session ``name``.

        Raises :class:`SessionBusy` if another holder, be it in this process, keeps it for ``wait`` seconds.
        """
        check_name(name)
        path = f"{self._folder}/{name}.lock"
        again, kept = self._take(name)
        file = _hold(path, name, time.monotonic() + wait, kept)
        try:
            yield
        finally:
            self._release(name, path, file, keep=again)

    def close(self) -> None:
        """Remove the files that were kept, unless somebody else has them; idempotent."""
        while self._kept:
            name, file = self._kept.popitem()
            if file is not None and self._process == os.getpid():
                _remove(f"{self._folder}/{name}.lock", file)

    def _take(self, name: str) -> tuple[bool, int | None]:
        """Whether it was held before, and its file if it was kept and nobody else here has it now."""
        if self._process != os.getpid():  # a lock belongs to the open file, which a child would share with its parent
            self._process = os.getpid()
            self._kept.clear()
        return name in self._kept, self._kept.pop(name, None)

    def _release(self, name: str, path: str, file: int, *, keep: bool) -> None:
        known = self._kept.setdefault(name, None)
        if keep and known is None:
            fcntl.flock(file, fcntl.LOCK_UN)
            self._kept[name] = file
        else:
            _unlink(path, file)
            os.close(file)
        if len(self._kept) > self._most:
            other, old = self._kept.popitem(last=False)
            if old is not None:
                _remove(f"{self._folder}/{other}.lock", old)


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


def busy(name: str) -> SessionBusy:
    """What to raise for a session that another has."""
    return SessionBusy(f"session {name} is in use by another turn", "Wait until it is done, then try again.")


def _hold(path: str, name: str, deadline: float, kept: int | None) -> int:
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
            raise busy(name)
        time.sleep(min(pause, left))
        pause, kept = min(2 * pause, _LONGEST_PAUSE), None


def _try(path: str, kept: int | None) -> int | None:
    """The locked file, ``kept`` or opened anew, or None if another has it."""
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
