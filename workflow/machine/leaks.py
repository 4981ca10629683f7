"""The leak check: what no message may hold, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from workflow.machine.lookalikes import alike, coded, plain, readings, squeezed
from workflow.machine.messages import OURS, Part
from workflow.model.frozen import Noun

SHORTEST = 8
"""Shorter values are not looked for: a message id 5 is no leak of «5–10 minutes»."""

# Texts, not compiled: most messages hold nothing that one of these begins with, and a process says a few messages.
_PATH = r"(?<![\w:/.~])(?:~|\.{1,2})?/[\w.\-]+(?:/[\w.\-]+)+|(?<!\w)[A-Za-z]:\\[\w.\\-]+"
_COMMAND = (
    r"(?<![\w-])--[a-z][\w-]+|(?<!\w)python3? \S+\.py"
    r"|(?<!\w)workflow(?:-admin)? (?:start|advance|status|resume|watch|api)\b"
)
_COMMAND_SIGNS = ("--", ".py", "workflow")
_URL = r"https?://[^\s)\]>]+"
_LINK_END = r"(?!-?[A-Za-z0-9_])"  # a longer link is another one
_GAP = "\0"  # of ASCII, for which everything is quicker


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
    if "://" in frame:
        frame = re.sub(_URL, _GAP, frame)
    found = [*_values(whole, secrets), *_patterns(frame, secrets.words)]
    return list(dict.fromkeys(found))


def values_of(data: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """All strings and numbers within these data that are long enough to be recognised."""
    found = {str(value) for name in names for value in _scalars(data.get(name))}
    return tuple(sorted(value for value in found if len(value) >= SHORTEST))


def words_in(text: str, words: Sequence[str]) -> list[str]:
    """Which of ``words`` stand in the text, or their plurals; a last ``*`` stands for the rest of a name."""
    return _words(_forms(text), words)


def _values(whole: str, secrets: Secrets) -> Iterator[str]:
    text = whole
    for url in sorted(secrets.urls, key=len, reverse=True):
        text = re.sub(re.escape(url) + _LINK_END, _GAP, text) if url and url in text else text
    found = readings(text)
    forms, bare = _forms_of(found), [squeezed(each) for each in found]
    if any(_is_in(part, forms, bare) for part in _key_parts(secrets.key)):
        yield "the key"
    if any(_is_in(value, forms, bare) for value in secrets.values):
        yield "an internal id"


def _is_in(value: str, forms: Sequence[str], bare: Sequence[str]) -> bool:
    """Whether the value stands there: as it is, taken apart, backwards, in hex or in base64.

    Letters alone are not looked for taken apart: «ask, and boxes» is no key that begins with «sk-andbox».
    """
    itself, spellings = _spellings(value)
    return any(itself in form for form in forms) or any(each in text for each in spellings for text in bare)


@lru_cache(maxsize=256)
def _spellings(value: str) -> tuple[str, tuple[str, ...]]:
    """The value as forms have it, and what of it may stand in a text that was squeezed."""
    core = squeezed(value)
    apart = [core] if any(char.isdigit() for char in core) else []
    spellings = (*apart, *map(squeezed, coded(value)))
    return plain(value), tuple(each for each in spellings if len(each) >= SHORTEST)


@lru_cache(maxsize=256)
def _patterns(frame: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """What our own text would leak: it is the same each time that a message is said."""
    forms = _forms(frame)
    found = [f"the word {word}" for word in _words(forms, words)]
    if any(re.search(_PATH, form) for form in forms if "/" in form or ":\\" in form):
        found.append("a file path")
    if any(re.search(_COMMAND, form) for form in forms if any(sign in form for sign in _COMMAND_SIGNS)):
        found.append("a command")
    return tuple(found)


def _key_parts(key: str) -> tuple[str, ...]:
    """The key, and its beginning, which is secret enough to recognise it by."""
    if not key:
        return ()
    return (key, key[:10]) if len(key) >= 16 else (key,)


def _forms(text: str) -> list[str]:
    """What the text says to a reader, in each of its readings."""
    return _forms_of(readings(text))


def _forms_of(found: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*map(plain, found), *map(alike, found)]))


def _words(forms: Sequence[str], words: Sequence[str]) -> list[str]:
    """A word is looked for in earnest, with a pattern, only where its beginning stands at all."""
    return [word for word in words if any(_stem(word) in form and _word(word).search(form) for form in forms)]


@lru_cache(maxsize=512)
def _stem(word: str) -> str:
    return plain(word.rstrip("*")).partition(" ")[0]


@lru_cache(maxsize=512)
def _word(word: str) -> re.Pattern[str]:
    body = re.escape(plain(word.rstrip("*"))).replace(r"\ ", r"\s+")
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
