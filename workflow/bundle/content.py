"""The files of a bundle: each read exactly once, so that what is digested is what is checked, said and run."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from workflow.bundle.code import MODULES, Code, is_phase, package_name
from workflow.machine import messages as render
from workflow.model.digest import canonical, sha256
from workflow.model.errors import BundleError, BundleFaults, DefinitionError
from workflow.model.frozen import Noun
from workflow.model.plain_text import NotPlain, plain

YAML = "workflow.yaml"
MAX_FILE = 1_048_576
"""Bytes; no prompt and no module needs more."""

Texts = Mapping[str, Mapping[str, str]]
State = tuple[int, int]
Signature = Mapping[str, State | None]
"""Path of a file or a folder of a bundle → what tells of a change; None where there is nothing."""

_SUFFIXES = {"prompts": ".md", "phases": ".py"}
_SETTLED = 2.0
"""Seconds: more than the step of any file system's times."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Files(Noun):
    """The files of a bundle that count, by relative name in the order of names."""

    path: Path
    content: Mapping[str, bytes]

    @cached_property
    def digest(self) -> str:
        """Of names and bytes."""
        return sha256(canonical({name: sha256(content) for name, content in self.content.items()}))

    @cached_property
    def code(self) -> Code:
        """Its Python, imported at most once per process, place and content."""
        package = package_name(self.path, self.digest)
        return MODULES.found.setdefault(package, Code(self.path, package, self.content))

    @property
    def phases(self) -> Mapping[str, str]:
        """The modules in which actions and guards are looked for, as text; what is not text cannot be imported."""
        found = {name: content for name, content in self.content.items() if is_phase(name)}
        return {name: content.decode("utf-8", "replace") for name, content in found.items()}

    def texts(self) -> tuple[Texts, Mapping[str, str]]:
        """Prompts and briefs, without the newline at their end; raises :class:`BundleFaults`."""
        folders: dict[str, dict[str, str]] = {}
        faults = []
        for name, content in self.content.items():
            match name.split("/"):
                case ["prompts", folder, file]:
                    try:
                        text = plain(content).removesuffix("\n")
                    except NotPlain as error:
                        faults.append(DefinitionError(str(error), name, error.line, 1))
                    else:
                        folders.setdefault(folder, {})[file.removesuffix(".md")] = text
        if faults:
            raise BundleFaults(faults)
        briefs = folders.pop("briefs", {})
        return folders, briefs


def read(path: Path) -> Files:
    """The files of the bundle in this folder; raises :class:`BundleError` for what cannot be read."""
    path = Path(os.path.abspath(path))
    try:
        what = "" if (path / YAML).exists() else f"has no {YAML}" if path.is_dir() else "is not there"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    if what:
        raise BundleError(f"the bundle {str(path)[:200]} {what}", f"Name a folder that holds a {YAML}.")
    names = [YAML, *(name for top in _SUFFIXES for name, is_file in _listed(str(path), top) if is_file)]
    return Files(path, {name: _content(path, name) for name in sorted(names)})


def signature(path: Path, now: float) -> Signature | None:
    """What tells of a change without reading: each file, and each folder, which tells of files that come and go.

    None where that cannot be trusted: what changed within the last two seconds before ``now`` (wall time) could
    change again unseen.
    """
    root = str(path)
    try:
        names = [YAML, *(name for top in _SUFFIXES for name, _ in _listed(root, top))]
        found = {place: _state(place) for place in (f"{root}/{name}" for name in names)}
    except (OSError, ValueError, BundleError):
        return None
    if any(state and state[-1] > (now - _SETTLED) * 1e9 for state in found.values()):
        return None
    return found


def unchanged(signature: Signature) -> bool:
    """Whether all of the bundle is as it was when it was signed."""
    try:
        for place, state in signature.items():
            if _state(place) != state:
                return False
    except OSError:
        return False
    return True


def _state(place: str) -> State | None:
    """Which file it is, and when it was last changed in any way, which nobody can set: its other time they can."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_ctime_ns


def _listed(root: str, top: str) -> Iterator[tuple[str, bool]]:
    """One folder and what counts below it, by name, and whether it is a file; what is hidden does not count."""
    if os.path.islink(os.path.join(root, top)):
        raise DefinitionError("a bundle holds no links: put the folder itself here", top, 1, 1)
    todo = [top]
    while todo:
        folder = todo.pop()
        yield folder, False
        for entry in _entries(root, folder):
            name = f"{folder}/{entry.name}"
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_symlink():
                raise DefinitionError("a bundle holds no links: put the file itself here", name, 1, 1)
            if entry.is_dir(follow_symlinks=False):
                todo.append(name)
            elif name.endswith(_SUFFIXES[top]):
                yield name, True


def _entries(root: str, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            return list(entries)
    except FileNotFoundError:  # a bundle need not have it
        return []
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}", folder, 1, 1) from error


def _content(root: Path, name: str) -> bytes:
    place = os.path.join(root, name)
    try:
        name.encode()
        descriptor = os.open(place, _FLAGS)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise DefinitionError("no regular file", name, 1, 1)
            content = _all_of(descriptor, found.st_size)
        finally:
            os.close(descriptor)
    except UnicodeEncodeError as error:
        raise DefinitionError("its name is not UTF-8", render.visible(name), 1, 1) from error
    except OSError as error:
        what = "a bundle holds no links" if os.path.islink(place) else error.strerror
        raise DefinitionError(f"cannot be read: {what}", name, 1, 1) from error
    if len(content) > MAX_FILE:
        raise DefinitionError(f"larger than {MAX_FILE // 1024} KiB", name, 1, 1)
    return content


def _all_of(descriptor: int, size: int) -> bytes:
    """What is in the file, but hardly more than is allowed; one read says all of a file that keeps its ``size``."""
    content = os.read(descriptor, min(size, MAX_FILE) + 1)
    while len(content) != size and len(content) <= MAX_FILE:
        piece = os.read(descriptor, MAX_FILE)
        if not piece:
            break
        content += piece
    return content
