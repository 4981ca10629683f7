"""Roles: who may answer a gate is a question that has an answer, and whoever answers was told what about."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Subject, keys_of, tellings
from workflow.machine import gates
from workflow.machine.definition import USER, Gate, State
from workflow.model.errors import DefinitionError

_RELAYED = "relayed"


def _named(subject: Subject) -> Iterator[DefinitionError]:
    """A role is told apart from the user and from guards, and some gate asks it."""
    definition = subject.definition
    asked = {gate.by for gate in definition.gates.values()}
    for role, wording in definition.roles.items():
        if role in (USER, "else"):
            yield subject.at_key(f"'{role}' cannot be a role: in `say` it means something else", "roles", role)
        elif role in definition.guards or (subject.registry and role in subject.registry.guards):
            yield subject.at_key(f"'{role}' is a guard, and cannot be a role as well", "roles", role)
        elif role not in asked:
            yield subject.at_key(f"no gate is answered `by` the role '{role}'", "roles", role)
        for language, text in wording.items():
            if not text.strip():
                keys = ("roles", role, language) if language else ("roles", role)
                yield subject.at_value(f"the role '{role}' needs words: people are told whose answer is awaited", *keys)


def _gates(subject: Subject) -> Iterator[DefinitionError]:
    definition, written = subject.definition, subject.source.document.get("gates") or {}
    for gate in definition.gates.values():
        keys = ("gates", gate.name)
        if gate.by:
            place = subject.source.value_at(*keys, "by")
            yield from subject.unknown("role", gate.by, definition.roles, place, "Name it under `roles`.")
            if (written[gate.name] or {}).get("strength") == _RELAYED:
                message = f"`by` takes no answer that is only '{_RELAYED}', so this `strength` changes nothing"
                yield subject.at_value(message, *keys, "strength")
        yield from _others(subject, gate)
        yield from _several(subject, gate)


def _others(subject: Subject, gate: Gate) -> Iterator[DefinitionError]:
    """People are compared only where both gates know who answered."""
    known, keys = subject.definition.gates, ("gates", gate.name, "other_than")
    if gate.other_than and not gate.by:
        yield subject.at_key("`other_than` needs `by`: nobody else knows who answers", *keys)
    for number, name in enumerate(gate.other_than):
        yield from subject.unknown("gate", name, known, subject.source.value_at(*keys, number))
        if name == gate.name:
            yield subject.at_value("`other_than` names other gates; `least` asks for several people", *keys, number)
        elif name in known and not known[name].by:
            message = f"the gate '{name}' has no `by`, so nobody knows who answered it"
            yield subject.at_value(message, *keys, number)


def _several(subject: Subject, gate: Gate) -> Iterator[DefinitionError]:
    keys = ("gates", gate.name, "least")
    if gate.least < 1:
        yield subject.at_value("`least` is at least 1", *keys)
    if gate.least <= 1:
        return
    if not gate.by:
        yield subject.at_key("`least` needs `by`: nobody else knows who answers", *keys)
    if gate.each:
        yield subject.at_key("a gate has `least` or `each`, not both", *keys)
    if gates.of_own_words(subject.definition, gate):
        yield subject.at_key("`least` needs a question that is shown: people's own words are never the same", *keys)


def _declining(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    for gate in definition.gates.values():
        if gate.decline is None:
            continue
        place = subject.source.value_at("gates", gate.name, "decline")
        yield from subject.unknown("event", gate.decline, definition.events, place)
        if gate.decline in definition.events:
            yield from (subject.at(each, place) for each in _no_decline(subject, gate, gate.decline))


def _no_decline(subject: Subject, gate: Gate, name: str) -> Iterator[str]:
    """Why the event cannot be the no to this gate."""
    definition, event = subject.definition, subject.definition.events[name]
    if name == "start" or event.say:
        yield f"'{name}' moves nothing, so it cannot be a no"
    if event.gate:
        yield f"'{name}' answers the gate '{event.gate}', and cannot be a no as well"
    if event.guard:
        yield f"the guard '{event.guard}' could refuse '{name}': a no always counts"
    if len(event.input) > 1 or any(definition.data.get(each) != "text" for each in event.input):
        yield f"'{name}' needs more than one text: a no comes with a reason, and with nothing else"
    for state in definition.states.values():
        asks, possible = gate.name in definition.asks(state), name in definition.moves(state)
        if asks and not possible:
            yield f"{state.name} asks the gate '{gate.name}', and '{name}' is not possible there"
        if gate.by and possible and not state.works and not definition.declining(state, name):
            yield f"'{name}' is an answer of '{gate.by}', and {state.name} asks no gate that it answers"


def _told(subject: Subject) -> Iterator[DefinitionError]:
    """Whoever answers was told what about, in a text of their own; and nobody is told what they are not asked."""
    definition = subject.definition
    for state in definition.states.values():
        asks = [definition.gates[name] for name in definition.asks(state) if name in definition.gates]
        shown = {gate.by: gate for gate in asks if gate.by and not gates.of_own_words(definition, gate)}
        for role, gate in shown.items():
            if role not in state.tells:
                message = f"{state.name} asks the gate '{gate.name}' by '{role}', and its `say` tells '{role}' nothing"
                yield subject.at_key(message, *keys_of(state), "say")
        yield from _told_for_nothing(subject, state, [gate.by for gate in asks if gate.by])


def _told_for_nothing(subject: Subject, state: State, asked: list[str]) -> Iterator[DefinitionError]:
    roles = {keys[-1]: keys for choice, keys in tellings(subject, state) if choice is not state.say}
    for role, keys in roles.items():
        yield from subject.unknown("role", str(role), subject.definition.roles, subject.source.at(*keys))
        if role in subject.definition.roles and role not in asked:
            yield subject.at_key(f"{state.name} asks no gate by '{role}', so nobody is told this", *keys)


CHECKS: tuple[Check, ...] = (_named, _gates, _declining, _told)
