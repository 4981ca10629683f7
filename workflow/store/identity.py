"""Which store a database is: its id, and the place that it was made or adopted at."""

from __future__ import annotations

import os
from pathlib import Path

from workflow.model.errors import JournalTampered, SetBack
from workflow.model.surface import Machine
from workflow.store.connection import RESTORE, Connection, fetch_all

_SELECT = "SELECT id, path FROM identity"
_ADOPT = "UPDATE identity SET id = lower(hex(randomblob(16))), path = ?"
_MARK = "UPDATE identity SET path = x''"
_HINT = Machine("Make sure that no other copy goes on, then run `workflow-admin adopt`.")


def store_id(connection: Connection) -> str:
    """The id of the store, 32 hex digits: another one after each adoption."""
    return _row(connection)[0]


def why_foreign(connection: Connection, path: Path) -> str:
    """Why the database at ``path`` is not the store that was made or adopted there; empty if it is."""
    kept = _row(connection)[1]
    if not kept:
        return f"{path} is a copy that `workflow backup` made"
    if kept != os.fsencode(os.path.realpath(path)):
        return f"{path} was moved or copied from {os.fsdecode(kept)}"
    return ""


def check_own(connection: Connection, path: Path) -> None:
    """Raise :class:`SetBack` for a foreign store."""
    foreign = why_foreign(connection, path)
    if foreign:
        raise SetBack(foreign, _HINT)


def mark_copy(connection: Connection) -> None:
    """Mark a copy, so that wherever it is put it is foreign."""
    connection.execute(_MARK)


def take_place(connection: Connection, path: Path) -> None:
    """Make the store at ``path`` its own, under a new id."""
    connection.execute(_ADOPT, (os.fsencode(os.path.realpath(path)),))


def _row(connection: Connection) -> tuple[str, bytes]:
    rows = fetch_all(connection, _SELECT)
    if len(rows) != 1:
        raise JournalTampered(f"the store has {len(rows)} identities instead of one", 0, RESTORE)
    return str(rows[0][0]), bytes(rows[0][1])
