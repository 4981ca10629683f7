"""What a benchmark of whole processes found: tables of its own, and a plot of lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import canvas_for, colour_of, markdown, save

Plot = Callable[[str, Path], bool]
"""Draws what was found, under a title, into a file; False where it cannot."""


@dataclass(frozen=True)
class Table:
    """``head`` names the columns, each row has as many cells."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """As a table in Markdown."""
        return markdown(self.head, self.rows)


@dataclass(frozen=True)
class Lines:
    """A line per title, of points (x, y); both axes are logarithmic."""

    across: str
    up: str
    points: Mapping[str, Sequence[tuple[float, float]]]

    def __call__(self, title: str, path: Path) -> bool:
        """Draw it as SVG; False where matplotlib is not installed."""
        opened = canvas_for(path, 3.2)
        if opened is None:
            return False
        canvas, axes = opened
        axes.set(xscale="log", yscale="log", title=title, xlabel=self.across, ylabel=self.up)
        for name, points in self.points.items():
            axes.plot(*zip(*points, strict=True), marker="o", color=colour_of(name), label=name)
        axes.legend(frameon=False)
        save(canvas, axes, path)
        return True


@dataclass(frozen=True)
class Outcome:
    """The tables, in the order in which they are read, and how to draw them."""

    tables: Sequence[Table]
    draw: Plot = lambda title, path: False

    def table(self) -> str:
        """All of them in Markdown."""
        return "\n\n".join(each.markdown() for each in self.tables)

    def plot(self, title: str, path: Path) -> bool:
        """As SVG; False where there is nothing to draw, or nothing to draw with."""
        return self.draw(title, path)
