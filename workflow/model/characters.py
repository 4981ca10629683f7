"""Characters that nobody sees, and texts in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from workflow.model.unicode_tables import IGNORABLE

LONGEST_EXPANSION = 6
"""Characters that one becomes at most; the few that NFKC makes more of are Arabic and hold nothing of ASCII."""

_BLANK = "\u2800\ufffc\U0001d159\U00013441\U00013442"
"""Braille blank, object replacement, null notehead, hieroglyphic blanks: drawn as space, and no property says so."""
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def ignorable(char: str) -> bool:
    """Whether the character is drawn as nothing: default-ignorable, a format character or a blank, but no space."""
    return not char.isascii() and (unicodedata.category(char) == "Cf" or _never_drawn().match(char) is not None)


def unseen(char: str) -> bool:
    """Whether the character has to be written out to be seen: a control, or one that :func:`ignorable` names."""
    return unicodedata.category(char) in _CONTROLS or ignorable(char)


def drawn(text: str) -> str:
    """The text without characters that are drawn as nothing."""
    return text if text.isascii() else "".join(char for char in text if not ignorable(char))


def compatible(text: str) -> str:
    """NFKC of the text, at most :data:`LONGEST_EXPANSION` times as long; a character that gives more becomes one."""
    if text.isascii():
        return text
    long = [char for char in set(text) if len(unicodedata.normalize("NFKC", char)) > LONGEST_EXPANSION]
    if long:
        text = re.sub(f"[{''.join(long)}]+", "\ufffd", text)
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1)
def _never_drawn() -> re.Pattern[str]:
    return re.compile(f"[{_BLANK}{''.join(f'{chr(first)}-{chr(last)}' for first, last in IGNORABLE)}]")
