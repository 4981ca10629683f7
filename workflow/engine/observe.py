"""Observing: what a decision needs from the world, read once and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.engine import speak
from workflow.engine.run import Run
from workflow.local import files
from workflow.machine import seen
from workflow.machine.decide import MOST_FILES, Observed, possible_events
from workflow.machine.gates import opened_at
from workflow.machine.messages import shown
from workflow.model.evidence import SIGNED, copyable
from workflow.model.session import Turn


def observe(run: Run, turn: Turn) -> Observed:
    """The time, and the files that the turn names, each read once for its digest."""
    given = dict(turn.input)
    event = run.program.definition.events.get(turn.event or "")
    begins = turn.event == "start" and run.session.revision == 0
    if event is None or not (begins or event.name in possible_events(run.program, run.session, run.settings)):
        return Observed(given, surface=run.world.surface, **_moment(run), **named(run, turn), **_signed(run, turn))
    for name in {*event.given} & set(run.program.definition.of_type("files")):
        if isinstance(given.get(name), list) and len(given[name]) <= MOST_FILES:
            given[name] = [_offer(run, each) for each in given[name]]
    known = {**_moment(run), **named(run, turn), **_signed(run, turn)}
    return Observed(given, surface=run.world.surface, heard=heard(run, turn), **known)


def _moment(run: Run) -> dict[str, Any]:
    return {"now": run.world.clock.now(), "facts": run.facts(), "policy": run.world.policy, "people": run.people}


def _signed(run: Run, turn: Turn) -> dict[str, Any]:
    """Which passkey has signed, if the turn says that one has, and the entry that asked the question last."""
    if turn.strength != SIGNED:
        return {}
    opened = run.world.store.entry_hash(run.session.name, opened_at(run.program.definition, run.session, turn))
    return {"signed": run.world.passkeys.signed(turn.approver, turn.assertion), "opened": opened or ""}


def named(run: Run, turn: Turn) -> dict[str, Any]:
    """What the turn's token names, and which wordings it proves to have been handed over.

    Where that cannot be told it names another reply: no answer counts, and what leaves never depends on a text. Who
    asked the person by a form or a terminal has shown them the question by itself.
    """
    if turn.strength != "relayed":
        return {"wordings": _new(run, roles=turn.approver is not None)}
    if not turn.seen:
        return {}
    found, definition = seen.parse(turn.seen), run.program.definition
    if found is None:
        return {"seen": "unreadable"}
    head = run.world.store.entry_hash(run.session.name, found[0])
    if head is None:
        return {"seen": "other"}
    try:
        wordings = _new(run)
        session = seen.with_wordings(run.session, wordings)
        present = seen.names_the_present(definition, session, found[1], head)
    except Exception:
        present = False
    return {"seen": "present", "wordings": wordings} if present else {"seen": "other"}


def _new(run: Run, *, roles: bool = False) -> dict[str, str]:
    """The wordings of the open questions that are other than the ones that were recorded.

    With ``roles`` also of those that are put to people of roles, whatever was recorded: only what was asked of them
    proves that they had it.
    """
    known = run.session.shown
    changed = {gate: text for gate, text in speak.wordings(run).items() if known.get(gate) != text}
    return {**changed, **speak.role_wordings(run)} if roles else changed


def proven(turn: Turn, seen_: seen.Named, wordings: Mapping[str, str]) -> dict[str, Any]:
    """What a turn's token named, for the journal: how far, never the token itself; and what that proves."""
    asked = {"asked": dict(wordings)} if wordings else {}
    found = seen.parse(turn.seen or "") if seen_ == "present" else None
    return asked | ({"seen": found[0]} if found else {})


def heard(run: Run, turn: Turn) -> tuple[str, ...] | None:
    """What the person was told, by the service and by the open question; None where that cannot be told.

    Nothing where no quote can be a copy of it, or none is asked for: what leaves never depends on a text.
    """
    event = run.program.definition.events.get(turn.event or "")
    if event is None or event.gate is None or turn.strength != "relayed" or not copyable(turn.quote or ""):
        return ()
    definition, data = run.program.definition, run.session.data
    told = (shown(definition.data[name], data.get(name)) for name in definition.of_type("verbatim", "texts"))
    try:
        return (speak.wording(run), *filter(None, told))
    except Exception:  # then nobody knows what the quote must not be
        return None


def _offer(run: Run, item: Any) -> Any:
    """A file as it is offered: its name, folder, digest and size, or what is wrong with it."""
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        return item
    world = run.world
    offered = files.offer(item["path"], base=world.base, home=world.home, forbidden=run.forbidden())
    described = {"path": item["path"], "description": item.get("description") or ""}
    if isinstance(offered, str):
        return {**described, "problem": offered}
    known = {name: getattr(offered, name) for name in ("path", "name", "sha256", "size")}
    return {**described, **known, "folder": files.named_folder(item["path"])}
