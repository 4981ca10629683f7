"""Where sessions are kept: what the stores have in common, so that they cannot differ in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workflow.digest import canonical, sealed, unsealed
from workflow.errors import JournalTampered, NameTaken, StoreError
from workflow.journal import START, Entry
from workflow.session import Session

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
    return sealed(_write(session.as_json(), f"session {session.name}"))


def read_snapshot(name: str, text: str | None, at: tuple[int, str] | None = None, *, trusted: bool = True) -> Session:
    """The inverse of :func:`write_snapshot`; raises :class:`StoreError` for anything else.

    ``at`` is the sequence and head that the store has beside it, where it keeps them a second time. What is not
    to be ``trusted``, since it is about to be compared with its journal, may have been edited.
    """
    try:
        session = Session.from_json(json.loads(unsealed(text or "")) if trusted else _edited(text or ""))
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise _unreadable(f"session {name}") from error
    if session.name != name or type(session.seq) is not int or at not in (None, (session.seq, session.head)):
        raise _unreadable(f"session {name}")
    return session


def write_body(entry: Entry) -> str | None:
    """The body of an entry as JSON text, None if it was erased."""
    return None if entry.body is None else _write(dict(entry.body), f"entry {entry.seq} of session {entry.session}")


def read_body(session: str, seq: int, text: str | None) -> Mapping[str, Any] | None:
    """The inverse of :func:`write_body`; raises :class:`JournalTampered` for anything else."""
    if text is None:
        return None
    try:
        return _read(text)
    except (TypeError, ValueError, RecursionError) as error:
        fault = _unreadable(f"entry {seq} of session {session}")
        raise JournalTampered(fault.message, seq, fault.hint) from error


def _edited(text: str) -> dict[str, Any]:
    """What a snapshot says that may have been edited, without its seal."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return {name: each for name, each in value.items() if not name.startswith("~")}


def _write(value: Any, what: str) -> str:
    try:
        return canonical(value).decode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{what} cannot be saved: it holds something that JSON cannot express") from error


def _read(text: str | None) -> dict[str, Any]:
    if text is None:
        raise ValueError("erased")
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if canonical(value) != text.encode():  # such as a repeated key: two readers could read two things
        raise ValueError("not as it was written")
    return value


def _unreadable(what: str) -> StoreError:
    return StoreError(
        f"{what} cannot be read: the store holds something else in its place",
        "Restore the store from a backup, or start a new session.",
    )
