"""Where a session stands, and what it waits for: who acts, since when, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflow.engine.run import Run
from workflow.engine.sandboxes import sandbox_now
from workflow.engine.view import View
from workflow.machine.foreign import inline
from workflow.machine.standing import CREDENTIALS
from workflow.machine.wishes import LONGEST as LONGEST_WISH
from workflow.model.frozen import Noun, replace
from workflow.model.instant import iso
from workflow.model.reply import ENDED, Reply
from workflow.model.session import Session

ACTORS = ("person", "agent", "service")
"""Who is not named by a role."""


class Waiting(Noun):
    """``acts`` pairs who acts (person, agent, service, or a role in words) with what they would do; times are
    ISO 8601, UTC.

    ``answer_by`` is when the first term of an open question ends. ``due`` is what time brings, as in the reply.
    """

    acts: tuple[tuple[str, str], ...]
    since: str
    until: str | None = None
    overdue: bool = False
    answer_by: str | None = None
    due: tuple[Mapping[str, Any], ...] = ()

    @property
    def sentence(self) -> str:
        """For a reply's notices."""
        late = [each for each in self.due if each.get("overdue") or each.get("held")]
        return " ".join([self._acts, *(f"Due {when_due(each, each['at'])}." for each in late)])

    @property
    def _acts(self) -> str:
        acts = ", or ".join(f"{f'the {who}' if who in ACTORS else who} ({what})" for who, what in self.acts)
        told = f"It waits for {acts}, since {self.since}"
        if self.until is None:
            return f"{told}."
        if self.overdue:
            return f"{told}; its time was over at {self.until}, and the next turn looks once more."
        return f"{told}, until {self.until}."


class Standing(Noun):
    """The reply of a ``status`` with all that it says beside the conversation, and what the session waits for."""

    reply: Reply
    waiting: Waiting | None

    @property
    def told(self) -> Reply:
        """The reply with a notice of what the session waits for, for readers of JSON."""
        found = self.waiting
        return replace(self.reply, notices=(*self.reply.notices, found.sentence)) if found else self.reply


def standing(view: View, name: str) -> Standing:
    """Where a session stands, what it is about and whether its sandbox answers; it is loaded once for all of it."""
    run, holder = view.seen(name)
    reply = with_about(view.shown(run, holder), run.session)
    if reply.status in ENDED:
        return Standing(reply, None)
    sandbox = sandbox_now(run)
    notices = (*reply.notices, sandbox) if sandbox else reply.notices
    return Standing(replace(reply, notices=notices), waits_for(run, reply))


def with_about(reply: Reply, session: Session) -> Reply:
    """The reply with what an agent that comes back cannot know, as notices, in marked words.

    They are what the session is about, and each kept wish whose question the reply does not put.
    """
    asked = {said.id for said in reply.say}
    about = [f"{session.name} is about {inline(session.about)}."] if session.about else []
    kept = [
        f"The user's wish {inline(wish.words, LONGEST_WISH)} waits for `{wish.event}`, and is asked about in time."
        for wish in session.wishes
        if wish.key not in asked
    ]
    return replace(reply, notices=(*reply.notices, *about, *kept))


def waits_for(run: Run, reply: Reply) -> Waiting:
    """What a session that goes on waits for, as this reply shows it."""
    until = reply.watch["until"] if reply.watch else None
    now = iso(run.world.clock.now())
    first = min(filter(None, (each.gate.until for each in reply.next if each.gate)), default=None)
    late, stopped = until is not None and until <= now, run.session.stopped
    return Waiting(tuple(_acts(run, reply)), stopped, until, late, first, reply.due)


def when_due(due: Mapping[str, Any], at: str) -> str:
    """What time brings, in words; ``at`` is when, as this surface writes it."""
    what = f"it goes to {due['to']}" if due.get("to") else "the user is reminded"
    if due.get("held"):
        return f"since {at}: {what} later, because {due['held']}"
    return f"since {at}: {what} at the next turn" if due.get("overdue") else f"{at}: {what}"


def _acts(run: Run, reply: Reply) -> Iterable[tuple[str, str]]:
    session, surface = run.session, run.world.surface
    state = run.program.state(reply.state or session.state)
    if (state.works and not session.trouble) or reply.status == "working" or not reply.next:
        return [("agent", f"{surface.say_again.format(session.name)} goes on with what was cut short")]
    if session.trouble:
        who = "person" if session.trouble in CREDENTIALS else "agent"
        return [(who, f"`retry`, once the cause is fixed: {session.trouble}")]
    if state.watch:
        return [("service", ", ".join(state.watch.then.names))]
    found: dict[str, list[str]] = {}
    for each in sorted(reply.next, key=lambda option: option.who != "person"):
        gate = each.gate
        who = gate.by if gate and gate.by else each.who
        count = f", {gate.given} of {gate.least}" if gate and gate.least else ""
        found.setdefault(who, []).append(f"{each.event}{count}")
    return [(who, ", ".join(events)) for who, events in found.items()]
