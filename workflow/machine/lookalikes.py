"""How a text can be written so that it does not look like itself, and how to see through it."""

from __future__ import annotations

import binascii
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator
from functools import lru_cache

from workflow.model.characters import LONGEST_EXPANSION, compatible, ignorable
from workflow.model.unicode_tables import LOOKALIKES

ROUNDS = 8
"""How deep one code is looked for inside another, such as percent signs written with percent signs."""

_WRITTEN = re.compile(r"[%&\\<`*~]")
"""What one of the readings begins with, in a text of ASCII; most have none of it."""
_UNSEEN = ("Cf", "Mn", "Me")
_STROKE, _RING = "\x01", "\x02"
"""What stands for a letter of another alphabet that looks like l, I, 1 and i, and like o, O and 0."""
_GAP = "\0"
_MOST_KNOWN = 1 << 17
"""Characters of a table that are remembered."""
_LONG, _MOST_IN_A_CLASS = 4096, 1024
"""Characters from which on a text is shortened first, and kinds of them that a pattern takes out quickly."""

_FOLDED = {code: chr(code).casefold() for code in range(128)}
_FOLDED |= dict(zip(map(ord, "iI1|\x01oO0\x02-_"), "llllloooo+/", strict=True))  # -_ are base64's +/ in links
_SQUEEZED = {code: None for code in range(128) if not chr(code).isalnum()}
_VARIANTS = {"i": "[i1|\x01]", "l": "[l1|\x01]", "1": "[1l|\x01]", "o": "[o0\x02]", "0": "[0o\x02]"}


class Undecided(ValueError):
    """A text is written in codes within codes, deeper than anybody writes who wants to be read."""


class _Table(dict[int, str]):
    """What each character becomes, found out when it is first met."""

    def __init__(self, becomes: Callable[[str], str], known: dict[int, str]) -> None:
        super().__init__(known)
        self._becomes = becomes

    def __missing__(self, code: int) -> str:
        made = self._becomes(chr(code))
        if len(self) < _MOST_KNOWN:
            self[code] = made
        return made


def readings(text: str) -> list[str]:
    """The text, and all that programs on the way to the reader's eyes make of it, one step after another.

    None is longer than the text. Raises :class:`Undecided` where :data:`ROUNDS` of decoding come to no end.
    """
    found = [text]
    if text.isascii() and not _WRITTEN.search(text):
        return found
    left = ROUNDS
    for strip in (str, _without_tags, _without_emphasis, _without_backslashes):
        _read(found, strip)
        while _round(found):
            left -= 1
            if left < 0:
                raise Undecided
    return found


def plain(text: str) -> str:
    """NFKC without invisible characters and without case; a hyphen is a hyphen."""
    if text.isascii():
        return text.casefold()
    return compatible(text).replace("\u2010", "-").translate(_drawn()).casefold()


def alike(text: str) -> str:
    """As ``plain``, with what only looks like a letter of ASCII as that letter, or as one of a :func:`pattern`."""
    return text.casefold() if text.isascii() else text.translate(_alike())


def pattern(word: str) -> str:
    """A regular expression for the word as ``plain`` and ``alike`` may have it."""
    return "".join(_VARIANTS.get(char) or re.escape(char) for char in plain(word))


def folded(text: str) -> Iterator[str]:
    """The text in characters of ASCII that look different, with a gap for all others: to find secrets of ASCII.

    A character of another alphabet counts as what it looks like, and then as what NFKC makes of it.
    """
    if "|" in text:  # a letter, or a line between two of them
        yield from folded(text.replace("|", ""))
    if text.isascii():
        yield by_place(text)
        return
    looks, means = _looks(), _means()
    beyond = [code for code in map(ord, set(text)) if code > 127]
    gaps = [code for code in beyond if looks[code] == means[code] == _GAP]
    if len(text) > _LONG and len(gaps) <= _MOST_IN_A_CLASS:
        text = re.sub(f"[{_GAP}{''.join(map(chr, gaps))}]+", _GAP, text)
    yield text.translate(looks)
    if any(looks[code] != means[code] for code in beyond):
        yield text.translate(means)


def by_place(text: str) -> str:
    """The text folded in ASCII alone, so that every place in it is the same place in the text."""
    return text.translate(_FOLDED)


def squeezed(text: str) -> str:
    """Letters and digits alone of a text that was folded: nothing that stands between them can part them."""
    return text.translate(_SQUEEZED)


def coded(text: str) -> Iterator[str]:
    """Backwards, in hex, and what base64 makes of it wherever it begins in a longer text."""
    yield text[::-1]
    raw = text.encode("utf-8", "replace")
    yield raw.hex()
    for shift in range(3):
        # Only the characters that depend on nothing but the text: not on what stands before or after it.
        whole = binascii.b2a_base64(b"\0" * shift + raw, newline=False).decode()
        yield whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _round(found: list[str]) -> bool:
    """Whether one more round of decoding makes another text of the last."""
    before = len(found)
    for step in _DECODINGS:
        _read(found, step)
    return len(found) > before


def _read(found: list[str], step: Callable[[str], str]) -> None:
    made = step(found[-1])
    if made != found[-1]:
        found.append(made)


def _without_percent(text: str) -> str:
    return urllib.parse.unquote(text) if "%" in text else text


def _without_entities(text: str) -> str:
    if "&" not in text:
        return text
    import html  # rarely needed

    return html.unescape(re.sub("&#0*([0-9]+)", _short, text))


def _short(reference: re.Match[str]) -> str:
    """A reference with a number that Python reads: one that names no character stays one that names none."""
    return f"&#{reference[1]}" if len(reference[1]) < 8 else "&#1114112"


def _without_escapes(text: str) -> str:
    """JSON's and other languages' escapes, such as a backslash, an u and four digits."""
    if "\\" not in text:
        return text
    made = re.sub(r"\\(?:u\{?|x|U)([0-9A-Fa-f]{1,8})\}?", _escaped, text)
    if made != text and re.search("[\ud800-\udfff]", made):  # an escape for half a character, or two for one
        made = made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return made


def _escaped(escape: re.Match[str]) -> str:
    digits = escape[1]
    size = {"x": 2, "u": 4}.get(escape[0][1], 8) if escape[0][2] != "{" else 8
    code = int(digits[:size], 16)
    return chr(code) + digits[size:] if code <= 0x10FFFF else escape[0]


def _with_tag_characters(text: str) -> str:
    """Unicode's invisible copies of ASCII, which only a model reads: tags, and variation selectors as bytes."""
    if text.isascii() or max(text) < "\U000e0020":
        return text
    return re.sub("[\U000e0020-\U000e007e\U000e0110-\U000e016e]", _copied, text)


def _copied(tag: re.Match[str]) -> str:
    code = ord(tag[0])
    return chr(code - 0xE0000) if code < 0xE0100 else chr(code - 0xE0100 + 16)


def _without_tags(text: str) -> str:
    return re.sub("<[^<>]*>", "", text) if "<" in text else text


def _without_emphasis(text: str) -> str:
    return re.sub("[`*~]", "", text)


def _without_backslashes(text: str) -> str:
    return text.replace("\\", "")


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or ignorable(char)


@lru_cache(maxsize=1)
def _lookalikes() -> dict[str, str]:
    return {chr(int(code, 16)): plain for plain, codes in LOOKALIKES.items() for code in codes.split()}


def _parts(char: str) -> str:
    """The characters that the character is made of, without marks; one that is made of too many is only itself."""
    parts = unicodedata.normalize("NFKD", char)
    return "".join(each for each in parts if not _hidden(each)) if len(parts) <= 2 * LONGEST_EXPANSION else char


def _looked(char: str) -> str:
    """What the character looks like; if that is nothing of ASCII, what it is made of."""
    if _hidden(char):
        return ""
    like = _lookalikes().get(char, "")
    if like.isalnum():
        return like
    parts = _parts(char)
    return parts if parts.isascii() else like or "".join(_lookalikes().get(each, each) for each in parts)


def _letter(char: str) -> str:
    """What the character looks like, for words: it stays what it is if it looks like nothing of ASCII."""
    like = _looked(char)
    if like in "lI1i|" and like:
        return _STROKE
    return _RING if like in "oO0" and like else like.casefold()


def _with_gaps(text: str) -> str:
    return re.sub("[^\0-\x7f]+", _GAP, text).translate(_FOLDED)


@lru_cache(maxsize=1)
def _drawn() -> _Table:
    return _Table(lambda char: "" if _hidden(char) else char, {code: chr(code) for code in range(128)})


@lru_cache(maxsize=1)
def _alike() -> _Table:
    return _Table(_letter, {code: chr(code).casefold() for code in range(128)})


@lru_cache(maxsize=1)
def _looks() -> _Table:
    return _Table(lambda char: _with_gaps(_looked(char)), _FOLDED)


@lru_cache(maxsize=1)
def _means() -> _Table:
    return _Table(lambda char: "" if _hidden(char) else _with_gaps(_parts(char)), _FOLDED)


_DECODINGS: tuple[Callable[[str], str], ...] = (
    *(_without_percent, _without_entities, _without_escapes, _with_tag_characters),
)
