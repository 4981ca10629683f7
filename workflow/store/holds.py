"""Locks that the kernel frees when their holder dies: one per session, one by which writers take turns."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workflow.errors import SessionBusy, UsageError
from workflow.names import is_name
from workflow.store.private import unusable

_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two attempts: the first, and the longest that it doubles up to."""


@contextmanager
def hold_file(folder: Path, name: str, wait: float) -> Iterator[None]:
    """Hold session ``name`` by a file in ``folder``, which is removed again.

    Raises :class:`SessionBusy` if another holder, be it in this process, keeps it for ``wait`` seconds.
    """
    check_name(name)
    path = folder / f"{name}.lock"
    file = _hold(path, name, time.monotonic() + wait)
    try:
        yield
    finally:
        # While it is held: whoever opened it meanwhile sees that the path leads elsewhere, and opens it anew.
        with suppress(OSError):
            if _leads_to(path, file):
                os.unlink(path)
        os.close(file)


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


def _hold(path: Path, name: str, deadline: float) -> int:
    pause = _PAUSE
    while True:
        try:
            file = _try(path)
        except OSError as error:
            raise unusable(path, error) from error
        if file is not None:
            return file
        left = deadline - time.monotonic()
        if left <= 0:
            raise busy(name)
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


def _try(path: Path) -> int | None:
    """The locked file, or None if another has it."""
    while True:
        file = _open(path)
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


def _open(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if stat.S_IMODE(os.fstat(file).st_mode) != 0o600:
            os.fchmod(file, 0o600)
    except BaseException:
        os.close(file)
        raise
    return file


def _leads_to(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False
