"""Where a session stands, as a caller sees it: its status, and what may come next."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.machine import foreign, gates, roles, terms, wishes
from workflow.machine.decide import hindrance, possible_events
from workflow.machine.definition import NOTE, OURS, Definition, Event, Gate
from workflow.machine.program import Program
from workflow.machine.registry import Facts
from workflow.machine.wording import worded
from workflow.model.evidence import BY_THEMSELVES
from workflow.model.instant import Instant
from workflow.model.reply import GateState, Option, Status
from workflow.model.session import Session
from workflow.model.surface import SHELL, Surface

CREDENTIALS = ("no_key", "credentials")
"""Classes of failed calls that only a person with a key can fix."""
SET_BACK = "set_back"
"""The class of a call that does not leave a store which may have made it before."""
NOT_ENTERED = "ledger"
"""The class of a paid call that did not leave, because the ledger cannot be read or written."""
PAUSED, LIMITED = "paused", "limited"
"""The classes of a call that a person, or a limit, holds back."""
BROKEN = "internal"
"""The class of what is wrong with a bundle's own code."""
STAYING = (*CREDENTIALS, SET_BACK, NOT_ENTERED, PAUSED, LIMITED)
"""Classes of calls that nothing left for; the run stays for `retry`, and no route of the bundle is taken."""


def status(program: Program, session: Session) -> Status:
    """What the run is doing, or waits for."""
    return status_of(program.definition, session)


def status_of(definition: Definition, session: Session) -> Status:
    """The same, where there is a definition and no code; raises ``KeyError`` for a state that it does not have."""
    state = definition.states[session.state]
    if state.end:
        return state.end  # type: ignore[return-value]  # the grammar allows just these
    if session.doubt or session.intent:  # who reads of an intent reads of a call that has no result
        return "in_doubt"
    if session.trouble:
        return "waiting"
    if state.works:
        return "working"
    return "watching" if state.watch else "waiting"


def options(
    program: Program,
    session: Session,
    facts: Facts,
    policy: gates.Policy,
    now: Instant,
    surface: Surface = SHELL,
    people: roles.People = roles.NOBODY,
) -> Iterator[Option]:
    """What may be sent next; what comes from the service cannot be, and a role's no stands beside its yes."""
    definition, state = program.definition, program.state(session.state)
    for name in offered(program, session, facts):
        if name == "retry":
            yield Option(name, how=_how_again(program, session), when=OURS[name])
        elif not any(gate.by for gate in definition.declining(state, name)):
            yield _option(program, session, definition.events[name], facts, policy, now, surface, people)


def offered(program: Program, session: Session, facts: Facts) -> Iterator[str]:
    """The names of what may be sent next; an event that only answers is left out where it would be refused."""
    for name in possible_events(program, session, facts.settings):
        event = program.definition.events.get(name)
        if event is None or not event.say or _ready(program, session, event, facts):
            yield name


def _ready(program: Program, session: Session, event: Event, facts: Facts) -> bool:
    """Whether nothing but the person's answer is missing."""
    shown = event.gate is None or gates.was_shown(program.definition, program.definition.gates[event.gate], session)
    return shown and hindrance(program, event, facts) is None


_SEEN = "Send it with seen: that of this reply."
_TRANSLATION = "Add {}: the question as told."


def _how_again(program: Program, session: Session) -> str:
    """What `retry` repeats, and what comes with it where something is paid for or sent."""
    if session.undecided:
        how = "Asks the guards again, once the bundle is fixed; no call is repeated for it."
    else:
        how = f"Repeats the call `{program.state(session.state).action}`, once its cause is fixed."
    if not program.may_leave(session.state):
        return how
    return f"{how} Send it with seen: that of this reply. An approval past its term is asked for again."


def _option(
    program: Program,
    session: Session,
    event: Event,
    facts: Facts,
    policy: gates.Policy,
    now: Instant,
    surface: Surface,
    people: roles.People,
) -> Option:
    definition = program.definition
    shape = {name: definition.data[name] for name in event.input}
    shape |= {name: f"{definition.data[name]}?" for name in event.optional}
    ready = _ready(program, session, event, facts)
    when = worded(event.when, session.language)
    wish = _how_the_wish(definition, session, event, surface)
    if event.gate is None:
        told = [_SEEN] if _may_pay(program, session, event) else []
        return Option(event.name, ready=ready, input=shape, how=" ".join([*told, *wish]), when=when)
    gate = definition.gates[event.gate]
    if gate.by:
        asked, how = (
            _awaited(definition, session, gate, policy, people, now),
            _how_by_role(definition, session, gate, surface),
        )
        return Option(event.name, "person", asked, ready, shape, how, when)
    handed = session.handed.get(gate.name) if session.shown.get(gate.name) else None
    until = terms.end(None if gates.of_own_words(definition, gate) else handed, now, gate.valid)
    needs, held = gates.needed(gate, policy), gates.have(definition, gate, session, now)
    told = _how_asked(gate, needs, session, surface)
    if needs not in BY_THEMSELVES and gates.to_translate(definition, gate, session):
        told.append(_TRANSLATION.format(surface.translation))
    asked = GateState(gate.name, needs, held, until, decline=gate.decline)
    return Option(event.name, "person", asked, ready, shape, " ".join([*told, *wish]), when)


def _awaited(
    definition: Definition, session: Session, gate: Gate, policy: gates.Policy, people: roles.People, now: Instant
) -> GateState:
    """A gate that waits for people of a role: who they are in words, since when, and how many have answered."""
    bound = gates.subject(definition, gate, session)
    return GateState(
        gate.name,
        gates.needed(gate, policy),
        gates.have(definition, gate, session, now),
        by=definition.role(gate.by or "", session.language),
        since=session.stopped,
        given=roles.given(definition, session, gate, bound, people, now) if gate.least > 1 else None,
        least=gate.least if gate.least > 1 else None,
        decline=gate.decline,
    )


def _how_by_role(definition: Definition, session: Session, gate: Gate, surface: Surface) -> str:
    """Who answers instead of the user; how they do is nothing that an agent could help with."""
    who = definition.role(gate.by or "", session.language)
    return f"Not for you or the user: {who} answers by themselves. Then {surface.go_on.format(session.name)}."


def _how_the_wish(definition: Definition, session: Session, event: Event, surface: Surface) -> list[str]:
    """How a yes to the kept wish that is asked about is passed on, and a no."""
    wish = wishes.asked(definition, session)
    if wish is None or not wishes.takes(definition, event, wish):
        return []
    answer = f", and {surface.quote} is their yes" if event.gate and not surface.asks else ""
    return [
        f"If the user says yes to the kept wish, `{wishes.text_of(definition, event)}` is its words, whole{answer}.",
        f"If no, send `{NOTE}` with its words, `for`: `{wish.event}` and `drop`: true.",
    ]


def _may_pay(program: Program, session: Session, event: Event) -> bool:
    """Whether the event can lead to a paid call from here, so that a turn must say which reply it answers."""
    to = program.definition.moves(program.state(session.state)).get(event.name)
    return to is not None and program.may_spend(to)


def _how_asked(gate: Gate, needs: str, session: Session, surface: Surface) -> list[str]:
    """Who asks the person, where the agent does not pass on what they say; else for which files it does."""
    if needs in BY_THEMSELVES or (needs == "asked" and not surface.asks):
        return [_how_in_person(needs, session, surface)]
    return ["This server asks the person, by a form."] if surface.asks else _how_by_item(gate, session, surface)


def _how_by_item(gate: Gate, session: Session, surface: Surface) -> list[str]:
    """Which files the person agrees to, where there are several: by the names that the question shows."""
    if not gate.each or len(gates.open_items(gate, session.data)) < 2:
        return []
    names = ", ".join(map(foreign.name, gates.item_names(gates.named_items(gate, session.data))))
    return [
        f"Add {surface.items}: those of {names} that the person agreed to. One that is left out counts as declined."
    ]


def _how_in_person(needs: str, session: Session, surface: Surface) -> str:
    """Where the agent's report is not enough: what to ask of the person, and how to go on."""
    with_it = ", with their passphrase" * (needs == "proven")
    return (
        f"Ask the person to answer {surface.how(needs).format(session.name)}{with_it}; "
        f"then {surface.go_on.format(session.name)}. Do not answer for them."
    )
