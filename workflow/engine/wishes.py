"""Wishes in the journal: kept, dropped by the person, and overtaken by an end without their event."""

from __future__ import annotations

from workflow.engine.observe import proven
from workflow.engine.repeats import identity_of
from workflow.engine.run import Run
from workflow.machine import wishes
from workflow.machine.decide import Observed
from workflow.model.session import Turn, Wish

_WAITS = "Tell the user, in your own words, that you keep it."


def note(run: Run, turn: Turn, wish: Wish, observed: Observed) -> None:
    """Keep a wish or drop it, and ask about the one whose turn it is; one that waits already is kept once."""
    drops = turn.input.get(wishes.DROP) is True
    if wish.id and not drops:
        run.notice(f"This wish waits already. {_WAITS}")
        return
    session, definition = run.session, run.program.definition
    fresh = Wish(str(session.seq + 1), wish.event, wish.words)
    waiting = tuple(each for each in session.wishes if each.id != wish.id) + (() if drops else (fresh,))
    body = {
        "given": turn.given,
        "evidence": [],
        "revision": session.revision,
        "turn": identity_of(session, turn),
        **proven(turn, observed.seen, observed.wordings),
        "channel": turn.channel,
        **({"drops": wish.id} if drops else {"for": wish.event, "words": wish.words}),
    }
    before = wishes.asked(definition, session)
    now = None if session.trouble or session.doubt else wishes.first(definition, session.state, waiting)
    asks = [now.key] if now and now != before else []
    run.note("wish", {**body, "asks": asks, "owe": asks})
    if drops:
        run.notice("The wish is dropped. Tell the user so, in your own words.")
    elif not asks:
        run.notice(_WAITS)


def drop_overtaken(run: Run) -> None:
    """Drop the wishes that nothing can fulfil any more, and tell the user: none is lost in silence."""
    for wish in wishes.overtaken(run.program.definition, run.session):
        run.note("overtaken", {"drops": wish.id, "for": wish.event, "state": run.session.state, "owe": [wish.key]})
