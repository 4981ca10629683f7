"""How a text can be written so that it does not look like itself, and how to see through it."""

from __future__ import annotations

import binascii
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator

ROUNDS = 3
"""How deep one code is looked for inside another, such as percent signs written with percent signs."""

_SQUEEZED = {code: None for code in range(128) if not chr(code).isalnum()}
_WRITTEN = re.compile(r"[%&\\<`*~]")
"""What one of the readings begins with, in a text of ASCII; most have none of it."""
_UNSEEN = ("Cf", "Mn", "Me")
_ALIKE = str.maketrans(
    "авсԁеһіјкӏмнорԛѕтухѵԝАВСЕНІЈКМОРЅТУХαεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıȷɑɡօոսᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ‐‑‒–−‿ˍ⁄∕",
    "abcdehijklmhopqstyxvwABCEHIJKMOPSTYXaeikvoptuxABEZHIKMNOPTYXijagonuabcdefghijklmnoprstuvwyz-----__//",
)
"""What looks like a character of ASCII and is not made one by NFKC: the usual ones, not all of Unicode's."""


def readings(text: str) -> list[str]:
    """The text, and all that programs on the way to the reader's eyes make of it, one step after another."""
    if text.isascii() and not _WRITTEN.search(text):
        return [text]
    found = [text]
    for step in (*_DECODINGS * ROUNDS, _without_tags, _without_emphasis, _without_backslashes, *_DECODINGS):
        made = step(found[-1])
        if made != found[-1]:
            found.append(made)
    return found


def plain(text: str) -> str:
    """NFKC without invisible characters and without case; a hyphen is a hyphen."""
    if text.isascii():
        return text.casefold()
    return _visible(unicodedata.normalize("NFKC", text).replace("\u2010", "-")).casefold()


def alike(text: str) -> str:
    """As ``plain``, with what only looks like a letter of ASCII as that letter."""
    return text.casefold() if text.isascii() else plain(_visible(unicodedata.normalize("NFKC", text)).translate(_ALIKE))


def squeezed(text: str) -> str:
    """Letters and digits of ASCII alone, without accents: nothing that stands between them can part them."""
    if not text.isascii():
        text = alike(_visible(unicodedata.normalize("NFKD", text)))
        text = re.sub("[^A-Za-z0-9]+", "", text)
    return text.casefold().translate(_SQUEEZED)


def coded(text: str) -> Iterator[str]:
    """Backwards, in hex, and what base64 makes of it wherever it begins in a longer text."""
    yield text[::-1]
    raw = text.encode("utf-8", "replace")
    yield raw.hex()
    for shift in range(3):
        # Only the characters that depend on nothing but the text: not on what stands before or after it.
        whole = binascii.b2a_base64(b"\0" * shift + raw, newline=False).decode()
        yield whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _without_percent(text: str) -> str:
    return urllib.parse.unquote(text) if "%" in text else text


def _without_entities(text: str) -> str:
    if "&" not in text:
        return text
    import html  # rarely needed

    return html.unescape(text)


def _without_escapes(text: str) -> str:
    """JSON's and other languages' escapes, such as a backslash, an u and four digits."""
    return re.sub(r"\\(?:u\{?|x|U)([0-9A-Fa-f]{1,8})\}?", _escaped, text) if "\\" in text else text


def _escaped(escape: re.Match[str]) -> str:
    digits = escape[1]
    size = {"x": 2, "u": 4}.get(escape[0][1], 8) if escape[0][2] != "{" else 8
    code = int(digits[:size], 16)
    return chr(code) + digits[size:] if code <= 0x10FFFF else escape[0]


def _with_tag_characters(text: str) -> str:
    """Unicode's invisible copies of ASCII, which only a model reads."""
    if text.isascii() or max(text) < "\U000e0020":
        return text
    return re.sub("[\U000e0020-\U000e007e]", lambda tag: chr(ord(tag[0]) - 0xE0000), text)


def _without_tags(text: str) -> str:
    return re.sub("<[^<>]*>", "", text) if "<" in text else text


def _without_emphasis(text: str) -> str:
    return re.sub("[`*~]", "", text)


def _without_backslashes(text: str) -> str:
    return text.replace("\\", "")


def _visible(text: str) -> str:
    hidden = [char for char in set(text) if unicodedata.category(char) in _UNSEEN]
    return text.translate(str.maketrans("", "", "".join(hidden))) if hidden else text


_DECODINGS: tuple[Callable[[str], str], ...] = (
    *(_without_percent, _without_entities, _without_escapes, _with_tag_characters),
)
