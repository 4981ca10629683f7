"""Roles: whose answer a gate takes, how many people must give it, and whose no an event is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workflow.machine import terms
from workflow.machine.definition import Definition, Event, Gate
from workflow.model.digest import digest
from workflow.model.evidence import Evidence
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn
from workflow.model.signature import holding

People = Mapping[str, Sequence[str]]
"""Role, or passkey as :func:`holding` calls it → the names of the people who hold it."""
NOBODY: People = {}
"""A world in which no role is held."""


def table(definition: Definition, people: People) -> dict[str, list[str]]:
    """What of the world's table this bundle uses: each of its roles, those that nobody holds included."""
    return {role: sorted(people.get(role, ())) for role in definition.roles}


def held(definition: Definition, session: Session, people: People) -> dict[str, list[str]]:
    """The same, with the passkeys that signed the answers that ``session`` holds."""
    keys = passkeys(session)
    return table(definition, people) | {key: sorted(people.get(key, ())) for key in sorted(keys)}


def digest_of(definition: Definition, people: People) -> str:
    """The digest of that table: evidence says by which one it was taken."""
    return digest(table(definition, people))


def holds(people: People, role: str, person: str | None) -> bool:
    """Whether this person holds the role; nobody in particular holds none."""
    return person is not None and person in people.get(role, ())


def passkeys(session: Session) -> set[str]:
    """The passkeys that signed what is held of people's answers, as a table of people names them."""
    answers = (*session.evidence, *(each for _, each in session.partial))
    return {holding(each.signature.fingerprint) for each in answers if each.signature}


def lost(answer: Evidence, people: People) -> bool:
    """Whether the passkey that signed an answer is nobody's any more, or somebody else's; no other answer has any."""
    if answer.signature is None:
        return answer.strength == "signed"
    return not holds(people, holding(answer.signature.fingerprint), answer.approver)


def why_not(definition: Definition, session: Session, gate: Gate, person: str | None, people: People) -> Iterator[str]:
    """Why an answer of this person does not count at the gate. Whose would is told by the role alone, never by a name.

    Nothing for a gate without a role, whose answers need no name.
    """
    if gate.by is None:
        return
    wanted = f"the gate '{gate.name}' takes the answer of {definition.role(gate.by, session.language)}"
    if person is None:
        yield f"{wanted}, by themselves"
    elif not holds(people, gate.by, person):
        yield f"{wanted}, and '{person}' does not hold the role '{gate.by}'"
    else:
        for other in gate.other_than:
            if person in session.answered_by.get(other, ()):
                yield f"{wanted} who did not answer '{other}', and '{person}' did"


def together(
    definition: Definition, session: Session, event: Event, answer: Evidence, people: People, now: Instant
) -> tuple[Evidence, ...]:
    """The answers to a gate that count together with this one, the new one last: one of each person.

    They were given to the same question for the same event, within the term, by people who may still answer.
    """
    gate = definition.gates[answer.gate]
    kept = (
        each
        for name, each in session.partial
        if name == event.name
        and (each.gate, each.subject) == (answer.gate, answer.subject)
        and each.approver != answer.approver
        and terms.runs(each.taken, now, gate.valid)
        and not any(_lapsed(definition, session, gate, each, people))
    )
    return (*kept, answer)


def given(definition: Definition, session: Session, gate: Gate, subject: str, people: People, now: Instant) -> int:
    """How many people have answered the gate's question as it stands, where it takes several."""
    return sum(
        (each.gate, each.subject) == (gate.name, subject)
        and terms.runs(each.taken, now, gate.valid)
        and not any(_lapsed(definition, session, gate, each, people))
        for _, each in session.partial
    )


def counted(
    definition: Definition, session: Session, gate: Gate, answers: Sequence[Evidence], people: People
) -> tuple[Evidence, ...] | str:
    """Those of the ``answers`` to a gate that count as a call leaves, one of each person; or what is lacking, in words.

    A person who has lost the role or the passkey since, or answered what somebody else had to, counts no more.
    """
    lapsed = [why for each in answers for why in _lapsed(definition, session, gate, each, people)]
    good = tuple(each for each in answers if not any(_lapsed(definition, session, gate, each, people)))
    kept = good if gate.by is None else tuple({each.approver: each for each in good}.values())
    if kept and len(kept) >= gate.least:
        return kept
    return lapsed[0] if lapsed else f"the gate '{gate.name}' has {len(kept)} of {gate.least} answers"


def _lapsed(definition: Definition, session: Session, gate: Gate, answer: Evidence, people: People) -> Iterator[str]:
    """Why an answer that was taken counts no more: for the person's role, or for the passkey that signed it."""
    yield from why_not(definition, session, gate, answer.approver, people)
    if lost(answer, people):
        yield f"the passkey that signed the answer to the gate '{gate.name}' is not one of '{answer.approver}' any more"


def asked_for(definition: Definition, session: Session, action: str) -> bool:
    """Whether an action needs the answer of somebody who holds a role, or of whose passkey that counts."""
    needs = definition.needs(action)
    signed = any(each.strength == "signed" and each.gate in needs for each in session.evidence)
    return signed or any(definition.gates[name].by for name in needs)


def refusals(definition: Definition, session: Session, turn: Turn, people: People, asked: str) -> Iterator[str]:
    """Why the turn does not count as a person's no; nothing where its event is none here, or anybody may send it.

    ``asked`` is the digest of what the declined gate asks now.
    """
    declinable = definition.declining(definition.states[session.state], turn.event or "")
    if turn.declines is None:
        for gate in declinable:
            if gate.by:
                yield f"'{turn.event}' is an answer of {definition.role(gate.by, session.language)}, by themselves"
        return
    if turn.declines not in {gate.name for gate in declinable}:
        yield f"'{turn.event}' is no answer to the gate '{turn.declines}' here"
        return
    gate = definition.gates[turn.declines]
    if gate.by and not holds(people, gate.by, turn.approver):
        yield from why_not(definition, session, gate, turn.approver, people)
    if turn.about is not None and turn.about != asked:
        yield f"what the gate '{gate.name}' asks has changed since the person answered"
