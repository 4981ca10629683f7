"""Tables in Markdown and for the terminal, and a plot of each benchmark; all as ratios to the floor."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.measure import Effort, Figure

PACKAGES = ("phasegate", "apsw", "apache-burr", "dbos", "langgraph", "langgraph-checkpoint-sqlite")
_HEAD = ("", "p50 × floor", "10th–90th percentile", "turns/s", "processor × floor", "bytes per turn")


def table(figures: Sequence[Figure]) -> str:
    """One row per figure; the first is the floor."""
    lines = [_HEAD, ("---",) * len(_HEAD), *(_cells(each, figures[0]) for each in figures)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def conditions(effort: Effort) -> str:
    """What was measured on, with what: without these no ratio means anything."""
    versions = ", ".join(filter(None, map(_version, PACKAGES)))
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}; "
        f"{versions}. {effort.rounds} rounds of {effort.turns} turns of each, in turn. "
        "Ratios are of one run on one machine; absolute times mean little elsewhere. The load was "
        f"{os.getloadavg()[0] / (os.cpu_count() or 1):.1f} per core at the end: well above 1, the waiting for the disk "
        "and for each other outweighs the work, and the processor's time is the better figure."
    )


def plot(title: str, figures: Sequence[Figure], path: Path) -> bool:
    """A point with its spread for each, as SVG; False where matplotlib is not installed."""
    try:
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        return False
    matplotlib.rcParams["svg.hashsalt"] = path.stem  # the same picture has the same bytes
    shown = [each for each in reversed(figures) if each.times]
    floor = figures[0].p50
    canvas = Canvas(figsize=(8, 0.4 * len(shown) + 1.2), layout="constrained")
    axes = canvas.add_subplot(xscale="log", title=title, xlabel="p50 × floor, with the 10th and the 90th percentile")
    for each in shown:
        low, high = ((cut / floor) for cut in each.spread)
        middle = each.p50 / floor
        colour = "#c05621" if each.title == "Phasegate" else "#4a5568"
        reach = ([max(0.0, middle - low)], [max(0.0, high - middle)])
        axes.errorbar([middle], [f"{each.title}   {middle:.1f}"], xerr=reach, fmt="o", capsize=3, color=colour)
    axes.spines[["top", "right"]].set_visible(False)
    canvas.savefig(path, format="svg", metadata={"Date": None})
    return True


def _cells(figure: Figure, floor: Figure) -> tuple[str, ...]:
    if not figure.times:
        return (figure.title, figure.why, *[""] * (len(_HEAD) - 2))
    low, high = (each / floor.p50 for each in figure.spread)
    return (
        figure.title,
        f"{figure.p50 / floor.p50:.2f}",
        f"{low:.2f}–{high:.2f}",
        f"{1000 / figure.p50:.0f}",
        f"{figure.cpu / floor.cpu:.1f}",
        f"{figure.disk:.0f}",
    )


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return ""
