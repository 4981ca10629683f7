"""Folders and files that only their owner can read, from their first instant and under any umask."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

from workflow.model.errors import CredentialsError, StoreError

MAX_FILE_BYTES = 64 * 1024
"""Of a file of secrets."""


def private_folder(path: Path) -> None:
    """Create a folder with what is missing above it, each 0700; take a wider mode from one that is ours."""
    try:
        _make_folder(path)
        status = path.stat()
        ours = status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX  # never that of /tmp
        if ours and status.st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise unusable(path, error) from error


def private_file(path: Path) -> None:
    """Create an empty file, 0600; one that exists is never opened, but a wider mode is taken from it.

    Opening and closing a database by path would drop the POSIX locks that this process has on it.
    """
    try:
        with _CREATING, suppress(FileExistsError):
            if not os.path.lexists(path):
                _make_file(path)
    except OSError as error:
        raise unusable(path, error) from error
    restrict(path)


def new_file(path: Path) -> None:
    """Create an empty file, 0600, where there is none; raises :class:`StoreError` if there is something."""
    try:
        _make_file(path)
    except FileExistsError as error:
        raise StoreError(f"{path} is there already", "Name a file that is not; nothing was changed.") from error
    except OSError as error:
        raise unusable(path, error) from error


def restrict(path: Path, *, missing_ok: bool = False) -> None:
    """Take a mode wider than 0600 from a file; raises :class:`StoreError` if it is no regular file."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise StoreError(f"{path} is not a file", "Move it away, or choose another state folder.")
        if mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        if not (missing_ok and isinstance(error, FileNotFoundError)):
            raise unusable(path, error) from error


def read_private(path: Path, source: str, kind: str = "key") -> tuple[bytes | None, tuple[str, ...]]:
    """The bytes of a file of secrets, None if there is none, and what was mended on the way.

    Raises ``CredentialsError`` if it is another user's, no regular file, too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None, ()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise CredentialsError(f"{source} cannot be opened: {reason}.", "credentials") from None
    try:
        found = os.fstat(descriptor)
        _check_file(found, source)
        notices = _narrow(descriptor, found.st_mode, source, kind)
        content = _read(descriptor, source)
    finally:
        os.close(descriptor)
    return content, notices


def unusable(path: Path, error: OSError) -> StoreError:
    """What to raise for the system's own refusal."""
    return StoreError(
        f"{path} cannot be used: {error.strerror or error}",
        "Check that the folder belongs to you, can be written and is on a local disk with free space.",
    )


_CREATING = threading.Lock()
"""Nobody takes the file for finished while its creator has yet to close it, which drops locks as well."""


def _make_folder(path: Path) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError:
        if path.parent.is_dir():  # it is there, and takes no folder: such is /proc
            raise
        _make_folder(path.parent)
        _make_folder(path)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    else:
        path.chmod(0o700)  # a umask may have taken the owner's own rights


def _make_file(path: Path) -> None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(file, 0o600)
    finally:
        os.close(file)


def _check_file(found: os.stat_result, source: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise CredentialsError(f"{source} is not a regular file.", "credentials")
    if found.st_uid != os.geteuid():
        raise CredentialsError(
            f"{source} belongs to another user.", "credentials", hint="Make the file your own, with mode 600."
        )


def _narrow(descriptor: int, mode: int, source: str, kind: str) -> tuple[str, ...]:
    """Others may have read the key already: it is mended, and said."""
    if not stat.S_IMODE(mode) & ~0o600:
        return ()
    try:
        os.fchmod(descriptor, mode & 0o600)
    except OSError:
        return (f"{source} is open to other users and its mode could not be changed to 600.",)
    return (f"{source} was open to other users; its mode is now 600. Consider a new {kind}.",)


def _read(descriptor: int, source: str) -> bytes:
    content = b""
    while len(content) <= MAX_FILE_BYTES:
        try:
            chunk = os.read(descriptor, MAX_FILE_BYTES + 1 - len(content))
        except OSError:
            raise CredentialsError(f"{source} cannot be read.", "credentials") from None
        if not chunk:
            return content
        content += chunk
    raise CredentialsError(f"{source} is larger than 64 KiB.", "credentials")
