"""Every way that a run can take: over states, gates and the outcomes of guards and calls, shortest first (decision 55).

The caller may send any event at any time, every call may succeed, fail or stay unknown, and every guard may hold or
not. Values of data are not looked at: a guard's verdict is remembered only from one pure choice to the next, where
nothing can have changed it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

from workflow.machine.definition import Choice, Definition, State
from workflow.machine.reach import doubt_only
from workflow.model.duration import span
from workflow.model.frozen import Noun

MOST_REMEMBERED = 8
"""Verdicts kept in mind at once; to forget more is safe, and bounds what is explored."""
Keys = tuple[str, ...]
Verdicts = frozenset[tuple[str, bool]]
_NONE: Verdicts = frozenset()


class Edge(NamedTuple):
    """One way on: ``how`` is on, then, failed, doubt, look, late, after or deadline.

    ``keys`` is where the YAML says so, and ``what`` tells it in words; ``gate`` is answered by its event; ``verdicts``
    is what it takes of guards.
    """

    how: str
    what: str
    target: str
    keys: Keys
    gate: str | None = None
    verdicts: Verdicts = _NONE


Key = tuple[str, int, Verdicts]
"""Where a way has come to: a state, what the way adds up to for the rule that is proved, and the verdicts in mind."""
Way = tuple[Edge, ...]
"""From the start of a run: each edge leaves the state that the one before it led to."""


class Rule(Protocol):
    """What must hold on every way, told by bits that the way adds up to; with fewer of them it is broken no later."""

    @property
    def first(self) -> int:
        """The bits of a way that has not begun."""

    def broken(self, state: State, bits: int) -> bool:
        """Whether it is broken by arriving in ``state``; ``bits`` are what the way so far adds up to."""

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """What the way adds up to when ``state`` is left by ``edge``."""

    def edges(self, state: State) -> Iterator[Edge]:
        """Ways on that only this rule looks at."""


class Ways(Noun):
    """The ways of one definition, whose names need not all exist: what leads nowhere is left out."""

    definition: Definition

    @cached_property
    def edges(self) -> Mapping[str, Way]:
        """State → every way on."""
        states = self.definition.states
        return {
            state.name: tuple(edge for edge in self._edges_of(state) if edge.target in states)
            for state in states.values()
        }

    def _edges_of(self, state: State) -> Iterator[Edge]:
        """The ways on from a state; no deadline leads on from a doubt."""
        yield from _edges(self.definition, state)
        if self.definition.deadline and not state.end and state.name not in self._doubtful:
            time, target = self.definition.deadline
            yield Edge("deadline", f"{span(time)} since the start have passed", target, ("deadline",))

    @cached_property
    def taken(self) -> frozenset[tuple[str, Edge]]:
        """(state, edge) for everything that some run does."""
        found = set[tuple[str, Edge]]()
        todo = [(self.definition.start, _NONE)]
        seen = set(todo)
        while todo:
            name, known = todo.pop()
            for edge in self._possible(name, known):
                found.add((name, edge))
                after = edge.target, self._remembered(name, edge, known)
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return frozenset(found)

    def counterexample(self, rule: Rule) -> Way | None:
        """A shortest way on which ``rule`` is broken, by its last edge; None if there is none."""
        came_by: dict[Key, tuple[Key, Edge] | None] = {}
        for here in self._arrivals(rule, came_by):
            if rule.broken(self.definition.states[here[0]], here[1]):
                way = list[Edge]()
                while (step := came_by[here]) is not None:
                    here = step[0]
                    way.append(step[1])
                return tuple(reversed(way))
        return None

    def bare(self, rule: Rule) -> frozenset[str]:
        """The states that are arrived at on some way that adds up to nothing for ``rule``."""
        return frozenset(name for name, bits, _ in self._arrivals(rule, {}) if not bits)

    def _arrivals(self, rule: Rule, came_by: dict[Key, tuple[Key, Edge] | None]) -> Iterator[Key]:
        """Every place that a run can arrive at, the nearest first; ``came_by`` fills up with the way there.

        Left out is one that a way as short has reached with no bit more: all that can be broken from here is broken
        from there.
        """
        states = self.definition.states
        first = self.definition.start, rule.first, _NONE
        came_by[first] = None
        seen: dict[tuple[str, Verdicts], list[int]] = {(first[0], _NONE): [rule.first]}
        todo = deque([first] if first[0] in states else [])
        while todo:
            here = todo.popleft()
            yield here
            name, bits, known = here
            state = states[name]
            for edge in (*rule.edges(state), *self._possible(name, known)):
                if edge.target not in states:
                    continue
                place, added = (edge.target, self._remembered(name, edge, known)), rule.after(state, edge, bits)
                before = seen.setdefault(place, [])
                if any(fewer & added == fewer for fewer in before):
                    continue
                before.append(added)
                after = place[0], added, place[1]
                came_by[after] = here, edge
                todo.append(after)

    def ending(self) -> frozenset[str]:
        """The states from which some way leads to an end."""
        into: dict[str, list[str]] = {}
        for name, edge in self.taken:
            into.setdefault(edge.target, []).append(name)
        todo = [state.name for state in self.definition.states.values() if state.end]
        found = set(todo)
        while todo:
            fresh = [name for name in into.get(todo.pop(), ()) if name not in found]
            found.update(fresh)
            todo += fresh
        return frozenset(found)

    def _possible(self, name: str, known: Verdicts) -> Iterator[Edge]:
        """The ways on that agree with the verdicts in mind."""
        for edge in self.edges.get(name, ()):
            if not any((guard, not holds) in known for guard, holds in edge.verdicts):
                yield edge

    def _remembered(self, name: str, edge: Edge, known: Verdicts) -> Verdicts:
        """The verdicts that still hold in the state arrived at, and are asked for there or in choices after it."""
        asked = self._asked.get(edge.target)
        if asked is None or edge.how not in ("then", "look"):
            return _NONE
        if (name in self._doubtful) != (edge.target in self._doubtful):
            return _NONE  # a guard may ask whether something is in doubt
        verdicts = edge.verdicts | known if name in self._asked else edge.verdicts
        kept = sorted(each for each in verdicts if each[0] in asked)
        return frozenset(kept[:MOST_REMEMBERED])

    @cached_property
    def _doubtful(self) -> frozenset[str]:
        return doubt_only(self.definition)

    @cached_property
    def _asked(self) -> Mapping[str, frozenset[str]]:
        """Pure choice → the guards asked in it and in the choices that it leads to at once, if asked more than once."""
        choices = {
            state.name: state.then
            for state in self.definition.states.values()
            if state.works and not state.do and state.then
        }
        counts = Counter(guard for choice in choices.values() for guard in choice.names)
        asked = {name: {guard for guard in choice.names if counts[guard] > 1} for name, choice in choices.items()}
        into: dict[str, list[str]] = {}
        for name, choice in choices.items():
            for target in choice.targets:
                into.setdefault(target, []).append(name)
        todo = list(asked)
        while todo:
            name = todo.pop()
            for before in into.get(name, ()):
                if not asked[name] <= asked[before]:
                    asked[before] |= asked[name]
                    todo.append(before)
        return {name: frozenset(guards) for name, guards in asked.items()}


def _edges(definition: Definition, state: State) -> Iterator[Edge]:
    phase, _, short = state.name.partition(".")
    keys = ("phases", phase, short)
    done = f"`{state.do}` succeeds" if state.do else ""
    yield from _chosen(state.then, "then", done, (*keys, "then"))
    if state.failed:
        for kind, target in state.failed.cases:
            yield Edge("failed", f"`{state.action}` fails: {kind}", target, (*keys, "failed", kind))
        if state.failed.otherwise:
            yield Edge("failed", f"`{state.action}` fails", state.failed.otherwise, (*keys, "failed", "else"))
    if state.doubt:
        yield Edge("doubt", f"whether `{state.do}` happened is unknown", state.doubt, (*keys, "doubt"))
    if state.watch:
        yield from _chosen(state.watch.then, "look", f"`{state.watch.do}` looks", (*keys, "watch", "then"))
        yield Edge("late", "the time is over", state.watch.late, (*keys, "watch", "late"))
    for time, target in state.after:
        yield Edge("after", f"{span(time)} have passed", target, (*keys, "after"))
    for event, target in definition.moves(state).items():
        found = definition.events.get(event)
        failed = f"`{state.do}` fails" if state.do else "no guard can tell"
        what = f"{failed}; `{event}`" if state.works else f"`{event}`"
        place = (*keys, "on", event) if event in state.on else ("on", event)
        yield Edge("on", what, target, place, found.gate if found else None)


def _chosen(choice: Choice | None, how: str, done: str, keys: Keys) -> Iterator[Edge]:
    """A way for each row of a table: the guards before it do not hold."""
    if choice is None:
        return
    failing: list[tuple[str, bool]] = []
    for guard, target in choice.cases:
        what = ", ".join(filter(None, (done, f"`{guard}` holds")))
        yield Edge(how, what, target, (*keys, guard), None, frozenset([*failing, (guard, True)]))
        failing.append((guard, False))
    if choice.otherwise:
        not_held = f"no {' or '.join(f'`{name}`' for name in choice.names)}" if choice.cases else ""
        what = ", ".join(filter(None, (done, not_held))) or "on it goes"
        yield Edge(how, what, choice.otherwise, (*keys, "else"), None, frozenset(failing))
