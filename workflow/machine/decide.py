"""Deciding one turn: (program, session, turn, observed) → Accepted or Refused. Pure; all reasons at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workflow.machine import foreign, gates, roles, wishes
from workflow.machine.definition import NOTE, OURS, Definition, Event, Gate, State
from workflow.machine.denials import denies
from workflow.machine.guards import Judged, judge, recorded, traces
from workflow.machine.program import Program
from workflow.machine.registry import Facts
from workflow.machine.seen import Named, with_wordings
from workflow.model.evidence import SIGNED, Evidence, at_least, blank, copied, wordless
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant, iso
from workflow.model.session import Session, Turn, Wish
from workflow.model.signature import UNSIGNED, Signature, challenge
from workflow.model.spelling import did_you_mean
from workflow.model.surface import SHELL, Surface

LONGEST_TEXT = 20_000
MOST_FILES = 20
_SHORT = 80
"""Characters of a reason that is told beside other things."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_URL = r"(?a:https?://[^\s<>\"'\\]{1,2040})"  # compiled when the first link is sent: most turns send none
_OTHER = "`seen` is of another reply than the one that asks this now"
_UNREADABLE = "`seen` is not the token of a reply: copy it whole, such as 6-b3993f09"
_SEEN = "Read this reply, decide again, and send its `seen`."
_ASK = "The question may have changed: tell the user what `say` says, wait for an answer, and send it with this `seen`."
_BY_ITEM = (
    "Send '{event}' again with {items}: the files that the person agreed to, by the names that are listed here. "
    "One that is left out counts as declined; if it is not clear which they mean, ask them."
)
_NO_TRANSLATION = "Send it again without the translation, which belongs to the answer to a question."
_ASKED_AGAIN = "The question is asked again: ask the person again, and send what they answer to that."
_OVER = (
    "The run is over, and nothing more can be done in it. Something new is a new session (`start`): only if the user "
    "asks for it, and never to change what there is."
)
_FIX_NOTE = 'Fix it and send `note` again: {"words": "the wish", "for": "the event it waits for"}.'
_UNASKED = "Wait for the answer of {}, given by themselves"
_EMPTY: Mapping[str, Any] = {"text": "", "url": "", "files": [], "number": None, "flag": None}


class Observed(Noun):
    """What the decision needs from the world: the input with files looked at, the time, the user's policy.

    ``heard`` are the texts that a long quote must not be a copy of; None where nobody can tell which they were.
    ``seen`` is what the turn's token names, and ``wordings`` are those of the open questions that it proves to have
    been handed over. ``surface`` is where the turn came from, and its answer is shown. ``people`` says who holds which
    role. ``signed`` is what a passkey has signed, or why none has, and ``opened`` the hash of the entry that asked the
    question. Who only looks ``ahead``, to learn what has to be signed, needs no signature.
    """

    input: Mapping[str, Any]
    now: Instant
    facts: Facts
    policy: gates.Policy = {}
    heard: tuple[str, ...] | None = ()
    seen: Named = "none"
    wordings: Mapping[str, str] = {}
    surface: Surface = SHELL
    people: roles.People = {}
    signed: Signature | str = UNSIGNED
    opened: str = ""
    ahead: bool = False


class Accepted(Noun):
    """The event may happen: it leads ``to`` a state (None: it stays), sets data, and leaves evidence.

    ``wish`` is the one that it fulfils, or that `note` keeps (a new one has no id) or drops. ``declined`` is the no of
    a person to a gate. ``missing`` is how many more people must answer before the event happens: then nothing moves.
    """

    event: str
    to: str | None
    set: Mapping[str, Any]
    evidence: tuple[Evidence, ...]
    verdicts: Mapping[str, Any]
    say: str | None = None
    look: bool = False
    wish: Wish | None = None
    declined: tuple[Evidence, ...] = ()
    missing: int = 0


class Refused(Noun):
    """The event may not happen: every reason, and the way out; ``type`` decides the exit code.

    ``traces`` are those of guards that cannot tell, for whoever writes the bundle.
    """

    reasons: tuple[str, ...]
    hint: str
    type: str = "refused"
    verdicts: Mapping[str, Any] = {}
    traces: tuple[str, ...] = ()
    denied: bool = False
    """Whether the words that were sent as the person's yes can only be a no."""


def decide(program: Program, session: Session, turn: Turn, observed: Observed) -> Accepted | Refused:
    """Whether ``turn`` may happen to ``session`` now."""
    name = turn.event or ""
    unknown = None if name == NOTE else _unknown(program, session, name, observed.facts)
    if unknown:
        return unknown
    if turn.expect_revision is not None and turn.expect_revision != session.revision:
        return _stale(session, turn.expect_revision)
    if name == NOTE:
        return _noted(program, session, turn, observed)
    session, definition = with_wordings(session, observed.wordings), program.definition
    event = definition.events.get(name)
    observed = _present(event, observed)
    wish = wishes.fulfilled(definition, session, event, observed.input) if event else None
    agreed = wishes.agreed_to(definition, session, turn, event, wish)
    mistold = tuple(_translation(definition, turn, event, agreed, observed.surface))
    if event is None:  # the events of ours: `retry`
        return _again(program, session, turn, observed, mistold)
    to = session.state if name == "start" else program.on_event(session.state, name)
    given = _values(program, event, observed.input, wish)
    misfits = list(_input(program, event, observed.input))
    asked = [event.guard] if event.guard and not misfits else []
    verdicts = judge(program.registry, asked, replace(observed.facts, input=given), program.setters)
    reasons = [
        *misfits,
        *_verdicts(verdicts),
        *_identity(program, turn, to, session, observed),
        *mistold,
        *_no(program, session, turn, observed),
    ]
    beside = wishes.asked_beside(definition, session, turn, event)
    if beside and not reasons:
        return Refused(
            (f"the user was also asked about a wish, {foreign.inline(beside.words)}",),
            _which(definition, session, beside, event),
        )
    evidence: tuple[Evidence, ...] = ()
    if event.gate and not reasons:
        gate = definition.gates[event.gate]
        reasons += _gate(program, session, turn, gate, given, observed, agreed)
        evidence = tuple(_evidence(program, session, turn, gate, given, observed)) if not reasons else ()
        if gate.least > 1 and evidence:
            evidence = roles.together(definition, session, event, evidence[0], observed.people, observed.now)
    if event.gate and not _of_role(program, turn) and turn.strength == "relayed" and observed.seen == "other":
        return Refused((_OTHER,), _ASK, "stale", recorded(verdicts))
    late = _late(program, session, turn, event, observed, agreed) if event.gate else ""
    if late and not reasons:
        return Refused((late,), _ASKED_AGAIN, "stale", recorded(verdicts))
    if reasons:
        denied = _denied(program, turn, event)
        way_out = _ask_again(session, observed.surface) if denied else _way_out(program, session, turn, event, observed)
        known, found = recorded(verdicts), tuple(traces(verdicts))
        told = (*reasons, late) if late else tuple(reasons)
        return Refused(told, way_out, verdicts=known, traces=found, denied=denied)
    missing = definition.gates[event.gate].least - len(evidence) if event.gate else 0
    if missing > 0 and definition.gates[event.gate or ""].least > 1:
        return Accepted(name, None, {}, evidence[-1:], recorded(verdicts), missing=missing)
    if event.gate:
        given |= gates.without_declined(definition.gates[event.gate], session.data, turn.items)
    state = program.state(session.state)
    look = name == "check" and state.watch is not None and to is None
    to = None if to == session.state else to
    wish = wish or wishes.answered_in_part(definition, session, event, observed.input)
    declined = tuple(_declined(program, session, turn, observed))
    return Accepted(name, to, given, evidence, recorded(verdicts), event.say, look, wish, declined)


def _present(event: Event | None, observed: Observed) -> Observed:
    """What was observed, without inputs of the event that are null: they were not given."""
    absent = [name for name, value in observed.input.items() if value is None and event and name in event.given]
    if not absent:
        return observed
    return replace(observed, input={name: value for name, value in observed.input.items() if name not in absent})


def _which(definition: Definition, session: Session, wish: Wish, event: Event) -> str:
    taker = wishes.taker(definition, session.state, wish)
    return (
        f"Ask the user which they mean. With the wish, send `{taker.name if taker else wish.event}` with its words. "
        f"Without it, send `{NOTE}` with its words, `for`: `{wish.event}` and `drop`: true, and then '{event.name}'."
    )


def _noted(program: Program, session: Session, turn: Turn, observed: Observed) -> Accepted | Refused:
    """`note`: a wish that is kept or dropped; nothing else moves, so that no gate and no token is asked for."""
    if turn.translation is not None:
        return Refused((f"'{NOTE}' answers no question that could be translated",), _NO_TRANSLATION)
    found = wishes.found(program.definition, session, observed.input)
    words = observed.input.get(wishes.WORDS)
    fault = text_fault(words) if isinstance(words, str) else None
    reasons = [*(found if isinstance(found, list) else []), *([f"'{wishes.WORDS}' {fault}"] if fault else [])]
    if reasons or isinstance(found, list):
        return Refused(tuple(reasons), _FIX_NOTE)
    return Accepted(NOTE, None, {}, (), {}, wish=found)


def _again(
    program: Program, session: Session, turn: Turn, observed: Observed, mistold: tuple[str, ...]
) -> Accepted | Refused:
    """`retry`: what may pay or send by it names the reply that told of the trouble."""
    if mistold:
        return Refused(mistold, _NO_TRANSLATION)
    unseen = _unseen(turn, observed) if program.may_leave(session.state) else ""
    if unseen:
        return Refused((unseen,), _SEEN, "stale" if unseen == _OTHER else "refused")
    return Accepted(turn.event or "", None, {}, (), {})


def hindrance(program: Program, event: Event, facts: Facts) -> str | None:
    """Why the event's guard refuses, as far as it can be told before the input is there; None if it may pass."""
    if event.guard is None or (event.input and not event.say):
        return None
    verdict = judge(program.registry, [event.guard], facts, program.setters)[event.guard]
    return None if verdict.passes else verdict.reason or f"the guard '{event.guard}' does not pass"


def _unknown(program: Program, session: Session, name: str, facts: Facts) -> Refused | None:
    """A name that is not an event, one that only the service sends, or one that is not possible here."""
    definition, state = program.definition, program.state(session.state)
    possible = possible_events(program, session, facts.settings)
    if name in possible if name != "start" else session.revision == 0:
        return None
    ways = _ways(program, session, facts) if possible else _OVER
    if name == "start":
        return Refused(("the run has started already",), ways)
    if name in definition.service_events:
        return Refused((f"only the service can say '{name}'",), ways)
    if name not in definition.events and name not in OURS:
        hint = did_you_mean(name, [*definition.events, *OURS])
        return Refused((f"unknown event '{foreign.name(name)}'{hint}",), ways)
    if name in definition.switched_off(facts.settings):
        why = definition.guards[definition.events[name].guard or ""].why_not
        return Refused((f"'{name}' is switched off: {why}",), ways)
    return Refused((f"'{name}' is not possible in {state.name}{_elsewhere(program, name)}",), ways)


def _ways(program: Program, session: Session, facts: Facts) -> str:
    """What may pass now, and of the rest, why not, if that is short."""
    passing, others = _sorted(program, session, facts)
    told = f"Possible now: {', '.join(passing)}." if passing else "Nothing is possible as it stands."
    for reason in dict.fromkeys(others.values()):
        names = ", ".join(name for name, why in others.items() if why == reason)
        told += f" Not now: {names} ({reason})." if len(reason) <= _SHORT else f" Not now: {names}."
    return told


def _sorted(program: Program, session: Session, facts: Facts) -> tuple[list[str], dict[str, str]]:
    """The events that may pass now, and those that do not, each with the reason."""
    events = program.definition.events
    names = possible_events(program, session, facts.settings)
    reasons = {name: hindrance(program, events[name], facts) for name in names if name in events}
    others = {name: reason for name, reason in reasons.items() if reason}
    return [name for name in names if name not in others], others


def _elsewhere(program: Program, name: str) -> str:
    """Where the event is possible, so that the caller sees what comes first."""
    states = [state.name for state in program.definition.states.values() if name in _offered(program, state)]
    if name in OURS or not states:
        return ""
    return f"; it is in {', '.join(states[:3])}" + (" and others" if len(states) > 3 else "")


def _offered(program: Program, state: State) -> list[str]:
    return [event.name for event in program.definition.offers(state)]


def possible_events(program: Program, session: Session, options: Mapping[str, Any]) -> list[str]:
    """The events that have a meaning where the run stands; whether they pass is another question.

    ``options`` are the settings, which may switch events off.
    """
    definition, state = program.definition, program.state(session.state)
    off = definition.switched_off(options)
    anywhere = [name for name in definition.on if name in definition.events and name not in off]
    names = [name for name in _offered(program, state) if name not in off]
    if state.end and session.doubt and state.name not in program.doubtful:  # what it leads to knows of no doubt
        return [name for name in names if name not in state.on]
    if state.works and not session.trouble:  # its work was cut short: what leads away from anywhere ends it
        return anywhere
    if session.trouble:
        waits = state.watch and session.undecided != "say"
        return ["retry", *(names if waits else anywhere)]
    return names


def _stale(session: Session, expected: int) -> Refused:
    return Refused(
        (f"the turn was meant for revision {expected}, and the run is at revision {session.revision}",),
        "Look at the run's status, decide again, and quote its revision.",
        "stale",
    )


def _values(program: Program, event: Event, given: Mapping[str, Any], wish: Wish | None) -> dict[str, Any]:
    """What the event sets: what was given, and for what may come and did not, the empty value.

    A wish that it fulfils is set in the words that were kept, whatever became of its spaces on the way.
    """
    kinds = program.definition.data
    names = event.given
    kept = {wishes.text_of(program.definition, event): wish.words} if wish else {}
    return {name: kept.get(name, given[name]) if name in given else _EMPTY.get(kinds[name]) for name in names}


def _input(program: Program, event: Event, given: Mapping[str, Any]) -> Iterator[str]:
    for name in given:
        if name not in event.given:
            takes = ", ".join(event.given) or "no input"
            yield f"'{event.name}' does not take '{foreign.name(name)}' (it takes {takes})"
    for name in event.input:
        if name not in given:
            yield f"'{event.name}' needs '{name}'"
    for name in event.given:
        if name in given:
            fault = _fault(program.definition.data[name], given[name], required=name in event.input)
            if fault:
                yield f"'{name}' {fault}"


def _fault(kind: str, value: Any, *, required: bool) -> str | None:
    """What is wrong with a value of this type, or None."""
    if kind == "files":
        return _files_fault(value)
    if kind == "flag":
        return None if isinstance(value, bool) else "must be true or false"
    if kind == "number":
        return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "must be a number"
    if not isinstance(value, str):
        return "must be text"
    if required and blank(value):
        return "is empty; give the user's own words" if kind == "text" else "is empty"
    if fault := text_fault(value):
        return fault
    if kind == "url" and not re.fullmatch(_URL, value):
        return "must be a full link that begins with https://"
    return None


def text_fault(text: str) -> str | None:
    """What keeps a text of the agent or the user from being recorded, or None."""
    if len(text) > LONGEST_TEXT:
        return f"is longer than {LONGEST_TEXT} characters"
    return "holds characters that no text may hold" if _NO_TEXT.search(text) else None


def _files_fault(value: Any) -> str | None:
    if not isinstance(value, list):
        return 'must be a list of files, each {"path": "…", "description": "…"}'
    if len(value) > MOST_FILES:
        return f"holds more than {MOST_FILES} files"
    for each in value:
        if not isinstance(each, Mapping) or not isinstance(each.get("path"), str):
            return 'must be a list of files, each {"path": "…", "description": "…"}'
        if not isinstance(each.get("description", ""), str):
            return f"has a description of '{_base(each)}' that is not text"
        if each.get("problem"):
            return f"cannot be used: '{_base(each)}': {each['problem']}"
    return None


def _base(file: Mapping[str, Any]) -> str:
    return foreign.name(file["path"].rpartition("/")[2])


def _verdicts(verdicts: Judged) -> Iterator[str]:
    for name, verdict in verdicts.items():
        if not verdict.passes:
            yield verdict.reason or f"the guard '{name}' does not pass"


def _identity(program: Program, turn: Turn, to: str | None, session: Session, observed: Observed) -> Iterator[str]:
    """What can lead to a paid call must be unmistakable: which turn it is, or which reply or revision it answers."""
    if turn.event == "start":
        return
    if program.definition.events[turn.event or ""].gate:
        unseen = "" if _of_role(program, turn) else _unseen(turn, observed)
        if unseen:
            yield unseen
        return
    if to is None or not program.may_spend(to):
        return
    if turn.turn_id is None and turn.expect_revision is None and observed.seen != "present":
        yield f"'{turn.event}' can lead to a paid call and needs `seen` of the last reply (or a turn_id of your own)"


def _of_role(program: Program, turn: Turn) -> bool:
    """Whether the turn answers a gate that takes the answer of a role: no reply to an agent asks for it."""
    event = program.definition.events.get(turn.event or "")
    return bool(event and event.gate and program.definition.gates[event.gate].by)


def _unseen(turn: Turn, observed: Observed) -> str:
    """Why the turn does not name the reply that it answers; empty if it does, or if this program asked by itself."""
    if turn.strength != "relayed" or observed.seen == "present":
        return ""
    if observed.seen in ("other", "unreadable"):
        return _OTHER if observed.seen == "other" else _UNREADABLE
    told = "`seen` is required: send the token of the reply that this answers"
    return f"{told}; expect_revision is not enough (export the skill again)" if turn.expect_revision else told


def _gate(
    program: Program,
    session: Session,
    turn: Turn,
    gate: Gate,
    given: Mapping[str, Any],
    observed: Observed,
    agreed: Wish | None,
) -> Iterator[str]:
    needs = gates.needed(gate, observed.policy)
    if gate.by and turn.approver is None:
        yield from roles.why_not(program.definition, session, gate, None, observed.people)
        return
    if not at_least(turn.strength, needs):
        yield f"the gate '{gate.name}' takes no answer that is only '{turn.strength}'; it needs '{needs}'"
    yield from roles.why_not(program.definition, session, gate, turn.approver, observed.people)
    yield from _unsigned(program.definition, session, turn, gate, given, observed)
    quote, surface = turn.quote or "", observed.surface
    if not quote.strip() or (turn.strength != "relayed" and blank(quote)):
        how = "given in the form" if surface.asks else f"as {surface.quote}"
        yield f"the gate '{gate.name}' needs the person's own words, {how}"
    elif fault := text_fault(quote):
        yield f"{surface.quote} {fault}"
    elif turn.strength == "relayed":
        yield from _relayed(program, session, gate, turn, observed)
    if not gates.was_shown(program.definition, gate, session):
        yield f"the person has not been shown what the gate '{gate.name}' asks"
    if turn.about is not None and turn.about != gates.question(program.definition, gate, session, given):
        yield f"what the gate '{gate.name}' asks has changed since the person answered"
    if quote and turn.strength == "relayed" and gates.of_own_words(program.definition, gate):
        kept = wishes.text_of(program.definition, program.definition.events[turn.event or ""]) if agreed else None
        for name in gates.not_quoted(gate, given, quote):
            if name != kept:
                yield f"'{name}' is not in {surface.quote} as it is: what is sent must be the user's own words"
    if gate.each:
        yield from _items(gate, session, turn, surface)


def _unsigned(
    definition: Definition, session: Session, turn: Turn, gate: Gate, given: Mapping[str, Any], observed: Observed
) -> Iterator[str]:
    """Why the answer is not the one that a passkey of the person has signed; nothing where none is said to have."""
    signed = observed.signed
    if turn.strength != SIGNED or observed.ahead:
        return
    if isinstance(signed, str):
        yield f"the answer is not signed: {signed}"
        return
    about, code = _about(definition, session, turn, gate, given), _code(session, turn, gate, observed)
    if not about or signed.challenge != challenge(session.name, gate.name, code, about):
        yield f"the passkey has signed another question than the one that the gate '{gate.name}' asks now"


def _about(
    definition: Definition, session: Session, turn: Turn, gate: Gate, given: Mapping[str, Any]
) -> tuple[str, ...]:
    """The digests of what a person's yes, or their no, is bound to."""
    if turn.declines:
        return (gates.subject(definition, gate, session),)
    return gates.subjects(definition, gate, session, given, turn.items)


def _code(session: Session, turn: Turn, gate: Gate, observed: Observed) -> str:
    return gates.code(session, gate, turn.event or "", turn.approver, observed.opened)


def _items(gate: Gate, session: Session, turn: Turn, surface: Surface) -> Iterator[str]:
    """What an answer says of the items that are asked for: words alone never stand for several of them."""
    items = gates.named_items(gate, session.data)
    names = _listed(gates.item_names(items))
    if not items:
        yield "there is nothing left to ask for"
    if turn.items is None:
        if len(gates.open_items(gate, session.data)) > 1:
            yield f"{surface.items} must name those of {names} that the person agreed to"
        return
    if not turn.items:
        yield f"the answer names no item of: {names}"
    for item in turn.items:
        found = gates.meant(items, item)
        if not found:
            yield f"'{foreign.name(item)}' is not among what was asked for: {names or 'nothing'}"
        elif len(found) > 1:
            alike = [item for item in items if item["sha256"] in found]
            yield f"'{foreign.name(item)}' is the name of more than one file: {_listed(gates.item_names(alike))}"


def _translation(
    definition: Definition, turn: Turn, event: Event | None, agreed: Wish | None, surface: Surface
) -> Iterator[str]:
    """What the agent says that the person read is a text, and is about a question that was put to them."""
    if turn.translation is None:
        return
    gate = definition.gates.get(turn.declines or (event.gate if event else None) or "")
    if gate is None or (gates.of_own_words(definition, gate) and not agreed):
        yield f"'{turn.event}' answers no question that could be translated"
    elif blank(turn.translation):
        yield f"{surface.translation} is empty"
    elif fault := text_fault(turn.translation):
        yield f"{surface.translation} {fault}"


def _late(program: Program, session: Session, turn: Turn, event: Event, observed: Observed, agreed: Wish | None) -> str:
    """Why the question has to be asked again first; whoever asked the person by itself says when it showed it."""
    asked_at = None if turn.strength == "relayed" else turn.asked_at
    if _of_role(program, turn) and turn.approver is None:
        return ""
    gate = program.definition.gates[event.gate or ""]
    if agreed:
        return wishes.unanswerable(program.definition, session, agreed, observed.now)
    return gates.unanswerable(program.definition, gate, session, asked_at, observed.now)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(foreign.name, sorted(set(names))))


def _relayed(program: Program, session: Session, gate: Gate, turn: Turn, observed: Observed) -> Iterator[str]:
    """What the agent reports has to be something that a person can have said, and not what they were told."""
    quote, heard, field = turn.quote or "", observed.heard, observed.surface.quote
    if wordless(quote):
        yield f"{field} holds no words"
    if gate.name in program.definition.guarding and denies(quote, program.definition.denials):
        yield f"{field} refuses, so it cannot be the person's yes"
    if heard is None:
        yield f"whether {field} is a copy of the question cannot be told; ask the person again, in few words"
        return
    own = [str(session.data.get(name) or "") for name in program.definition.of_type("text")]
    if copied(quote, (*heard, turn.translation or "")) and not copied(quote, own):
        yield f"{field} is a copy of what the person was shown; it must be what they said to it"


def _evidence(
    program: Program, session: Session, turn: Turn, gate: Gate, given: Mapping[str, Any], observed: Observed
) -> Iterator[Evidence]:
    proof = _answer(program.definition, session, turn, gate, given, observed)
    if not gate.each:
        yield replace(proof, subject=gates.subject(program.definition, gate, session, given))
        return
    for item in gates.agreed(gate, session.data, turn.items):
        bound = gates.item_subject(program.definition, gate, item, session.sandbox)
        yield replace(proof, subject=bound, item=item["sha256"])


def _answer(
    definition: Definition, session: Session, turn: Turn, gate: Gate, given: Mapping[str, Any], observed: Observed
) -> Evidence:
    """What is known of a person's answer to a gate, beside what it was an answer to."""
    signature = observed.signed if turn.strength == SIGNED and isinstance(observed.signed, Signature) else None
    if signature:
        about, code = _about(definition, session, turn, gate, given), _code(session, turn, gate, observed)
        signature = replace(signature, code=code, subjects=about)
    return Evidence(
        gate.name,
        "",
        turn.quote or "",
        turn.channel,
        turn.strength,
        iso(observed.now),
        observed.now,
        client=turn.client,
        approver=turn.approver,
        service=gates.destination(definition, session.sandbox),
        translation=turn.translation,
        role=gate.by,
        roles=roles.digest_of(definition, observed.people) if gate.by else None,
        signature=signature,
    )


def _no(program: Program, session: Session, turn: Turn, observed: Observed) -> Iterator[str]:
    """Why the turn is not the no of a person that it is said to be, or has to be."""
    definition = program.definition
    gate = definition.gates.get(turn.declines or "")
    asked = gates.question(definition, gate, session) if gate else ""
    yield from roles.refusals(definition, session, turn, observed.people, asked)
    if gate:
        yield from _unsigned(definition, session, turn, gate, {}, observed)
    if gate and not at_least(turn.strength, gates.needed(gate, observed.policy)):
        needs = gates.needed(gate, observed.policy)
        yield f"the gate '{gate.name}' takes no answer that is only '{turn.strength}'; it needs '{needs}'"


def _declined(program: Program, session: Session, turn: Turn, observed: Observed) -> Iterator[Evidence]:
    """The no of a person, for the journal: it opens nothing."""
    if turn.declines is not None:
        definition, gate = program.definition, program.definition.gates[turn.declines]
        bound = gates.subject(definition, gate, session)
        yield replace(_answer(definition, session, turn, gate, {}, observed), subject=bound)


def _denied(program: Program, turn: Turn, event: Event) -> bool:
    definition = program.definition
    relayed = event.gate in definition.guarding and turn.strength == "relayed"
    return relayed and not _of_role(program, turn) and denies(turn.quote or "", definition.denials)


def _ask_again(session: Session, surface: Surface) -> str:
    """Which words would pass is not said; from the second time on, how the person answers without the agent."""
    told = "Ask the person again, and send what they answer to that."
    if session.denials:
        told += f" Or let them answer by themselves {surface.in_person.format(session.name)}."
    return told


def _whose(definition: Definition, session: Session, event: Event | None) -> str:
    """The role, in words, whose yes or no the event is here; empty where it is nobody's in particular."""
    if event is None:
        return ""
    answered = [definition.gates[event.gate]] if event.gate else []
    asked = (*answered, *definition.declining(definition.states[session.state], event.name))
    role = next((gate.by for gate in asked if gate.by), None)
    return definition.role(role, session.language) if role else ""


def _way_out(program: Program, session: Session, turn: Turn, event: Event, observed: Observed) -> str:
    surface = observed.surface
    others = [name for name in _sorted(program, session, observed.facts)[0] if name != event.name]
    waited = _whose(program.definition, session, event)
    if waited and turn.approver is None:
        known = program.definition.events
        others = [name for name in others if not _whose(program.definition, session, known.get(name))]
        also = f" Possible meanwhile: {', '.join(others)}." if others else ""
        return f"{_UNASKED.format(waited)}. Then {surface.go_on.format(session.name)}.{also}"
    if waited:
        return f"The question stays open. {_UNASKED.format(waited)}."
    if event.gate and session.shown.get(event.gate) == "":
        return f"What it asks was withheld from the person, so nobody can agree; send another: {', '.join(others)}."
    needs = gates.needed(program.definition.gates[event.gate], observed.policy) if event.gate else turn.strength
    if not at_least(turn.strength, needs):
        return (
            f"Ask the person to answer {surface.how(needs).format(session.name)}; "
            f"then {surface.go_on.format(session.name)}. Nothing that is sent in their name opens it."
        )
    if event.gate and turn.strength == SIGNED:
        return f"The question stays open. Ask the person to answer it once more, {surface.on_page}."
    if event.gate and observed.seen != "present" and (turn.quote or "").strip():
        return (
            "Send the same turn with `seen` of the reply whose question the user answered. If you no longer have it, "
            "tell the user what `say` says, wait for their answer, and send that with this reply's `seen`."
        )
    if event.gate and surface.asks:
        return f"Send '{event.name}' when the person has decided: this server asks them by a form. Pass nothing on."
    gate = program.definition.gates[event.gate] if event.gate else None
    if gate and gate.each and (turn.quote or "").strip() and any(_items(gate, session, turn, surface)):
        return _BY_ITEM.format(event=event.name, items=surface.items)
    if event.gate:
        return (
            f"Show the person what the run last said, and send '{event.name}' with their own words "
            f"as {surface.quote} and `seen` of the reply that said it."
        )
    other = f", or another of: {', '.join(others)}" if others and event.name != "start" else ""
    takes = ", ".join(event.given)
    return f"Fix it and send '{event.name}' again" + (f" (input: {takes})" if takes else "") + f"{other}."
