"""What walks and scenarios have covered of a bundle: states, ways from one to the next, guards both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from workflow.bundle import Bundle
from workflow.machine.definition import Definition, State, successors
from workflow.machine.reach import doubt_only, reachable
from workflow.machine.registry import Facts, Guard, Registry, Verdict
from workflow.model.frozen import replace
from workflow.model.journal import Entry


class Coverage:
    """Counts while runs go on; what can be covered is what the definition can reach."""

    def __init__(self, states: Iterable[str], ways: Iterable[tuple[str, str]], guards: Iterable[str]) -> None:
        self.states = dict.fromkeys(states, False)
        self.ways = dict.fromkeys(ways, False)
        self.guards = {(name, holds): False for name in guards for holds in (True, False)}

    @classmethod
    def of(cls, bundle: Bundle) -> Coverage:
        """Nothing covered yet."""
        definition = bundle.definition
        states = [name for name in definition.states if name in reachable(definition)]
        doubtful = doubt_only(definition)
        ways = [(name, to) for name in states for to in _targets(definition, definition.states[name])]
        late = [name for name in states if not (definition.states[name].works or definition.states[name].end)]
        if definition.deadline:
            ways += [(name, definition.deadline[1]) for name in late if name not in doubtful]
        return cls(states, ways, [name for name in bundle.registry.guards if name in _asked(definition)])

    def watching(self, bundle: Bundle) -> Bundle:
        """The same bundle, each of whose guards is noted as it is asked."""
        guards = {name: replace(each, judge=self._noting(each)) for name, each in bundle.registry.guards.items()}
        return replace(bundle, registry=Registry(bundle.registry.actions, guards))

    def note(self, entries: Iterable[Entry]) -> None:
        """What a log shows of states and ways."""
        state = ""
        for entry in entries:
            body = entry.body or {}
            before, state = state, body.get("to") or body.get("state") or state
            if state in self.states:
                self.states[state] = True
            if (before, state) in self.ways and body.get("to"):
                self.ways[before, state] = True

    def as_json(self) -> dict[str, Any]:
        """Counts, and what is missing."""
        return {
            "states": _counted(self.states, str),
            "transitions": _counted(self.ways, " → ".join),
            "guards": _counted(self.guards, lambda each: f"{each[0]} {'holds' if each[1] else 'does not hold'}"),
        }

    def _noting(self, guard: Guard) -> Callable[[Facts], Verdict]:
        def judge(facts: Facts) -> Verdict:
            verdict = guard.judge(facts)
            key = guard.name, bool(getattr(verdict, "passes", False))
            if key in self.guards:
                self.guards[key] = True
            return verdict

        return judge


def _targets(definition: Definition, state: State) -> Iterable[str]:
    moves = () if state.works else definition.moves(state).values()
    return dict.fromkeys([*(target for _, target in successors(state)), *moves])


def _asked(definition: Definition) -> set[str]:
    """The guards that a choice or an event asks."""
    found = {event.guard for event in definition.events.values() if event.guard}
    for state in definition.states.values():
        choices = (state.then, *state.says, state.watch.then if state.watch else None)
        found |= {name for choice in choices if choice for name in choice.names}
    return found


def _counted(covered: dict[Any, bool], name: Callable[[Any], str]) -> dict[str, Any]:
    missing = [name(each) for each, seen in covered.items() if not seen]
    return {"covered": len(covered) - len(missing), "of": len(covered), "missing": missing}
