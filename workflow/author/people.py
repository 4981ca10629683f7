"""People of a trial: who holds which role, and a turn that one of them sends by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflow.engine import Engine
from workflow.engine.question import question
from workflow.machine.definition import Definition
from workflow.model.frozen import replace
from workflow.model.session import Turn

Roles = Mapping[str, Iterable[str]]
"""Person → the roles that they hold."""
CHANNEL = "terminal"


def table(people: Roles) -> dict[str, tuple[str, ...]]:
    """The same by role, as an engine is told."""
    roles = dict.fromkeys(role for held in people.values() for role in held)
    return {role: tuple(name for name, held in people.items() if role in held) for role in roles}


def made_up(definition: Definition) -> dict[str, tuple[str, ...]]:
    """People for a bundle: of each role enough to answer, one more, and somebody who holds all of them."""
    if not definition.roles:
        return {}
    least = max(gate.least for gate in definition.gates.values())
    people = {f"{role}-{number}": (role,) for role in definition.roles for number in range(1, least + 2)}
    return {**people, "everybody": tuple(definition.roles)}


def by_themselves(engine: Engine, name: str, turn: Turn, person: str) -> Turn:
    """The turn as this person sends it who was just shown what is asked: a yes, or the no to a gate of their role."""
    asked = question(engine, name)
    state = asked.definition.states[asked.session.state]
    declinable = asked.definition.declining(state, turn.event or "")
    held = engine.world.people()
    mine = [gate.name for gate in declinable if gate.by and person in held.get(gate.by, ())]
    return replace(
        turn,
        strength="proven",
        approver=person,
        channel=CHANNEL,
        asked_at=asked.at,
        declines=next(iter([*mine, *(gate.name for gate in declinable)]), None),
        seen=None,
    )
