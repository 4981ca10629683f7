"""Files that a remote caller hands over by content, kept for as long as a session has a use for them."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workflow.engine import Engine
from workflow.local.private import private_file, private_folder, unusable
from workflow.machine.gates import open_items
from workflow.model.errors import StoreError, UsageError, WorkflowError
from workflow.model.instant import iso
from workflow.model.ports import Summary

MAX_FILE = 8 * 1024 * 1024
"""Bytes of one file, decoded."""
MAX_SPOOL = 512 * 1024 * 1024
"""Bytes of all files together."""
MAX_OWNED = 128 * 1024 * 1024
"""Bytes of all files of one owner."""
MOST_OWNED = 200
"""Files of one owner."""
_AT_ONCE = 8
"""Files that one call looks after: what a call costs does not grow with the files that wait."""
SHAPE = 'a file is {"name": "…", "description": "…", "content": "<base64>"}'
_PAGE = 200
_LONGEST_NAME = 200


class Spool:
    """A private folder of one broker, with one for each owner in it. A file stands under the digest of its name and
    content: sent again, it is the same file, so that a repeated turn is a repetition. It is removed once no call and
    no session needs it. Which sessions may need a file is remembered, so that no call looks at any other.
    """

    def __init__(self, folder: Path, *, limit: int = MAX_SPOOL, owned: int = MAX_OWNED, most: int = MOST_OWNED) -> None:
        """Raises :class:`StoreError` if another broker has this folder."""
        private_folder(folder)
        self._folder, self._limit, self._owned, self._most = folder, limit, owned, most
        self._lock = threading.RLock()
        self._in_use: Counter[str] = Counter()
        self._sizes: dict[str, int] = {}
        """Every file that waits, and its bytes."""
        self._needed: dict[str, set[str]] | None = None
        """The file → the sessions that named it; None before all sessions were looked at once."""
        self._turn: deque[str] = deque()
        private_file(folder / "lock")
        self._held = open(folder / "lock", "rb")  # noqa: SIM115  # for as long as the broker runs
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._held.close()
            raise StoreError(
                f"another broker keeps its files in {folder}", "End it first, or choose another state folder."
            ) from error

    @contextmanager
    def received(
        self, input: Mapping[str, Any], open_engine: Callable[[], Engine], owner: str = ""
    ) -> Iterator[dict[str, Any]]:
        """The data with every file of theirs spooled; after it, files that nobody needs any more are removed."""
        kept: list[str] = []
        since = ""
        try:
            if _has_files(input):
                since = iso(open_engine().world.clock.now())
            yield {name: self._datum(value, kept, owner) for name, value in input.items()}
        finally:
            with self._lock:
                self._in_use = self._in_use - Counter(kept)
                with suppress(WorkflowError):
                    self._look_after(open_engine, kept, since)

    def sweep(self, open_engine: Callable[[], Engine]) -> None:
        """Look at every session once, and remove every file that no live one has still to send."""
        with self._lock, suppress(WorkflowError):
            engine = open_engine()
            files = [path for path in self._folder.glob("@*/*/*") if path.is_file()]
            kept = {path.parent for path in files} | set(self._folder.glob("@*"))
            for folder in (path for path in (*self._folder.glob("*"), *self._folder.glob("@*/*")) if path.is_dir()):
                if folder not in kept:
                    shutil.rmtree(folder, ignore_errors=True)
            self._sizes = {str(path): path.stat().st_size for path in files}
            self._needed, self._turn = {}, deque(self._sizes)
            for name in (each.name for each in _live(engine)) if files else ():
                self._note(engine, name)
            for path in list(self._sizes):
                self._drop_unless_needed(engine, path)

    def _look_after(self, open_engine: Callable[[], Engine], kept: Sequence[str], since: str) -> None:
        """Learn which sessions named the files of a call, and look whether those and a few others still wait."""
        if self._needed is None:
            self.sweep(open_engine)
        if not self._sizes or self._needed is None:
            return
        engine = open_engine()
        if kept:
            for name in _changed(engine, since):
                self._note(engine, name)
        others = [self._turn.popleft() for _ in range(min(_AT_ONCE, len(self._turn)))]
        self._turn.extend(others)
        for path in dict.fromkeys([*kept, *others]):
            self._drop_unless_needed(engine, path)

    def _note(self, engine: Engine, name: str) -> None:
        """Remember which files the session has still to send."""
        assert self._needed is not None
        for path in _open_files(engine, name):
            if path in self._sizes:
                self._needed.setdefault(path, set()).add(name)

    def _drop_unless_needed(self, engine: Engine, path: str) -> None:
        """Remove a file that no call is about, and that no session which named it has still to send."""
        assert self._needed is not None
        if self._in_use[path] > 0 or path not in self._sizes:
            return
        named = self._needed.get(path, set())
        while named:  # the first one that needs it is enough, and one that does not is forgotten
            name = next(iter(named))
            if _is_live(engine, name) and path in _open_files(engine, name):
                return
            named.discard(name)
        self._needed.pop(path, None)
        del self._sizes[path]
        with suppress(ValueError):
            self._turn.remove(path)
        shutil.rmtree(Path(path).parent, ignore_errors=True)

    def close(self) -> None:
        """Let another broker have the folder."""
        self._held.close()

    def _datum(self, value: Any, kept: list[str], owner: str) -> Any:
        if not isinstance(value, list):
            return value
        return [self._file(each, kept, owner) if isinstance(each, Mapping) else each for each in value]

    def _file(self, item: Mapping[str, Any], kept: list[str], owner: str) -> dict[str, Any]:
        name = _base_name(item)
        content = _content(item, name)
        digest = hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
        path = self._folder / f"@{owner}" / digest / name
        with self._lock:
            self._in_use[str(path)] += 1
            kept.append(str(path))
            if not path.exists():
                self._write(path, content)
                self._sizes[str(path)] = len(content)
                self._turn.append(str(path))
        return {"path": str(path), "description": item.get("description", "")}

    def _write(self, path: Path, content: bytes) -> None:
        theirs = [size for known, size in self._sizes.items() if Path(known).is_relative_to(path.parents[1])]
        full = sum(self._sizes.values()) + len(content) > self._limit
        if full or sum(theirs) + len(content) > self._owned or len(theirs) >= self._most:
            raise UsageError(
                "the broker has no room for another file now" if full else "you have no room for another file now",
                "Nothing was taken over. Finish or cancel sessions whose files were not sent yet, and try again.",
            )
        private_folder(path.parents[1])
        private_folder(path.parent)
        try:
            made, beside = tempfile.mkstemp(dir=path.parent)  # 0600 from its first instant
            with open(made, "wb") as opened:
                opened.write(content)
            os.replace(beside, path)
        except OSError as error:
            raise unusable(path.parent, error) from error


def _base_name(item: Mapping[str, Any]) -> str:
    """How the file is called; never where it lies."""
    if "path" in item:
        raise UsageError("a path is not read here: it would be one of another machine", f"Send the content: {SHAPE}.")
    name = item.get("name")
    plain = isinstance(name, str) and name.isprintable() and name not in ("", ".", "..")
    if isinstance(name, str) and plain and name == os.path.basename(name) and len(name.encode()) <= _LONGEST_NAME:
        return name
    raise UsageError("a file needs a name, without any folder", f"{SHAPE[0].upper()}{SHAPE[1:]}; nothing was done.")


def _content(item: Mapping[str, Any], name: str) -> bytes:
    encoded = item.get("content")
    if not isinstance(encoded, str):
        raise UsageError(f"{name} came without its content", f"{SHAPE[0].upper()}{SHAPE[1:]}; nothing was done.")
    if len(encoded) > (MAX_FILE + 2) // 3 * 4:
        raise UsageError(
            f"{name} is larger than {MAX_FILE // 1024**2} MB", "Send a smaller one (reduce the file size)."
        )
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"the content of {name} is not base64", "Encode the bytes again; nothing was done.") from error


def _has_files(input: Mapping[str, Any]) -> bool:
    return any(isinstance(each, Mapping) for value in input.values() if isinstance(value, list) for each in value)


def _changed(engine: Engine, since: str) -> Iterator[str]:
    """Sessions that were changed since then, the latest first."""
    offset = 0
    while page := engine.world.store.sessions(limit=_PAGE, offset=offset):
        for each in page:
            if each.updated < since:
                return
            yield each.name
        offset += len(page)


def _is_live(engine: Engine, name: str) -> bool:
    """Whether it takes turns; one that cannot be read now may."""
    try:
        session = engine.world.store.load(name)
        if session is None or session.forgotten:
            return False
        state = engine.world.open_bundle(session.path).definition.states.get(session.state)
        return state is None or state.end is None
    except WorkflowError:
        return True


def _live(engine: Engine) -> Iterator[Summary]:
    offset = 0
    while page := engine.sessions(live=True, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)


def _open_files(engine: Engine, name: str) -> Iterator[str]:
    """Files of a session that are not settled; all of one whose bundle cannot be opened now."""
    session = engine.world.store.load(name)
    if session is None:
        return
    try:
        definition = engine.world.open_bundle(session.path).definition
    except WorkflowError:
        yield from (str(each["path"]) for value in session.data.values() for each in _files_in(value))
        return
    for datum in definition.of_type("files"):
        asking = [gate for gate in definition.gates.values() if gate.each == datum]
        still = {each["sha256"] for gate in asking for each in open_items(gate, session.data)}
        for each in _files_in(session.data.get(datum)):
            if not asking or each.get("sha256") in still:
                yield str(each["path"])


def _files_in(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping) and "path" in each] if isinstance(value, list) else []
