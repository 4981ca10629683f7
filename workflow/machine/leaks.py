"""The leak check: what no message may hold, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from workflow.machine.definition import Definition
from workflow.machine.fragments import Forms, fragments
from workflow.machine.lookalikes import alike, pattern, plain, readings
from workflow.machine.messages import OURS, Part
from workflow.model.frozen import Noun

UNDECIDED = "something that cannot be checked"
"""What is found where the check itself fails: a text that cannot be checked is not said."""
SHORTEST = 8
"""Shorter values are not looked for: a message id 5 is not a leak of «5–10 minutes»."""

# Texts, not compiled: most messages hold nothing that one of these begins with, and a process says a few messages.
_NAME = r"[\w.\-\x01\x02]+"
_PATH = rf"(?<![\w:/.~])(?:~|\.{{1,2}})?/{_NAME}(?:/{_NAME})+|(?<!\w)[A-Za-z]:\\[\w.\\-]+"
_COMMANDS = ("start", "advance", "status", "resume", "watch", "api")
_COMMAND_SIGNS = ("--", ".py", "rkf")
_URL = r"https?://[^\s)\]>]+"
_LINK_END = r"(?!-?[A-Za-z0-9_])"  # a longer link is another one
_GAP = "\0"  # of ASCII, for which everything is quicker


class Secrets(Noun, hide=("values", "key")):
    """What is looked for: ``values`` of internal data, the ``key``, ``words``; each of ``urls`` may hold one value."""

    values: tuple[str, ...]
    key: str
    words: tuple[str, ...]
    urls: tuple[str, ...]


def secrets_of(definition: Definition, data: Mapping[str, Any], key: str) -> Secrets:
    """The same of any data; ``key`` may be empty where nobody knows it. A link ``x_url`` may hold its ``x_id``."""
    return Secrets(
        values=values_of(data, definition.of_type("internal")),
        key=key,
        words=definition.unspeakable,
        urls=tuple(str(data[name]) for name in definition.of_type("url") if data.get(name) and _is_own(name, data)),
    )


def _is_own(name: str, data: Mapping[str, Any]) -> bool:
    """Whether the link is the one of its id, as far as their names say which id is whose."""
    own = data.get(f"{name.removesuffix('_url')}_id") if name.endswith("_url") else None
    return own is None or str(own) in str(data[name])


def find(parts: Sequence[Part], secrets: Secrets) -> list[str]:
    """What a message would leak, each named by its kind, never by its value; empty if it may be said.

    Text of the service or the user may hold any word, but never an id outside the exact link, nor the key. A check
    that fails, whatever the cause, has found :data:`UNDECIDED`.
    """
    try:
        return _found(parts, secrets)
    except Exception:
        return [UNDECIDED]


def _found(parts: Sequence[Part], secrets: Secrets) -> list[str]:
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


def own_id(url: str, values: Sequence[str]) -> str:
    """The one value that the link holds, as a word of its own; empty where it holds none, or more than one."""
    held = [value for value in values if value in url]
    held = [value for value in held if not any(value != other and value in other for other in held)]
    stands = len(held) == 1 and re.search(rf"(?<![A-Za-z0-9_-]){re.escape(held[0])}{_LINK_END}", url)
    return held[0] if stands else ""


def _without_own_ids(text: str, urls: Iterable[str], values: Sequence[str]) -> str:
    """The text with a gap for its own id in each exact link; all else in the link is looked through."""
    for url in sorted(urls, key=len, reverse=True):
        own = own_id(url, values) if url in text else ""
        if own:
            shown = url.replace(own, _GAP, 1)
            text = re.sub(re.escape(url) + _LINK_END, lambda _, shown=shown: shown, text)  # type: ignore[misc]
    return text


def _values(whole: str, secrets: Secrets) -> Iterator[str]:
    forms = Forms(_without_own_ids(whole, secrets.urls, secrets.values))
    if secrets.key and fragments((secrets.key,), words=False).stand_in(forms):
        yield "the key"
    if fragments(secrets.values).stand_in(forms):
        yield "an internal id"


@lru_cache(maxsize=256)
def _patterns(frame: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """What our own text would leak: it is the same each time that a message is said."""
    forms = _forms(frame)
    found = [f"the word {word}" for word in _words(forms, words)]
    if any(re.search(_PATH, form) for form in forms if "/" in form or ":\\" in form):
        found.append("a file path")
    if any(re.search(_command(), form) for form in forms if any(sign in form for sign in _COMMAND_SIGNS)):
        found.append("a command")
    return tuple(found)


@lru_cache(maxsize=1)
def _command() -> str:
    ours = rf"{pattern('workflow')}(?:{pattern('-admin')})? (?:{'|'.join(map(pattern, _COMMANDS))})(?!\w)"
    return rf"(?<![\w-])--[a-z\x01\x02][\w\x01\x02-]+|(?<!\w){pattern('python')}3? \S+\.py|(?<!\w){ours}"


def _forms(text: str) -> list[str]:
    """What the text says to a reader, in each of its readings."""
    found = readings(text)
    return list(dict.fromkeys([*map(plain, found), *map(alike, found)]))


def _words(forms: Sequence[str], words: Sequence[str]) -> list[str]:
    """A word is looked for in earnest, with a pattern, only where a part of it stands at all."""
    return [word for word in words if any(_stem(word) in form and _word(word).search(form) for form in forms)]


@lru_cache(maxsize=512)
def _stem(word: str) -> str:
    """The longest part of the word's beginning that is written in one way only."""
    return max(re.split("[il1o0 ]", plain(word.rstrip("*")).partition(" ")[0]), key=len)


@lru_cache(maxsize=512)
def _word(word: str) -> re.Pattern[str]:
    body = r"\s+".join(map(pattern, word.rstrip("*").split(" ")))
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
