"""Routes: every state can be reached, no run goes round in circles, and every event has its place."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Subject, keys_of
from workflow.machine.reach import circles, reachable
from workflow.model.errors import DefinitionError


def _reached(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    if definition.start in definition.states:
        found = reachable(definition)
        for state in definition.states.values():
            if state.name not in found:
                yield subject.at_key(f"nothing leads to {state.name}", *keys_of(state))


def _turning(subject: Subject) -> Iterator[DefinitionError]:
    """The engine stops a run that works on and on; what is to be repeated is repeated by a watch, or when asked."""
    for loop in circles(subject.definition):
        message = f"a circle in which nothing is waited for: {' → '.join(loop)}"
        yield subject.at_key(message, *keys_of(subject.definition.states[loop[0]]), "then")


def _offered(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    offered = {event.name for state in definition.states.values() for event in definition.offers(state)}
    for name in definition.events:
        if name != "start" and name not in offered:
            yield subject.at_key(f"the event '{name}' is offered nowhere", "events", name)


def _doubted(subject: Subject) -> Iterator[DefinitionError]:
    """A doubt leads to a state of its own: else nobody could tell when it is settled."""
    definition = subject.definition
    if definition.start not in definition.states:
        return
    without = reachable(definition, with_doubt=False)
    for state in definition.states.values():
        if state.doubt in without:
            message = f"{state.doubt} is reached without a doubt, too; a doubt needs a state of its own"
            yield subject.at_value(message, *keys_of(state), "doubt")


CHECKS: tuple[Check, ...] = (_reached, _turning, _offered, _doubted)
