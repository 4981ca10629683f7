"""The leak check: what no message may hold, whoever wrote it (DESIGN §7, RULES hard tier)."""

from __future__ import annotations

import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from workflow.noun import Noun
from workflow.render import OURS, Part

SHORTEST = 8
"""Shorter values are not looked for: a message id 5 is no leak of «5–10 minutes»."""

_PATH = re.compile(r"(?<![\w:/.~])(?:~|\.{1,2})?/[\w.\-]+(?:/[\w.\-]+)+|(?<!\w)[A-Za-z]:\\[\w.\\-]+")
_COMMAND = re.compile(
    r"(?<![\w-])--[a-z][\w-]+|(?<!\w)python3? \S+\.py"
    r"|(?<!\w)workflow(?:-admin)? (?:start|advance|status|resume|watch|api)\b"
)
_URL = re.compile(r"https?://[^\s)\]>]+")
_LINK_END = r"(?!-?[A-Za-z0-9_])"  # a longer link is another one
_GAP = "\ufffc"


class Secrets(Noun):
    """What is looked for: ``values`` of internal data, the ``key``, ``names`` of fields; ``urls`` are exempt."""

    values: tuple[str, ...]
    key: str
    words: tuple[str, ...]
    urls: tuple[str, ...]


def find(parts: Sequence[Part], secrets: Secrets) -> list[str]:
    """What a message would leak, each named by its kind, never by its value; empty if it may be said.

    Text of the service or the user may hold any word, but never an id outside the exact link, nor the key.
    """
    whole = "".join(part.text for part in parts)
    frame = _GAP.join(part.text for part in parts if part.origin == OURS)
    found = [*_values(whole, secrets), *_patterns(_URL.sub(_GAP, frame), secrets.words)]
    return list(dict.fromkeys(found))


def values_of(data: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """All strings and numbers within these data that are long enough to be recognised."""
    found = {str(value) for name in names for value in _scalars(data.get(name))}
    return tuple(sorted(value for value in found if len(value) >= SHORTEST))


def words_in(text: str, words: Sequence[str]) -> list[str]:
    """Which of ``words`` stand in the text, or their plurals; a last ``*`` stands for the rest of a name."""
    forms = list(_forms(text))
    return [word for word in words if any(_word(word).search(form) for form in forms)]


def _values(whole: str, secrets: Secrets) -> Iterator[str]:
    text = whole
    for url in sorted(secrets.urls, key=len, reverse=True):
        text = re.sub(re.escape(url) + _LINK_END, _GAP, text) if url else text
    forms = list(_forms(text))
    if secrets.key and any(_plain(part) in form for part in _key_parts(secrets.key) for form in forms):
        yield "the key"
    if any(_plain(value) in form for value in secrets.values for form in forms):
        yield "an internal id"


def _patterns(frame: str, words: Sequence[str]) -> Iterator[str]:
    yield from (f"the word {word}" for word in words_in(frame, words))
    forms = list(_forms(frame))
    if any(_PATH.search(form) for form in forms):
        yield "a file path"
    if any(_COMMAND.search(form) for form in forms):
        yield "a command"


def _key_parts(key: str) -> tuple[str, ...]:
    """The key, and its beginning, which is secret enough to recognise it by (R11)."""
    return (key, key[:10]) if len(key) >= 16 else (key,)


def _forms(text: str) -> Iterator[str]:
    """The text, and what it becomes where a program decodes it on the way to the reader's eyes."""
    yield _plain(text)
    if "%" in text:
        yield _plain(urllib.parse.unquote(text))
    if "&" in text:
        import html  # rarely needed

        yield _plain(html.unescape(text))
    if "`" in text or "*" in text:
        yield _plain(re.sub("[`*]", "", text))
    if "\\" in text:
        yield _plain(re.sub(r"[\\`*]", "", text))


def _plain(text: str) -> str:
    """NFKC without invisible characters and without case; a hyphen is a hyphen."""
    text = unicodedata.normalize("NFKC", text).replace("\u2010", "-")
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Mn", "Me"))
    return text.casefold()


@lru_cache(maxsize=512)
def _word(word: str) -> re.Pattern[str]:
    body = re.escape(_plain(word.rstrip("*"))).replace(r"\ ", r"\s+")
    tail = r"\w+" if word.endswith("*") else ""
    before = r"(?<![a-z0-9_])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?:e?s)?(?![a-z0-9_])" if not tail and word[-1].isascii() and word[-1].isalnum() else ""
    return re.compile(before + body + tail + after)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _scalars(each)
            yield key
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _scalars(each)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield value
