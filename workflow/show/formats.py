"""A graph written down: for Mermaid, for Graphviz, as a picture, or as plain text for a terminal.

Every name is escaped for its format, so that no text of a bundle can become syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from workflow.machine.messages import visible
from workflow.model.frozen import Noun
from workflow.model.strict_json import write_json
from workflow.show.graph import LEGEND, Graph, Move, Node
from workflow.show.svg import svg

FORMATS = ("ascii", "mermaid", "dot", "svg")


class Line(Noun):
    """A line of the plain text; ``style`` is title, phase, move, taken, current, legend, or a kind of state."""

    text: str
    style: str


def mermaid(graph: Graph) -> str:
    """A flowchart for https://mermaid.js.org, with a group for each phase."""
    ids = _ids([node.name for node in graph.nodes])
    lines = ["---", f"title: {write_json(visible(_heading(graph)))}", "---", "flowchart TB"]
    for number, phase in enumerate(graph.phases):
        lines.append(f"  subgraph p{number}[{_quoted(phase)}]")
        lines += [f"    {ids[node.name]}{_shaped(node.kind, _label(node))}" for node in graph.of(phase)]
        lines.append("  end")
    lines += _mermaid_moves(graph, ids)
    lines.append(f"  subgraph legend[{_quoted('legend')}]")
    lines += [f"    l{number}{_shaped(kind, (text,))}" for number, (kind, text) in enumerate(LEGEND.items())]
    lines.append("  end")
    for number, kind in enumerate(LEGEND):
        lines.append(f"  classDef {kind}State {_MERMAID[kind][1]}")
        alike = [ids[node.name] for node in graph.nodes if node.kind == kind]
        lines.append(f"  class {','.join([*alike, f'l{number}'])} {kind}State")
    for name, style, found in (
        ("visited", "stroke-width:3px", [ids[node.name] for node in graph.nodes if node.visits]),
        ("current", "stroke:#000000,stroke-width:6px", [ids[node.name] for node in graph.nodes if node.current]),
    ):
        if found:
            lines += [f"  classDef {name} {style}", f"  class {','.join(found)} {name}"]
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """A digraph for Graphviz, with a cluster for each phase."""
    ends = {node.name for node in graph.nodes if node.kind == "end"}
    lines = [
        f"digraph {_dot(graph.title)} {{",
        f"  label={_dot(_heading(graph))}; labelloc=t; rankdir=TB; compound=true; fontname={_FONT};",
        f"  node [fontname={_FONT}, fontsize=11, style=filled];",
        f"  edge [fontname={_FONT}, fontsize=9];",
    ]
    for number, phase in enumerate(graph.phases):
        lines.append(f"  subgraph cluster_{number} {{ label={_dot(graph.titles[phase])}; style=rounded; color=gray60;")
        lines += [f"    {_dot(node.name)} [{_dot_node(node)}];" for node in graph.of(phase)]
        lines.append("  }")
    if any(not move.source for move in graph.moves):
        lines.append(f"  anywhere [label={_dot(_ANYWHERE)}, shape=plaintext, style=solid];")
    for move in graph.moves:
        source = _dot(move.source) if move.source else "anywhere"
        back = ", constraint=false" if move.source in ends else ""  # else Graphviz finds no order for the phases
        lines.append(f"  {source} -> {_dot(move.target)} [{_dot_move(move)}{back}];")
    lines.append('  subgraph cluster_legend { label="legend"; style=dashed; color=gray60;')
    lines += [f'    "legend {kind}" [label={_dot(text)}, {_DOT[kind]}];' for kind, text in LEGEND.items()]
    lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def ascii_lines(graph: Graph, width: int = 80) -> Iterator[Line]:
    """A tree for a terminal: phases as headings, below them states, below them their moves."""
    yield from _folded(visible(graph.title), "title", width, "    ")
    if graph.session:
        current = next((node.name for node in graph.nodes if node.current), "a state that is gone")
        yield Line(f"{graph.session} is now in {visible(current)}", "title")
    moves: dict[str, list[Move]] = {}
    for move in graph.moves:
        moves.setdefault(move.source, []).append(move)
    for phase in graph.phases:
        yield Line("", "")
        yield from _folded(visible(graph.titles[phase]), "phase", width, "  ")
        nodes = graph.of(phase)
        for node in nodes:
            yield from _branch(node, moves.get(node.name, []), width, graph.session, node is nodes[-1])
    yield Line("", "")
    yield from _everywhere(graph, moves.get("", []), width)
    told = [f"  {_MARKS[kind]}  {text}" for kind, text in LEGEND.items()]
    told.append("A call that fails, and has no move for it, leaves the session there for `retry`.")
    if graph.session:
        told.append(f" *  where {graph.session} has been;  >>  where it is now")
    for text in told:
        yield from _folded(text, "legend", width, "     ")


def as_text(graph: Graph, form: str, width: int = 80) -> str:
    """The drawing in one of :data:`FORMATS`."""
    if form == "mermaid":
        return mermaid(graph)
    if form == "dot":
        return dot(graph)
    if form == "svg":
        return svg(graph)
    return "\n".join(line.text for line in ascii_lines(graph, width)) + "\n"


_ANYWHERE = "wherever the session waits"
_FONT = '"Helvetica"'
_MARKS = {"working": ".", "paid": "$", "gate": "?", "waiting": "~", "watching": "@", "doubt": "!", "end": "#"}
_MERMAID = {
    "working": ('["{}"]', "fill:#eef2f7,stroke:#64748b,color:#111827"),
    "paid": ('[["{}"]]', "fill:#f5d0fe,stroke:#a21caf,color:#111827"),
    "gate": ('{{{{"{}"}}}}', "fill:#fde68a,stroke:#b45309,color:#111827"),
    "waiting": ('("{}")', "fill:#fef9c3,stroke:#ca8a04,color:#111827"),
    "watching": ('(["{}"])', "fill:#cffafe,stroke:#0e7490,color:#111827"),
    "doubt": ('{{"{}"}}', "fill:#fecaca,stroke:#b91c1c,color:#111827,stroke-dasharray:4 3"),
    "end": ('((("{}")))', "fill:#d1fae5,stroke:#047857,color:#111827"),
}
_DOT = {
    "working": 'shape=box, fillcolor="#eef2f7"',
    "paid": 'shape=box, peripheries=2, fillcolor="#f5d0fe"',
    "gate": 'shape=hexagon, fillcolor="#fde68a"',
    "waiting": 'shape=box, style="filled,rounded", fillcolor="#fef9c3"',
    "watching": 'shape=ellipse, fillcolor="#cffafe"',
    "doubt": 'shape=diamond, style="filled,dashed", fillcolor="#fecaca"',
    "end": 'shape=doublecircle, fillcolor="#d1fae5"',
}
_STROKES = {"failed": "#b91c1c", "doubt": "#b91c1c", **dict.fromkeys(("late", "after", "deadline"), "#b45309")}


def _heading(graph: Graph) -> str:
    current = next((node.name for node in graph.nodes if node.current), "")
    return graph.title + (f" ({graph.session}, now in {current})" if current else "")


def _label(node: Node) -> tuple[str, ...]:
    marks = [*(["start"] if node.start else []), *([f"x{node.visits}"] if node.visits > 1 else [])]
    now = ["now"] if node.current else []
    return tuple(text for text in (node.short, node.note, ", ".join(marks + now)) if text)


def _ids(names: Iterable[str]) -> dict[str, str]:
    """Names of nodes that no keyword of Mermaid can be taken for, each once."""
    ids: dict[str, str] = {}
    for name in names:
        plain = "s_" + re.sub(r"[^A-Za-z0-9]", "_", name)
        taken = set(ids.values())
        ids[name] = plain if plain not in taken else f"{plain}__{len(ids)}"
    return ids


def _shaped(kind: str, lines: Iterable[str]) -> str:
    return _MERMAID[kind][0].format("<br/>".join(_entities(line) for line in lines))


def _quoted(text: str) -> str:
    return f'"{_entities(text)}"'


def _entities(text: str) -> str:
    """Everything that Mermaid, Markdown or HTML could read as syntax as a numeric entity."""
    return re.sub(r"[^\w .,:()/'+=?!-]", lambda match: f"#{ord(match[0])};", visible(text))


def _mermaid_moves(graph: Graph, ids: Mapping[str, str]) -> Iterator[str]:
    if any(not move.source for move in graph.moves):
        yield f"  anywhere>{_quoted(_ANYWHERE)}]"
    strokes: list[str] = []
    for number, move in enumerate(graph.moves):
        arrow = "-.->" if move.how in _STROKES else "-->"
        if move.taken:
            arrow = "==>"
        count = f" x{move.taken}" if move.taken > 1 else ""
        label = f"|{_quoted(move.text + count)}|" if move.text else ""
        yield f"  {ids[move.source] if move.source else 'anywhere'} {arrow}{label} {ids[move.target]}"
        if move.how in _STROKES:
            strokes.append(f"  linkStyle {number} stroke:{_STROKES[move.how]}")
    yield from strokes


def _dot(text: str) -> str:
    """A quoted string; entities and escapes of Graphviz are written out."""
    escaped = visible(text, keep="\n").replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'


def _dot_node(node: Node) -> str:
    width = 5 if node.current else 2.5 if node.visits else 1
    return f"label={_dot(chr(10).join(_label(node)))}, {_DOT[node.kind]}, penwidth={width}"


def _dot_move(move: Move) -> str:
    style = "bold" if move.taken else "dashed" if move.how in _STROKES else "solid"
    colour = f', color="{_STROKES[move.how]}"' if move.how in _STROKES else ""
    count = f" x{move.taken}" if move.taken > 1 else ""
    return f"label={_dot(move.text + count)}, style={style}{', penwidth=3' if move.taken else ''}{colour}"


def _branch(node: Node, moves: Sequence[Move], width: int, session: str, last: bool) -> Iterator[Line]:
    gutter = (">> " if node.current else " * " if node.visits else "   ") if session else ""
    head = f"{gutter}{'`' if last else '|'}-- {_MARKS[node.kind]} {visible(node.short)}"
    notes = [*(["start"] if node.start else []), node.note, f"{node.visits} times" if node.visits > 1 else ""]
    note = visible("; ".join(text for text in notes if text))
    yield from _folded(f"{head}  {note}".rstrip(), "current" if node.current else node.kind, width, " " * 10)
    stem = " " if last else "|"
    for move in moves:
        taken = (" * " if move.taken else "   ") if session else ""
        corner = "`" if move is moves[-1] else "|"
        target = move.target.partition(".")[2] if move.target.partition(".")[0] == node.phase else move.target
        count = f"  ({move.taken} times)" if move.taken > 1 else ""
        told = visible(f"{move.text or 'then'} -> {target}")
        text = f"{taken}{stem}     {corner}-- {told}{count}"
        more = f"{'   ' if session else ''}{stem}     {' ' if move is moves[-1] else '|'}      "
        yield from _folded(text, "taken" if move.taken else "move", width, more)


def _everywhere(graph: Graph, moves: Sequence[Move], width: int) -> Iterator[Line]:
    """What holds wherever the session waits."""
    told = [f"{move.text} -> {move.target}" for move in moves]
    if graph.answers:
        told.append(f"{', '.join(graph.answers)}: answered; nothing moves")
    if told:
        yield Line(_ANYWHERE, "phase")
        for text in told:
            gutter = "   " if graph.session else ""
            corner = "`" if text is told[-1] else "|"
            yield from _folded(f"{gutter}{corner}-- {visible(text)}", "move", width, gutter + "        ")
        yield Line("", "")


def _folded(text: str, style: str, width: int, indent: str) -> Iterator[Line]:
    """On as many lines as it takes; names are never broken."""
    if len(text) <= width:
        yield Line(text, style)
        return
    lead = len(text) - len(text.lstrip())
    lines = wrap(
        text[lead:],
        width,
        initial_indent=text[:lead],
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (Line(line, style) for line in lines)
