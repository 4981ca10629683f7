"""A store as one caller may see it: sessions that are not theirs are not there, whatever asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NoReturn

from workflow.model.brakes import Pause
from workflow.model.errors import NameTaken, StoreError
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ports import Held, Holder, Record, Store, Summary
from workflow.model.session import Session


class VisibleStore:
    """Passes on what ``sees`` lets through; it is asked with a session's owner, None for a session of nobody.

    ``owner`` narrows lists; empty lists every session. A hidden session answers like one that does not exist, so
    that neither names nor a "busy" give it away. What concerns the whole store is refused.
    """

    def __init__(self, store: Store, sees: Callable[[str | None], bool], owner: str) -> None:
        self._store, self._sees, self._owner = store, sees, owner
        self.definition, self.definitions = store.definition, store.definitions
        self.keep_definition, self.first_time = store.keep_definition, store.first_time
        self.identity, self.foreign, self.check_own = store.identity, store.foreign, store.check_own
        self.check_paying, self.begin_ledger, self.enter = store.check_paying, store.begin_ledger, store.enter
        self.uses = store.uses

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """The right to append; for a hidden session it is the right to nothing."""
        return nullcontext(_Nothing(name)) if self._hides(name) else self._store.hold(name, wait, part)

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds a session that is seen."""
        return None if self._hides(name) else self._store.held_by(name, part)

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session for this caller."""
        found = self._store.load(name)
        return found if found is not None and self._sees(found.owner) else None

    def check_session(self, session: Session) -> None:
        """Verify a session that is seen."""
        if self._hides(session.name):
            raise _of_all()
        self._store.check_session(session)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write to a session that is seen; a hidden one has its name already."""
        if not self._sees(session.owner) or self._hides(session.name):
            raise NameTaken(f"there is already a session {session.name}", "Start again under another name.")
        self._store.append(held, entries, session, status)

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of an entry of a session that is seen."""
        return None if self._hides(name) else self._store.entry_hash(name, seq)

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal, empty for a hidden session."""
        return iter(()) if self._hides(name) else self._store.entries(name, after)

    def record(self, name: str) -> Record | None:
        """All that is stored of a session that is seen."""
        return None if self._hides(name) else self._store.record(name)

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn, if its session is seen."""
        found = self._store.find_turn(turn, name)
        return None if found is None or self._hides(found.session) else found

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first reply after ``after``, if its session is seen."""
        return None if self._hides(name) else self._store.find_reply(name, after)

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        owner: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """The caller's sessions, the latest updated first."""
        if owner and self._owner and owner != self._owner:
            return []
        wanted = owner or self._owner
        return self._store.sessions(
            live=live, search=search, state=state, status=status, owner=wanted, limit=limit, offset=offset
        )

    def due(self, now: Instant) -> list[tuple[str, int]]:
        """Those of the caller's sessions."""
        return [(name, seq) for name, seq in self._store.due(now) if not self._hides(name)]

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> NoReturn:
        """Refused: the log of all sessions is nobody's own."""
        raise _of_all()

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> NoReturn:
        """Refused: people erase, on the store's own machine."""
        raise _of_all()

    def count(self) -> NoReturn:
        """Refused."""
        raise _of_all()

    def over(self, before: str) -> NoReturn:
        """Refused: people erase, on the store's own machine."""
        raise _of_all()

    def sweep(self) -> NoReturn:
        """Refused."""
        raise _of_all()

    def verify(self, expect_head: str | None = None) -> NoReturn:
        """Refused."""
        raise _of_all()

    def backup(self, file: str) -> NoReturn:
        """Refused."""
        raise _of_all()

    def ledger_fault(self) -> NoReturn:
        """Refused."""
        raise _of_all()

    def unknown_payments(self) -> NoReturn:
        """Refused."""
        raise _of_all()

    def adopt(self, time: str) -> NoReturn:
        """Refused: people adopt, on the store's own machine."""
        raise _of_all()

    def pauses(self) -> list[Pause]:
        """Without those of sessions that are hidden."""
        return [each for each in self._store.pauses() if each.scope != "session" or not self._hides(each.name)]

    def pause(self, pause: Pause) -> NoReturn:
        """Refused: people pause, on the store's own machine."""
        raise _of_all()

    def unpause(self, scope: str, name: str) -> NoReturn:
        """Refused."""
        raise _of_all()

    def check(self) -> NoReturn:
        """Refused."""
        raise _of_all()

    def close(self) -> None:
        """Nothing: the store belongs to whoever opened it."""

    def _hides(self, name: str) -> bool:
        found = self._store.load(name)
        return found is not None and not self._sees(found.owner)


class _Nothing:
    """A hold on nothing: no store takes it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def release(self) -> None:
        """Nothing is held."""

    def retake(self, wait: float = 0.0) -> None:
        """Nothing can be held."""


def _of_all() -> StoreError:
    return StoreError("this concerns every session of the store", "Use the command line, as the store's own user.")
