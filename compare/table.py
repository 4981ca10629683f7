"""The table, as text for a terminal and as Markdown to be kept."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compare.cell import Cell
from compare.system import System


@dataclass(frozen=True)
class Row:
    """A system with its cells, by the title of the column."""

    system: System
    version: str
    cells: Mapping[str, Cell]

    @property
    def title(self) -> str:
        """With the version that was measured."""
        return " ".join(filter(None, [self.system.title, self.version]))


def as_text(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Columns aligned by spaces."""
    lines = [["", *columns], *([row.title, *(row.cells[each].text for each in columns)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def as_markdown(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """The table, and below it what the systems said themselves."""
    lines = [
        "# The same failures, side by side",
        "",
        f"Written by `make compare`, each cell measured in that run; Python {platform.python_version()}. "
        "A cell in bold keeps the promise of its column. [README.md](README.md) says what is done and why it is fair.",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for row in rows:
        cells = (row.cells[each] for each in columns)
        lines.append(f"| {row.title} | " + " | ".join(f"**{c.text}**" if c.kept else c.text for c in cells) + " |")
    said = [
        f"- {row.system.title}, {each}: {row.cells[each].why}"
        for row in rows
        for each in columns
        if row.cells[each].measured and row.cells[each].why
    ]
    return "\n".join([*lines, "", "What they said themselves:", "", *said, ""])
