"""Watching: looks at the service, deadlines, and monitors that were asked for and never came."""

from __future__ import annotations

from workflow.engine.budget import LOOK
from workflow.engine.run import Run
from workflow.engine.work import attempt, fail, failed, passes, work
from workflow.machine.hosts import PATIENCE, can_watch
from workflow.machine.registry import Action, Done
from workflow.machine.standing import CREDENTIALS
from workflow.model.errors import ActionError, CredentialsError, Undecidable
from workflow.model.frozen import Noun

MOST_SORTS = 8
"""Sorts of odd answers that are noted in one wait: a service that never answers twice alike fills no log."""


class Look(Noun):
    """What one look found: whether the run moved on, how far the service is, and when the time is over.

    ``fault`` is the class of the ``error`` of a look that could not be made for now, ``retry_after`` the seconds that
    the service asked for before the next; ``outrun`` says that others moved the run while it was made, so that it
    counts for nothing.
    """

    moved: bool
    progress: int | None = None
    remaining: float = 0.0
    every: float = 0.0
    fault: str | None = None
    error: ActionError | None = None
    retry_after: float = 0.0
    outrun: bool = False


def look(run: Run, *, alone: bool = False) -> Look:
    """One look now, within a budget of its own, while others may have the session.

    Neither turn nor entry unless it finds something new; only a certain no of the service ends the wait. If others
    moved the run meanwhile, what was seen counts for nothing. A caller who does nothing else with the session is
    ``alone``: it is not held again where there is nothing to record.
    """
    state = run.state
    assert state.watch is not None
    action = run.program.registry.actions[state.watch.do]
    run.let_go()
    seen = _seen(run, action)
    if isinstance(seen, ActionError):
        return _unseen(run, action, seen, alone=alone)
    changed = {name: value for name, value in seen.data.items() if run.session.data.get(name) != value}
    news = bool(changed) or run.session.trouble is not None
    result = {"action": action.name, "set": changed, "item": None}
    try:
        holds, verdicts = run.ask(state.watch.then, run.facts({**run.session.data, **changed}))
    except Undecidable as fault:
        if not run.retake():
            return Look(False, outrun=True)
        if news:
            run.note("result", result)
        run.stop("look", fault)
        run.commit()
        return Look(True, seen.progress)
    to = run.program.after(state.name, "look", holds)
    if (news or to or not alone) and not run.retake():
        return Look(False, outrun=True)
    if news:
        run.note("result", result)
    if to:
        run.note("move", {"why": "look", "from": state.name, "verdicts": verdicts, **run.arrival(to)})
        work(run)
    run.commit()
    return Look(to is not None, seen.progress)


def _unseen(run: Run, action: Action, error: ActionError, *, alone: bool) -> Look:
    """A look that got no result: noted where it is new, and the end of the wait only where the service says no."""
    survives = passes(action, error)
    sort = f"{error.kind} {error.status or type(error).__name__}"
    new = sort not in run.session.odd and len(run.session.odd) < MOST_SORTS
    if not (alone and survives and not new) and not run.retake():
        return Look(False, outrun=True)
    if not survives:
        fail(run, action.name, error, route=not isinstance(error, CredentialsError))
        work(run)
        return Look(True, fault=error.kind, error=error)
    if new:
        run.note("odd", {"sort": sort, **failed(run, action.name, error)})
        run.commit()
    return Look(False, fault=error.kind, error=error, retry_after=error.retry_after or 0.0)


def _seen(run: Run, action: Action) -> Done | ActionError:
    try:
        run.connection().key()
        return attempt(run, action, run.budget.part(LOOK), attempts=1)
    except ActionError as error:
        return error


def pause(run: Run, found: Look) -> float:
    """Seconds until the next look: what the service asked for counts, and so does the deadline."""
    assert run.state.watch is not None
    return max(run.state.watch.every, min(found.retry_after, remaining(run)))


def remaining(run: Run) -> float:
    """Seconds until the deadline of the watch; it belongs to the engine and holds after any restart."""
    watch, since = run.state.watch, run.session.since
    if watch is None or since is None:
        return 0.0
    return min(watch.within, watch.within - run.world.clock.now().since(since))


def overdue(run: Run) -> bool:
    """Whether the wait is over, as soon as one more look has been made."""
    return run.state.watch is not None and remaining(run) <= 0


def keep_deadline(run: Run) -> None:
    """A passed deadline counts only after one more look."""
    if overdue(run):
        state = run.state.name
        outrun = look(run).outrun
        stuck = run.session.trouble in CREDENTIALS or run.session.undecided is not None
        if not outrun and run.state.name == state and not stuck:
            give_up(run)


def give_up(run: Run) -> None:
    """The time is over, and the last look found nothing."""
    state = run.state.name
    to = run.program.after(state, "late", {})
    run.note("move", {"why": "late", "from": state, "verdicts": {}, **run.arrival(to)})
    work(run)
    run.commit()


def notice_presence(run: Run) -> None:
    """Somebody watches; noted once per wait."""
    if run.state.watch and not run.session.trouble and run.session.watcher != "seen":
        run.note("watching", {})
        run.commit()


def notice_absence(run: Run) -> None:
    """A monitor that was asked for and not seen is none: say what is true without one."""
    asked, state = run.session.asked_to_watch, run.state
    if state.watch is None or asked is None or run.session.watcher or not can_watch(run.session.host):
        return
    if run.world.clock.now().since(asked) <= PATIENCE:
        return
    before = run.rested()
    run.note("unwatched", {"owe": []})
    after = run.rested()
    if after["owe"] and after != before:
        run.note("unwatched", after)
    run.commit()
