"""The key: where it comes from, whether it can be one, and how to keep it out of every text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from workflow.local.private import read_private
from workflow.machine.lookalikes import coded
from workflow.model.errors import CredentialsError
from workflow.model.frozen import Noun
from workflow.model.strict_json import JsonError, read_json

MAX_KEY_LENGTH = 512
FIELD = "api_key"
REDACTED = "[key]"


class Key(Noun, hide=("value",)):
    """A key that may be sent; ``source`` is a variable's name or a path, ``notices`` are for people."""

    value: str
    source: str
    notices: tuple[str, ...] = ()


def read_key(env: str | None, file: str | None, environ: Mapping[str, str], home: Path) -> Key:
    """The variable ``env``, else the field ``api_key`` of the JSON file; a leading ``~`` is ``home``.

    Raises ``CredentialsError``: ``no_key`` if neither holds one, ``credentials`` if it cannot be used.
    """
    places = []
    if env:
        if environ.get(env, "").strip():
            return Key(_usable(environ[env], env), env)
        places.append(env)
    if file:
        path = home / file[2:] if file.startswith("~/") else Path(file)
        source = _short(path, home)
        content, notices = read_private(path, source)
        value = "" if content is None else _key_field(content, source)
        if value.strip():
            return Key(_usable(value, source), source, notices)
        places.append(source)
    looked = f" in {' or '.join(places)}" if places else ""
    raise CredentialsError(f"There is no key{looked}.", "no_key", hint=_hint(env, file))


def checked_key(text: str) -> str:
    """The key as it may go into a header; raises ``CredentialsError``, which never repeats it."""
    if not text.strip():
        raise CredentialsError("No key is set.", "no_key")
    return _usable(text, "the source of the key")


def redact(text: str, key: str | None) -> str:
    """``text`` without the key, its beginning, and the forms it takes backwards, in hex, base64, URLs, JSON."""
    if not key:
        return text
    for form in _forms(key):
        text = text.replace(form, REDACTED)
    quoted = quote(key, safe="")
    if quoted != key:
        text = re.sub(re.escape(quoted), REDACTED, text, flags=re.IGNORECASE)
    return text.replace(key[:10], REDACTED) if len(key) >= 16 else text


def _usable(text: str, source: str) -> str:
    key = text.strip()
    if len(key) > MAX_KEY_LENGTH:
        fault = f"is longer than {MAX_KEY_LENGTH} characters"
    elif not all("!" <= character <= "~" for character in key):
        fault = "holds a space, a line break or a character that no key has"
    else:
        return key
    raise CredentialsError(
        f"The key in {source} {fault}.", "credentials", hint="Copy the key again, as one word, and set it."
    )


def _short(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _hint(env: str | None, file: str | None) -> str:
    ways = [f"set the environment variable {env}"] if env else []
    if file:
        ways.append(f'put {{"{FIELD}": "..."}} into {file} (mode 600)')
    return f"Please {', or '.join(ways)}." if ways else ""


def _key_field(content: bytes, source: str) -> str:
    """The key as it stands in the file, empty if the file has none."""
    try:
        document = read_json(content, what=source)
    except JsonError as error:
        reason = str(error)
    else:
        value = document.get(FIELD) if isinstance(document, dict) else document
        if isinstance(document, dict) and (value is None or isinstance(value, str)):
            return value or ""
        reason = f"{source} should hold a JSON object whose {FIELD} is a text"
    raise CredentialsError(f"{reason}.", "credentials", hint="Mend the file, or remove it and set the key again.")


@lru_cache(maxsize=8)
def _forms(key: str) -> tuple[str, ...]:
    return tuple(_written(key))


def _written(key: str) -> Iterator[str]:
    """The key itself, then in JSON (``\\"``, ``\\/``), backwards, in hex, and inside base64 wherever it begins."""
    yield key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    yield from (form for form in (escaped, escaped.replace("/", "\\/")) if form != key)
    if len(key) < 8:
        return  # a few characters of base64 would match by chance
    for form in (*coded(key), key.encode().hex().upper()):
        yield form
        yield form.replace("+", "-").replace("/", "_")
