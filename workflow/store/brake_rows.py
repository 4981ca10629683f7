"""The rows of the SQLite store that brakes are kept in, within the caller's transaction."""

from __future__ import annotations

from typing import Any

from workflow.model.brakes import Pause, Use
from workflow.model.instant import Instant
from workflow.store import statements
from workflow.store.connection import Connection, fetch_all


class Rows:
    """What :class:`workflow.store.brakes.Kept` names, by one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pauses(self) -> list[Pause]:
        """All that hold."""
        return [Pause(*row) for row in fetch_all(self._connection, statements.PAUSES)]

    def restart(self, use: Use) -> None:
        """Only across a reboot does the wall count."""
        self._connection.execute(statements.RESTART_USES, (*_like(use), *_now(use)))

    def like(self, use: Use, per: float) -> list[Instant]:
        """By the clock that :meth:`Instant.since` asks."""
        return [Instant(*row) for row in fetch_all(self._connection, statements.USES, *_like(use), *_now(use), per)]

    def add(self, use: Use) -> None:
        """A row."""
        values = (*_like(use), use.session, use.seq, *_now(use))
        self._connection.execute(statements.ADD_USE, values)

    def drop(self, use: Use) -> None:
        """No row."""
        self._connection.execute(statements.DROP_USE, (*_like(use), use.session, use.seq))


def _like(use: Use) -> tuple[Any, ...]:
    return use.workflow, use.action, use.sandbox


def _now(use: Use) -> tuple[Any, ...]:
    return use.left.wall, use.left.boot, use.left.boot_id
