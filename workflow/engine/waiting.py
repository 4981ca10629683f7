"""What a run waits for: who acts, since when, and until when."""

from __future__ import annotations

from collections.abc import Iterable

from workflow.engine.turns import Engine
from workflow.machine.standing import CREDENTIALS
from workflow.model.frozen import Noun
from workflow.model.instant import iso
from workflow.model.reply import ENDED, Option, Reply
from workflow.model.session import Session
from workflow.model.surface import Surface


class Waiting(Noun):
    """``acts`` pairs who acts (person, agent, service) with what they would do; times are ISO 8601, UTC.

    ``answer_by`` is when the first term of an open question ends.
    """

    acts: tuple[tuple[str, str], ...]
    since: str
    until: str | None = None
    overdue: bool = False
    answer_by: str | None = None

    @property
    def sentence(self) -> str:
        """For a reply's notices."""
        acts = ", or ".join(f"the {who} ({what})" for who, what in self.acts)
        told = f"It waits for {acts}, since {self.since}"
        if self.until is None:
            return f"{told}."
        if self.overdue:
            return f"{told}; its time was over at {self.until}, and the next turn looks once more."
        return f"{told}, until {self.until}."


def waiting(engine: Engine, reply: Reply) -> Waiting | None:
    """What the session of this reply waits for; None if it has ended, or there is none."""
    session = engine.world.store.load(reply.session) if reply.session else None
    if session is None or reply.status in ENDED:
        return None
    until = reply.watch["until"] if reply.watch else None
    now = iso(engine.world.clock.now())
    cut_short = engine.load(session.name).program.state(reply.state or session.state).works and not session.trouble
    acts, terms = (
        tuple(_acts(reply, session, cut_short, engine.world.surface)),
        [each.gate.until for each in reply.next if each.gate],
    )
    first = min(filter(None, terms), default=None)
    return Waiting(acts, session.stopped, until, until is not None and until <= now, first)


def _acts(reply: Reply, session: Session, cut_short: bool, surface: Surface) -> Iterable[tuple[str, str]]:
    if cut_short or reply.status == "working" or not reply.next:
        return [("agent", f"{surface.say_again.format(session.name)} goes on with what was cut short")]
    if session.trouble:
        who = "person" if session.trouble in CREDENTIALS else "agent"
        return [(who, f"`retry`, once the cause is fixed: {session.trouble}")]
    found = [(who, _events(option for option in reply.next if option.who == who)) for who in _ORDER]
    service, *others = found
    return [service] if service[1] else [each for each in others if each[1]]


_ORDER = ("service", "person", "agent")


def _events(options: Iterable[Option]) -> str:
    return ", ".join(option.event for option in options if option.who != "service" or option.event != "late")
