"""Where sessions are kept: what the stores have in common, so that they cannot differ in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workflow.model.digest import sealed, unsealed
from workflow.model.errors import JournalTampered, NameTaken, StoreError
from workflow.model.frozen import written
from workflow.model.journal import START, Entry
from workflow.model.session import Session

ENDED = ("done", "cancelled", "failed")
"""The statuses of sessions that are not live; the queries and an index of SQLite repeat them."""


def check_append(entries: Sequence[Entry], session: Session, stored: tuple[int, str] | None) -> None:
    """Refuse entries that do not lead from ``stored`` (sequence and head, None = nothing) to ``session``."""
    if not entries:
        raise StoreError(f"nothing to append to session {session.name}")
    first, last = entries[0], entries[-1]
    if stored is None and first.kind != "started":
        raise StoreError(f"there is no session {session.name}, and {first.kind} cannot be its first entry")
    if stored is not None and first.kind == "started":
        raise NameTaken(f"there is already a session {session.name}", "Start again under another name.")
    if (first.seq - 1, first.previous) != (stored or (0, START)):
        raise StoreError(
            f"session {session.name} has changed meanwhile: entry {first.seq} does not follow its last one",
            "Load the session again, and repeat the turn.",
        )
    for before, entry in zip(entries, entries[1:], strict=False):
        if (entry.seq, entry.previous) != (before.seq + 1, before.hash) or entry.kind == "started":
            raise StoreError(f"entry {entry.seq} does not follow entry {before.seq} of session {session.name}")
    if any(entry.session != session.name for entry in entries):
        raise StoreError(f"not all entries belong to session {session.name}")
    if (session.seq, session.head) != (last.seq, last.hash):
        raise StoreError(f"the snapshot of session {session.name} is not the one after entry {last.seq}")
    turns = [entry.turn for entry in entries if entry.turn is not None]
    if len(set(turns)) != len(turns):
        raise turn_taken(session.name)


def timers_of(session: Session, status: str) -> list[tuple[str, float, float, str]]:
    """When each timer of a live session is due: its name, the time by the wall and since boot, and which boot."""
    found = []
    for name, timer in sorted(session.timers.items()) if status not in ENDED else ():
        if timer.seconds is not None:
            since, seconds = timer.since, timer.seconds
            found.append((name, since.wall + seconds, since.boot + seconds, since.boot_id))
    return found


def turn_taken(session: str) -> StoreError:
    """What to raise for a turn that was accepted before."""
    return StoreError(
        f"this turn of session {session} has been accepted already",
        "Load the session again, and look for the reply to this turn.",
    )


def other_definition(key: str) -> StoreError:
    """What to raise where the same bundle was kept with another content."""
    return StoreError(
        f"the store keeps another definition under {key}: it is damaged, or was edited",
        "Restore the store from a backup, or choose another state folder.",
    )


def write_snapshot(session: Session) -> str:
    """A session as JSON text, sealed with its own digest."""
    try:
        return sealed(session.text)
    except (TypeError, ValueError, RecursionError) as error:
        raise _inexpressible(f"session {session.name}") from error


def read_snapshot(name: str, text: str | None, at: tuple[int, str] | None = None, *, trusted: bool = True) -> Session:
    """The inverse of :func:`write_snapshot`; raises :class:`StoreError` for anything else.

    ``at`` is the sequence and head that the store has beside it, where it keeps them a second time. What is not
    to be ``trusted``, since it is about to be compared with its journal, may have been edited.
    """
    try:
        content = unsealed(text or "") if trusted else None
        session = Session.from_json(_edited(text or "") if content is None else json.loads(content))
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise _unreadable(f"session {name}") from error
    if session.name != name or type(session.seq) is not int or at not in (None, (session.seq, session.head)):
        raise _unreadable(f"session {name}")
    return session if content is None else written(session, content)


def write_body(entry: Entry) -> str | None:
    """The body of an entry as JSON text, None if it was erased."""
    try:
        return entry.text
    except (TypeError, ValueError, RecursionError) as error:
        raise _inexpressible(f"entry {entry.seq} of session {entry.session}") from error


def read_body(session: str, seq: int, text: str | None) -> Mapping[str, Any] | None:
    """The inverse of :func:`write_body`; raises :class:`JournalTampered` for what is not a body.

    That it is just what was written is for :func:`~workflow.model.journal.verify` to find out.
    """
    if text is None:
        return None
    try:
        body = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise _no_body(session, seq) from error
    if not isinstance(body, dict):
        raise _no_body(session, seq)
    return body


def _edited(text: str) -> dict[str, Any]:
    """What a snapshot says that may have been edited, without its seal."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return {name: each for name, each in value.items() if not name.startswith("~")}


def _inexpressible(what: str) -> StoreError:
    return StoreError(f"{what} cannot be saved: it holds something that JSON cannot express")


def _no_body(session: str, seq: int) -> JournalTampered:
    fault = _unreadable(f"entry {seq} of session {session}")
    return JournalTampered(fault.message, seq, fault.hint)


def _unreadable(what: str) -> StoreError:
    return StoreError(
        f"{what} cannot be read: the store holds something else in its place",
        "Restore the store from a backup, or start a new session.",
    )
