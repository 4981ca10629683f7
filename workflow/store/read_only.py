"""A store for whoever only looks: what can be read is read, and every write is refused before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from workflow.model.brakes import Pause
from workflow.model.errors import StoreError
from workflow.model.fault import Fault
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Held, Reader
from workflow.model.session import Session


class ReadOnlyStore:
    """Passes on everything that a reader can be asked; nothing that is found out on the way is kept."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def keep_definition(self, key: str, content: str) -> None:
        """Nothing: the next turn finds it out again, and keeps it."""

    def first_time(self, profile: str, occasion: str) -> bool:
        """Nothing is used up by looking."""
        return False

    def note_fault(self, fault: Fault) -> None:
        """Nothing: whoever looks is told that the code failed, and the next turn keeps it for the author."""

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """Refused."""
        raise _only_read()

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> NoReturn:
        """Refused."""
        raise _only_read()

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> NoReturn:
        """Refused."""
        raise _only_read()

    def sweep(self) -> NoReturn:
        """Refused."""
        raise _only_read()

    def pause(self, pause: Pause) -> NoReturn:
        """Refused."""
        raise _only_read()

    def unpause(self, scope: str, name: str) -> NoReturn:
        """Refused."""
        raise _only_read()

    def begin_ledger(self, time: str) -> NoReturn:
        """Refused."""
        raise _only_read()

    def enter(self, payment: Payment) -> NoReturn:
        """Refused."""
        raise _only_read()

    def adopt(self, time: str) -> NoReturn:
        """Refused."""
        raise _only_read()


def _only_read() -> StoreError:
    return StoreError("the store was opened for reading, and a turn would write to it", "Open it for turns.")
