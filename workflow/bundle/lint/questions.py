"""Gates: what they are about exists, is shown to the person, and can be answered."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.rules import MOST_PERFORMANCES, lasting
from workflow.bundle.lint.subject import Check, Named, Subject, keys_of, shown_in, tellings
from workflow.machine.definition import PUBLIC, Choice, Event, Gate, Names, State
from workflow.model.errors import DefinitionError

_LONGEST = 365 * 86400
"""Seconds that a gate may be valid at most: an approval without an end is none."""


def _gates(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    for gate in definition.gates.values():
        keys = ("gates", gate.name)
        for number, name in enumerate(gate.subject):
            place = subject.source.value_at(*keys, "subject", number)
            yield from subject.unknown("datum", name, definition.data, place)
        yield from _typed(subject, gate, "each", gate.each, "files")
        yield from _typed(subject, gate, "until", gate.until, "internal")
        yield from _typed(subject, gate, "declined", gate.declined, "files")
        for key in [
            key for key, name in (("until", gate.until), ("declined", gate.declined)) if name and not gate.each
        ]:
            yield subject.at_key(f"`{key}` needs `each`", *keys, key)
        if gate.declined and gate.declined == gate.each:
            yield subject.at_value("`declined` is another datum than `each`", *keys, "declined")
        if gate.each and gate.subject:
            yield subject.at_key("a gate has `subject` or `each`, not both", *keys, "each")
        if not 0 < gate.valid <= _LONGEST:
            yield subject.at_value("`valid` must be more than nothing, and at most 365d", *keys, "valid")
        if not lasting(gate):
            yield subject.at_value(f"`lasts` must be a whole number from 1 to {MOST_PERFORMANCES}", *keys, "lasts")
        if not any(event.gate == gate.name for event in definition.events.values()):
            yield subject.at_key(f"no event answers the gate '{gate.name}'", *keys)


def _typed(subject: Subject, gate: Gate, key: str, name: str | None, kind: str) -> Iterator[DefinitionError]:
    data = subject.definition.data
    if name:
        place = subject.source.value_at("gates", gate.name, key)
        yield from subject.unknown("datum", name, data, place)
        if name in data and data[name] != kind:
            yield subject.at(f"'{name}' is {data[name]}: `{key}` must be {kind}", place)


def _answered(subject: Subject) -> Iterator[DefinitionError]:
    for event in subject.definition.events.values():
        if event.gate:
            place = subject.source.value_at("events", event.name, "gate")
            yield from subject.unknown("gate", event.gate, subject.definition.gates, place)
    if "start" in subject.definition.events and subject.definition.events["start"].gate:
        yield subject.at_key("'start' answers no gate: nothing has been asked yet", "events", "start", "gate")


def _restrictions(subject: Subject) -> Iterator[DefinitionError]:
    """An action that is never performed without a gate needs one that somebody can pass."""
    definition = subject.definition
    asked = {gate for state in definition.states.values() for gate in definition.asks(state)}
    for action, alternatives in definition.never_without.items():
        for name, place in _named(subject, action):
            yield from subject.unknown("gate", name, definition.gates, place)
        for number, gates in enumerate(alternatives):
            yield from _alternative(subject, action, number, gates)
        for state in definition.states.values():
            if state.watch and state.watch.do == action:
                told = f"a watch looks again and again, so that no approval can be needed for '{action}'"
                yield subject.at_value(told, *keys_of(state), "watch", "do")
        if not any(gates and asked.issuperset(gates) for gates in alternatives):
            yield subject.at_key(f"no state asks for what '{action}' is never done without", "never_without", action)


def _named(subject: Subject, action: str) -> Iterator[Named]:
    """Every gate that an action needs, and where."""
    for number, gates in enumerate(subject.definition.alternatives(action)):
        together = isinstance(subject.source.document["never_without"][action][number], dict)
        for place, name in enumerate(gates):
            keys = ("never_without", action, number, *(("all", place) if together else ()))
            yield name, subject.source.value_at(*keys)


def _alternative(subject: Subject, action: str, number: int, gates: Names) -> Iterator[DefinitionError]:
    """Gates that are needed together are some, each once, and none of them is enough without the others."""
    keys = ("never_without", action, number)
    others = subject.definition.alternatives(action)
    enough = next((each for each in others if each and set(each) < set(gates)), None)
    if not gates:
        yield subject.at_value("`all` names no gate, so it would ask nobody", *keys)
    elif len(set(gates)) < len(gates):
        yield subject.at_value("a gate is there twice", *keys)
    elif enough:
        told = f"{' and '.join(enough)} alone is enough, so that this asks for nothing more"
        yield subject.at_value(f"{told}: take out one of the two", *keys)
    elif set(gates) in map(set, others[:number]):
        yield subject.at_value(f"'{action}' names {' and '.join(gates)} twice", *keys)


def _shown(subject: Subject) -> Iterator[DefinitionError]:
    """Nobody answers for what they were not shown: a message holds the subject of the gates offered."""
    definition = subject.definition
    for state in definition.states.values():
        for event in definition.offers(state):
            gate = definition.gates.get(event.gate or "")
            if gate:
                yield from _shown_by(subject, state, event, gate)


def _shown_by(subject: Subject, state: State, event: Event, gate: Gate) -> Iterator[DefinitionError]:
    about = [*gate.subject, *([gate.each] if gate.each else [])]
    given = {*event.given}
    data = subject.definition.data
    wanted = [name for name in about if data.get(name) in PUBLIC and name not in given]
    told = state.tells.get(gate.by, state.say) if gate.by else state.say
    for message in _said_with(told, event):
        texts = [texts[message] for texts in subject.prompts.values() if message in texts]
        for name in wanted:
            if any(name not in shown_in(text) for text in texts):
                what = f"which the gate '{gate.name}' of '{event.name}' is about"
                problem = f"the message '{message}' does not show '{name}', {what}"
                keys = next(keys for choice, keys in tellings(subject, state) if choice is told)
                yield subject.at_key(problem, *keys)


def _said_with(told: Choice | None, event: Event) -> Iterator[str]:
    """The messages of those ``told`` on which ``event`` can be sent.

    A table is read from the left: after a guard, it did not hold, and an event that asks for it is refused.
    """
    if told:
        for number, message in enumerate(told.targets):
            if event.guard not in told.names[:number]:
                yield message


CHECKS: tuple[Check, ...] = (_gates, _answered, _restrictions, _shown)
