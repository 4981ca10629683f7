"""A machine as one page: the drawing, and for each state what it says and does; no script, nothing loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from workflow.bundle import Bundle
from workflow.machine.definition import Choice, Definition, Event, State, either
from workflow.machine.wording import worded
from workflow.model.duration import span
from workflow.show.graph import LEGEND, Graph, Move, Node, Walk
from workflow.show.markup import Markup, joined, tag
from workflow.show.svg import ANYWHERE, Picture, picture

SHEET = 1250.0
"""Pixels of the drawing that go onto one sheet of paper at most, except a higher phase and the legend."""


def page_of(bundle: Bundle, graph: Graph, way: Walk | None) -> str:
    """The whole page; ``way`` is that of a session, whose states and moves the graph marks."""
    definition = bundle.definition
    drawing = picture(graph, lambda name: f"#{name}")
    about = tag("main", _head(bundle, graph), _general(definition), *_path(way), *_phases(bundle, graph), _foot(bundle))
    head = Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="referrer" content="no-referrer">'
        f"{tag('title', graph.title)}<style>{_style()}</style>"
    )
    body = joined(tag("nav", drawing.markup), about, *_sheets(drawing))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _style() -> str:
    return Path(__file__).with_name("machine_page.css").read_text(encoding="utf-8")


def _head(bundle: Bundle, graph: Graph) -> Markup:
    definition = bundle.definition
    counts = {
        "state": len(definition.states),
        "event": len(definition.events),
        "gate": len(definition.gates),
        "action": len(bundle.registry.actions),
    }
    told = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
    now = next((node for node in graph.nodes if node.current), None)
    where = [tag("p", f"{graph.session} is now in ", _link(now.name), cls="now")] if now else []
    intro = f"{told}; in {', '.join(definition.languages)}. Choose a state in the drawing to see what it says and does."
    return tag(
        "header", tag("p", definition.workflow, cls="over"), tag("h1", definition.title), tag("p", intro), *where
    )


def _general(definition: Definition) -> Markup:
    """What holds in more than one state: gates, what is never done without them, and events of everywhere."""
    gates = []
    for gate in definition.gates.values():
        subject = f"each of {gate.each}" if gate.each else ", ".join(gate.subject) or "what was shown"
        protects = [action for action in definition.never_without if gate.name in definition.needs(action)]
        needed = f"; needed for {', '.join(protects)}" if protects else ""
        gates.append(tag("li", tag("b", gate.name), f": about {subject}; at least {gate.strength}{needed}"))
    everywhere = [
        tag("li", tag("b", event), f", {ANYWHERE} → ", _link(target)) for event, target in definition.on.items()
    ]
    answers = [event.name for event in definition.events.values() if event.say]
    told = [tag("li", tag("b", ", ".join(answers)), ": answered wherever the session waits; nothing moves")]
    items = [*gates, *everywhere, *(told if answers else [])]
    shown = [tag("section", tag("h2", "Gates, and what holds everywhere"), tag("ul", *items))] if items else []
    return joined(*shown, *_meanings(definition))


def _meanings(definition: Definition) -> Iterator[Markup]:
    """When each event is sent."""
    first = definition.languages[0]
    told = [(event.name, worded(event.when, first)) for event in definition.events.values()]
    items = [tag("li", tag("b", name), f": {when}") for name, when in told if when]
    if items:
        yield tag("section", tag("h2", "What the events mean"), tag("ul", *items))


def _path(way: Walk | None) -> Iterator[Markup]:
    """The steps of a session, in order; its words and data are not here."""
    if way is None:
        return
    steps = [tag("li", "start → ", _link(way.start))]
    steps += [tag("li", f"{step.event or step.how} → ", _link(step.target)) for step in way.steps]
    yield tag("section", tag("h2", f"The way of {way.session}"), tag("ol", *steps, cls="way"))


def _phases(bundle: Bundle, graph: Graph) -> Iterator[Markup]:
    for phase in graph.phases:
        yield tag("h2", graph.titles[phase], cls="phase-title")
        yield from (_card(bundle, graph, node) for node in graph.of(phase))


def _card(bundle: Bundle, graph: Graph, node: Node) -> Markup:
    """All about one state."""
    state = bundle.definition.states[node.name]
    start = [tag("span", "start", cls="badge")] if node.start else []
    visits = [tag("span", f"passed ×{node.visits}", cls="badge")] if node.visits else []
    now = [tag("span", "now", cls="badge")] if node.current else []
    arriving = dict.fromkeys(move.source for move in graph.moves if move.target == node.name)
    parts = [
        tag("h3", tag("a", node.name, href=f"#{node.name}"), *start, *visits, *now),
        tag("p", LEGEND[node.kind], cls="kind"),
        *_does(bundle, state),
        *_says(bundle, "says", state.say),
        *_says(bundle, "says aside, once per profile", state.aside),
        *(each for event, said in state.acknowledge.items() for each in _says(bundle, f"says first on {event}", said)),
        *_says(bundle, "says on check, without news", state.answers),
        *(_says(bundle, f"reminds each {span(state.remind.every)}", state.remind.say) if state.remind else ()),
        *_onward(bundle.definition, [move for move in graph.moves if move.source == node.name]),
        *([tag("p", tag("i", "from "), *_listed(arriving), cls="from")] if arriving else []),
    ]
    return tag("article", *parts, cls=f"card {node.kind}", id=node.name)


def _does(bundle: Bundle, state: State) -> Iterator[Markup]:
    name = state.action
    if state.end:
        yield tag("p", tag("i", "ends: "), state.end)
    if name is None:
        return
    action = bundle.registry.actions[name]
    rest = f" ({action.effect})" + (f"; sets {', '.join(sorted(action.sets))}" if action.sets else "")
    needs = bundle.definition.alternatives(name)
    gates = f"; never without {either(needs)}" if needs else ""
    yield tag("p", tag("i", "looks with " if state.watch else "does "), tag("b", name), rest, gates)


def _says(bundle: Bundle, label: str, choice: Choice | None) -> Iterator[Markup]:
    """Each message that may be said, with its text in every language."""
    if choice is None:
        return
    conditions: dict[str, list[str]] = {}
    for guard, message in choice.cases:
        conditions.setdefault(message, []).append(f"if {guard}")
    if choice.otherwise:
        conditions.setdefault(choice.otherwise, []).extend(["else"] if choice.cases else [])
    for message, when in conditions.items():
        told = f" ({', '.join(when)})" if when else ""
        first, *others = bundle.definition.languages
        yield tag("p", tag("i", f"{label} "), tag("b", message), told)
        yield _text(bundle.prompts[first][message], first)
        yield from (
            tag("details", tag("summary", language), _text(bundle.prompts[language][message], language))
            for language in others
        )


def _text(template: str, language: str) -> Markup:
    """A template as it is written, with the places that are filled in set apart."""
    parts = re.split(r"(\$\{\w+\})", template)
    return tag("blockquote", *(tag("var", part) if part.startswith("${") else part for part in parts), lang=language)


def _onward(definition: Definition, moves: Iterable[Move]) -> Iterator[Markup]:
    rows = []
    for move in moves:
        event = definition.events.get(move.label) if move.how == "on" else None
        note = _needs(event) if event else ""
        text = joined(tag("b", move.text or "then"), *([tag("span", note, cls="note")] if note else []))
        rows.append(tag("tr", tag("td", text), tag("td", _link(move.target)), cls=move.how))
    if rows:
        yield tag("table", *rows)


def _needs(event: Event) -> str:
    """What must come with an event."""
    needs = [*event.input, *(f"{name}?" for name in event.optional)]
    told = [*([f"with {', '.join(needs)}"] if needs else []), *([f"if {event.guard}"] if event.guard else [])]
    return "; ".join([*told, *(["the person's own words"] if event.gate else [])])


def _listed(names: Iterable[str]) -> Iterator[Markup | str]:
    for number, name in enumerate(names):
        yield ", " if number else ""
        yield _link(name) if name else ANYWHERE


def _link(name: str) -> Markup:
    return tag("a", name, href=f"#{name}")


def _sheets(drawing: Picture) -> Iterator[Markup]:
    """The drawing for paper, cut between phases; the screen does not show these."""
    cuts = [0.0]
    for cut, after in pairwise(drawing.cuts):
        if after - cuts[-1] > SHEET:
            cuts.append(cut + 8)
    for top, bottom in pairwise([*cuts, drawing.height]):
        part = tag("use", href="#machine")
        box = f"0 {top:.0f} {drawing.width:.0f} {bottom - top:.0f}"
        yield tag("section", tag("svg", part, viewBox=box), cls="sheet")


def _foot(bundle: Bundle) -> Markup:
    return tag("footer", f"Drawn by `workflow graph --format html` of the bundle {bundle.digest[:12]}.")
