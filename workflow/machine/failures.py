"""A failed call after which a session waits, as the agent is told of it: the cause, and one next step."""

from __future__ import annotations

from workflow.machine.definition import Service
from workflow.machine.key_place import where_to_set
from workflow.machine.standing import BROKEN, CREDENTIALS, LIMITED, NOT_ENTERED, PAUSED, SET_BACK
from workflow.model.reply import Failure
from workflow.model.session import Session
from workflow.model.surface import SHELL, Machine, Surface

_SAY = "Tell the user what `say` says"
_AGAIN = f"{_SAY}; when it is fixed, send `retry`. Nothing is lost."
_NO_KEY_HERE = f"{_SAY}. A key is set on the machine, not in this chat: ask for none here, and take none."
_HELD_BACK = {
    SET_BACK: ("store", "this store or session may be older than what was paid for"),
    NOT_ENTERED: ("store", "the ledger of paid calls cannot be used"),
    PAUSED: ("service", "a pause holds it back"),
    LIMITED: ("service", "a limit holds it back"),
}
"""The type of the error, and what keeps the call from leaving."""
_MENDED = {
    SET_BACK: Machine(
        "`workflow doctor` says why. A person settles it with `workflow-admin adopt`; then send `retry`."
    ),
    NOT_ENTERED: Machine("`workflow doctor` says more. Once it is fixed, send `retry`: the approval is kept."),
    PAUSED: Machine(
        "A person ends it with `workflow-admin unpause`; then send `retry`: the approval is kept within its term."
    ),
    LIMITED: Machine(
        "Tell them when the next one may leave, and send `retry` then: the approval is kept within its term."
    ),
}
_ITS_AUTHOR = Machine("The bundle's own code failed: `workflow-admin log {}` shows its author where.")
_CANNOT_TELL = {
    "then": "where the session goes from",
    "look": "what the last look means in",
    "say": "which message to say in",
}


def failure(
    session: Session, service: Service, cause: str = "", advice: str = "", surface: Surface = SHELL
) -> Failure | None:
    """The failed call of ``service`` after which the session waits, if it does.

    ``cause`` is why it failed, as it may be shown; ``advice`` is the step that may remove an obstacle.
    """
    if session.trouble is None:
        return None
    if session.undecided:
        return Failure(
            "bundle",
            f"a guard of the bundle cannot tell {_CANNOT_TELL[session.undecided]} {session.state}",
            f"{surface.log.format(session.name)} names the guard. Once it is fixed, send `retry`. Nothing is lost.",
            session.trouble,
        )
    if session.trouble in _HELD_BACK:
        kind, why = _HELD_BACK[session.trouble]
        message = f"the call in {session.state} did not leave: {why}"
        hint = f"{_SAY}. {surface.told(_MENDED[session.trouble])}"
        return Failure(kind, f"{message}: {cause}" if cause else message, hint, session.trouble)
    message = f"the call in {session.state} failed: {session.trouble}"
    if cause:
        message = cause if session.obstacle else f"the call in {session.state} failed ({session.trouble}): {cause}"
    if session.trouble == BROKEN:
        told = _ITS_AUTHOR.format(session.name) if surface.types else surface.told(_ITS_AUTHOR)
        hint = f"{_SAY}. {told} Once it is fixed, send `retry`. Nothing is lost."
        return Failure("service", message, hint, session.trouble)
    if session.trouble in CREDENTIALS:
        where = where_to_set(service.key_env, service.key_file, service.key_command if surface.types else None)
        return Failure("credentials", message, f"{_NO_KEY_HERE} {where} Then send `retry`.", session.trouble)
    hint = f"{surface.told(advice)} {_AGAIN}" if advice else _AGAIN
    return Failure("service", message, hint, session.trouble)
