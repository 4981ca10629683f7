"""The rows that brakes are kept in, within the caller's transaction."""

from __future__ import annotations

from typing import Any

from workflow.model.brakes import Pause, Use
from workflow.model.instant import Instant
from workflow.store.postgres import statements
from workflow.store.postgres.connection import Connection, fetch_all


class Rows:
    """What :class:`workflow.store.brakes.Kept` names, by one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pauses(self) -> list[Pause]:
        """All that hold."""
        return [Pause(*row) for row in fetch_all(self._connection, statements.PAUSES)]

    def restart(self, use: Use) -> None:
        """Only across a reboot, or from another host, does the wall count."""
        self._connection.execute(statements.RESTART_USES, _row(use))

    def like(self, use: Use, per: float) -> list[Instant]:
        """By the clock that :meth:`Instant.since` asks."""
        rows = self._connection.execute(statements.USES, {**_row(use), "per": float(per)}).fetchall()
        return [Instant(*row) for row in rows]

    def add(self, use: Use) -> None:
        """A row."""
        self._connection.execute(statements.ADD_USE, _row(use))

    def drop(self, use: Use) -> None:
        """No row."""
        self._connection.execute(statements.DROP_USE, _row(use))


def _row(use: Use) -> dict[str, Any]:
    like = {"workflow": use.workflow, "action": use.action, "sandbox": use.sandbox}
    left = {"wall": float(use.left.wall), "boot": float(use.left.boot), "boot_id": use.left.boot_id}
    return like | left | {"session": use.session, "seq": use.seq}
