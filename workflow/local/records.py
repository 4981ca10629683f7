"""A file of records beside ``config.toml``: private, and written whole or not at all by one process after another."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow.local.private import own_folder, read_trusted, unusable
from workflow.model.errors import StoreError
from workflow.model.strict_json import JsonError, read_json, write_json

_LARGEST = 1024 * 1024


class RecordFile:
    """One JSON file in the user's own folder. ``what`` names its content in words, ``remedy`` is the next step for one
    that cannot be relied on, ``secret`` says what to renew if others could read it.

    Raises :class:`StoreError` where the file cannot be read, written or relied on.
    """

    def __init__(self, folder: Path, name: str, *, what: str, secret: str, remedy: str) -> None:
        self.path = folder / name
        self._folder, self._what, self._secret, self._remedy = folder, what, secret, remedy

    def read(self) -> dict[str, Any] | None:
        """The object that it holds now; None if there is no file."""
        content, _ = read_trusted(
            self.path, StoreError, links=False, private=self._secret, most=_LARGEST, remedy=self._remedy
        )
        if content is None:
            return None
        try:
            found = read_json(content)
        except JsonError as error:
            raise self.unreadable() from error
        if not isinstance(found, dict):
            raise self.unreadable()
        return found

    def unreadable(self) -> StoreError:
        """What to raise for a content of another form."""
        return StoreError(f"{self.path} does not hold {self._what}", self._remedy)

    def change(self, change: Callable[[dict[str, Any] | None], dict[str, Any]]) -> None:
        """Replace the content by what ``change`` makes of it; two that change it take turns."""
        with self._turn():
            content = write_json(change(self.read()))
            try:
                made, beside = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self._folder)  # 0600 from the start
                with open(made, "w", encoding="utf-8") as opened:
                    opened.write(content)
                    opened.flush()
                    os.fsync(opened.fileno())
                os.replace(beside, self.path)
            except OSError as error:
                raise unusable(self.path, error) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the folder; the kernel releases it when the process dies."""
        own_folder(self._folder)
        try:
            held = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield
            finally:
                os.close(held)
        except OSError as error:
            raise unusable(self._folder, error) from error
