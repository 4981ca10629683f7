"""People of a trial: who holds which role, and a turn that one of them sends by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflow.engine import Engine
from workflow.engine.question import question, to_sign
from workflow.machine import gates
from workflow.machine.definition import Definition
from workflow.model.digest import canonical
from workflow.model.evidence import SIGNED
from workflow.model.frozen import replace
from workflow.model.session import Turn
from workflow.model.signature import UNSIGNED, Assertion, NoPasskeys, Signature, coded, fingerprint, holding

Roles = Mapping[str, Iterable[str]]
"""Person → the roles that they hold."""
CHANNELS = {"proven": "terminal", SIGNED: "page"}
SOMEBODY = "somebody"
"""Who signs where nobody in particular is named."""


def table(people: Roles) -> dict[str, tuple[str, ...]]:
    """The same by role, as an engine is told; and everybody's passkey."""
    roles = dict.fromkeys(role for held in people.values() for role in held)
    held = {role: tuple(name for name, held in people.items() if role in held) for role in roles}
    return {**held, holding(fingerprint(KEY)): (*people, SOMEBODY)}


def made_up(definition: Definition) -> dict[str, tuple[str, ...]]:
    """People for a bundle: of each role enough to answer, one more, and somebody who holds all of them."""
    if not definition.roles:
        return {}
    least = max(gate.least for gate in definition.gates.values())
    people = {f"{role}-{number}": (role,) for role in definition.roles for number in range(1, least + 2)}
    return {**people, "everybody": tuple(definition.roles)}


KEY = coded(b"the passkey of a trial")
"""The public key of everybody's device; nothing is checked by it."""


class TrialPasskeys(NoPasskeys):
    """Everybody has a passkey, and what it is said to have signed it has."""

    def signed(self, approver: str | None, assertion: Assertion | None) -> Signature | str:
        """The signature that :func:`signing` has made up."""
        if assertion is None or not approver:
            return UNSIGNED
        signed = (assertion.client_data, assertion.authenticator_data, assertion.signature)
        return Signature(f"device of {approver}", "http://localhost", KEY, *signed)

    def why_not(self, signature: Signature) -> str:
        """Nothing is wrong with any."""
        return ""


def signing(engine: Engine, name: str, turn: Turn) -> Turn:
    """The turn with what a passkey has signed for it: by its approver, or by somebody."""
    turn = replace(turn, approver=turn.approver or SOMEBODY, channel=CHANNELS[SIGNED])
    said = canonical({"challenge": to_sign(engine, name, turn) or ""})
    return replace(turn, strength=SIGNED, assertion=Assertion(KEY, coded(said), "", ""), seen=None)


def as_sent(engine: Engine, name: str, turn: Turn, person: str | None) -> Turn:
    """The turn as it comes: of this person by themselves, signed by somebody, or as an agent sends it."""
    if person:
        return by_themselves(engine, name, turn, person)
    return signing(engine, name, turn) if turn.strength == SIGNED and turn.event else turn


def by_themselves(engine: Engine, name: str, turn: Turn, person: str) -> Turn:
    """The turn as this person sends it who was just shown what is asked: a yes, or the no to a gate of their role.

    It is as strong as the turn says, and at least `proven`.
    """
    asked = question(engine, name)
    state = asked.definition.states[asked.session.state]
    declinable = asked.definition.declining(state, turn.event or "")
    held = engine.world.people()
    mine = [gate.name for gate in declinable if gate.by and person in held.get(gate.by, ())]
    answered = replace(
        turn,
        strength="proven",
        approver=person,
        channel=CHANNELS["proven"],
        asked_at=asked.at,
        declines=next(iter([*mine, *(gate.name for gate in declinable)]), None),
        seen=None,
    )
    event = asked.definition.events.get(turn.event or "")
    gate = answered.declines or (event.gate if event else None)
    needs = gates.needed(asked.definition.gates[gate], engine.world.policy) if gate else ""
    return signing(engine, name, answered) if SIGNED in (turn.strength, needs) else answered
