"""Why a call failed, told to whoever can fix it: never with a key or an id, and never to the user."""

from __future__ import annotations

from collections.abc import Callable

from workflow.machine import leaks
from workflow.machine.definition import Definition
from workflow.machine.failures import failure
from workflow.machine.foreign import inline
from workflow.machine.messages import Part
from workflow.model.frozen import replace
from workflow.model.ports import Connection
from workflow.model.reply import Failure
from workflow.model.session import Session
from workflow.model.surface import Surface
from workflow.service.key import holds_a_key

WITHHELD = "the cause is not shown here, because it may hold a key or an id"


def failure_of(
    session: Session, definition: Definition, connection: Connection, key: Callable[[], str], surface: Surface
) -> Failure | None:
    """The failed call after which the session waits: its recorded cause, and one next step."""
    cause = shown(session, definition, key, session.cause, session.obstacle)
    advice = connection.advice(session.obstacle) if session.obstacle else ""
    return failure(session, definition.service, cause, advice, surface)


def shown(session: Session, definition: Definition, key: Callable[[], str], cause: str, obstacle: str = "") -> str:
    """A recorded cause as it may be shown: as it is where its words are ours, otherwise quoted.

    What holds a key or an id, or cannot be looked through, is withheld.
    """
    if obstacle or not cause:
        return cause
    try:
        known = key()
        secrets = replace(leaks.secrets_of(definition, session.data, known), words=())  # an agent may read any word
        told = not leaks.find((Part(cause, "text"),), secrets) and not holds_a_key(cause, known, strict=False)
    except Exception:
        told = False
    return inline(cause) if told else WITHHELD
