"""Where a run can get to: over the graph of states, whatever the guards will say."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from workflow.definition import Definition, State, successors

Step = TypeVar("Step", bound=Hashable)


def reachable(definition: Definition, *, with_doubt: bool = True) -> frozenset[str]:
    """The states that a run can be in; without doubt, those of runs whose every call was answered."""
    found: set[str] = set()
    todo = [definition.start]
    while todo:
        name = todo.pop()
        if name in found or name not in definition.states:
            continue
        found.add(name)
        todo += [target for how, target in _onward(definition, name) if with_doubt or how != "doubt"]
    return frozenset(found)


def doubt_only(definition: Definition) -> frozenset[str]:
    """The states in which a paid call may or may not have happened: only a ``doubt`` leads to them."""
    return reachable(definition) - reachable(definition, with_doubt=False)


def spending(definition: Definition, effects: Mapping[str, str]) -> frozenset[str]:
    """The states from which a run, going on by itself, can perform an action whose effect is ``once``."""
    found: set[str] = set()
    grown = True
    while grown:
        grown = False
        for state in definition.states.values():
            if state.name not in found and _spends(state, found, effects):
                found.add(state.name)
                grown = True
    return frozenset(found)


def unanswered(definition: Definition, action: str) -> tuple[str, ...] | None:
    """A way on which ``action`` is reached with none of its gates answered since it was last performed, if any.

    Every path over states and events is walked, with a caller that may send any event that moves; what the data
    are, and so whether an answer still fits them, is checked as the call leaves.
    """
    first = (definition.start, False)
    came_from: dict[tuple[str, bool], tuple[str, bool]] = {}
    todo = [first]
    while todo:
        here = todo.pop()
        name, answered = here
        state = definition.states.get(name)
        if state is None:
            continue
        if state.action == action and not answered:
            return tuple(step[0] for step in _way(came_from, here))
        for after in _answering(definition, state, action, answered):
            if after != first and after not in came_from:
                came_from[after] = here
                todo.append(after)
    return None


def idle_loops(definition: Definition) -> Iterator[tuple[str, ...]]:
    """The circles of pure choices, in which nothing is done and nothing is waited for; each once."""
    seen: set[str] = set()
    for name in definition.states:
        loop = _loop(definition, name)
        if loop and seen.isdisjoint(loop):
            seen.update(loop)
            yield loop


def _onward(definition: Definition, name: str) -> Iterator[tuple[str, str]]:
    state = definition.states[name]
    yield from successors(state)
    yield from (("on", target) for target in definition.moves(state).values())


def _answering(definition: Definition, state: State, action: str, answered: bool) -> Iterator[tuple[str, bool]]:
    """Where a run gets from ``state``, and whether one of the action's gates is answered then."""
    kept = answered and state.action != action
    yield from ((target, kept) for _, target in successors(state))
    for event, target in definition.moves(state).items():
        gate = definition.events[event].gate if event in definition.events else None
        yield target, answered or gate in definition.needs(action)


def _spends(state: State, spending: set[str], effects: Mapping[str, str]) -> bool:
    if not state.works:
        return False
    if effects.get(state.do or "") == "once":
        return True
    return any(how in ("then", "failed") and target in spending for how, target in successors(state))


def _loop(definition: Definition, start: str) -> tuple[str, ...] | None:
    """A way from the pure choice ``start`` back to itself over pure choices only."""
    came_from: dict[str, str] = {}
    todo = [start]
    while todo:
        name = todo.pop()
        state = definition.states.get(name)
        if state is None or not state.works or state.do or not state.then:
            continue
        for target in state.then.targets:
            if target == start:
                return (*_way(came_from, name), start)
            if target not in came_from:
                came_from[target] = name
                todo.append(target)
    return None


def _way(came_from: Mapping[Step, Step], last: Step) -> tuple[Step, ...]:
    way = [last]
    while way[-1] in came_from:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
