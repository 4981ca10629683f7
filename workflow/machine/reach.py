"""Where a run can get to: over the graph of states, whatever the guards will say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.machine.definition import HARMLESS, Definition, successors


def reachable(definition: Definition, *, with_doubt: bool = True) -> frozenset[str]:
    """The states that a run can be in; without doubt, those of runs whose every call was answered."""
    return ahead(definition, definition.start, with_doubt=with_doubt)


def ahead(definition: Definition, state: str, *, with_doubt: bool = True) -> frozenset[str]:
    """The same of a run that stands in ``state``, that one included."""
    found: set[str] = set()
    todo = [state]
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
    return performing(definition, frozenset(_paid(definition, effects)))


def leaving(definition: Definition, effects: Mapping[str, str]) -> frozenset[str]:
    """The same of an action that is ``once`` or needs a person's approval, such as to send a file."""
    return performing(definition, frozenset(_paid(definition, effects)) | definition.never_without.keys())


def _paid(definition: Definition, effects: Mapping[str, str]) -> Iterator[str]:
    performed = (state.do for state in definition.states.values() if state.works and state.do)
    return (name for name in performed if effects.get(name, "read") not in HARMLESS)


def performing(definition: Definition, actions: frozenset[str]) -> frozenset[str]:
    """The states from which a run, going on by itself, can perform one of these actions."""
    into: dict[str, list[str]] = {}
    todo: list[str] = []
    for state in definition.states.values():
        if not state.works:
            continue
        if state.do in actions:
            todo.append(state.name)
        for how, target in successors(state):
            if how in ("then", "failed"):
                into.setdefault(target, []).append(state.name)
    found = set(todo)
    while todo:
        fresh = set(into.get(todo.pop(), ())) - found
        found |= fresh
        todo += fresh
    return frozenset(found)


def circles(definition: Definition) -> Iterator[tuple[str, ...]]:
    """The circles of working states, in which a run might go round without a rest; each state in one at most."""
    onward = {
        state.name: [target for _, target in successors(state)] for state in definition.states.values() if state.works
    }
    done: set[str] = set()
    told: set[str] = set()
    for root in onward:
        way = {root: iter(onward[root])} if root not in done else {}
        while way:
            targets = next(reversed(way.values()))
            target = next(targets, None)
            if target is None:
                done.add(way.popitem()[0])
            elif target in way:
                loop = (*list(way)[list(way).index(target) :], target)
                if told.isdisjoint(loop):
                    yield loop
                told.update(loop)
            elif target in onward and target not in done:
                way[target] = iter(onward[target])


def _onward(definition: Definition, name: str) -> Iterator[tuple[str, str]]:
    """Where one step can lead; the deadline of a session leads on from wherever it has not ended."""
    state = definition.states[name]
    yield from successors(state)
    if definition.deadline and not state.end:
        yield "deadline", definition.deadline[1]
    yield from (("on", target) for target in definition.moves(state).values())
