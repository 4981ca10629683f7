"""What a client may not have heard: it is offered again before its turn is decided, in that turn's own commit."""

from __future__ import annotations

from workflow.engine.observe import named
from workflow.engine.run import Run
from workflow.machine import seen
from workflow.model.frozen import replace
from workflow.model.session import AGAIN, Session, Turn

OLDER = "the turn names an older reply"
NOT_NAMED = "the turn names no reply"


def recall(run: Run, turn: Turn) -> None:
    """Take the last reply back if this turn does not show that it arrived; confirm the claims that it shows to have.

    What was offered twice to a client that names no reply is done with.
    """
    why = _missed(run.session, turn)
    owed = run.session.owed
    heard = [each.id for each in owed if each.claimed == AGAIN] if why == NOT_NAMED else _heard(run, turn)
    if heard:
        run.note("confirm", {"said": heard})
    if why:
        take_back(run, why)


def take_back(run: Run, why: str) -> None:
    """What the last reply said is owed again, as maybe said."""
    if run.session.unheard:
        run.note("unsaid", {"why": why})


def unsure(session: Session) -> set[str]:
    """Messages that were said, and that no turn shows to have arrived."""
    return {each.message for each in (*session.unheard, *session.owed) if each.at}


def unsaid(session: Session) -> set[str]:
    """Messages that are owed and that no reply has said yet."""
    return {each.message for each in session.owed if not each.at}


def _heard(run: Run, turn: Turn) -> list[str]:
    """The claims of the replies up to the one that the turn names; the token is judged once, and only for claims.

    An answer that a form took needs no token, but one that comes with it shows as well what has arrived.
    """
    found = seen.parse(turn.seen or "")
    claims = [each.id for each in run.session.owed if found and each.was_heard(found[0])]
    return claims if claims and named(run, replace(turn, strength="relayed")).get("seen") == "present" else []


def _missed(session: Session, turn: Turn) -> str:
    """Why the last reply may not have arrived; empty if it did, or if nobody says that it did not."""
    if turn.seen:
        found = seen.parse(turn.seen)
        return "" if found and found[0] + 1 >= session.last_reply else OLDER
    return NOT_NAMED if turn.remote else ""
