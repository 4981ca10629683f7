"""The key: where it comes from, whether it can be one, and how to keep it out of every text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise
from math import log2
from pathlib import Path

from workflow.local.paths import at_home
from workflow.local.private import read_private
from workflow.local.settings import PLACEHOLDER
from workflow.machine.fragments import Forms, fragments
from workflow.machine.key_place import FIELD, where_to_set
from workflow.machine.lookalikes import readings
from workflow.model.characters import compatible, drawn
from workflow.model.errors import CredentialsError
from workflow.model.frozen import Noun
from workflow.model.strict_json import JsonError, read_json

MAX_KEY_LENGTH = 512
REDACTED = "[key]"
_PIECE, _MOST_STRETCHES = 4096, 8
"""Characters of a text that are cleaned at a time, and stretches that are cut out of them before all goes."""

# Texts, not compiled: most turns hold no word that is long enough for a key.
_CANDIDATE = "[A-Za-z0-9_-]{12,}|-----BEGIN"
_KNOWN = r"""(?ax)(?<![A-Za-z0-9])(?:
    (?:sk|rk)[-_][\w-]{16,}                             # OpenAI, Anthropic, Stripe and many others
    | gh[opsur]_\w{30,} | github_pat_\w{30,} | glpat-[\w-]{18,}
    | xox[abeoprs]-[\w-]{16,} | npm_\w{30,} | pypi-[\w-]{30,} | hf_\w{30,} | SG\.[\w-]{16,}
    | A(?:KI|SI)A[A-Z0-9]{16} | AIza[\w-]{30,} | ya29\.[\w-]{20,}
    | eyJ[\w-]{12,}\.[\w-]{12,}                        # JSON Web Tokens
    )"""
_PRIVATE = "-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
_PREFIX = "[A-Za-z]{2,10}[-_]"
_NAMED = (
    r"(?i)(?:key|token|secret|password|bearer|密钥|密码|令牌)"
    r"\s*(?:is|:|=|：|是|为)?\s*[\"'“`]?([A-Za-z0-9_-]{16,})"
)
_DENSE = r"(?a)(?<![\w-])[\w-]{32,}"
_LINK = r"https?://\S+"


class Key(Noun, hide=("value",)):
    """A key that may be sent; ``source`` is a variable's name or a path, ``notices`` are for people."""

    value: str
    source: str
    notices: tuple[str, ...] = ()


def read_key(
    env: str | None, file: str | None, environ: Mapping[str, str], home: Path | None, *, command: str | None = None
) -> Key:
    """The variable ``env``, else the field ``api_key`` of the JSON file; a leading ``~`` is ``home``.

    ``command`` is how a person sets it, for the hint.

    Raises ``CredentialsError``: ``no_key`` if neither holds one, ``credentials`` if it cannot be used.
    """
    places = []
    if env:
        if environ.get(env, "").strip():
            return Key(_usable(environ[env], env), env)
        places.append(env)
    if file and file.startswith("~") and home is None:
        places.append(f"{file}, for this user has no home folder")
    elif file:
        path = Path(at_home(file, home))
        source = _short(path, home)
        content, notices = read_private(path, source)
        value = "" if content is None else _key_field(content, source)
        if value.strip():
            return Key(_usable(value, source), source, notices)
        places.append(source)
    looked = f" in {' or '.join(places)}" if places else ""
    raise CredentialsError(f"There is no key{looked}.", "no_key", hint=where_to_set(env, file, command))


def checked_key(text: str) -> str:
    """The key as it may go into a header; raises ``CredentialsError``, which never repeats it."""
    if not text.strip():
        raise CredentialsError("No key is set.", "no_key")
    return _usable(text, "the source of the key")


def redact(text: str, key: str | None) -> str:
    """``text`` without any ten characters in a row of the key, in whatever disguise the leak check knows.

    Where a disguise cannot be cut out, or cannot be looked through, nothing is left of the text.
    """
    if not key:
        return text
    shown = fragments((key,), words=False).blotted(text, REDACTED)
    return _without_disguises(shown, key) if _is_suspicious(shown, key) else shown


def holds_a_key(text: str, known: str, *, strict: bool) -> bool:
    """Whether something in the text has the form of a key: of ``known``, of well-known services, or any if ``strict``.

    What cannot be looked through counts as a key.
    """
    try:
        return any(_has_key(compatible(drawn(each)), known, strict) for each in readings(text))
    except Exception:
        return True


def _without_disguises(text: str, key: str) -> str:
    """The text in pieces, each without what is suspicious in it; then in others, for what lay across two of them."""
    for first in (_PIECE, _PIECE // 2):
        cuts = [0, *range(first, len(text), _PIECE), len(text)]
        pieces = [text[begin:end] for begin, end in pairwise(cuts)]
        text = "".join(_narrowed(piece, key) if _is_suspicious(piece, key) else piece for piece in pieces)
        if not _is_suspicious(text, key):
            return text
    return REDACTED


def _narrowed(text: str, key: str) -> str:
    """The text without the shortest stretches that are suspicious."""
    for _ in range(_MOST_STRETCHES):
        end = bisect_left(range(len(text) + 1), True, key=lambda end: _is_suspicious(text[:end], key))
        begin = bisect_left(range(end + 1), True, key=lambda begin: not _is_suspicious(text[begin:end], key)) - 1
        text = text[: max(begin, 0)] + REDACTED + text[end:]
        if not _is_suspicious(text, key):
            return text
    return REDACTED


def _is_suspicious(text: str, key: str) -> bool:
    try:
        return fragments((key,), words=False).stand_in(Forms(text))
    except Exception:  # what cannot be looked through is not kept
        return True


def _has_key(text: str, known: str, strict: bool) -> bool:
    if not re.search(_CANDIDATE, text):
        return False
    own = re.match(_PREFIX, known)
    shapes = [_KNOWN, rf"(?a)(?<![A-Za-z0-9]){re.escape(own[0])}[\w-]{{16,}}"] if own else [_KNOWN]
    if any(_is_random(found[0]) for shape in shapes for found in re.finditer(shape, text)):
        return True
    if re.search(_PRIVATE, text):
        return True
    bare = re.sub(_LINK, " ", text) if strict else ""
    named = (found[1] for found in re.finditer(_NAMED, bare))
    return any(map(_is_random, named)) or any(_is_dense(found[0]) for found in re.finditer(_DENSE, bare))


def _is_random(token: str) -> bool:
    """Whether one part of it is long and mixes letters and digits: «sk-skateboard-2024» does not."""
    parts = re.findall("[A-Za-z0-9]{12,}", token)
    return any(re.search("[0-9]", part) for part in parts) and re.search("[A-Za-z]", token) is not None


def _is_dense(token: str) -> bool:
    """Whether it holds small and capital letters and digits, and no character often: at least 4 bits each."""
    if not all(re.search(kind, token) for kind in ("[a-z]", "[A-Z]", "[0-9]")):
        return False
    shares = [token.count(char) / len(token) for char in set(token)]
    return -sum(share * log2(share) for share in shares) >= 4


def _usable(text: str, source: str) -> str:
    key = text.strip()
    if len(key) > MAX_KEY_LENGTH:
        fault = f"is longer than {MAX_KEY_LENGTH} characters"
    elif PLACEHOLDER in key:
        fault = "is a placeholder, which the program that started this did not fill in"
    elif not all("!" <= character <= "~" for character in key):
        fault = "holds a space, a line break or a character that no key has"
    else:
        return key
    raise CredentialsError(
        f"The key in {source} {fault}.", "credentials", hint="Copy the key again, as one word, and set it."
    )


def _short(path: Path, home: Path | None) -> str:
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)


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
    raise CredentialsError(f"{reason}.", "credentials", hint="Fix the file, or remove it and set the key again.")
