"""Characters that nobody sees: what a terminal obeys, what hides, and what has no glyph."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = (
    *(range(first, last + 1) for first, last in ((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F))),
    *(range(first, last + 1) for first, last in ((0xFE00, 0xFE0F), (0xE0000, 0xE0FFF))),
    *(range(point, point + 1) for point in (0x034F, 0x2800, 0x3164, 0xFFA0)),
)


def ignorable(char: str) -> bool:
    """Whether the character is drawn as nothing: default-ignorable, a filler or a blank, but no space."""
    point = ord(char)
    return point > 0x7F and (unicodedata.category(char) == "Cf" or any(point in each for each in _BLANK))


def unseen(char: str) -> bool:
    """Whether the character is written out wherever text is shown: a control, or one that :func:`ignorable` names."""
    return unicodedata.category(char) in _UNSEEN or ignorable(char)
