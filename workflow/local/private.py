"""Files and folders of the user's own: nobody else may write them, and what is private nobody else may read.

One check serves the configuration, approvers, tokens, secrets, the key's file, the database and its folder. What is
odd about any of them stops the command with a reason; an exception in the check stops it as well.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from workflow.model.errors import CredentialsError, StoreError, WorkflowError
from workflow.model.surface import Machine

MAX_FILE_BYTES = 64 * 1024
"""Of a file of secrets."""
Refuse = Callable[[str, str], WorkflowError]
"""Makes the error from what is wrong and the next step."""
_MAX_LINKS = 40
_CHUNK = 1024 * 1024
_UID_MAP = "/proc/self/uid_map"
_ONE_NAME = Machine(
    "Remove what was copied by linking; `find FOLDER -samefile FILE` shows it. "
    "`workflow backup FILE` makes a true copy."
)
_FOLDER_HINT = "Choose a folder that only you can write to, such as one in your home."


class Untrusted(Exception):
    """Why a file or folder cannot be relied on, and the next step."""

    def __init__(self, why: str, hint: str = "Name a readable file of your own.") -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


def read_trusted(
    path: Path,
    refuse: Refuse,
    *,
    source: str = "",
    named: bool = False,
    root: bool = False,
    links: bool = True,
    private: str = "",
    most: int = MAX_FILE_BYTES,
    remedy: str = "",
) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the content of a regular file that nobody else can have written, and notices for people.

    The content is None if the file does not exist and was not ``named`` by anybody. ``root`` accepts the
    administrator's file. ``private`` says what is secret in it: a mode that lets others read it is narrowed, and a
    notice says so. ``remedy`` is the next step for a file that is somebody else's. Raises what ``refuse`` makes.
    """
    source = source or str(path)
    try:
        descriptor = _open(path, named, links)
        if descriptor is None:
            return None, ()
        try:
            found = os.fstat(descriptor)
            check_file(found, path, root, remedy)
            notices = _narrow(descriptor, found.st_mode, source, private) if private else ()
            content = read_up_to(descriptor, most)
            if len(content) > most:
                raise Untrusted(f"is larger than {most // 1024} KiB", "Name a smaller file.")
            return content, notices
        finally:
            os.close(descriptor)
    except Untrusted as fault:
        why, hint = fault.why, fault.hint
    except (OSError, ValueError) as error:
        why, hint = f"cannot be read: {_reason(error)}", "Name a readable file of your own."
    raise refuse(f"{source} {why}", hint)  # here, where no exception that knows more can hang on to it


def open_trusted(path: Path, refuse: Refuse, *, make: bool, links: bool, owner: int | None = None) -> int | None:
    """Return a descriptor that appends to a file of the user's own, 0600, or one that only reads, if not to ``make``.

    It is None if the file does not exist and is not to be made. One that is only read may be ``owner``'s, and nothing
    about it is changed. Raises what ``refuse`` makes.
    """
    try:
        there = look_along(path, None if make else owner)
        if not there and not make:
            return None
        flags = os.O_NONBLOCK | os.O_CLOEXEC | (0 if links and there else os.O_NOFOLLOW)
        flags |= os.O_RDWR | os.O_APPEND if make else os.O_RDONLY
        descriptor = os.open(path, flags if there else flags | os.O_CREAT, 0o600)
        try:
            found = os.fstat(descriptor)
            check_file(found, path, False, "", None if make else owner)
            if make and found.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    except Untrusted as fault:
        why, hint = fault.why, fault.hint
    except (OSError, ValueError) as error:
        why, hint = f"cannot be used: {_reason(error)}", "Name a file of your own, in a folder that exists."
    raise refuse(f"{path} {why}", hint)


def read_private(path: Path, source: str, kind: str = "key", remedy: str = "") -> tuple[bytes | None, tuple[str, ...]]:
    """Return the content of a file of secrets, None if it does not exist, and notices; see :func:`read_trusted`.

    Raises ``CredentialsError``.
    """
    return read_trusted(path, _credentials, source=source, private=kind, remedy=remedy)


def private_folder(path: Path) -> None:
    """Create a folder with its missing parents, each 0700; take the right to read from others where it exists.

    Raises :class:`StoreError` if somebody else owns it, can write to it, or could exchange it for another.
    """
    try:
        if not look_along(path):
            _make_folder(path)
            look_along(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            _check_folder(found, path)
            if found.st_mode & 0o077 and not found.st_mode & stat.S_ISVTX:
                os.fchmod(descriptor, 0o700)
        finally:
            os.close(descriptor)
    except Untrusted as fault:
        raise StoreError(f"{path} {fault.why}", fault.hint) from None
    except OSError as error:
        raise unusable(path, error) from error


def own_folder(path: Path) -> None:
    """Create a folder with its missing parents, each 0700; leave the mode of one that exists.

    Raises what :func:`private_folder` raises.
    """
    if not path.is_dir():
        private_folder(path)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise what :func:`private_folder` would raise for a folder that exists; change nothing."""
    try:
        if look_along(path):
            _check_folder(path.stat(), path)
    except Untrusted as fault:
        raise StoreError(f"{path} {fault.why}", fault.hint) from None
    except OSError as error:
        raise unusable(path, error) from error


def private_file(path: Path) -> None:
    """Create an empty file, 0600; one that exists is never opened, but a wider mode is taken from it.

    Opening and closing a database by path would drop the POSIX locks that this process has on it. The caller has
    checked its folder, so that nobody else can exchange the file.
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
    """Take the right to read from others; raises :class:`StoreError` for a file that they may have written.

    It also raises for a file with a second name: a database has one log per name, and one would overwrite the other.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(f"{path} is not a file", "Move it away, or choose another state folder.")
        check_file(found, path, root=False, remedy="")
        check_one_name(found)
        if found.st_mode & 0o077:
            path.chmod(0o600)
    except Untrusted as fault:
        raise StoreError(f"{path} {fault.why}", fault.hint) from None
    except OSError as error:
        if not (missing_ok and isinstance(error, FileNotFoundError)):
            raise unusable(path, error) from error


def read_up_to(descriptor: int, most: int) -> bytes:
    """The content of an open file, and no more than one byte over ``most`` of it."""
    content = bytearray()
    while len(content) <= most:
        chunk = os.read(descriptor, min(_CHUNK, most + 1 - len(content)))
        if not chunk:
            break
        content += chunk
    return bytes(content)


def unusable(path: Path, error: OSError) -> StoreError:
    """What to raise for the system's own refusal."""
    return StoreError(
        f"{path} cannot be used: {error.strerror or error}",
        "Check that the folder belongs to you, can be written and is on a local disk with free space.",
    )


_CREATING = threading.Lock()
"""Nobody takes the file for finished while its creator has yet to close it, which drops locks as well."""


def look_along(path: Path, owner: int | None = None) -> bool:
    """Whether something is at ``path``; raises if somebody else could put another thing there.

    Looks at each folder on the way and at each link, also where links lead. What links promise has to exist.
    ``owner`` is a uid that is no stranger: whose files are about to be read.
    """
    place, within, links = "/", 0, 0
    ahead: list[str | None] = [*reversed(str(path if path.is_absolute() else Path.cwd() / path).split("/"))]
    _check_parent(os.lstat(place), place, owner)
    while ahead:
        name = ahead.pop()
        if name is None:  # here the target of a link ends
            within -= 1
        elif name == "..":
            place = os.path.dirname(place)
        elif name not in ("", "."):
            there = os.path.join(place, name)
            try:
                found = os.lstat(there)
            except (FileNotFoundError, NotADirectoryError):
                if within:
                    raise Untrusted(f"leads to {there}, which does not exist") from None
                return False
            if stat.S_ISLNK(found.st_mode):
                within, links, target = within + 1, links + 1, os.readlink(there)
                if links > _MAX_LINKS:
                    raise Untrusted("leads through a loop of links")
                _check_parent(found, there, owner)
                ahead += [None, *reversed(target.split("/"))]
                place = "/" if target.startswith("/") else place
            else:
                if any(ahead):
                    _check_parent(found, there, owner)
                place = there
    return True


def _check_parent(found: os.stat_result, place: str, owner: int | None) -> None:
    """Raise if somebody else could exchange what is in this folder, or this link.

    Root can do so anyway. A group that can write to a folder of the user's own is the user's choice. The sticky bit
    leaves each entry to its owner, whom the next step checks.
    """
    if found.st_uid not in (0, os.geteuid(), owner) and not _outside(found.st_uid):
        raise Untrusted(f"is reached through {place}, which belongs to another user (uid {found.st_uid})", _ELSEWHERE)
    writers = 0o002 if found.st_uid == os.geteuid() else 0o022
    if found.st_mode & writers and not found.st_mode & stat.S_ISVTX and not stat.S_ISLNK(found.st_mode):
        raise Untrusted(f"is reached through {place}, which {others_can_write(found)}", _ELSEWHERE)


_ELSEWHERE = (
    "Choose a place whose parent folders only you and root can write to; PHASEGATE_CONFIG and PHASEGATE_STATE name one."
)


def _outside(uid: int) -> bool:
    """Whether this owner is outside of our user namespace, as the owner of ``/`` is in a rootless container."""
    try:
        with open(_UID_MAP, encoding="ascii") as rows:
            known = [(int(first), int(count)) for first, _, count in map(str.split, rows)]
    except (OSError, ValueError):
        return False
    return not any(first <= uid < first + count for first, count in known)


def _check_folder(found: os.stat_result, path: Path) -> None:
    if found.st_uid != os.geteuid():
        raise Untrusted(f"belongs to another user (uid {found.st_uid})", _FOLDER_HINT)
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise Untrusted(others_can_write(found), f"Check what is in it, then run `chmod go-w {quoted(path)}`.")


def check_file(found: os.stat_result, path: Path, root: bool, remedy: str, owner: int | None = None) -> None:
    """Raise for what is not a file of the user, of ``owner``, or of root if ``root``, and what others can write."""
    if not stat.S_ISREG(found.st_mode):
        raise Untrusted("is not a regular file")
    if found.st_uid not in (os.geteuid(), owner) and not (root and found.st_uid == 0):
        hint = remedy or "Check what it says, then replace it with a copy of your own."
        raise Untrusted(f"belongs to another user (uid {found.st_uid})", hint)
    if found.st_mode & 0o022:
        hint = remedy or f"Check what it says, then run `chmod go-w {quoted(path)}`."
        raise Untrusted(others_can_write(found), hint)


def check_one_name(found: os.stat_result) -> None:
    """Raise for a file with a second name: a database has one log per name."""
    if found.st_nlink > 1:
        raise Untrusted(f"is known by {found.st_nlink} names (hard links)", _ONE_NAME)


def others_can_write(found: os.stat_result) -> str:
    """Why a file of this mode cannot be relied on."""
    return f"can be written by other users (mode {stat.S_IMODE(found.st_mode):03o})"


def quoted(path: Path) -> str:
    """The path as a shell takes it."""
    import shlex  # an error alone needs it

    return shlex.quote(str(path))


def _open(path: Path, named: bool, links: bool) -> int | None:
    """A descriptor to check, which never waits for a writer; None if there is nothing, and nobody named it."""
    try:
        if look_along(path):
            follow = 0 if links else os.O_NOFOLLOW
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | follow)
    except FileNotFoundError:
        pass  # it has gone in between
    if named:
        raise Untrusted("does not exist", "Correct the path, or create the file.")
    return None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "its path cannot be one"


def _credentials(what: str, hint: str) -> CredentialsError:
    return CredentialsError(f"{what}.", "credentials", hint=hint)


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


def _narrow(descriptor: int, mode: int, source: str, kind: str) -> tuple[str, ...]:
    """Others may have read the secret already: the mode is changed, and a notice says so."""
    if not stat.S_IMODE(mode) & ~0o600:
        return ()
    try:
        os.fchmod(descriptor, mode & 0o600)
    except OSError:
        return (f"{source} is open to other users and its mode could not be changed to 600.",)
    return (f"{source} was open to other users; its mode is now 600. Consider a new {kind}.",)
