"""Names of files that read the same: composed or not, with whatever space, with a character that nobody sees."""

from __future__ import annotations

import os
import unicodedata

from workflow.model.characters import drawn

_MOST = 3
"""Names that a reason lists."""


def reading(name: str) -> str:
    """What a name looks like: composed, every space an ordinary one, and nothing that is drawn as nothing."""
    shown = unicodedata.normalize("NFC", drawn(name))
    return "".join(" " if unicodedata.category(char) == "Zs" else char for char in shown)


def as_it_reads(path: str) -> tuple[str, str]:
    """The one existing path that reads like an absolute one that does not exist, and why there is none.

    One of both is empty. A name that is there as it was written always comes first.
    """
    place = "/"
    for part in filter(None, path.split("/")):
        there = os.path.join(place, part)
        if not os.path.lexists(there):
            names = _alike(place, part)
            if len(names) != 1:
                return "", _why_not(place, part, names)
            there = os.path.join(place, names[0])
        place = there
    return place, ""


def _alike(folder: str, name: str) -> list[str]:
    wanted = reading(name)
    try:
        return sorted(each for each in os.listdir(folder) if reading(each) == wanted)
    except OSError:
        return []


def _why_not(folder: str, name: str, names: list[str]) -> str:
    if not names:
        return f"there is no such file: {name!r} is not in {folder}"
    told = ", ".join(ascii(each) for each in names[:_MOST])
    return f"there is no such file: {len(names)} names in {folder} read like it, {told}; rename it, or send one of them"
