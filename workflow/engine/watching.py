"""Watching: looks at the service, deadlines, and monitors that were asked for and never came."""

from __future__ import annotations

from workflow.engine.run import Run
from workflow.engine.work import attempt, fail, work
from workflow.machine.hosts import PATIENCE, can_watch
from workflow.machine.standing import CREDENTIALS
from workflow.model.errors import ActionError, Undecidable
from workflow.model.frozen import Noun


class Look(Noun):
    """What one look found: whether the run moved on, how far the service is, and when the time is over.

    ``fault`` is the error class of a look that could not be made for now.
    """

    moved: bool
    progress: int | None = None
    remaining: float = 0.0
    every: float = 0.0
    fault: str | None = None


def look(run: Run) -> Look:
    """One look now. Neither turn nor entry unless data change; a passing fault is no news, a lasting one stops."""
    state = run.state
    assert state.watch is not None
    action = run.program.registry.actions[state.watch.do]
    run.commit()
    try:
        run.connection().key()
        done = attempt(run, action, attempts=1)
    except ActionError as error:
        if not error.transient:
            fail(run, action.name, error, route=False)
        return Look(not error.transient, fault=error.kind)
    changed = {name: value for name, value in done.data.items() if run.session.data.get(name) != value}
    if changed or run.session.trouble:
        run.note("result", {"action": action.name, "set": changed, "item": None})
    try:
        holds, verdicts = run.ask(state.watch.then, run.facts())
    except Undecidable as fault:
        run.stop("look", fault)
        run.commit()
        return Look(True, done.progress)
    to = run.program.after(state.name, "look", holds)
    if to:
        run.note("move", {"why": "look", "from": state.name, "verdicts": verdicts, **run.arrival(to)})
        work(run)
    run.commit()
    return Look(to is not None, done.progress)


def remaining(run: Run) -> float:
    """Seconds until the deadline of the watch; it belongs to the engine and holds after any restart."""
    watch, since = run.state.watch, run.session.since
    if watch is None or since is None:
        return 0.0
    return min(watch.within, watch.within - run.world.clock.now().since(since))


def overdue(run: Run) -> bool:
    """Whether the wait is over, as soon as one more look has been made."""
    return run.state.watch is not None and remaining(run) <= 0


def keep_time(run: Run) -> None:
    """A wait that began in the future: over a reboot the wall was set back, and only the clock from now on counts.

    Nobody knows how much of its time has passed, so it has all of it once more (decision 35).
    """
    now, since = run.world.clock.now(), run.session.since
    if run.state.watch and since and now.since(since) < 0:
        run.note("clock", {"since": now.as_json()})


def keep_deadline(run: Run) -> None:
    """A passed deadline counts only after one more look."""
    if overdue(run):
        state = run.state.name
        look(run)
        stuck = run.session.trouble in CREDENTIALS or run.session.undecided is not None
        if run.state.name == state and not stuck:
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
