"""Gaps: a message that shows what has no value yet, and a failed call that leaves only `retry`. Both are warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.bundle.lint.invariants import transcript
from workflow.bundle.lint.subject import Check, Subject, keys_of, shown_in, tellings
from workflow.bundle.lint.ways import Edge
from workflow.bundle.loader import Keys
from workflow.machine.definition import Choice, Definition, State
from workflow.machine.reach import reachable
from workflow.machine.registry import Registry
from workflow.model.errors import DefinitionError
from workflow.model.frozen import Noun, replace


class Valued(Noun):
    """Whether a datum may have a value: one of ``events`` or ``actions``, which set it, has happened.

    A guard of ``guards`` looks at it: whatever comes after knows whether it is there. It is broken in ``subject``, a
    state, where nothing of the kind has happened.
    """

    events: frozenset[str]
    actions: frozenset[str]
    guards: frozenset[str]
    subject: str = ""
    first = 0

    def broken(self, state: State, bits: int) -> bool:
        """Whether the run is in the state without anything that could have set the datum."""
        return state.name == self.subject and not bits

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """Whether something may have set it, or looked at it, when ``state`` is left by ``edge``."""
        came = edge.how == "on" and edge.keys[-1] in self.events
        given = edge.how in ("then", "look") and state.action in self.actions
        return bits or came or given or any(guard in self.guards for guard, _ in edge.verdicts)

    def edges(self, state: State) -> Iterator[Edge]:
        """None beside those of the definition."""
        yield from ()


def _unset(subject: Subject) -> Iterator[DefinitionError]:
    """A datum that is shown without a value leaves a hole in the sentence."""
    definition, registry = subject.definition, subject.registry
    start = definition.events.get("start")
    if registry is None or start is None or not subject.performed <= registry.actions.keys():
        return
    for datum in definition.data:
        if datum in start.given:
            continue
        rule = _rule(definition, registry, datum)
        bare = subject.ways.bare(rule)
        for state in (definition.states[name] for name in definition.states if name in bare):
            for keys, message in _showing(subject, state, datum, rule.guards):
                told = f"the message '{message}' shows '{datum}', which has no value yet on this way"
                way = subject.ways.counterexample(replace(rule, subject=state.name)) or ()
                place = subject.source.value_at(*keys)
                yield DefinitionError(told, subject.source.path, *place, _SET_IT, transcript(subject, way))


def _rule(definition: Definition, registry: Registry, datum: str) -> Valued:
    return Valued(
        frozenset(event.name for event in definition.events.values() if datum in event.given),
        frozenset(name for name, action in registry.actions.items() if datum in action.sets),
        frozenset(name for name, guard in registry.guards.items() if datum in guard.reads),
    )


def _showing(subject: Subject, state: State, datum: str, looks: frozenset[str]) -> Iterator[tuple[Keys, str]]:
    """The messages of a state that show the datum, unless a guard has looked at it before they are said."""
    texts: Mapping[str, str] = subject.prompts.get(next(iter(subject.definition.languages), ""), {})
    aside = [(state.aside, (*keys_of(state), "aside"))] if state.aside else []
    for choice, keys in (*tellings(subject, state), *aside):
        for message, asked in _said(choice):
            if datum in shown_in(texts.get(message, "")) and looks.isdisjoint(asked):
                yield keys, message


def _said(choice: Choice) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each message of a table, and the guards that were asked before it is said."""
    for number, (_, message) in enumerate(choice.cases):
        yield message, choice.names[: number + 1]
    if choice.otherwise:
        yield choice.otherwise, choice.names


def _left_alone(subject: Subject) -> Iterator[DefinitionError]:
    """After a failed call that leads nowhere the run waits: for `retry`, and for what else moves it there."""
    definition = subject.definition
    for name in sorted(reachable(definition)):
        state = definition.states[name]
        routed = state.failed is not None and state.failed.otherwise is not None
        if state.action and not routed and not definition.moves(state):
            message = f"a failed call in {name} leaves only `retry`: the user cannot stop"
            yield DefinitionError(message, subject.source.path, *subject.source.at(*keys_of(state)), _WAY_OUT)


_SET_IT = "Say another message there, with a table guard → message, or lead there only after what sets it."
_WAY_OUT = "Let an event lead out everywhere, such as `on: {cancel: …}` of the workflow, or route `failed`."
ADVICE: tuple[Check, ...] = (_unset, _left_alone)
