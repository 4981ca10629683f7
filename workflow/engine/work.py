"""Working states: performing actions, and going on until the run rests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

from workflow.engine.budget import PAID, Budget, BudgetedService
from workflow.engine.intent import Leave, enter, limits_now
from workflow.engine.late_answer import settle
from workflow.engine.run import Run, call_part
from workflow.engine.witness import Witness
from workflow.local import files
from workflow.machine import approvals
from workflow.machine.declared import Remembered
from workflow.machine.registry import Action, Call, Done
from workflow.machine.standing import BROKEN, NOT_ENTERED, SET_BACK
from workflow.machine.traces import traced
from workflow.model.brakes import check_pauses
from workflow.model.digest import canonical
from workflow.model.errors import (
    ActionError,
    BadResponse,
    Braked,
    CredentialsError,
    FileChanged,
    HoldLost,
    JournalTampered,
    LedgerUnusable,
    SessionBusy,
    SetBack,
    StoreError,
    Undecidable,
    Unreachable,
    WorkflowError,
)
from workflow.model.frozen import replace
from workflow.model.surface import Machine
from workflow.service.key import redact

MOST_STEPS = 64
"""More steps than this without a rest is a loop, which lint should have found."""
ATTEMPTS = 3
LONGEST_PAUSE, LONGEST_PAUSE_OF_A_READ = 10.0, 30.0
"""Seconds a turn waits before it repeats a call; a service that asks for more is left alone."""
_LINT = Machine("Run `workflow lint` on the bundle.")


def work(run: Run) -> None:
    """Go on while the state is a working one; returns at rest, or after a failed call."""
    try:
        for _ in range(MOST_STEPS):
            if not run.state.works or run.session.trouble:
                return
            if _done(run):
                choose(run)
    except JournalTampered:
        if run.has_result:  # to a store that was edited nothing else is added
            run.commit()
        raise
    except Exception:
        run.commit()  # whatever is wrong with the bundle: a result that was paid for is kept
        raise
    raise WorkflowError(f"the run went round in circles at {run.state.name}", _LINT)


def _done(run: Run) -> bool:
    """Whether what the state does is done, so that its guards can be asked; it is not done twice for their sake."""
    if run.state.do is None or run.session.undecided == "then":
        return True
    return _perform(run, run.program.registry.actions[run.state.do])


def settle_intent(run: Run) -> None:
    """An intent without a result, and nobody at work on it: the paid call is in doubt. Not durable yet."""
    intent = run.session.intent
    if intent:
        _doubt(run, intent.action, "the program stopped before the answer was recorded")


def attempt(
    run: Run, action: Action, budget: Budget, item: Mapping[str, Any] | None = None, attempts: int = ATTEMPTS
) -> Done:
    """Perform ``action`` within ``budget``; what may be repeated is, with pauses, at most ``attempts`` times.

    Raises :class:`ActionError` when it is at its wits' end.
    """
    connection = run.connection()

    def read() -> bytes:
        if item is None:
            raise WorkflowError(f"'{action.name}' reads a file, but no gate asks for files item by item")
        return files.take(item["path"], item["sha256"], forbidden=run.forbidden())

    data = Remembered(action.name, deepcopy(dict(run.session.data)), run.program.setters)
    service = Witness(BudgetedService(connection.service, budget))
    call = Call(data, dict(run.settings), service, connection.base_url, item, read, run.intent())
    if action.once:
        return _done_once(run, action, call, service)
    longest = LONGEST_PAUSE_OF_A_READ if action.effect == "read" else LONGEST_PAUSE
    for count in range(1, attempts + 1):
        try:
            return _performed(run, action, call)
        except ActionError as error:
            pause = error.retry_after if error.retry_after is not None else 0.5 * count
            if not passes(action, error) or count == attempts or pause > min(longest, budget.left()):
                raise
            run.world.clock.sleep(pause)
    raise AssertionError("unreachable: the last attempt returns or raises")


def passes(action: Action, error: ActionError) -> bool:
    """Whether the same call may do better a little later: reading may, until the service itself says a certain no.

    A fault of the bundle's own code stays one.
    """
    return error.transient or (action.effect == "read" and not error.definite and error.kind != BROKEN)


def fail(
    run: Run,
    action: str,
    error: ActionError,
    *,
    route: bool,
    item: Mapping[str, Any] | None = None,
    left: Leave | None = None,
    facts: Mapping[str, Any] = {},
) -> None:
    """Record a failed call: the user hears of it, and the run goes where its state says, or stays for `retry`.

    ``left`` says when the call left, if it did; ``facts`` is what else the entry says of it.
    """
    to = run.program.after(run.session.state, "failed", {error.kind: True}) if route else None
    message = run.program.definition.told_of(error.kind, action)
    body = {
        **failed(run, action, error),
        **_leaving(run, action, left),
        **facts,
        "set": _offered_anew(run, error, item),
        **run.arrival(to, owe=[message] if message else []),
    }
    run.note("failure", body)
    run.commit()
    if to:
        run.explain(f"'{action}' failed ({error.kind})", body)


def failed(run: Run, action: str, error: ActionError) -> dict[str, Any]:
    """What the journal keeps of an error."""
    obstacle = error.obstacle if isinstance(error, Unreachable) else ""
    return {
        "action": action,
        "kind": error.kind,
        "message": _clean(run, error.message),
        "request": error.request_id,
    } | ({"obstacle": obstacle} if obstacle else {})


def explain_doubt(run: Run) -> None:
    """Tell the agent why it is not known whether a paid call happened, as the journal has it."""
    found = [entry.body for entry in run.world.store.entries(run.session.name) if entry.kind == "doubt" and entry.body]
    if found:
        _explain_doubt(run, found[-1]["action"], found[-1]["reason"])


def _explain_doubt(run: Run, action: str, reason: str) -> None:
    run.explain(f"Whether '{action}' happened is not known", {"message": reason})


def _perform(run: Run, action: Action) -> bool:
    """Perform the state's action, item by item where its gate asks so; whether its state leads on from here.

    It does not if the call failed, if others moved the run meanwhile, and if a paid call's outcome has moved it.
    """
    once = _pay if action.once else _repeatable
    gate = run.program.definition.item_gate(action.name)
    if gate is None:
        return once(run, action, None)
    try:
        consented = approvals.consented(run.program.definition, gate, run.session, run.world.policy)
    except Exception as fault:
        return _unchecked(run, action, fault)
    return all(once(run, action, item) for item in consented)


def _may_leave(run: Run, action: Action, item: Mapping[str, Any] | None) -> Leave | None:
    """That the call may leave; None without a key, or the evidence that it needs and that counts."""
    try:
        _check_place(run, action)
        run.connection().key()
        return _check_evidence(run, action, item)
    except (SetBack, LedgerUnusable) as error:
        kind = SET_BACK if isinstance(error, SetBack) else NOT_ENTERED
        fail(run, action.name, ActionError(error.message, kind), route=False)
    except Braked as error:
        _held_back(run, action, error)
    except CredentialsError as error:
        fail(run, action.name, error, route=False)
    except ActionError as error:
        fail(run, action.name, error, route=True, item=item)
    except (StoreError, HoldLost):  # nothing can be recorded of it either
        raise
    except Exception as fault:
        _unchecked(run, action, fault)
    return None


def _leaving(run: Run, action: str, left: Leave | None) -> dict[str, Any]:
    """What an entry says of when a call left for which answers had to count; the clock is asked only once."""
    if left is None or not run.program.definition.needs(action):
        return {}
    return {"now": left.at.as_json(), **run.who(action)}


def _repeatable(run: Run, action: Action, item: Mapping[str, Any] | None) -> bool:
    """One call that may be repeated; others can end the work meanwhile, and then its result counts for nothing."""
    left = _may_leave(run, action, item)
    if left is None:
        return False
    run.commit()
    try:
        done = _outside(run, action, item)
    except ActionError as error:
        fail(run, action.name, error, route=True, item=item, left=left)
        return False
    if done is None:
        return False
    body = {"action": action.name, "set": dict(done.data), "item": item and item["sha256"]}
    if left.by.gates:
        body |= approvals.spending(run.program.definition, run.session, action.name, item)
    run.note("result", body | _leaving(run, action.name, left))
    return True


def _outside(run: Run, action: Action, item: Mapping[str, Any] | None) -> Done | None:
    """Make the call while others may have the session, but not the call; None if they moved the run meanwhile."""
    store, name, part = run.world.store, run.session.name, call_part(run.session)
    with ExitStack() as calling:
        try:
            calling.enter_context(store.hold(name, 0.0, part))
        except SessionBusy:
            if run.wait <= 0:
                raise
            run.let_go()
            with store.hold(name, run.wait, part):  # once it is free, its result is in the journal
                pass
            run.retake()
            return None
        run.let_go()
        fault = None
        try:
            done = attempt(run, action, run.budget, item)
        except ActionError as error:
            fault = error
        if not run.retake():
            return None
        if fault:
            raise fault
        return done


def _pay(run: Run, action: Action, item: Mapping[str, Any] | None) -> bool:
    """One call that must not be repeated. It holds the session; its outcome is recorded, whoever holds it by then."""
    left = _may_leave(run, action, item)
    if left is None or not _written_down(run, action, item, left):
        return False
    state, call, intent = run.session.state, run.session.head, run.session.seq
    outcome: Done | ActionError
    try:
        with run.budget.paused():
            outcome = attempt(run, action, Budget(run.world.clock, PAID, left.at), item)
    except ActionError as error:
        outcome = error
    try:
        return _record(run, action, outcome, item, intent)
    except HoldLost:
        known, happened = isinstance(outcome, Done) or outcome.definite, isinstance(outcome, Done)
        settle(run, state, call, lambda: _record(run, action, outcome, item, intent), known=known, happened=happened)
        return False


def _written_down(run: Run, action: Action, item: Mapping[str, Any] | None, left: Leave) -> bool:
    """Whether the call is in the journal and the ledger, and may leave: neither a pause nor a limit holds it back."""
    try:
        under = replace(left, limits=limits_now(run, action, left.at))
    except StoreError:  # nothing can be recorded of it either
        raise
    except Exception as fault:
        return _unchecked(run, action, fault)
    try:
        return enter(run, action, item, under)
    except Braked as error:
        return _held_back(run, action, error)


def _record(run: Run, action: Action, outcome: Done | ActionError, item: Mapping[str, Any] | None, intent: int) -> bool:
    """The outcome of a paid call and where it leads, in one commit; whether other items are to be paid for now."""
    if isinstance(outcome, Done):
        run.note("result", {"action": action.name, "set": dict(outcome.data), "item": item and item["sha256"]})
        try:
            if item is None and run.state.works:
                choose(run)
        finally:
            run.commit()
        return item is not None
    if not outcome.definite:
        _doubt(run, action.name, _clean(run, outcome.message))
    elif run.state.works:
        fail(run, action.name, outcome, route=True, item=item, facts={"frees": intent})
    run.commit()
    return False


def _held_back(run: Run, action: Action, brake: Braked) -> bool:
    """Nothing left, and no route is taken: the answers are kept, and `retry` asks again."""
    fail(run, action.name, ActionError(brake.message, brake.kind), route=False, facts=brake.facts)
    return False


def _unchecked(run: Run, action: Action, fault: Exception) -> bool:
    """Stop before a call that nobody can say may be made; no route of the bundle is taken for that."""
    who = f"whether '{action.name}' may be called"
    run.report("check", traced(who, fault))
    reason = f"{who} cannot be told: {type(fault).__name__}"
    fail(run, action.name, ActionError(reason, BROKEN), route=False)
    return False


def _check_place(run: Run, action: Action) -> None:
    """Nothing that a person was asked about leaves a copy of the store, a session that the ledger knows better, or one
    that is paused.
    """
    store, now = run.world.store, run.session
    if action.once:
        store.check_paying(now.name)
    elif run.program.definition.needs(action.name):
        store.check_own()
    else:
        return
    check_pauses(store.pauses(), now.name, now.workflow)


def _check_evidence(run: Run, action: Action, item: Mapping[str, Any] | None) -> Leave:
    """Once more as the call leaves: what it must never be without is there, fits what would be sent, and counts now."""
    definition, now = run.program.definition, run.world.clock.now()
    if not definition.needs(action.name):
        return Leave(now)
    run.check_journal()
    found = approvals.best(definition, run.session, action.name, run.world.policy, now, item, run.people)
    if not found.complete:
        lacks = "; ".join(each.lacks for each in found.lacking)
        raise ActionError(f"'{action.name}' has no approval that counts now: {lacks}", "void")
    return Leave(now, found)


def choose(run: Run) -> None:
    """Where the run goes from a working state: the first guard that passes; nowhere where it cannot tell."""
    state = run.state
    assert state.then is not None
    try:
        holds, verdicts = run.ask(state.then, run.facts())
    except Undecidable as fault:
        run.stop("then", fault)
        run.commit()
        return
    to = run.program.after(state.name, "then", holds)
    if to is None:
        raise WorkflowError(f"{state.name} leads nowhere", _LINT)
    run.note("move", {"why": "then", "from": state.name, "verdicts": verdicts, **run.arrival(to)})


def _doubt(run: Run, action: str, reason: str) -> None:
    to = run.program.after(run.session.state, "doubt", {})
    run.note("doubt", {"action": action, "reason": reason, **run.arrival(to)})
    _explain_doubt(run, action, reason)


def _done_once(run: Run, action: Action, call: Call, service: Witness) -> Done:
    """The result of a paid call; whatever error its code raises, only the answers say that nothing was done."""
    try:
        return _performed(run, action, call)
    except ActionError as error:
        if not error.definite or service.saw_no(error):
            raise
        fault = BadResponse(error.message, error.kind, request_id=error.request_id, status=error.status)
    raise fault


def _performed(run: Run, action: Action, call: Call) -> Done:
    """The action's result; a fault of its own code becomes a failed call, and after a paid one, doubt."""
    try:
        done = action.perform(call)
        if not isinstance(done, Done):
            raise TypeError(f"it returned {type(done).__name__}, where an action returns Done")
        strange = sorted(set(done.data) - action.sets)
        canonical(dict(done.data))
    except ActionError:
        raise
    except (Exception, SystemExit) as error:
        run.report("action", traced(f"the action '{action.name}'", error))
        fault = f"the code of the action failed: {type(error).__name__}"
    else:
        if not strange:
            return done
        fault = f"it gave {', '.join(strange)}, which it does not declare to set"
        run.report("action", f"the action '{action.name}': {fault}")
    raise BadResponse(f"'{action.name}': {fault}", BROKEN)


def _offered_anew(run: Run, error: ActionError, item: Mapping[str, Any] | None) -> dict[str, Any]:
    """A file that changed is offered again as it is now: read once, and nothing sent."""
    if not isinstance(error, FileChanged) or item is None or error.now is None:
        return {}
    now = {"sha256": error.now.sha256, "size": error.now.size}
    held = {name: run.session.data.get(name) or [] for name in run.program.definition.of_type("files")}
    return {
        name: [{**each, **now} if each.get("path") == item["path"] else each for each in files]
        for name, files in held.items()
        if any(each.get("path") == item["path"] for each in files)  # a list that an action made names no paths
    }


def _clean(run: Run, message: str) -> str:
    """An error's text for the journal, without the key."""
    return redact(message, run.known_key())
