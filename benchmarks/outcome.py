"""What a benchmark of whole processes found: tables of its own, and a plot of lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Plot = Callable[[str, Path], bool]
"""Draws what was found, under a title, into a file; False where it cannot."""

COLOURS = ("#4a5568", "#c05621")
"""Of bare SQLite, of Phasegate."""


@dataclass(frozen=True)
class Table:
    """``head`` names the columns, each row has as many cells."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """As a table in Markdown."""
        lines = (self.head, ["---"] * len(self.head), *self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Lines:
    """A line per title, of points (x, y); both axes are logarithmic."""

    across: str
    up: str
    points: Mapping[str, Sequence[tuple[float, float]]]

    def __call__(self, title: str, path: Path) -> bool:
        """Draw it as SVG; False where matplotlib is not installed."""
        try:
            import matplotlib
            from matplotlib.figure import Figure
        except ImportError:
            return False
        matplotlib.rcParams["svg.hashsalt"] = path.stem  # the same picture has the same bytes
        canvas = Figure(figsize=(8, 3.2), layout="constrained")
        axes = canvas.add_subplot(xscale="log", yscale="log", title=title, xlabel=self.across, ylabel=self.up)
        for (name, points), colour in zip(self.points.items(), COLOURS, strict=True):
            axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        canvas.savefig(path, format="svg", metadata={"Date": None})
        return True


@dataclass(frozen=True)
class Outcome:
    """The tables, in the order in which they are read, and how to draw them."""

    tables: Sequence[Table]
    plot: Plot = lambda title, path: False

    def table(self) -> str:
        """All of them in Markdown."""
        return "\n\n".join(each.markdown() for each in self.tables)
