"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROOMS = tuple(sorted(page for page in (ROOT / "workflow").rglob("README.md") if "scaffold" not in page.parts))
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")), *ROOMS)
"""Every page that people read; prompts are not among them."""

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- ([^\n]*) -->\n+\Z")
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_ROW = re.compile(r"^\| *(.*?) *\|$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: ``note`` is what a comment just before it says; ``after``: only blanks part it from another."""

    language: str
    text: str
    line: int
    note: str
    after: bool


def name(page: Path) -> str:
    """How a page is called in the ids of tests."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page, all of them or those in these languages."""
    return [
        block for block in _blocks(page.read_text(encoding="utf-8")) if not languages or block.language in languages
    ]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def section(page: Path, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above; fails if there is no such heading."""
    text = prose(page)
    found = list(_HEADING.finditer(text))
    for number, match in enumerate(found):
        if match[2] == heading:
            level = len(match[1])
            ends = (each.start() for each in found[number + 1 :] if len(each[1]) <= level)
            return text[match.end() : next(ends, len(text))]
    raise AssertionError(f"{name(page)} has no heading {heading!r}")


def headings(page: Path) -> list[str]:
    """The headings of a page, of every level."""
    return [match[2] for match in _HEADING.finditer(prose(page))]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text; headers and rulers are left out."""
    lines = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in _ROW.findall(text)]
    rulers = [number for number, cells in enumerate(lines) if all(re.fullmatch(":?-+:?", cell) for cell in cells)]
    return [cells for number, cells in enumerate(lines) if number not in rulers and number + 1 not in rulers]


def table(header: str, found: list[list[str]]) -> str:
    """A table as the pages hold it."""
    columns = header.count("|") + 1
    return "\n".join([f"| {header} |", "|" + "---|" * columns, *(f"| {' | '.join(cells)} |" for cells in found)])


def _blocks(text: str) -> Iterator[Block]:
    end = -1
    for match in _FENCE.finditer(text):
        note = _NOTE.search(text, 0, match.start())
        body = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 1
        parted = text[end : match.start()].strip() if end >= 0 else "the first"
        yield Block(match[2], body, line, note[1] if note else "", not parted)
        end = match.end()
