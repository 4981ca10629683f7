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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workflow.engine import Engine
from workflow.local.private import private_file, private_folder, unusable
from workflow.machine.gates import open_items
from workflow.model.errors import StoreError, UsageError, WorkflowError
from workflow.model.ports import Summary

MAX_FILE = 8 * 1024 * 1024
"""Bytes of one file, decoded."""
MAX_SPOOL = 512 * 1024 * 1024
"""Bytes of all files together."""
SHAPE = 'a file is {"name": "…", "description": "…", "content": "<base64>"}'
_PAGE = 200
_LONGEST_NAME = 200


class Spool:
    """A private folder of one broker. A file stands under the digest of its name and content: sent again, it is
    the same file, so that a repeated turn is a repetition. It is removed as soon as no call and no session needs it.
    """

    def __init__(self, folder: Path, *, limit: int = MAX_SPOOL) -> None:
        """Raises :class:`StoreError` if another broker has this folder."""
        private_folder(folder)
        self._folder, self._limit = folder, limit
        self._lock = threading.RLock()
        self._in_use: Counter[str] = Counter()
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
    def received(self, input: Mapping[str, Any], open_engine: Callable[[], Engine]) -> Iterator[dict[str, Any]]:
        """The data with every file of theirs spooled; behind it, what nobody needs any more is removed."""
        kept: list[str] = []
        try:
            yield {name: self._datum(value, kept) for name, value in input.items()}
        finally:
            with self._lock:
                self._in_use.subtract(kept)
                self.sweep(open_engine)

    def sweep(self, open_engine: Callable[[], Engine]) -> None:
        """Remove every file that no live session has still to send, and no call is about."""
        with self._lock, suppress(WorkflowError):
            found = [folder for folder in self._folder.iterdir() if folder.is_dir()]
            wanted = _wanted(open_engine()) if found else set()
            for folder in found:
                paths = {str(path) for path in folder.iterdir()}
                if paths.isdisjoint(wanted) and not any(self._in_use[path] > 0 for path in paths):
                    shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Let another broker have the folder."""
        self._held.close()

    def _datum(self, value: Any, kept: list[str]) -> Any:
        if not isinstance(value, list):
            return value
        return [self._file(each, kept) if isinstance(each, Mapping) else each for each in value]

    def _file(self, item: Mapping[str, Any], kept: list[str]) -> dict[str, Any]:
        name = _base_name(item)
        content = _content(item, name)
        digest = hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
        path = self._folder / digest / name
        with self._lock:
            self._in_use[str(path)] += 1
            kept.append(str(path))
            if not path.exists():
                self._write(path, content)
        return {"path": str(path), "description": item.get("description", "")}

    def _write(self, path: Path, content: bytes) -> None:
        used = sum(file.stat().st_size for file in self._folder.glob("*/*"))
        if used + len(content) > self._limit:
            raise UsageError(
                "the broker has no room for another file now",
                "Nothing was taken over. Finish or cancel sessions whose files were not sent yet, and try again.",
            )
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
        raise UsageError(f"the content of {name} is no base64", "Encode the bytes again; nothing was done.") from error


def _wanted(engine: Engine) -> set[str]:
    """The paths that live sessions name and have still to send."""
    return {path for each in _live(engine) for path in _open_files(engine, each.name)}


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
