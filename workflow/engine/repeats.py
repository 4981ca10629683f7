"""What makes a turn the same turn, and the reply to one that comes again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.engine import speak
from workflow.engine.run import Run
from workflow.machine.definition import NOTE
from workflow.model.digest import digest, sha256
from workflow.model.errors import UsageError, WorkflowError
from workflow.model.frozen import replace
from workflow.model.journal import Entry, fold
from workflow.model.reply import Reply
from workflow.model.session import Session, Turn
from workflow.model.surface import SHELL

_LONG_ENOUGH = 32
"""Hex digits that no two turns of a session have in common."""


def recorded(run: Run, turn: Turn) -> Reply | Entry | None:
    """The recorded reply of a turn that was accepted before; the entry alone if it was cut short."""
    by_revision = turn.turn_id is None and turn.seen is None and turn.expect_revision == run.session.revision
    if by_revision and turn.event != NOTE:  # whatever else was accepted for this revision would have ended it
        return None
    identity = identity_of(run.session, turn)
    entry = run.world.store.find_turn(identity, run.session.name) if identity else None
    if entry is None or entry.body is None:
        return None
    if not is_repeat(entry.body, turn):
        raise UsageError(f"the turn_id {turn.turn_id!r} was used for another turn", "Give each turn its own.")
    revision = 1 if entry.kind == "started" else entry.body["revision"]
    said = run.world.store.find_reply(run.session.name, entry.seq)
    while said and said.body and said.body["answers"] != revision:
        said = run.world.store.find_reply(run.session.name, said.seq)
    if said is None or said.body is None:
        return entry
    owed = {each.id for each in run.session.owed}
    known = {"session": run.session.name, "revision": said.body["revision"], "seen": speak.token_of(run, said)}
    reply = Reply.from_json({**said.body["reply"], **known}).as_replay(said.receipt)
    if said.body.get("surface", SHELL.name) != run.world.surface.name:
        reply = _phrased_here(run, reply, said)
    return replace(reply, claims=tuple(each for each in said.body["claimed"] if each in owed))


def _phrased_here(run: Run, reply: Reply, said: Entry) -> Reply:
    """A reply of another surface in the words of this one: what it said, and of the session as it was, what may come.

    It is never brief: who asks on this surface may have been told nothing of it yet. Where the bundle cannot
    tell any more what that was, nothing is told of it.
    """
    try:
        then = Run(run.world, run.bundle, _before(run, said))
        speech = speak.Speech(asked=(said.body or {})["asked"])
        handed = dict.fromkeys((said.body or {}).get("handed", ()), run.world.clock.now())
        now = speak.reply(then, speech, then.failure(), handed=handed)
        told = now.error if reply.error else None
        return replace(reply, phase=now.phase, next=now.next, watch=now.watch, brief=False, error=told)
    except (LookupError, WorkflowError):
        return replace(reply, next=(), watch=None, brief=False)


def _before(run: Run, said: Entry) -> Session:
    """The session as it was when this reply was made."""
    session: Session | None = None
    for entry in run.world.store.entries(run.session.name):
        if entry.seq == said.seq:
            break
        session = fold(session, entry)
    assert session is not None, "a reply has entries before it"
    return session


def identity_of(session: Session, turn: Turn) -> str | None:
    """What makes a turn the same turn: its own id, else its content and the reply or revision it was meant for."""
    if turn.event is None:
        return None
    if turn.turn_id is not None:
        return start_identity(session.owner, turn.turn_id) if turn.event == "start" else f"id:{turn.turn_id}"
    if turn.expect_revision is None and turn.seen is None:
        return None
    return sha256(f"{session.name} {turn.text}".encode())[:_LONG_ENOUGH]


def start_identity(owner: str | None, turn_id: str) -> str:
    """The identity of a start: no owner's can be another's, since a name of one holds neither of the two signs."""
    return f"start@{owner}:{turn_id}" if owner else f"start:{turn_id}"


def is_repeat(body: Mapping[str, Any], turn: Turn) -> bool:
    """Whether an accepted turn is this one; a start is known by its digest.

    An answer that a form or a terminal took belongs to the question, not to the turn: a repeat does not answer again.
    Beside a person's no stands what the caller had ``sent``.
    """
    given = body["given"]
    if isinstance(given, str):
        return bool(given == digest(turn.given))
    if "sent" not in body and all(each["strength"] == "relayed" for each in body["evidence"]):
        return bool(given == turn.given)
    given = body.get("sent", given)
    return (given["event"], given["input"]) == (turn.event, dict(turn.input))
