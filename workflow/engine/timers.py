"""What happens when nobody answers: one place for whoever looks first, be it a turn, a watch or a server."""

from __future__ import annotations

from typing import Any

from workflow.engine.run import Run
from workflow.engine.work import work
from workflow.machine import due
from workflow.machine.due import Due
from workflow.model.instant import Instant


def keep_time(run: Run) -> None:
    """What began in the future: over a reboot the wall was set back, and only the clock from now on counts.

    Nobody knows how much of the time has passed, so a wait and a timer have all of it once more (decision 35).
    """
    now, since, body = run.world.clock.now(), run.session.since, dict[str, Any]()
    if run.state.watch and since and now.since(since) < 0:
        body["since"] = now.as_json()
    if not run.state.end:
        body |= due.restarted(run.session, now)
    if body:
        run.note("clock", body)


def fire(run: Run) -> None:
    """Everything that is due, the longest due first, each at most once; what it leads to goes on until it rests.

    Not durable yet, except where a call is made.
    """
    if not run.session.timers:
        return
    now = run.world.clock.now()
    while found := due.first(run.program, run.session, now):
        run.note("due", _entry(run, found, now))
        work(run)


def _entry(run: Run, found: Due, now: Instant) -> dict[str, Any]:
    """All that was decided by, so that it is decided alike again."""
    definition, session = run.program.definition, run.session
    body = {"timer": found.timer, "number": found.number, "now": now.as_json(), "from": session.state}
    told = due.fired(definition, session, found, now)
    if found.to is None:
        assert run.state.remind is not None
        return {**body, "to": None, **run.told(run.state.remind.say), "timers": told}
    arrived = run.arrival(found.to, by_time=True)
    if found.timer == due.AFTER:
        stays = found.to == session.state
        kept = {name: each.as_json() for name, each in session.timers.items() if name == due.REMIND}
        told = {**kept, **told} if stays else {}
    return {**body, **arrived, "timers": {**arrived.get("timers", {}), **told}}
