"""A definition as a graph: what a drawing of it shows, with the way that one session has gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from workflow.machine.definition import Definition, Names, State
from workflow.machine.reach import doubt_only
from workflow.model.duration import span
from workflow.model.frozen import Noun, replace
from workflow.model.journal import Entry

LEGEND: Mapping[str, str] = {
    "working": "works, and goes on by itself",
    "paid": "makes a paid call, at most once",
    "gate": "asks what only the person can answer",
    "waiting": "waits for the agent or the person",
    "watching": "waits for the service",
    "doubt": "in doubt: did the paid call happen?",
    "end": "the session is over",
}
"""Kinds of states, and what they mean."""


class Step(Noun):
    """One move that a session made; ``how`` is on, then, failed, doubt, look, late, after or deadline."""

    source: str
    target: str
    how: str
    event: str = ""


class Walk(Noun):
    """The way of a session so far, from its first state."""

    session: str
    start: str
    steps: tuple[Step, ...] = ()

    @property
    def current(self) -> str:
        """Where it stands."""
        return self.steps[-1].target if self.steps else self.start


class Node(Noun):
    """A state as it is drawn; ``kind`` is a key of :data:`LEGEND`, ``visits`` counts those of the session."""

    name: str
    kind: str
    note: str = ""
    start: bool = False
    visits: int = 0
    current: bool = False

    @property
    def phase(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]


class Move(Noun):
    """An arrow; without a ``source`` it holds wherever the session waits. ``taken`` counts its steps on it."""

    source: str
    target: str
    how: str
    label: str
    gate: str | None = None
    taken: int = 0

    @property
    def text(self) -> str:
        """What stands beside it."""
        before = {"failed": "failed: " if self.label else "failed", "doubt": "in doubt"}.get(self.how, "")
        gate = f" [{self.gate}]" if self.gate else ""
        return f"{before}{self.label}{gate}"


class Graph(Noun):
    """Everything that is drawn; ``answers`` are events that move nothing, wherever the session waits."""

    title: str
    nodes: tuple[Node, ...]
    moves: tuple[Move, ...]
    answers: Names = ()
    session: str = ""
    titles: Mapping[str, str] = {}
    """Phase → how it is shown: its number and its title."""

    @property
    def phases(self) -> Names:
        """In the order of the file."""
        return tuple(dict.fromkeys(node.phase for node in self.nodes))

    def of(self, phase: str) -> list[Node]:
        """The states of a phase."""
        return [node for node in self.nodes if node.phase == phase]


def walk(entries: Iterable[Entry]) -> Walk:
    """The way that a journal tells; entries that were erased tell nothing."""
    name = here = start = ""
    steps: list[Step] = []
    for entry in entries:
        body = entry.body or {}
        if entry.kind == "started" and body:
            name = f"{entry.session} (sandbox)" if body.get("sandbox") else entry.session
            here = start = str(body["state"])
        named = {"move": body.get("why"), "due": body.get("timer")}
        how = {"event": "on", "failure": "failed", "doubt": "doubt", **named}.get(entry.kind)
        if how and body.get("to") and body.get("event") != "retry":
            steps.append(Step(here, str(body["to"]), str(how), str(body.get("event", ""))))
            here = steps[-1].target
    return Walk(name, start, tuple(steps))


def draw(definition: Definition, effects: Mapping[str, str], way: Walk | None = None) -> Graph:
    """What is to be drawn; ``effects`` says of each action whether it is read, repeatable or once."""
    doubtful = doubt_only(definition)
    visits = Counter([way.start, *(step.target for step in way.steps)] if way else ())
    nodes = [
        Node(
            state.name,
            _kind(definition, state, effects, doubtful),
            _note(definition, state, effects),
            state.name == definition.start,
            visits[state.name],
            way is not None and state.name == way.current,
        )
        for state in definition.states.values()
    ]
    moves = [move for state in definition.states.values() for move in _moves(definition, state)]
    moves += [_on(definition, "", event, target) for event, target in definition.on.items()]
    if definition.deadline:
        seconds, target = definition.deadline
        moves.append(Move("", target, "deadline", f"{span(seconds)} after the start"))
    return Graph(
        f"{definition.workflow}: {definition.title}",
        tuple(nodes),
        tuple(_taken(definition, moves, way.steps if way else ())),
        tuple(event.name for event in definition.events.values() if event.say),
        way.session if way else "",
        {name: phase.shown(definition.languages[0]) for name, phase in definition.phases.items()},
    )


def _kind(definition: Definition, state: State, effects: Mapping[str, str], doubtful: frozenset[str]) -> str:
    if state.end:
        return "end"
    if state.name in doubtful:
        return "doubt"
    if state.works:
        return "paid" if effects.get(state.do or "") == "once" else "working"
    if state.watch:
        return "watching"
    return "gate" if definition.asks(state) else "waiting"


def _note(definition: Definition, state: State, effects: Mapping[str, str]) -> str:
    """What it does, or asks, in a few words."""
    if state.end:
        return state.end
    if state.watch:
        return f"{state.watch.do} each {_span(state.watch.every)}, at most {_span(state.watch.within)}"
    if state.works:
        return f"{state.do} ({effects.get(state.do, '?')})" if state.do else "a choice"
    gates = definition.asks(state)
    asks = f"asks {', '.join(gates)}" if gates else ""
    again = f"reminds each {span(state.remind.every)}" if state.remind else ""
    return ", ".join(filter(None, (asks, again)))


def _span(seconds: float) -> str:
    """``20m`` of 1200, ``1h`` of 3600."""
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    return f"{seconds / 60:g}m" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g}s"


def _moves(definition: Definition, state: State) -> Iterator[Move]:
    """Everything that leads on from a state, except what holds everywhere; outcomes with one target are one move."""
    for event, target in state.on.items():
        yield _on(definition, state.name, event, target)
    if state.answers and "check" in definition.events and "check" not in state.on:
        yield Move(state.name, state.name, "look", f"check: {'a look now' if state.watch else 'where it stands'}")
    watch = state.watch
    for how, choice in (("then", state.then), ("look", watch.then if watch else None), ("failed", state.failed)):
        if choice is None:
            continue
        labels: dict[str, list[str]] = {}
        for name, target in choice.cases:
            labels.setdefault(target, []).append(name)
        if choice.otherwise:
            labels.setdefault(choice.otherwise, []).extend(["else"] if choice.cases else [])
        yield from (Move(state.name, target, how, ", ".join(names)) for target, names in labels.items())
    if state.doubt:
        yield Move(state.name, state.doubt, "doubt", "")
    if watch:
        yield Move(state.name, watch.late, "late", f"late, after {_span(watch.within)}")
    for seconds, target in state.after:
        yield Move(state.name, target, "after", f"after {span(seconds)}")


def _on(definition: Definition, source: str, event: str, target: str) -> Move:
    known = definition.events.get(event)
    return Move(source, target, "on", event, known.gate if known else None)


def _taken(definition: Definition, moves: Sequence[Move], steps: Sequence[Step]) -> Iterator[Move]:
    """The moves with how often each was taken; one that holds everywhere is drawn from where it was taken."""
    counts = Counter((step.source, step.target, step.how, step.event) for step in steps)
    for move in moves:
        count = counts.pop((move.source, move.target, move.how, move.label if move.how == "on" else ""), 0)
        yield replace(move, taken=count)
    for (source, target, how, event), count in counts.items():
        if how == "on" and definition.on.get(event) == target and source in definition.states:
            yield replace(_on(definition, source, event, target), taken=count)
        elif how == "deadline" and definition.deadline and definition.deadline[1] == target:
            yield Move(source, target, how, f"{span(definition.deadline[0])} after the start", taken=count)
