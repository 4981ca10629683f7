"""Gates: what a question is about, what is still to be asked, and whether it can be answered."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workflow.machine import terms
from workflow.machine.definition import Definition, Gate, State
from workflow.machine.language import nearest
from workflow.machine.messages import DIGITS, visible
from workflow.model.digest import digest
from workflow.model.evidence import STRENGTHS, at_least, holds_words
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn
from workflow.model.signature import code_of

Policy = Mapping[str, str]
"""Gate → the least strength that the user's configuration asks for."""


def needed(gate: Gate, policy: Policy) -> str:
    """The least strength: the gate's own, or the user's if that is more, never less.

    Of a role it is never an agent's word: somebody who is known has to be asked.
    """
    own = max(gate.strength, "asked", key=STRENGTHS.index) if gate.by else gate.strength
    return max(own, policy.get(gate.name, own), key=STRENGTHS.index)


def misfits(definition: Definition, policy: Policy) -> list[str]:
    """What of the user's policy changes nothing, in words: gates that are none, and less than a gate itself takes."""
    told = []
    for name, strength in policy.items():
        gate = definition.gates.get(name)
        if gate is None:
            told.append(f"The configuration raises '{name}', which is not a gate of this bundle.")
        elif not at_least(strength, needed(gate, {})):
            told.append(
                f"The configuration cannot lower '{name}' to '{strength}'; it takes '{needed(gate, {})}' and more."
            )
    return told


def of_own_words(definition: Definition, gate: Gate) -> bool:
    """Whether the person's own input is all that the gate is about, so that nothing was shown before."""
    events = [event for event in definition.events.values() if event.gate == gate.name]
    return bool(gate.subject) and all(set(gate.subject) <= {*event.given} for event in events)


def not_quoted(gate: Gate, given: Mapping[str, Any], quote: str) -> list[str]:
    """The texts of the gate's subject that would be sent and do not stand in the person's own words."""
    said = {name: given.get(name) for name in gate.subject}
    return [name for name, text in said.items() if isinstance(text, str) and text and not holds_words(quote, text)]


def questions(definition: Definition, state: State) -> list[Gate]:
    """The gates whose questions are open in a state and are shown to the user to be answered."""
    asked = [definition.gates[name] for name in definition.asks(state)]
    return [gate for gate in asked if not gate.by and not of_own_words(definition, gate)]


def for_roles(definition: Definition, state: State) -> list[Gate]:
    """The gates whose questions are open in a state and are shown to people of a role, each in the role's own text."""
    asked = [definition.gates[name] for name in definition.asks(state)]
    return [gate for gate in asked if gate.by in state.tells and not of_own_words(definition, gate)]


def subject(definition: Definition, gate: Gate, session: Session, given: Mapping[str, Any] | None = None) -> str:
    """The digest of what an answer to ``gate`` is bound to now; ``given`` is input that is about to be set."""
    data = {**session.data, **(given or {})}
    shown = None if of_own_words(definition, gate) else session.shown.get(gate.name)
    about = {name: data.get(name) for name in gate.subject}
    return digest(
        {"gate": gate.as_json(), "data": about, "shown": shown, "to": destination(definition, session.sandbox)}
    )


def destination(definition: Definition, sandbox: str | None) -> str:
    """The address that the calls of a session go to: its sandbox if it has one, otherwise the service itself."""
    return definition.service.base_url if sandbox is None else sandbox


def item_subject(definition: Definition, gate: Gate, item: Mapping[str, Any], sandbox: str | None = None) -> str:
    """The digest of one item: its bytes, and where they would go."""
    return digest({"gate": gate.as_json(), "sha256": item["sha256"], "to": destination(definition, sandbox)})


def opened_at(definition: Definition, session: Session, turn: Turn) -> int:
    """The sequence of the entry that asked last what the turn says yes or no to; that of the first if none did."""
    event = definition.events.get(turn.event or "")
    gate = turn.declines or (event.gate if event else None)
    return session.opened.get(gate or "", 1)


def code(session: Session, gate: Gate, event: str, approver: str | None, opened: str) -> str:
    """The code of the gate's question for one answer of this person; ``opened`` is the hash of what asked it."""
    held = (*session.evidence, *(each for _, each in session.partial))
    before = [each.at for each in held if (each.gate, each.approver) == (gate.name, approver)]
    return code_of(opened, event, approver or "", before)


def subjects(
    definition: Definition, gate: Gate, session: Session, given: Mapping[str, Any], named: Sequence[str] | None
) -> tuple[str, ...]:
    """The digests of what an answer to ``gate`` is bound to: one, or one for each of the files that it is for."""
    if not gate.each:
        return (subject(definition, gate, session, given),)
    return tuple(item_subject(definition, gate, item, session.sandbox) for item in agreed(gate, session.data, named))


def question(definition: Definition, gate: Gate, session: Session, given: Mapping[str, Any] | None = None) -> str:
    """The digest of all that an answer to ``gate`` would be about now: its words, its data, its open items."""
    items = open_items(gate, session.data) if gate.each else []
    bound = [item_subject(definition, gate, item, session.sandbox) for item in items]
    return digest([subject(definition, gate, session, given), bound])


def open_items(gate: Gate, data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of an ``each`` gate that are not settled yet; the same bytes count once."""
    items = named_items(gate, data)
    return list({item["sha256"]: item for item in reversed(items)}.values())[::-1]


def named_items(gate: Gate, data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The same under every name that they were offered by: what a person is shown."""
    settled = data.get(gate.until) or {} if gate.until else {}
    items = data.get(gate.each or "") or []
    known = {(item["name"], item.get("folder"), item["sha256"]): item for item in items}
    return [item for item in known.values() if item["sha256"] not in settled]


def item_names(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """What an answer calls each of these items by: its name as the question shows it.

    Its folder stands before it where another file has the same name, and its digest after it where that is not enough.
    A file that is called like another one and its digest has no name of its own, so that nobody can agree to it.
    """
    known = list(items)
    return [next((name for name in _names(item) if len(meant(known, name)) == 1), _names(item)[-1]) for item in known]


def meant(items: Iterable[Mapping[str, Any]], name: str) -> set[str]:
    """The digests of the items that an answer can mean by ``name``; the same bytes count once."""
    said = {unicodedata.normalize("NFC", each) for each in (name, name.removeprefix("“").removesuffix("”"))}
    return {item["sha256"] for item in items if said & {unicodedata.normalize("NFC", each) for each in _names(item)}}


def _names(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Each way to call an item, from the shortest to the one that nothing else is called by."""
    name, folder, digits = visible(item["name"]), visible(item.get("folder") or ""), item["sha256"]
    placed = f"{folder}/{name}" if folder else name
    return name, placed, f"{placed} ({digits[:DIGITS]})", f"{placed} ({digits})"


def agreed(gate: Gate, data: Mapping[str, Any], named: Sequence[str] | None) -> list[Mapping[str, Any]]:
    """The open items that an answer is for: those that it names; without names, the only one that there is."""
    items = open_items(gate, data)
    if named is None:
        return items
    wanted = {digest for name in named for digest in meant(named_items(gate, data), name)}
    return [item for item in items if item["sha256"] in wanted]


def without_declined(gate: Gate, data: Mapping[str, Any], named: Sequence[str] | None) -> dict[str, Any]:
    """The items of an ``each`` gate as an answer leaves them: an open one that it does not name is declined.

    It is taken off the list, so that nobody is asked for it again before it is offered again.
    """
    if not gate.each:
        return {}
    open_now = {item["sha256"] for item in open_items(gate, data)}
    declined = open_now - {item["sha256"] for item in agreed(gate, data, named)}
    told = {gate.declined: [item for item in named_items(gate, data) if item["sha256"] in declined]}
    kept = {gate.each: [item for item in data[gate.each] if item["sha256"] not in declined]} if declined else {}
    return kept | {name: items for name, items in told.items() if name and items != (data.get(name) or [])}


def was_shown(definition: Definition, gate: Gate, session: Session) -> bool:
    """Whether the person has been shown the question as it stands; a withheld message shows nothing."""
    return of_own_words(definition, gate) or bool(session.shown.get(gate.name))


def to_translate(definition: Definition, gate: Gate, session: Session) -> str | None:
    """The language that the agent translates the gate's question to; None where it has nothing to translate."""
    return None if of_own_words(definition, gate) else nearest(session.language, definition.languages)[1]


def have(definition: Definition, gate: Gate, session: Session, now: Instant) -> str | None:
    """The strength of the evidence that is held for the gate's question as it stands and counts now, if any."""
    if gate.each:
        return None
    asked = subject(definition, gate, session)
    held = (each for each in session.evidence if each.gate == gate.name and each.subject == asked)
    return next((each.strength for each in held if terms.runs(each.taken, now, gate.valid)), None)


def unanswerable(definition: Definition, gate: Gate, session: Session, asked_at: Instant | None, now: Instant) -> str:
    """Why the question cannot be answered any more without being asked again; empty if it can.

    ``asked_at`` is when it was shown by whoever asked for the answer; None where an agent passes the answer on.
    """
    if of_own_words(definition, gate):
        return ""
    since = asked_at or session.handed.get(gate.name)
    if since is None:
        return f"the question of the gate '{gate.name}' was not handed over yet"
    if terms.runs(since, now, gate.valid):
        return ""
    return f"the question of the gate '{gate.name}' {terms.lapse(since, now, gate.valid)}"
