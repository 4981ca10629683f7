"""Timers: what a session does by itself when nobody answers, and when. Pure: an instant in, what is due out.

A timer counts from the entry that began it, by the clock since boot; across a reboot by the wall (decision 180).
"""

from __future__ import annotations

from typing import Any

from workflow.machine.definition import Definition, Stage, State
from workflow.machine.program import Program
from workflow.machine.terms import moment
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.model.session import Session, Timer

AFTER, REMIND, DEADLINE = "after", "remind", "deadline"


class Due(Noun):
    """The next of a timer: its ``number``-th stage or reminder, and where it leads.

    ``to`` is None for a reminder, which leads nowhere; ``left`` are the seconds until then, none or less once due.
    """

    timer: str
    number: int
    seconds: float
    since: Instant
    left: float
    to: str | None = None

    def at(self, now: Instant) -> str:
        """When it is due by the wall as it is now, ISO 8601 in UTC."""
        return moment(self.since, now, self.seconds)


def coming(definition: Definition, session: Session, now: Instant) -> list[Due]:
    """The next of each timer that runs, what was due first first; stages and reminders that were missed are one."""
    if not session.timers or definition.states[session.state].end:
        return []
    found = (_next(definition, session, name, timer, now) for name, timer in session.timers.items())
    return sorted((each for each in found if each), key=lambda each: each.left)


def first(program: Program, session: Session, now: Instant) -> Due | None:
    """What is to happen now, if anything: what was due first, and no reminder of what is over."""
    due = [each for each in coming(program.definition, session, now) if each.left <= 0]
    due = [each for each in due if not held_back(program, session, each.timer)]
    return next(iter([each for each in due if each.to is not None] or due), None)


def held_back(program: Program, session: Session, timer: str) -> str:
    """Why this timer waits although its time is over; empty if nothing keeps it.

    A timer that a bundle puts into a state of doubt counts there: it leads to another doubt, or gives up.
    """
    state = program.state(session.state)
    if session.intent:
        return f"the outcome of '{session.intent.action}' is not recorded"
    if session.doubt and (timer == DEADLINE or state.name not in program.doubtful):
        return f"it is not known whether '{session.doubt}' happened"
    if state.watch and session.paid:
        return "the service is at work on what was paid for"
    if state.works and not session.trouble:
        return "the work of its state comes first"
    if timer == REMIND and session.trouble:
        return "the session has stopped, and asks nothing"
    return ""


def begun(definition: Definition, session: Session, state: State, now: Instant) -> dict[str, Any]:
    """What an entry that leads to ``state`` says of timers: those of the state begin with it.

    A session that goes on from its end has the whole time until its deadline again.
    """
    again = definition.states[session.state].end and not state.end
    return _written({**_of_state(state, now), **(_of_session(definition, now) if again else {})})


def from_the_start(definition: Definition, state: State, now: Instant) -> dict[str, Any]:
    """What the first entry of a session says of timers, a fork's included: all that it has begin with it."""
    return _written({**_of_state(state, now), **({} if state.end else _of_session(definition, now))})


def passed_on(
    definition: Definition, session: Session, state: State, now: Instant, *, moved: bool = False
) -> dict[str, Any]:
    """What the entry says that takes a session over into a changed bundle, where it stands in ``state``.

    What runs runs on, with the times of the new bundle; what is new begins now. A session that is ``moved`` there has
    left its own state, so that all of them are told.
    """
    wanted = {**_of_state(state, now), **({} if state.end else _of_session(definition, now))}
    timers: dict[str, Timer | None] = dict.fromkeys(session.timers.keys() - wanted.keys())
    for name, fresh in wanted.items():
        known = session.timers.get(name)
        timers[name] = _resumed(definition, state, name, known, now) if known else fresh
    return _written({name: each for name, each in timers.items() if moved or each != session.timers.get(name)})


def fired(definition: Definition, session: Session, due: Due, now: Instant) -> dict[str, Any]:
    """What its own entry says of a timer that fired: a reminder counts from the last one, a stage from the entry."""
    since = now if due.timer == REMIND else due.since
    timer = Timer(since, due.number, None)
    state = definition.states[session.state]
    return {due.timer: replace(timer, seconds=_span(definition, state, due.timer, timer)).as_json()}


def restarted(session: Session, now: Instant) -> dict[str, Any]:
    """The timers that began in the future: over a reboot the wall was set back, and they begin again (decision 35)."""
    ahead = {name: each for name, each in session.timers.items() if now.since(each.since) < 0}
    return _written({name: replace(each, since=now) for name, each in ahead.items()})


def target(definition: Definition, session: Session, timer: str, number: int) -> str | None:
    """Where the ``number``-th stage of a timer leads; None where there is none, and for a reminder."""
    stages = _stages(definition, definition.states[session.state], timer)
    return stages[number - 1][1] if 0 < number <= len(stages) else None


def _next(definition: Definition, session: Session, name: str, timer: Timer, now: Instant) -> Due | None:
    state = definition.states[session.state]
    passed = max(now.since(timer.since), 0.0)
    if name == REMIND:
        span = _span(definition, state, name, timer)
        return Due(name, timer.number + 1, span, timer.since, span - passed) if span else None
    stages = _stages(definition, state, name)
    missed = [number for number, (seconds, _) in enumerate(stages, 1) if timer.number < number and seconds <= passed]
    number = max(missed, default=timer.number + 1)
    if number > len(stages):
        return None
    seconds, to = stages[number - 1]
    return Due(name, number, seconds, timer.since, seconds - passed, to)


def _stages(definition: Definition, state: State, timer: str) -> tuple[Stage, ...]:
    if timer == AFTER:
        return state.after
    return (definition.deadline,) if timer == DEADLINE and definition.deadline else ()


def _span(definition: Definition, state: State, name: str, timer: Timer) -> float | None:
    """Seconds until the next of it, from when it counts; None where nothing more comes."""
    remind = state.remind
    if name == REMIND:
        return remind.every if remind and (remind.at_most is None or timer.number < remind.at_most) else None
    stages = _stages(definition, state, name)
    return stages[timer.number][0] if timer.number < len(stages) else None


def _resumed(definition: Definition, state: State, name: str, timer: Timer, now: Instant) -> Timer:
    """A timer that runs on with other times; stages that were passed before are not passed again."""
    if name == AFTER and timer.number:
        passed = timer.seconds if timer.seconds is not None else max(now.since(timer.since), 0.0)
        number = sum(seconds < passed for seconds, _ in state.after)
        timer = replace(timer, number=number)
    return replace(timer, seconds=_span(definition, state, name, timer))


def _of_state(state: State, now: Instant) -> dict[str, Timer]:
    timers = {AFTER: Timer(now, 0, state.after[0][0])} if state.after else {}
    return timers | ({REMIND: Timer(now, 0, state.remind.every)} if state.remind else {})


def _of_session(definition: Definition, now: Instant) -> dict[str, Timer]:
    return {DEADLINE: Timer(now, 0, definition.deadline[0])} if definition.deadline else {}


def _written(timers: dict[str, Timer] | dict[str, Timer | None]) -> dict[str, Any]:
    """As an entry has it, in its key ``timers``; nothing where no timer begins or changes."""
    told = {name: each and each.as_json() for name, each in timers.items()}
    return {"timers": told} if told else {}
