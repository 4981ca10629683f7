"""The person's files: looked at when offered, taken when sent, and only if they are still the same."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from workflow.local.alike import as_it_reads
from workflow.local.paths import at_home
from workflow.local.private import read_up_to
from workflow.model.errors import FileChanged, UsageError
from workflow.model.frozen import Noun

MAX_BYTES = 52_428_800  # 50 MB: the largest file that the reference bundle's service takes
_MAX_PATH = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SYSTEM = (Path("/proc"), Path("/sys"), Path("/dev"))  # /proc/self/environ may hold the key

_MISSING = "there is no such file"
_REASONS = {
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
    errno.ELOOP: "it is a link; name the file itself",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ENXIO: "it is not a regular file",
    errno.ENAMETOOLONG: "its path is too long",
}


class Offered(Noun):
    """One file as it was read: ``path`` absolute and without links, ``size`` in bytes."""

    path: str
    name: str
    sha256: str
    size: int


def named_folder(path: str) -> str:
    """The last two folders of a path as it was given; of a path of the whole machine, only the last one's name.

    Empty where the path names none, or one that is nothing but a digest, as a broker's own are.
    """
    steps = [step for step in os.path.dirname(path).split("/") if step not in ("", ".")]
    if path.startswith(("/", "~")) or ".." in steps:
        steps = [step for step in steps[-1:] if step not in ("..", "~")]
    return "" if steps and _DIGEST.fullmatch(steps[-1]) else "/".join(steps[-2:])


def offer(
    path: str, *, base: Path, forbidden: Sequence[Path], home: Path | None = None, limit: int = MAX_BYTES
) -> Offered | str:
    """Read the file once and digest it; a text says why it cannot be used.

    ``base`` is what relative paths start from, ``home`` what ``~`` means. Where no file has this name, the only one
    that reads the same is meant: a person and a model cannot see what distinguishes them.
    """
    try:
        path = at_home(path, home)
    except UsageError as error:
        return error.message.partition(": ")[2]
    found = _look(path, base, forbidden, limit)
    if found == _MISSING:
        other, why = as_it_reads(_resolved(path, base) or "/")
        found = _look(other, base, forbidden, limit) if other else why
    return found if isinstance(found, str) else found[0]


def read_regular(path: Path, most: int) -> bytes:
    """The content of a file that a command was given, and no more than one byte over ``most`` of it.

    Waits for nobody: a pipe, a device and a folder raise ``OSError``; so does an empty file, as all of ``/proc`` says
    it is.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if not found.st_size:
            raise OSError(errno.EINVAL, "it is empty")
        return read_up_to(descriptor, most)
    finally:
        os.close(descriptor)


def take(path: str, sha256: str, *, forbidden: Sequence[Path], limit: int = MAX_BYTES) -> bytes:
    """The bytes with exactly this digest, read once; raises ``FileChanged`` for any others."""
    found = _look(path, None, forbidden, limit)
    if not isinstance(found, str):
        now, content = found
        if now.sha256 == sha256:
            return content
        changed = FileChanged(f"{now.name} is not what it was when it was offered.", "stale")
        changed.now = now
        raise changed
    raise FileChanged(f"{os.path.basename(path)} cannot be used any more: {found}.", "stale")


def _look(path: str, base: Path | None, forbidden: Sequence[Path], limit: int) -> tuple[Offered, bytes] | str:
    real = _resolved(path, base)
    if real is None:
        return "its path cannot be used"
    if os.path.basename(path) in ("", ".", ".."):
        return "it is a folder"
    closed = _identities((*_SYSTEM, *forbidden))
    if _within(real, closed):  # before opening, too: to open a device can be an act
        return "files of this folder are never read"
    try:
        real.encode()  # what cannot be written down cannot be recorded
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except UnicodeEncodeError:
        return "its path cannot be used"
    except OSError as error:
        return _REASONS.get(error.errno or 0, "it cannot be read")
    try:
        real = _opened(descriptor) or real
        if _within(real, closed):
            return "files of this folder are never read"
        content = _read(descriptor, limit)
    except OSError:
        return "it cannot be read"
    finally:
        os.close(descriptor)
    if isinstance(content, str):
        return content
    return Offered(real, os.path.basename(real), hashlib.sha256(content).hexdigest(), len(content)), content


def _resolved(path: str, base: Path | None) -> str | None:
    """The path with the links of its parents followed, its last part untouched; None if it is none."""
    try:
        if not path or "\0" in path or len(os.fsencode(path)) > _MAX_PATH:
            return None
        if base is None and not os.path.isabs(path):
            return None
        folder, name = os.path.split(os.path.join(base or "/", path))
        return os.path.join(os.path.realpath(folder), name)
    except (OSError, ValueError):  # half a surrogate pair has no bytes
        return None


def _identities(folders: Iterable[Path]) -> frozenset[tuple[int, int]]:
    """By device and number, not by name: so that no second name (a link, a bind mount, upper case) helps."""
    found = set()
    for folder in folders:
        try:
            status = os.stat(folder)
        except OSError:
            continue  # a folder that is not there has no files
        found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _within(path: str, closed: frozenset[tuple[int, int]]) -> bool:
    return not closed.isdisjoint(_identities(Path(path).parents))


def _opened(descriptor: int) -> str | None:
    """Where the open file really is, on Linux: no folder can have been exchanged for a link meanwhile."""
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return None
    return path if os.path.isabs(path) and not path.endswith(" (deleted)") else None


def _read(descriptor: int, limit: int) -> bytes | str:
    """The content, or the reason why not; never more than one byte over ``limit`` is read."""
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    readable = 0 < found.st_size <= limit  # all of /proc says that its size is 0
    content = read_up_to(descriptor, limit) if readable else b""
    if found.st_size > limit or len(content) > limit:
        return f"it is larger than {limit / 1024**2:g} MB; ask for a smaller one (reduce the file size)"
    return content or "it is empty"
