"""A paid call before it leaves: its intent in the journal, then its line in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.engine.limits import counting
from workflow.engine.run import Run
from workflow.machine import brakes
from workflow.machine.approvals import Approvals, spending
from workflow.machine.paid_call import name_of
from workflow.machine.registry import Action
from workflow.machine.standing import NOT_ENTERED
from workflow.model.brakes import Use, used
from workflow.model.errors import Braked, WorkflowError
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun
from workflow.model.instant import Instant
from workflow.model.ledger import Payment


class Leave(Noun):
    """That a call may leave: the instant at which its answers counted, which they are, and the limits that let it."""

    at: Instant
    by: Approvals = Approvals()
    limits: tuple[Mapping[str, Any], ...] = ()


def enter(run: Run, action: Action, item: Mapping[str, Any] | None, left: Leave) -> bool:
    """Commit the intent, then write it down in the ledger; whether the call may leave.

    Where the ledger cannot be written the call certainly did not happen: that is recorded, and its answers are held
    again, so that `retry` makes the same call under the same name. ``left`` says which they are, and when they
    counted. Raises :class:`Braked`, and writes nothing, if a pause or a limit holds the call back.
    """
    definition, store, before = run.program.definition, run.world.store, run.session
    try:
        store.begin_ledger(run.time())
    except Exception as fault:
        return _unentered(run, action, fault, ())
    spends = spending(definition, before, action.name, item)
    call = name_of(store.identity(), before, action.name, left.by, item)
    known = {"now": left.at.as_json(), **run.who(action.name)}
    body = {"action": action.name, **spends, "call": call, **known}
    run.note("intent", body | ({"limits": [*left.limits]} if left.limits else {}))
    payment = Payment(store.identity(), call, before.name, action.name, run.receipt, run.time())
    try:
        run.commit()
    except Braked:
        run.drop(before)
        raise
    try:
        store.enter(payment)
    except Exception as fault:
        return _unentered(run, action, fault, [each for each in before.evidence if each not in run.session.evidence])
    return True


def limits_now(run: Run, action: Action, left: Instant) -> tuple[Mapping[str, Any], ...]:
    """The limits that the call leaves under, with how many calls count against each, for the journal.

    Whether one of them is full is decided by the store as the intent is written: others may be quicker.
    """
    limits = brakes.limits(run.program.definition, run.world.limits, action.name)
    if not limits:
        return ()
    now, store = run.session, run.world.store
    use = Use(now.name, now.seq + 1, now.workflow, action.name, now.sandbox is not None, left)
    return tuple({**each.as_json(), "used": used(counting(store, use, each), left, each.per)} for each in limits)


def _unentered(run: Run, action: Action, fault: Exception, kept: Sequence[Evidence]) -> bool:
    """Record that nothing left; the answers that the intent had spent are held again."""
    message = run.program.definition.told_of(NOT_ENTERED, action.name)
    why = fault.message if isinstance(fault, WorkflowError) else f"the ledger failed: {type(fault).__name__}"
    body: dict[str, Any] = {
        "action": action.name,
        "kind": NOT_ENTERED,
        "message": why,
        "request": None,
        "set": {},
    }
    if run.session.intent:
        body["frees"] = run.session.intent.seq
    if kept:
        body["kept"] = [each.as_json() for each in kept]
    run.note("failure", body | run.arrival(None, owe=[message] if message else []))
    run.commit()
    return False
