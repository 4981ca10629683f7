"""What a client may not have heard: it is offered again before its turn is decided, in that turn's own commit."""

from __future__ import annotations

from workflow.engine.run import Run
from workflow.machine import seen
from workflow.model.session import MAIN, Session, Turn

OLDER = "the turn names an older reply"
UNKNOWN = "perhaps another client"


def recall(run: Run, turn: Turn) -> None:
    """Take the last reply back if this turn shows that its client may not have had it.

    A client that is known to have had it has heard what was claimed as well.
    """
    why = _missed(run.session, turn)
    if why:
        take_back(run, why)
    elif turn.heard:
        claims = [each.id for each in run.session.owed if each.claimed == MAIN]
        if claims:
            run.note("confirm", {"said": claims})


def take_back(run: Run, why: str) -> None:
    """What the last reply said is owed again, as maybe said."""
    if run.session.unheard:
        run.note("unsaid", {"why": why})


def unsure(session: Session) -> set[str]:
    """Messages that were said, and that no turn shows to have arrived."""
    return {each.message for each in (*session.unheard, *session.owed) if each.at}


def _missed(session: Session, turn: Turn) -> str:
    """Why this client may not have had the last reply; empty if it has, or if nobody says that it has not."""
    if turn.seen:
        found = seen.parse(turn.seen)
        return "" if found and found[0] + 1 >= session.last_reply else OLDER
    return UNKNOWN if turn.heard is False else ""
