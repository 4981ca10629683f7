"""What holds a paid call back as its intent is written, in the same transaction, whichever store it is.

The intent says under which limits it leaves (``limits``), and a failed call whose place is free again which one that
was (``frees``), so that no caller can forget to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from workflow.model.brakes import Limit, Pause, Use, alike, check_limit, check_pauses, limits_in, waits
from workflow.model.errors import Braked, StoreError
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.session import Session


class Known(Protocol):
    """What holds calls back, as it is within one transaction."""

    def pauses(self) -> Sequence[Pause]:
        """All that hold."""

    def restart(self, use: Use) -> None:
        """Let the windows of calls like this one begin now, where the wall says that they left later than now."""

    def like(self, use: Use, per: float) -> Sequence[Instant]:
        """When the calls like this one left, within the ``per`` seconds before it."""


class Kept(Known, Protocol):
    """The same, where it is kept."""

    def add(self, use: Use) -> None:
        """One more counts."""

    def drop(self, use: Use) -> None:
        """This one counts no more."""


class InMemory:
    """What a store in memory keeps; its lock is the transaction."""

    def __init__(self) -> None:
        self._pauses: dict[tuple[str, str], Pause] = {}
        self._uses: dict[tuple[str, int], Use] = {}

    def pauses(self) -> list[Pause]:
        """All that hold."""
        return [pause for _, pause in sorted(self._pauses.items())]

    def pause(self, pause: Pause) -> bool:
        """Keep it; one that holds already stays as it is."""
        return self._pauses.setdefault((pause.scope, pause.name), pause) is pause

    def unpause(self, scope: str, name: str) -> bool:
        """Remove it."""
        return self._pauses.pop((scope, name), None) is not None

    def restart(self, use: Use) -> None:
        """Only across a reboot does the wall count."""
        for key, each in self._uses.items():
            other = each.left.boot_id != use.left.boot_id
            if _alike(each, use) and other and each.left.wall > use.left.wall:
                self._uses[key] = replace(each, left=use.left)

    def like(self, use: Use, per: float) -> list[Instant]:
        """Those whose window of ``per`` seconds is not over."""
        found = [each.left for each in self._uses.values() if _alike(each, use)]
        return [left for left in found if waits(left, use.left, per) > 0]

    def add(self, use: Use) -> None:
        """Keep it."""
        self._uses[use.session, use.seq] = use

    def drop(self, use: Use) -> None:
        """Forget it."""
        self._uses.pop((use.session, use.seq), None)


def stops(known: Known, entries: Sequence[Entry], session: Session) -> Braked | None:
    """What holds a call of these entries back; None where all may leave."""
    try:
        for use, limits in _leaving(entries, session):
            check_pauses(known.pauses(), session.name, session.workflow)
            for limit in limits:
                check_limit(use.action, limit, _counting(known, use, limit), use.left)
    except Braked as error:
        return error
    return None


def count(kept: Kept, entries: Sequence[Entry], session: Session) -> None:
    """Count the calls of these entries that leave, and those no more that certainly did not happen."""
    for use, _ in _leaving(entries, session):
        kept.add(use)
    for entry in entries:
        if entry.kind == "failure" and entry.body and "frees" in entry.body:
            kept.drop(_use(entry, entry.body["frees"], session, _NEVER))


_NEVER = Instant(0.0, 0.0, "")


def _leaving(entries: Sequence[Entry], session: Session) -> list[tuple[Use, list[Limit]]]:
    """The paid calls that these entries let leave, and what limits each.

    Raises :class:`StoreError` for an intent that does not say so.
    """
    try:
        found = [(entry, entry.body or {}) for entry in entries if entry.kind == "intent"]
        return [(_use(each, each.seq, session, Instant(*body["now"])), limits_in(body)) for each, body in found]
    except (KeyError, TypeError) as error:
        raise StoreError(
            f"an intent of session {session.name} does not say what leaves, when, and within which limits"
        ) from error


def _use(entry: Entry, seq: int, session: Session, left: Instant) -> Use:
    body = entry.body or {}
    return Use(session.name, seq, session.workflow, body["action"], session.sandbox is not None, left)


def _counting(known: Known, use: Use, limit: Limit) -> Iterator[Instant]:
    """When the calls left that count against a limit of ``use``."""
    for each in alike(use, limit):
        known.restart(each)
        yield from known.like(each, limit.per)


def _alike(one: Use, other: Use) -> bool:
    return (one.workflow, one.action, one.sandbox) == (other.workflow, other.action, other.sandbox)
