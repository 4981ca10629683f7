"""Small true chains to store; what the entries mean is no business of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.model.brakes import Limit
from workflow.model.evidence import Evidence
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.journal import START, Entry, seal
from workflow.model.ports import Store
from workflow.model.session import Intent, Owed, Session

NOW = Instant(1.0, 2.0, "boot")
TIMES = [f"2025-01-01T00:00:{second:02}.000Z" for second in range(60)]


def started(name: str, *, turn: str | None = None, time: str = TIMES[0]) -> tuple[Entry, Session]:
    """The first entry of a session, and the session after it."""
    session = Session(
        name=name,
        workflow="image",
        bundle="b" * 64,
        path="/bundle",
        language="en",
        state="understand.receiving",
    )
    return follow(replace(session, head=START), "started", {}, turn=turn, time=time)


def answered(session: Session, *, turn: str | None = None, time: str = TIMES[1]) -> tuple[Entry, Session]:
    """One accepted turn, after which every kind of thing that a session can hold is there."""
    moved = replace(
        session,
        state="confirm.presenting",
        revision=session.revision + 1,
        data={"words": "Ein Plakat für den Jazzabend 🎷", "files": [{"path": "a.png", "size": 3}]},
        evidence=(Evidence("approved", "s" * 64, "ja, los", "cli", "relayed", time, NOW),),
        shown={"approved": "d" * 64},
        intent=Intent("create", session.seq + 1, "c" * 32),
        since=Instant(1.5, 2.5, "boot"),
        asked_to_watch=Instant(3.0, 4.0, "boot"),
        owed=(Owed("2.0", "plan"), Owed("2.1", "ready", "agent")),
    )
    return follow(moved, "event", {"event": "answer", "quote": "ja, los"}, turn=turn, time=time)


def replied(session: Session, *, time: str = TIMES[2]) -> tuple[Entry, Session]:
    """What was said after a turn."""
    return follow(session, "reply", {"say": ["plan"]}, time=time)


def follow(
    session: Session, kind: str, body: Mapping[str, Any], *, turn: str | None = None, time: str = TIMES[1]
) -> tuple[Entry, Session]:
    """The next entry of a session, and the session with it as its head."""
    body = body if turn is None else {**body, "turn": turn}
    entry = seal(session.name, session.seq + 1, session.head, kind, time, body, "n" * 16)
    return entry, replace(session, seq=entry.seq, head=entry.hash)


def begin(store: Store, name: str, *, status: str = "waiting", time: str = TIMES[0]) -> Session:
    """A session in the store with one entry."""
    entry, session = started(name, time=time)
    append(store, [entry], session, status)
    return session


def append(store: Store, entries: Sequence[Entry], session: Session, status: str) -> None:
    """Hold the session for just this append."""
    with store.hold(session.name, wait=30) as held:
        store.append(held, entries, session, status)


def forget(store: Store, entry: Entry, session: Session, status: str) -> None:
    """Hold the session, and forget what it held before the entry."""
    with store.hold(session.name, wait=30) as held:
        store.forget(held, entry, session, status)


def with_data(session: Session, **data: object) -> Session:
    """The same position with other data."""
    return replace(session, data={**session.data, **data})


def leaving(
    session: Session, *, limits: Sequence[tuple[Any, ...]] = (), now: Instant = NOW, action: str = "create"
) -> tuple[Entry, Session]:
    """The intent of a paid call that leaves under these limits: a window in seconds, its most calls, and of what."""
    told = {"limits": [Limit(*each).as_json() for each in limits]} if limits else {}
    return follow(session, "intent", {"action": action, "spends": [], "call": "c" * 32, "now": now.as_json(), **told})


def pay(store: Store, name: str, *, workflow: str = "image", sandbox: str | None = None, **how: Any) -> Session:
    """A new session that makes one paid call; see :func:`leaving`."""
    entry, session = started(name)
    session = replace(session, workflow=workflow, sandbox=sandbox)
    append(store, [entry], session, "waiting")
    intent, after = leaving(session, **how)
    append(store, [intent], after, "in_doubt")
    return after
