"""Approvals: which answers let a call leave, gate by gate, and what is lacking where it may not (decision 170)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflow.machine import roles, terms
from workflow.machine.definition import Definition, Gate
from workflow.machine.gates import Policy, item_subject, needed, open_items, subject
from workflow.machine.roles import NOBODY, People
from workflow.model.evidence import Evidence, at_least
from workflow.model.frozen import Noun
from workflow.model.instant import Instant
from workflow.model.session import Session

Item = Mapping[str, Any]


class Approval(Noun):
    """How one gate stands as a call would leave: the ``answers`` that count for it, or what it ``lacks``, in words.

    ``missed`` says that it lacks something although it was answered.
    """

    gate: str
    answers: tuple[Evidence, ...] = ()
    lacks: str = ""
    missed: bool = False


class Approvals(Noun):
    """How one alternative of what an action needs stands, gate by gate."""

    gates: tuple[Approval, ...] = ()

    @property
    def answers(self) -> tuple[Evidence, ...]:
        """What counts, gate by gate."""
        return tuple(answer for each in self.gates for answer in each.answers)

    @property
    def lacking(self) -> tuple[Approval, ...]:
        """The gates that lack something."""
        return tuple(each for each in self.gates if each.lacks)

    @property
    def complete(self) -> bool:
        """Whether the call may leave by it; what asks for no gate lets nothing leave."""
        return bool(self.gates) and not self.lacking


def alternatives(
    definition: Definition,
    session: Session,
    action: str,
    policy: Policy,
    now: Instant,
    item: Item | None = None,
    people: People = NOBODY,
) -> list[Approvals]:
    """How each alternative of what ``action`` needs stands at ``now``: those that lack least come first.

    ``item`` is the one that would be sent; None stands for any that is open. ``people`` says who holds which role.
    """
    gates = [definition.gates[name] for name in definition.needs(action)]
    stands = {gate.name: approval(definition, session, gate, policy, now, item, people) for gate in gates}
    found = [Approvals(tuple(stands[name] for name in names)) for names in definition.alternatives(action)]
    return sorted(found, key=_distance)


def _distance(found: Approvals) -> tuple[bool, int, int]:
    """How far an alternative is from letting the call leave; of two alike, one that was answered comes first."""
    return not found.complete, len(found.lacking), sum(not each.missed for each in found.lacking)


def best(
    definition: Definition,
    session: Session,
    action: str,
    policy: Policy,
    now: Instant,
    item: Item | None = None,
    people: People = NOBODY,
) -> Approvals:
    """The alternative by which ``action`` may leave at ``now``, or the one that lacks least."""
    return next(iter(alternatives(definition, session, action, policy, now, item, people)), Approvals())


def approval(
    definition: Definition,
    session: Session,
    gate: Gate,
    policy: Policy,
    now: Instant,
    item: Item | None = None,
    people: People = NOBODY,
) -> Approval:
    """How one gate stands: an answer counts that fits what would be sent, is strong enough, and whose term runs.

    Of a gate that takes the answers of a role, enough different ``people`` who still hold it must have given them.
    """
    held = list(fitting(definition, session, gate, policy, item))
    if not held:
        return Approval(gate.name, lacks=f"no answer to the gate '{gate.name}' fits what would be sent now")
    counting = tuple(each for each in held if terms.runs(each.taken, now, gate.valid))
    if not counting:
        lapse = terms.lapse(held[-1].taken, now, gate.valid)
        return Approval(gate.name, lacks=f"the answer to the gate '{gate.name}' {lapse}", missed=True)
    found = roles.counted(definition, session, gate, counting, people)
    return Approval(gate.name, lacks=found, missed=True) if isinstance(found, str) else Approval(gate.name, found)


def fitting(
    definition: Definition, session: Session, gate: Gate, policy: Policy, item: Item | None = None
) -> Iterator[Evidence]:
    """The answers to ``gate`` that are strong enough and fit what would be sent now, however old they are."""
    if gate.each:
        items = open_items(gate, session.data) if item is None else [item]
        subjects = {item_subject(definition, gate, each, session.sandbox) for each in items}
    else:
        subjects = {subject(definition, gate, session)}
    for each in session.evidence:
        fits = each.gate == gate.name and each.subject in subjects and each.used < gate.lasts
        if fits and at_least(each.strength, needed(gate, policy)):
            yield each


def spending(definition: Definition, session: Session, action: str, item: Item | None = None) -> dict[str, list[str]]:
    """What performing ``action`` does to the answers that are held: it ``spends`` or ``uses`` those of these gates.

    Each gate that the action names is spent, by whichever alternative it leaves. An answer that lasts for more
    performances is used. Of a gate that is answered item by item, only the answer for ``item`` is.
    """
    spends: list[str] = []
    uses: list[str] = []
    for gate in (definition.gates[name] for name in definition.needs(action)):
        used = [each.used + 1 for each in session.evidence if each.gate == gate.name and each.is_for(item)]
        if used:
            (spends if max(used) >= gate.lasts else uses).append(gate.name)
    return {"spends": spends} | ({"uses": uses} if uses else {}) | ({"item": item["sha256"]} if item else {})


def consented(definition: Definition, gate: Gate, session: Session, policy: Policy) -> list[Item]:
    """The open items of an ``each`` gate that were answered for, in order, however long ago."""
    items = open_items(gate, session.data)
    return [item for item in items if next(fitting(definition, session, gate, policy, item), None)]
