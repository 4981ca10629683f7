"""Where the boxes and lines of a drawing go: in rows from top to bottom, group below group.

The layered method of Sugiyama, Tagawa and Toda (1981), as Graphviz's `dot` uses it: rows by the longest way,
long lines and labels as places in every row that they pass, rows sorted until few lines cross, then columns
as near to their neighbours as the widths allow. Lengths are in pixels; the same graph is always placed alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from workflow.model.frozen import Noun

GAP, STEP = 22.0, 15.0
"""Between two neighbours of a row, and between two rows."""
HEAD, FOOT = 30.0, 14.0
"""Above and below the rows of a group, within its frame."""
_SWEEPS = 24
_PULLS = 300
_PORT = 16.0
_SLANT = 12.0  # a line that goes further aside must not cut the corners of its neighbours

Point = tuple[float, float]


class Box(Noun):
    """Something to place, in a group; groups stand below each other in the order of the boxes."""

    name: str
    group: str
    width: float
    height: float


class Link(Noun):
    """A line from one box to another, with room for a label."""

    source: str
    target: str
    width: float = 0.0
    height: float = 0.0


class Way(Noun):
    """Where a line runs, from its source to its target: upright within a row if it turns beside it."""

    points: tuple[Point, ...]
    label: Point


class Layout(Noun):
    """Centres of boxes by name, lines in the order of the links, top and bottom of the groups."""

    boxes: Mapping[str, Point]
    ways: tuple[Way, ...]
    groups: Mapping[str, Point]
    width: float
    height: float


def place(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """A place for everything; a link from a box to itself is not a line, and must not be among them."""
    rows = _rows(boxes, links)
    grid = _Grid(boxes, links, rows)
    grid.sort()
    columns = grid.columns()
    edges, groups = _heights(boxes, rows, grid)
    centres = {box.name: (columns[box.name], sum(edges[rows[box.name]]) / 2) for box in boxes}
    ways = tuple(_way(grid, number, boxes, columns, edges) for number in range(len(links)))
    right = max((columns[item] + grid.width[item] / 2 for row in grid.rows for item in row), default=0.0)
    return Layout(centres, ways, groups, right + GAP, max((bottom for _, bottom in groups.values()), default=0.0))


Item = str | tuple[int, int]
"""A box, or the place of a link (its number) in a row (its number)."""


def _rows(boxes: Sequence[Box], links: Sequence[Link]) -> dict[str, int]:
    """The row of every box: even numbers; the odd ones between them are for labels."""
    rows: dict[str, int] = {}
    below = 0
    for _, found in groupby(boxes, key=lambda box: box.group):
        names = [box.name for box in found]
        depth = _depths(names, {name: [link.target for link in links if link.source == name] for name in names})
        rows |= {name: 2 * (below + depth[name]) for name in names}
        below += 1 + max(depth.values())
    return rows


def _depths(names: Sequence[str], targets: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How far down each box of a group stands: below all that lead to it, except lines that lead back."""
    order: list[str] = []
    back: set[tuple[str, str]] = set()
    for first in names:
        trail = [] if first in order else [(first, iter(targets[first]))]
        while trail:
            name, rest = trail[-1]
            on_trail = {each for each, _ in trail}
            target = next((each for each in rest if each in targets and each not in order), None)
            if target is None:
                order.append(name)
                trail.pop()
            elif target in on_trail:
                back.add((name, target))
            else:
                trail.append((target, iter(targets[target])))
    depth = dict.fromkeys(names, 0)
    for name in reversed(order):
        for target in targets[name]:
            if target in depth and (name, target) not in back:
                depth[target] = max(depth[target], depth[name] + 1)
    return depth


class _Grid:
    """Rows of items; ``above`` and ``below`` are the neighbours of an item in the rows beside its own."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[Link], rows: Mapping[str, int]) -> None:
        self.rows: list[list[Item]] = [[] for _ in range(1 + max(rows.values(), default=-1))]
        self.width: dict[Item, float] = {box.name: box.width for box in boxes}
        self.height: dict[Item, float] = {box.name: box.height for box in boxes}
        self.chains: list[list[Item]] = []
        self.above: dict[Item, list[Item]] = {}
        self.below: dict[Item, list[Item]] = {}
        for box in boxes:
            self.rows[rows[box.name]].append(box.name)
        for number, link in enumerate(links):
            self._lay(number, link, rows[link.source], rows[link.target])

    def _lay(self, number: int, link: Link, start: int, end: int) -> None:
        """A link as a chain of places, its label in the one next to its source."""
        step = 1 if end > start else -1
        passed: list[Item] = [(number, row) for row in range(start + step, end, step)]
        for item in passed:
            assert isinstance(item, tuple)
            labelled = item[1] == start + step
            self.width[item] = link.width if labelled else 0.0
            self.height[item] = link.height if labelled else 0.0
            self.rows[item[1]].append(item)
        self.chains.append([link.source, *passed, link.target])
        for one, other in pairwise(self.chains[-1]):
            upper, lower = (one, other) if step > 0 else (other, one)
            self.below.setdefault(upper, []).append(lower)
            self.above.setdefault(lower, []).append(upper)

    def sort(self) -> None:
        """Order every row by where its neighbours are, down and up again; the best order found is kept."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            beside = self.above if down else self.below
            rows = self.rows if down else self.rows[::-1]
            for fixed, row in pairwise(rows):
                at = {item: float(number) for number, item in enumerate(fixed)}
                own = {item: number * len(fixed) / len(row) for number, item in enumerate(row)}
                row.sort(key=lambda item: _mean([at[each] for each in beside.get(item, ())], own[item]))  # noqa: B023
            found = self._crossings()
            if found < fewest:
                best, fewest = [list(row) for row in self.rows], found
        self.rows = best

    def _crossings(self) -> int:
        count = 0
        for upper, lower in pairwise(self.rows):
            at = {item: number for number, item in enumerate(lower)}
            seen: list[int] = []
            for item in upper:
                ends = [at[each] for each in self.below.get(item, ())]
                count += sum(other > end for end in ends for other in seen)
                seen += ends
        return count

    def columns(self) -> dict[Item, float]:
        """The middle of every item, from the left edge: near its neighbours, long lines straight."""
        at: dict[Item, float] = {}
        for row in self.rows:
            at |= dict(zip(row, _apart([0.0] * len(row), [1.0] * len(row), self._offsets(row)), strict=True))
        for sweep in range(_PULLS):
            for row in self.rows if sweep % 2 == 0 else self.rows[::-1]:
                wanted, weights = zip(*(self._pull(item, at) for item in row), strict=True) if row else ((), ())
                at |= dict(zip(row, _apart(wanted, weights, self._offsets(row)), strict=True))
        left = min((at[item] - self.width[item] / 2 for row in self.rows for item in row), default=0.0) - GAP
        return {item: x - left for item, x in at.items()}

    def _pull(self, item: Item, at: Mapping[Item, float]) -> tuple[float, float]:
        """Where an item's neighbours draw it, and how strongly; two places of one line hold fast to each other."""
        beside = [*self.above.get(item, ()), *self.below.get(item, ())]
        weights = [1.0 if isinstance(item, str) or isinstance(each, str) else 8.0 for each in beside]
        total = sum(weights)
        if not total:
            return at[item], 0.1
        return sum(at[each] * weight for each, weight in zip(beside, weights, strict=True)) / total, total

    def _offsets(self, row: Sequence[Item]) -> list[float]:
        """How far from the first of its row each item is at least."""
        offsets = [0.0] if row else []
        for one, other in pairwise(row):
            offsets.append(offsets[-1] + (self.width[one] + self.width[other]) / 2 + GAP)
        return offsets


def _apart(wanted: Sequence[float], weights: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The places nearest to what is wanted (least squares) that keep the distances: pool adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for place, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append((place - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, first, few), (other, second, more) = pools[-2:]
            pools[-2:] = [((one * first + other * second) / (first + second), first + second, few + more)]
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _mean(found: Sequence[float], otherwise: float) -> float:
    return sum(found) / len(found) if found else otherwise


def _heights(
    boxes: Iterable[Box], rows: Mapping[str, int], grid: _Grid
) -> tuple[list[tuple[float, float]], dict[str, Point]]:
    """Top and bottom of every row and of every group's frame."""
    within: dict[str, list[int]] = {}
    for box in boxes:
        within.setdefault(box.group, []).append(rows[box.name])
    first = {min(numbers): group for group, numbers in within.items()}
    last = {max(numbers): group for group, numbers in within.items()}
    edges: list[tuple[float, float]] = []
    frames: dict[str, Point] = {}
    y, top = 0.0, 0.0
    for number, row in enumerate(grid.rows):
        if number in first:
            top, y = y, y + HEAD
        bottom = y + max((grid.height[item] for item in row), default=0.0)
        edges.append((y, bottom))
        if number in last:
            bottom += FOOT
            frames[last[number]] = top, bottom
        y = bottom + STEP
    return edges, frames


def _way(
    grid: _Grid, number: int, boxes: Sequence[Box], columns: Mapping[Item, float], edges: Sequence[tuple[float, float]]
) -> Way:
    source, *passed, target = grid.chains[number]
    rows = [item[1] for item in passed if isinstance(item, tuple)]
    down = rows[0] < rows[-1] or (len(rows) == 1 and target in grid.below.get(passed[0], ()))
    start = _port(grid, source, passed[0], down, columns, edges[rows[0] - 1 if down else rows[0] + 1])
    end = _port(grid, target, passed[-1], not down, columns, edges[rows[-1] + 1 if down else rows[-1] - 1])
    points = [start]
    for number, (item, row) in enumerate(zip(passed, rows, strict=True)):
        x, after = columns[item], columns[passed[number + 1]] if number + 1 < len(passed) else end[0]
        middle = sum(edges[row]) / 2
        turns = max(abs(x - points[-1][0]), abs(x - after)) > _SLANT
        points += [(x, y) for y in (edges[row] if down else edges[row][::-1])] if turns else [(x, middle)]
    return Way((*points, end), (columns[passed[0]], sum(edges[rows[0]]) / 2))


def _port(
    grid: _Grid, box: Item, beside: Item, below: bool, columns: Mapping[Item, float], edge: tuple[float, float]
) -> Point:
    """Where a line meets a box: side by side with the others, in the order of where they come from."""
    others = sorted((grid.below if below else grid.above)[box], key=lambda item: columns[item])
    step = min(_PORT, 0.7 * grid.width[box] / len(others))
    x = columns[box] + (others.index(beside) - (len(others) - 1) / 2) * step
    middle, half = sum(edge) / 2, grid.height[box] / 2
    return x, middle + half if below else middle - half
