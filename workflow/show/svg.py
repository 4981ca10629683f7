"""A graph as a picture: an SVG that stands alone, or within a page that says where each link leads."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from workflow.model.frozen import Noun
from workflow.show.graph import LEGEND, Graph, Move, Node
from workflow.show.layout import GAP, Box, Link, Point, Way, place
from workflow.show.markup import Markup, joined, tag

ANYWHERE = "wherever the session waits"
MARKS = {"working": "·", "paid": "$", "gate": "?", "waiting": "…", "watching": "◷", "doubt": "!", "end": "■"}
"""What stands in the corner of a state, so that its colour is not all that tells its kind."""

_LETTER, _SMALL = 8.0, 6.1  # widths of a letter in the two sizes, on the safe side
_HEIGHT, _LINE = 30.0, 15.0


_TIMES = ("late", "after", "deadline")
_GRAVE = ("failed", "doubt", *_TIMES)


class Arrow(Noun):
    """All moves of a kind from one state to another as one line; grave are failure, doubt and lateness."""

    source: str
    target: str
    grave: bool
    lines: tuple[str, ...]
    taken: int


class Picture(Noun):
    """The drawing, its size in pixels, and where it may be cut: below the frames of its phases."""

    markup: Markup
    width: float
    height: float
    cuts: tuple[float, ...]


def svg(graph: Graph) -> str:
    """A file of its own."""
    return picture(graph).markup + "\n"


def picture(graph: Graph, address: Callable[[str], str] | None = None, *, styled: bool = True) -> Picture:
    """To be put into a page; with ``address`` each state is a link to what it gives for the state's name.

    Where it is not ``styled``, the page has :data:`STYLE` in a file of its own.
    """
    arrows = _arrows(graph)
    standing = [node for phase in graph.phases for node in _standing(graph, phase)]
    boxes = {node.name: _box(node) for node in standing}
    layout = place(list(boxes.values()), [_link(arrow) for arrow in arrows])
    lines = sorted(zip(arrows, layout.ways, strict=True), key=lambda each: each[0].taken)
    legend, rows = _legend(layout.width)
    height = layout.height + rows + 2 * GAP
    parts = [
        tag("title", graph.title),
        *([tag("style", Markup(STYLE))] if styled else []),
        Markup(_HEADS),
        *(_frame(graph.titles[phase], *layout.groups[phase], layout.width) for phase in graph.phases),
        *(_line(arrow, way) for arrow, way in lines),
        *(_told(arrow, way) for arrow, way in lines if arrow.lines),
        *(_state(node, layout.boxes[node.name], boxes[node.name], address) for node in standing),
        tag("g", *legend, transform=f"translate(0 {layout.height + GAP:.0f})"),
    ]
    given = {
        "viewBox": f"0 0 {layout.width:.0f} {height:.0f}",
        "width": f"{layout.width:.0f}",
        "height": f"{height:.0f}",
    }
    drawn = tag("svg", *parts, cls="machine", id="machine", xmlns="http://www.w3.org/2000/svg", **given)
    return Picture(drawn, layout.width, height, tuple(bottom for _, bottom in layout.groups.values()))


def _arrows(graph: Graph) -> list[Arrow]:
    """The lines that are drawn; a look on request leads from a state to itself, and has none."""
    found: dict[tuple[str, str, bool], list[Move]] = {}
    for move in graph.moves:
        if move.source != move.target:
            source, grave = move.source or _anywhere(move.target), move.how in _GRAVE
            found.setdefault((source, move.target, grave), []).append(move)
    return [
        Arrow(*ends, tuple(line for move in moves for line in _lines(move)), sum(move.taken for move in moves))
        for ends, moves in found.items()
    ]


def _lines(move: Move) -> list[str]:
    """The label of a move: a gate has a line of its own, and so has each of several names."""
    count = f" ×{move.taken}" if move.taken > 1 else ""
    text = move.text if move.how in _TIMES else move.text.replace(", ", ",\n")
    told = text.replace(" [", "\n[").split("\n")
    return [f"{line}{count if line is told[-1] else ''}" for line in told if line or count]


def _anywhere(target: str) -> str:
    """The name of the box that stands for every waiting state, above where it leads; no state has a bare dot."""
    return f"{target.partition('.')[0]}."


def _standing(graph: Graph, phase: str) -> list[Node]:
    """What is drawn in a phase: its states, and above them what leads here from anywhere."""
    everywhere = [Node(f"{phase}.", "anywhere")] if _leads_here(graph.moves, phase) else []
    return [*everywhere, *graph.of(phase)]


def _leads_here(moves: Iterable[Move], phase: str) -> bool:
    return any(not move.source and move.target.partition(".")[0] == phase for move in moves)


def _texts(node: Node) -> tuple[str, ...]:
    """The name, and below it what the state does, in lines."""
    if node.kind == "anywhere":
        return (ANYWHERE,)
    marks = [*(["start"] if node.start else []), *([f"×{node.visits}"] if node.visits > 1 else [])]
    marks += ["now"] if node.current else []
    return tuple(text for text in (node.short, node.note, ", ".join(marks)) if text)


def _box(node: Node) -> Box:
    name, *notes = _texts(node)
    width = max([_wide(name, _LETTER) + 50, *(_wide(note, _SMALL) + 28 for note in notes)])
    return Box(node.name, node.phase, width, _HEIGHT + _LINE * len(notes))


def _link(arrow: Arrow) -> Link:
    width = max((_wide(line, _SMALL) + 8 for line in arrow.lines), default=0.0)
    return Link(arrow.source, arrow.target, width, _LINE * len(arrow.lines) + (4 if arrow.lines else 0))


def _wide(text: str, letter: float) -> float:
    """Pixels; a Chinese character is as wide as two letters."""
    return sum(letter * (1.8 if unicodedata.east_asian_width(char) in "WF" else 1.0) for char in text)


def _frame(title: str, top: float, bottom: float, width: float) -> Markup:
    frame = tag(
        "rect", x="2", y=f"{top:.0f}", width=f"{width - 4:.0f}", height=f"{bottom - top:.0f}", rx="10", cls="phase"
    )
    return joined(frame, tag("text", title, x="16", y=f"{top + 22:.0f}", cls="phase-name"))


def _line(arrow: Arrow, way: Way) -> Markup:
    kind = f"move{' grave' if arrow.grave else ''}{' taken' if arrow.taken else ''}"
    return tag("path", d=_curve(way.points), cls=kind)


def _curve(points: tuple[Point, ...]) -> str:
    """A smooth line through the points that never swings beyond them (Fritsch and Butland, 1984)."""
    slopes = [(to_x - x) / (to_y - y) if to_y != y else 0.0 for (x, y), (to_x, to_y) in pairwise(points)]
    turns = [2 * one * other / (one + other) if one * other > 0 else 0.0 for one, other in pairwise(slopes)]
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for ((x, y), (to_x, to_y)), (lean, to_lean) in zip(pairwise(points), pairwise([0.0, *turns, 0.0]), strict=True):
        third = (to_y - y) / 3
        bend = f"{x + lean * third:.1f} {y + third:.1f} {to_x - to_lean * third:.1f} {to_y - third:.1f}"
        path.append(f"C{bend} {to_x:.1f} {to_y:.1f}")
    return "".join(path)


def _told(arrow: Arrow, way: Way) -> Markup:
    """The label, on a ground of its own so that the line does not run through it."""
    link, (x, y) = _link(arrow), way.label
    left, top = x - link.width / 2, y - link.height / 2
    ground = tag(
        "rect",
        x=f"{left:.1f}",
        y=f"{top:.1f}",
        width=f"{link.width:.1f}",
        height=f"{link.height:.1f}",
        rx="4",
        cls="ground",
    )
    texts = [
        tag("text", line, x=f"{x:.1f}", y=f"{top + 13 + _LINE * number:.1f}", cls="grave" if arrow.grave else "label")
        for number, line in enumerate(arrow.lines)
    ]
    return joined(ground, *texts)


def _state(node: Node, centre: Point, box: Box, address: Callable[[str], str] | None) -> Markup:
    x, y = centre
    left, top = x - box.width / 2, y - box.height / 2
    shown = f"state {node.kind}{' visited' if node.visits else ''}{' current' if node.current else ''}"
    drawn = tag("g", *_shape(node.kind, left, top, box.width, box.height), *_written(node, x, top, left), cls=shown)
    if address is None or node.kind == "anywhere":
        return drawn
    return tag("a", drawn, href=address(node.name))


def _shape(kind: str, left: float, top: float, width: float, height: float) -> list[Markup]:
    """An outline by kind, so that it can be told in grey too."""
    if kind == "gate":
        middle, right, bottom, cut = top + height / 2, left + width, top + height, 12
        corners = [
            (left, middle),
            (left + cut, top),
            (right - cut, top),
            (right, middle),
            (right - cut, bottom),
            (left + cut, bottom),
        ]
        return [tag("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners))]
    radius = {"watching": height / 2, "anywhere": height / 2, "waiting": 10.0, "end": 10.0}.get(kind, 3.0)
    outlines = [_rect(left, top, width, height, radius)]
    if kind in ("paid", "end"):
        outlines.append(_rect(left + 3, top + 3, width - 6, height - 6, max(radius - 3, 1)))
    return outlines


def _rect(left: float, top: float, width: float, height: float, radius: float) -> Markup:
    sizes = {"x": left, "y": top, "width": width, "height": height, "rx": radius}
    return tag("rect", **{name: f"{size:.1f}" for name, size in sizes.items()})


def _written(node: Node, x: float, top: float, left: float) -> Iterable[Markup]:
    name, *notes = _texts(node)
    if node.kind in MARKS:
        yield tag("text", MARKS[node.kind], x=f"{left + 15:.1f}", y=f"{top + 20:.1f}", cls="mark")
    yield tag("text", name, x=f"{x:.1f}", y=f"{top + 20:.1f}", cls="name")
    for number, note in enumerate(notes):
        yield tag("text", note, x=f"{x:.1f}", y=f"{top + 35 + _LINE * number:.1f}", cls="note")


def _legend(width: float) -> tuple[list[Markup], float]:
    """What the outlines mean, in as many columns as there is room for, and how high that is."""
    columns = max(1, int((width - GAP) // 300))
    parts = []
    for number, (kind, meaning) in enumerate(LEGEND.items()):
        left, top = 16 + number % columns * 300.0, number // columns * 36.0
        mark = tag("text", MARKS[kind], x=f"{left + 19:.0f}", y=f"{top + 18:.0f}", cls="mark")
        parts.append(tag("g", *_shape(kind, left, top, 38, 26), mark, cls=f"state {kind}"))
        parts.append(tag("text", meaning, x=f"{left + 48:.0f}", y=f"{top + 17:.0f}", cls="meaning"))
    return parts, -(-len(LEGEND) // columns) * 36.0


_COLOURS: Mapping[str, tuple[str, str, str, str]] = {  # fill and line on light paper, then on dark
    "working": ("#eef2f7", "#64748b", "#27313c", "#8a9bb0"),
    "paid": ("#f5d9fb", "#a21caf", "#43214a", "#e08bea"),
    "gate": ("#fdeaa8", "#b45309", "#46371a", "#f0b860"),
    "waiting": ("#fefadc", "#a98a12", "#37341f", "#d9c468"),
    "watching": ("#d3f6fb", "#0e7490", "#16383f", "#67c6da"),
    "doubt": ("#fcd8d8", "#b91c1c", "#4a2222", "#f29a94"),
    "end": ("#d8f5e6", "#047857", "#173a2c", "#6bcf9f"),
    "anywhere": ("#ffffff", "#8794a1", "#1b2126", "#8794a1"),
}
_HEADS = (
    "<defs>"
    + "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="{size}" markerHeight="{size}" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .6L8 4L0 7.4z" class="{name}"/></marker>'
        for name, size in (("head", 8), ("head-grave", 8), ("head-taken", 12))
    )
    + "</defs>"
)
STYLE = (
    '.machine{font:600 13px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;background:#fff}'
    ".machine text{fill:#1d2328;text-anchor:middle}.machine .note{font-size:11px;font-weight:400;fill:#3c4650}"
    ".machine .label,.machine text.grave{font-size:11px;font-weight:400;fill:#34404a}.machine text.grave{fill:#a11a14}"
    ".machine .ground{fill:#fff;fill-opacity:.9}.machine .phase{fill:#fbfcfd;stroke:#d8dee3}"
    ".machine .phase-name{text-anchor:start;font-size:14px;font-weight:700;fill:#5c6770}"
    ".machine .meaning{text-anchor:start;font-size:12px;font-weight:400}"
    ".machine .move{fill:none;stroke:#8794a1;stroke-width:1.3;marker-end:url(#head)}"
    ".machine .move.grave{stroke:#c4554f;stroke-dasharray:5 4;marker-end:url(#head-grave)}"
    ".machine .move.taken{stroke:#1d5fc4;stroke-width:3;stroke-dasharray:none;marker-end:url(#head-taken)}"
    ".machine .head{fill:#8794a1}.machine .head-grave{fill:#c4554f}.machine .head-taken{fill:#1d5fc4}"
    ".machine .state>*:not(text){stroke-width:1.4}.machine .visited>*:not(text){stroke-width:2.6}"
    ".machine .current>*:not(text){stroke:#1d5fc4;stroke-width:4.5}.machine .doubt>*:not(text){stroke-dasharray:6 4}"
    ".machine .anywhere>*:not(text){stroke-dasharray:2 3}.machine .anywhere .name{font-size:12px;font-weight:400}"
    ".machine a{cursor:pointer}.machine a:hover .name,.machine a:focus .name{text-decoration:underline}"
    + "".join(
        f".machine .{kind}>*:not(text){{fill:{fill};stroke:{line}}}" for kind, (fill, line, *_) in _COLOURS.items()
    )
    + "@media screen and (prefers-color-scheme:dark){.machine{background:#1b2126}.machine text{fill:#e4e8eb}"
    ".machine .note,.machine .label{fill:#b9c3cb}.machine text.grave{fill:#f2a49e}.machine .phase-name{fill:#9aa6af}"
    ".machine .ground{fill:#1b2126}.machine .phase{fill:#1f262c;stroke:#39424a}"
    ".machine .current>*:not(text){stroke:#7fb0ff}.machine .move.taken{stroke:#7fb0ff}"
    ".machine .head-taken{fill:#7fb0ff}"
    + "".join(
        f".machine .{kind}>*:not(text){{fill:{fill};stroke:{line}}}" for kind, (_, _, fill, line) in _COLOURS.items()
    )
    + "}"
)
"""The style sheet of every drawing."""
