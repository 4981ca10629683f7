"""Tables in Markdown and for the terminal, and a plot of each benchmark; all as ratios to the floor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

from benchmarks.measure import Figure


class Report(Protocol):
    """What a benchmark has found."""

    def table(self) -> str:
        """In Markdown."""

    def plot(self, title: str, path: Path) -> bool:
        """As SVG; False where matplotlib is not installed."""


@dataclass(frozen=True)
class Ranking:
    """A row for each system, the first the floor; ``handled`` is how many of ``unit`` one turn handles."""

    figures: Sequence[Figure]
    unit: str = "turns"
    handled: int = 1

    def table(self) -> str:
        """A turn writes: then its bytes are told, too."""
        head = ["", "instructions, thousands", "ms above the floor"] if self._writes else [""]
        head += ["p50 × floor", "10th–90th percentile", f"{self.unit}/s", "processor × floor"]
        head += ["bytes per turn"] if self._writes else []
        return markdown(head, map(self._cells, self.figures))

    def plot(self, title: str, path: Path) -> bool:
        """A point with its spread for each."""
        shown = [each for each in reversed(self.figures) if each.times]
        opened = canvas_for(path, 0.4 * len(shown) + 1.2)
        if opened is None:
            return False
        canvas, axes = opened
        axes.set(xscale="log", title=title, xlabel="p50 × floor, with the 10th and the 90th percentile")
        for each in shown:
            middle, reach = _point(each, self.figures[0])
            label = f"{each.title}   {middle:.1f}"
            axes.errorbar([middle], [label], xerr=reach, fmt="o", capsize=3, color=colour_of(each.title))
        save(canvas, axes, path)
        return True

    @property
    def _writes(self) -> bool:
        return self.handled == 1

    def _cells(self, figure: Figure) -> Sequence[str]:
        if not figure.times:
            return figure.title, figure.why, *[""] * (6 if self._writes else 3)
        floor = self.figures[0]
        low, high = (each / floor.p50 for each in figure.spread)
        instructions = f"{figure.instructions / 1000:,.0f}" if figure.instructions else "not counted"
        return (
            figure.title,
            *([instructions, f"{figure.p50 - floor.p50:.2f}"] if self._writes else []),
            f"{figure.p50 / floor.p50:.2f}",
            f"{low:.2f}–{high:.2f}",
            f"{1000 * self.handled / figure.p50:,.0f}",
            f"{figure.cpu / floor.cpu:.1f}",
            *([f"{figure.disk:.0f}"] if self._writes else []),
        )


@dataclass(frozen=True)
class Growth:
    """A row for each system, a column for each size ``of`` something; the first figure is the floor of all."""

    figures: Sequence[Figure]
    of: str

    def table(self) -> str:
        """The last columns tell how much dearer the largest is, and by which power of the size it became so."""
        sizes = [f"{size:,}" for size in self._sizes]
        head = ["p50 × floor (10th–90th percentile)", *sizes, "largest ÷ smallest", "grows as"]
        note = f"The columns are {self.of}; the floor is the first row at {sizes[0]}."
        return f"{markdown(head, (self._cells(*row) for row in self._rows.items()))}\n\n{note}"

    def plot(self, title: str, path: Path) -> bool:
        """A line for each, both axes logarithmic."""
        opened = canvas_for(path, 4.5)
        if opened is None:
            return False
        canvas, axes = opened
        axes.set(xscale="log", yscale="log", title=title, xlabel=self.of, ylabel="p50 × floor")
        colours, styles = cycle(_OTHERS), cycle(("o-", "s--", "^:", "D-.", "v-"))
        for name, figures in self._rows.items():
            points = [(each.size, *_point(each, self.figures[0])) for each in figures.values() if each.times]
            if points:
                sizes, middles, reaches = zip(*points, strict=True)
                reach = [[low for (low,), _ in reaches], [high for _, (high,) in reaches]]
                colour, style = (_OURS, next(styles)) if _is_ours(name) else (next(colours), "o-")
                axes.errorbar(sizes, middles, yerr=reach, fmt=style, color=colour, capsize=3, label=name)
        axes.set_xticks(self._sizes, [f"{size:,}" for size in self._sizes])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
        save(canvas, axes, path)
        return True

    @property
    def _sizes(self) -> Sequence[int]:
        return sorted({each.size for each in self.figures})

    @property
    def _rows(self) -> Mapping[str, Mapping[int, Figure]]:
        rows: dict[str, dict[int, Figure]] = {}
        for each in self.figures:
            rows.setdefault(each.title, {})[each.size] = each
        return rows

    def _cells(self, name: str, figures: Mapping[int, Figure]) -> Sequence[str]:
        cells = [self._cell(figures.get(size)) for size in self._sizes]
        measured = [each for each in figures.values() if each.times]
        if len(measured) < 2:
            return name, *cells, "", ""
        smallest, before, largest = measured[0], measured[-2], measured[-1]
        power = math.log(largest.p50 / before.p50) / math.log(largest.size / before.size)
        return name, *cells, f"{largest.p50 / smallest.p50:.2f}", f"n^{power:.2f}"

    def _cell(self, figure: Figure | None) -> str:
        if figure is None or not figure.times:
            return figure.why if figure else ""
        floor = self.figures[0].p50
        low, high = (each / floor for each in figure.spread)
        return f"{_ratio(figure.p50 / floor)} ({_ratio(low)}–{_ratio(high)})"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ("---",) * len(head), *rows])


_OURS, _OTHERS = "#c05621", ("#4a5568", "#2b6cb0", "#2f855a", "#805ad5", "#b7791f")


def _is_ours(title: str) -> bool:
    return title.startswith("Phasegate")


def colour_of(title: str) -> str:
    """Ours in one, all others in another."""
    return _OURS if _is_ours(title) else _OTHERS[0]


def canvas_for(path: Path, height: float) -> tuple[Any, Any] | None:
    """A figure with one pair of axes; None where matplotlib is not installed."""
    try:
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        return None
    matplotlib.rcParams["svg.hashsalt"] = path.stem  # the same picture has the same bytes
    canvas = Canvas(figsize=(8, height), layout="constrained")
    return canvas, canvas.add_subplot()


def save(canvas: Any, axes: Any, path: Path) -> None:
    """As SVG; the same picture has the same bytes."""
    axes.spines[["top", "right"]].set_visible(False)
    canvas.savefig(path, format="svg", metadata={"Date": None})


def _point(figure: Figure, floor: Figure) -> tuple[float, tuple[list[float], list[float]]]:
    """The median, and how far the spread reaches below and above it, as multiples of the floor's."""
    low, high = (each / floor.p50 for each in figure.spread)
    middle = figure.p50 / floor.p50
    return middle, ([max(0.0, middle - low)], [max(0.0, high - middle)])


def _ratio(value: float) -> str:
    """Two digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
