"""Forking: a new session from an earlier entry of another, which pays for nothing again (decision 032)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workflow.engine import bundle_change as fit
from workflow.engine.redecide import steps
from workflow.engine.run import Run
from workflow.engine.turns import Engine
from workflow.history import audit
from workflow.machine.program import Program
from workflow.model import journal
from workflow.model.brakes import Pause
from workflow.model.digest import digest
from workflow.model.errors import BundleChanged, NameTaken, StoreError, UsageError
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.reply import Failure, Reply
from workflow.model.session import Session
from workflow.model.session_names import new_name


def fork(engine: Engine, name: str, at: int | None = None) -> Reply:
    """Begin a new session where ``name`` rested last at or before the entry ``at`` (default: its last).

    What was done until then is carried over as facts, and never done again. Messages are not said again, questions
    are put again, and answers to gates that some action needs stay behind. Refused while it is not known whether a paid
    call happened after that point; raises :class:`UsageError` where nothing can begin.
    """
    entries = list(journal.verify(audit.entries(engine, name)))
    parent = engine.stored(name)
    bundle = engine.world.open_bundle(parent.path)
    run = Run(engine.world, bundle, parent)
    place = _resting(run.program, name, entries, len(entries) if at is None else at)
    refused = _unsettled(parent, place)
    if refused:
        return refused
    _check_fit(run.program, place, entries)
    reply = engine.resume(_begin(engine, run, place))
    return replace(reply, notices=(*_notices(place, entries), *reply.notices))


def _resting(program: Program, name: str, entries: Sequence[Entry], at: int) -> Session:
    """The session at its last rest at or before the entry ``at``."""
    if not 1 <= at <= len(entries):
        raise UsageError(
            f"{name} has no entry {at}", f"Its entries are 1 to {len(entries)}; `workflow audit log {name}`."
        )
    erased = next((entry.seq for entry in entries[:at] if entry.body is None), None)
    if erased:
        raise UsageError(f"entry {erased} of {name} was erased", "Nothing can begin after what is not known any more.")
    rests = [session for _, _, session in steps(entries) if _rests(program, session)]
    found = [session for session in rests if session.seq <= at]
    if not found:
        first = f"Begin at entry {rests[0].seq} or later" if rests else "Let it take its first turn"
        raise UsageError(f"{name} had not come to rest at entry {at}", f"{first}; `workflow audit log {name}`.")
    return found[-1]


def _rests(program: Program, session: Session) -> bool:
    """Whether nothing was on its way: the run waited for somebody, or after a call that had failed."""
    state = program.definition.states.get(session.state)
    return session.intent is None and (state is None or not state.works or session.trouble is not None)


def _unsettled(parent: Session, place: Session) -> Reply | None:
    """Nothing is forked away from a call that may have happened: it has to be settled first."""
    call = parent.doubt or (parent.intent and parent.intent.action)
    if not call or place.doubt:
        return None
    message = f"whether '{call}' of {parent.name} happened is not known"
    return Reply(error=Failure("refused", message, f"Settle it first: `workflow-admin resolve {parent.name}`."))


def _check_fit(program: Program, place: Session, entries: Sequence[Entry]) -> None:
    misfits = list(fit.misfits(program, place, entries[: place.seq]))
    if misfits:
        told = "; ".join(each.what for each in misfits)
        hint = "Begin at a later entry, or put the bundle back as it was then."
        raise BundleChanged(f"{place.name} at entry {place.seq} does not fit the bundle as it is now: {told}", hint)


def _begin(engine: Engine, run: Run, place: Session) -> str:
    """The new session's first entry, durable; its name."""
    body = _body(run, place)
    for words in (2, 2, 2, 3, 3, 3):
        name = new_name(engine.world.choose, words)
        if engine.world.store.load(name) is not None:
            continue
        with engine.world.store.hold(name) as held:
            begun = Run(engine.world, run.bundle, None, held)
            begun.begin(name, body)
            pause = _inherited(engine, place.name, name)
            try:
                begun.commit()
            except NameTaken:
                if pause:
                    engine.world.store.unpause(pause.scope, pause.name)
                continue
            return name
    raise StoreError("no free name was found for a new session", "Try again, or remove sessions that are over.")


def _inherited(engine: Engine, parent: str, name: str) -> Pause | None:
    """The pause of the parent, kept for its fork before that begins: nobody gets around a pause by forking."""
    store = engine.world.store
    found = [each for each in store.pauses() if (each.scope, each.name) == ("session", parent)]
    pause = replace(found[0], name=name) if found else None
    return pause if pause and store.pause(pause) else None


def _body(run: Run, place: Session) -> dict[str, Any]:
    there = Run(run.world, run.bundle, place)
    asks = run.program.definition.asks(there.state)
    owes: dict[str, Any] = {"owe": []}
    if place.undecided == "say":
        owes = there.spoken(there.state, there.facts())
    elif place.undecided:
        owes["undecided"] = {"choice": place.undecided, "because": "as where it was forked from"}
    elif asks:
        owes = there.rested()
    return {
        "parent": {"session": place.name, "seq": place.seq, "head": place.head},
        "workflow": place.workflow,
        "bundle": run.bundle.digest,
        "compiled": run.bundle.compiled,
        "path": place.path,
        "language": place.language,
        "host": place.host,
        "profile": place.profile,
        "sandbox": place.sandbox,
        "state": place.state,
        "turn": None,
        "given": digest(None),
        "revision": place.revision,
        "data": dict(place.data),
        "evidence": [each.as_json() for each in place.evidence if each.gate not in run.program.definition.guarding],
        "doubt": place.doubt,
        "trouble": None if place.undecided else place.trouble,
        "since": place.since.as_json() if place.since else None,
        **owes,
        **{name: value for name in ("owner", "about", "paid") if (value := getattr(place, name))},
        **({"answered_by": {gate: list(who) for gate, who in place.answered_by.items()}} if place.answered_by else {}),
        **_wishes(place),
    }


def _wishes(place: Session) -> dict[str, Any]:
    """What the person wanted later waits in both."""
    waiting = [[wish.event, wish.words] for wish in place.wishes]
    return {"wishes": waiting} if waiting else {}


def _notices(place: Session, entries: Sequence[Entry]) -> Iterator[str]:
    yield f"Forked from {place.name} as it rested at entry {place.seq}; {place.name} goes on by itself."
    paid = [entry for entry in entries[place.seq :] if entry.kind == "intent" and entry.body]
    if paid:
        calls = ", ".join(f"'{entry.body['action']}' (entry {entry.seq})" for entry in paid if entry.body)
        again = "calls the sandbox again" if place.sandbox else "pays again"
        yield f"After that entry it called {calls}: not part of this session, which {again} if it is approved."
    if place.doubt:
        yield f"Whether '{place.doubt}' happened was not known there, so it is not known here."
