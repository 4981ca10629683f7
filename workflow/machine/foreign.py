"""Foreign text on a surface: of the service, the agent, the user, a file's name or a client's.

It is marked as foreign and limited here and nowhere else, so that no line of it can pass for a line of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workflow.machine.messages import quoted, visible
from workflow.model.frozen import Noun

MARGIN = "│ "
"""What every line of a foreign block begins with; no line of ours does."""
LONGEST = 240
"""Characters of a foreign text within a line of ours."""
SHORT = 60
"""Characters of a foreign text that a message quotes within a line of ours; a longer one would fill lines."""
TRANSLATED = "the agent's translation of what was asked, which nobody has checked"
"""What stands before such a translation, wherever one is shown."""
_NAME = re.compile(r"[\w.:-]*", re.ASCII)
_LINK = re.compile(r"https?://[!-~]{1,2000}")


class Line(Noun):
    """One line of a message; a foreign one is still without its margin."""

    text: str
    foreign: bool = False


def limited(text: str, most: int = LONGEST) -> str:
    """The text, or its beginning and how many more characters there are."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def inline(text: str, most: int = LONGEST) -> str:
    """The text within a line of ours: on one line, in quotation marks that it cannot close, and limited."""
    return quoted(text) if len(text) <= most else f"{quoted(text[:most])}… ({len(text) - most:,} more characters)"


def shortened(text: str, width: int) -> str:
    """The beginning of the text that fits into ``width`` columns of a table, as :func:`inline` marks it."""
    shown = quoted(text)
    while columns(shown) > width and text.rstrip("…"):
        text = text.rstrip("…")[:-1] + "…"
        shown = quoted(text)
    return shown


def name(text: str) -> str:
    """A plain name as it is, such as that of an event; any other text as :func:`inline` has it."""
    return limited(text, SHORT) if _NAME.fullmatch(text) else inline(text, SHORT)


def block(text: str, width: int = 0, most: int = 0) -> Iterator[str]:
    """The text on lines of its own, each after the margin.

    They are folded to ``width`` columns and limited to ``most`` characters, where these are given.
    """
    shown = text[:most] if most else text
    for line in visible(shown, keep="\n\t").expandtabs(4).split("\n"):
        for piece in folded(line, width - len(MARGIN)) if width else (line,):
            yield f"{MARGIN}{piece}"
    if len(shown) < len(text):
        yield f"{MARGIN}… ({len(text) - len(shown):,} more characters)"


def labelled(label: str, text: str, width: int, most: int = 0) -> Iterator[str]:
    """A label of ours and a foreign text: quoted after it where the text is short, otherwise as a block below it."""
    short = f"{label}: {inline(text)}"
    if len(text) <= SHORT and "\n" not in text and columns(short) <= width:
        yield short
    else:
        yield from (f"{label}:",) if columns(label) < width else block(f"{label}:", width)
        yield from block(text, width, most)


def lines(parts: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """A message's parts as lines, nothing left out: short foreign texts quoted within ours, others on their own."""
    pieces = [(str(part["text"]), bool(part.get("by"))) for part in parts]
    ours, ended = "", False
    for number, (text, foreign) in enumerate(pieces):
        if not foreign:
            text = text.removeprefix("\n") if ended else text
            *whole, ours = (ours + visible(text, keep="\n\t")).split("\n")
            yield from map(Line, whole)
        elif len(text) <= SHORT and "\n" not in text and not _alone(ours, pieces[number + 1 :]):
            ours += inline(text)
        else:
            yield from [Line(ours)] if ours else []
            yield from (Line(each, True) for each in text.split("\n"))
            ours = ""
        ended = foreign and not ours
    if ours:
        yield Line(ours)


def _alone(before: str, after: Sequence[tuple[str, bool]]) -> bool:
    """Whether a text between these stands on lines of its own."""
    return not before and (not after or after[0][0].startswith("\n"))


def message(parts: Iterable[Mapping[str, Any]], width: int) -> str:
    """A message's parts as text, what is foreign in it marked and folded to ``width`` columns."""
    told = (block(line.text, width) if line.foreign else (line.text,) for line in lines(parts))
    return "\n".join(each for some in told for each in some)


def folded(line: str, width: int) -> Iterator[str]:
    """The line in pieces of at most ``width`` columns, broken at a blank where there is one; links stay whole."""
    while columns(line) > width:
        at = _fitting(line, width)
        blank = line.rfind(" ", 0, at + 1)
        link = _LINK.match(line)
        cut = link.end() if link else blank if blank > 0 else at
        if cut >= len(line):
            break
        yield line[:cut]
        line = line[cut:].removeprefix(" ")
    yield line


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(line: str, width: int) -> int:
    """How many characters of the line fit, at least one."""
    used = 0
    for number, char in enumerate(line):
        used += _columns(char)
        if used > width:
            return max(number, 1)
    return len(line)
