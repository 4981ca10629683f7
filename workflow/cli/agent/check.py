"""One thing that ``workflow doctor`` looked at, and what several of its looks ask of a file."""

from __future__ import annotations

import stat
from pathlib import Path

from workflow.model.frozen import Noun

GOOD, WARNING, BAD = "ok", "warning", "bad"


class Check(Noun):
    """One thing that was looked at: ``state`` is ok, warning or bad; ``hint`` is the next step."""

    name: str
    state: str
    what: str
    hint: str = ""


def good(name: str, what: str) -> Check:
    """A check with nothing to do."""
    return Check(name, GOOD, what)


def nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def mode_of(file: Path) -> str:
    """The permissions of a file as three octal digits; empty if there is none."""
    try:
        return f"{stat.S_IMODE(file.stat().st_mode):03o}"
    except OSError:
        return ""
