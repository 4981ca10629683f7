"""The user's AnyGen configuration, ``~/.config/anygen/config.json``, which other clients share (R4 to R6)."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow import CredentialsError, JsonError, UsageError, read_json, read_key, read_private, write_json

FILE = "~/.config/anygen/config.json"
ENV = "ANYGEN_API_KEY"
KEY = "api_key"
_KEY = re.compile(r"sk-[A-Za-z0-9_-]{8,509}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Found:
    """Where a value is set, None if nowhere; never the value itself. ``notices`` are for people."""

    source: str | None
    notices: tuple[str, ...] = ()


class Config:
    """The file, read afresh each time; written whole and at once, with mode 600 from the first instant."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE.removeprefix("~/")
        self._home = home

    def get(self, name: str, environ: Mapping[str, str]) -> Found:
        """Where the value comes from: for the key, the environment goes before the file (R4)."""
        _check_name(name)
        if name == KEY:
            try:
                key = read_key(ENV, FILE, environ, self._home)
            except CredentialsError as error:
                if error.kind == "no_key":
                    return Found(None)
                raise
            return Found(key.source, key.notices)
        content, notices = self._read()
        return Found(FILE if name in content else None, notices)

    def set(self, name: str, value: str) -> tuple[str, ...]:
        """Keep a value beside all others; raises ``UsageError``, which never repeats it.

        Only the key is set: what else is in the file belongs to other clients.
        """
        if name != KEY:
            raise UsageError("That is nothing that can be set here.", f"What is set is the key: `config set {KEY}`.")
        value = value.strip()
        if not _KEY.fullmatch(value):
            hint = "An AnyGen key is one word that begins with sk-, of letters, digits and hyphens. Copy it whole."
            raise UsageError("That cannot be an AnyGen key.", hint)
        content, notices = self._read()
        self._write({**content, name: value})
        return notices

    def delete(self, name: str) -> Found:
        """Forget a value; ``source`` says where it was."""
        _check_name(name)
        content, notices = self._read()
        if name not in content:
            return Found(None, notices)
        self._write({each: value for each, value in content.items() if each != name})
        return Found(FILE, notices)

    def _read(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What is in the file; a mode that lets others read it is narrowed, and a notice says so (R5)."""
        try:
            content, notices = read_private(self.path, FILE)
        except CredentialsError as error:
            raise UsageError(error.message, error.hint) from None
        return {} if content is None else _parsed(content), notices

    def _write(self, content: Mapping[str, Any]) -> None:
        make_folder(self.path.parent)
        replace_file(self.path, write_json(content) + "\n")


def replace_file(path: Path, text: str) -> None:
    """Exchange a file for one with mode 600, durably, or leave it as it was; a link keeps leading to it."""
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(descriptor, 0o600)  # a strict umask may have left less than that
                os.fsync(descriptor)
            os.replace(draft, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be written: {error.strerror}.") from None


def make_folder(folder: Path) -> None:
    """Make what is missing of it, for its owner alone; folders that exist stay as they are."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        for each in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(each, 0o700)
    except OSError as error:
        raise UsageError(f"{folder.name} cannot be made: {error.strerror}.") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        content = read_json(raw, what=FILE) if raw.strip() else {}
    except JsonError as error:
        fault = str(error)
    else:
        if isinstance(content, dict):
            return content
        fault = f"{FILE} does not hold a JSON object"
    raise UsageError(f"{fault}.", "Fix it, or move it away and set the key again.")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError("That is no setting's name.", f"The key is called {KEY}.")
