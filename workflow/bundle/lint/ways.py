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

from workflow.machine.definition import Choice, Definition, Names, State
from workflow.machine.reach import doubt_only
from workflow.model.frozen import Noun

MOST_REMEMBERED = 8
"""Verdicts kept in mind at once; to forget more is safe, and bounds what is explored."""

VOID = "void"
"""The class of a call that finds no approval that fits what it would send, and whose term is not over."""
Keys = tuple[str, ...]
Verdicts = frozenset[tuple[str, bool]]
_NONE: Verdicts = frozenset()


class Edge(NamedTuple):
    """One way on: ``how`` is on, then, failed, doubt, look or late; ``keys`` is where the YAML says so.

    ``what`` tells it in words; ``gate`` is answered by its event; ``verdicts`` is what it takes of guards.
    """

    how: str
    what: str
    target: str
    keys: Keys
    gate: str | None = None
    verdicts: Verdicts = _NONE


Key = tuple[str, bool, Verdicts]
"""Where a way has come to: a state, what the way adds up to for the rule that is proved, and the verdicts in mind."""
Way = tuple[Edge, ...]
"""From the start of a run: each edge leaves the state that the one before it led to."""


class Rule(Protocol):
    """What must hold on every way, told by one bit that the way adds up to."""

    def broken(self, state: State, bit: bool) -> bool:
        """Whether it is broken by arriving in ``state``; ``bit`` is what the way so far adds up to."""

    def after(self, state: State, edge: Edge, bit: bool) -> bool:
        """What the way adds up to when ``state`` is left by ``edge``."""

    def edges(self, state: State) -> Iterator[Edge]:
        """Ways on that only this rule looks at."""


class Invariant(Noun):
    """What must hold on every way; ``rule`` is the key of the YAML, ``subject`` an action, or a state by its full name.

    never_without: not without one of the gates ``names`` answered since it was last performed. only_after: not before
    one of ``names`` has happened. never_after: not once one of them has happened. An action has happened when its call
    succeeded, a state when the run was in it.
    """

    rule: str
    subject: str
    names: Names

    def broken(self, state: State, bit: bool) -> bool:
        """Whether it is broken by arriving in ``state``; ``bit`` is what the way so far adds up to."""
        return self.subject in (state.name, state.action) and bit is (self.rule == "never_after")

    def after(self, state: State, edge: Edge, bit: bool) -> bool:
        """What the way adds up to when ``state`` is left by ``edge``."""
        if self.rule == "never_without":
            return edge.gate in self.names or (bit and self.subject != state.action)
        succeeded = edge.how in ("then", "look") or (self.rule == "never_after" and state.watch is not None)
        return bit or state.name in self.names or (succeeded and state.action in self.names)

    def edges(self, state: State) -> Iterator[Edge]:
        """None beside those of the definition."""
        yield from ()


class AskedAgain(Noun):
    """What must hold once ``action`` has found no approval that counts: one of its ``gates`` is asked again.

    The way from there goes on by itself, and every call on it succeeds, until the run waits for somebody.
    """

    action: str
    gates: Names
    definition: Definition

    def broken(self, state: State, bit: bool) -> bool:
        """Whether the run would call again, wait or end in ``state`` with the gate not asked since it found none."""
        asks = not set(self.gates).isdisjoint(self.definition.asks(state))
        return bit and (state.do == self.action or (not state.works and not asks))

    def after(self, state: State, edge: Edge, bit: bool) -> bool:
        """Whether no gate was asked since it found none, when ``state`` is left by ``edge``."""
        return edge.how == "void" or (bit and edge.how == "then")

    def edges(self, state: State) -> Iterator[Edge]:
        """The way on where the action finds none: its state's own for `void`, or none, so that `retry` calls again."""
        if state.do != self.action or not state.works:
            return
        phase, _, short = state.name.partition(".")
        to = state.failed.pick({VOID: True}) if state.failed else None
        told = "" if to else "; `retry` calls it again"
        place = ("phases", phase, short, *(("failed",) if to else ()))
        yield Edge("void", f"`{self.action}` fails: {VOID}{told}", to or state.name, place)


def invariants(definition: Definition) -> Iterator[Invariant]:
    """All that the bundle declares."""
    rules: Mapping[str, Mapping[str, Names]] = {
        "never_without": definition.never_without,
        "only_after": definition.only_after,
        "never_after": definition.never_after,
    }
    for rule, table in rules.items():
        yield from (Invariant(rule, subject, names) for subject, names in table.items())


class Ways(Noun):
    """The ways of one definition, whose names need not all exist: what leads nowhere is left out."""

    definition: Definition

    @cached_property
    def edges(self) -> Mapping[str, Way]:
        """State → every way on."""
        states = self.definition.states
        return {
            state.name: tuple(edge for edge in _edges(self.definition, state) if edge.target in states)
            for state in states.values()
        }

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

    def counterexample(self, invariant: Rule) -> Way | None:
        """A shortest way on which ``invariant`` is broken, by its last edge; None if there is none."""
        came_by: dict[Key, tuple[Key, Edge] | None] = {}
        for here in self._arrivals(invariant, came_by):
            if invariant.broken(self.definition.states[here[0]], here[1]):
                way = list[Edge]()
                while (step := came_by[here]) is not None:
                    here = step[0]
                    way.append(step[1])
                return tuple(reversed(way))
        return None

    def bare(self, rule: Rule) -> frozenset[str]:
        """The states that are arrived at on some way that adds up to nothing for ``rule``."""
        return frozenset(name for name, bit, _ in self._arrivals(rule, {}) if not bit)

    def _arrivals(self, rule: Rule, came_by: dict[Key, tuple[Key, Edge] | None]) -> Iterator[Key]:
        """Every place that a run can arrive at, the nearest first; ``came_by`` fills up with the way there."""
        states = self.definition.states
        first = self.definition.start, False, _NONE
        came_by[first] = None
        todo = deque([first] if first[0] in states else [])
        while todo:
            here = todo.popleft()
            yield here
            name, bit, known = here
            for edge in (*rule.edges(states[name]), *self._possible(name, known)):
                if edge.target not in states:
                    continue
                after = edge.target, rule.after(states[name], edge, bit), self._remembered(name, edge, known)
                if after not in came_by:
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
