"""Which store a database holds: its id, and the cluster, database and timeline that it was made or adopted in."""

from __future__ import annotations

import os

from workflow.model.errors import SetBack
from workflow.model.surface import Machine
from workflow.store.postgres import statements
from workflow.store.postgres.connection import Connection, fetch_all, fetch_one, tampered

_HINT = Machine("Make sure that no other copy goes on, then run `workflow-admin adopt` on every host.")


def store_id(connection: Connection) -> str:
    """The id of the store, 32 hex digits: another one after each adoption."""
    return _row(connection)[0]


def former_ids(connection: Connection) -> frozenset[str]:
    """Every id that the store has had, the one of now included."""
    return frozenset({store_id(connection), *(row[0] for row in fetch_all(connection, statements.FORMER))})


def why_foreign(connection: Connection) -> str:
    """Why this is not the database that the store was made or adopted in; empty if it is."""
    kept, now = _row(connection)[1], _place(connection)
    if kept == now:
        return ""
    if not kept:
        return "the store is marked as a copy"
    (cluster, database, timeline), (here, this, time) = kept.split("/"), now.split("/")
    if cluster != here:
        return "the store was restored or copied from another database cluster"
    if database != this:
        return "the store was restored or copied from another database of this server"
    if time == "standby":
        return "the server is a standby"
    return (
        f"the server was promoted, or restored to an earlier time, since (timeline {int(timeline, 16)} became "
        f"{int(time, 16)}): what was committed last may be lost"
    )


def check_own(connection: Connection) -> None:
    """Raise :class:`SetBack` for a foreign store."""
    foreign = why_foreign(connection)
    if foreign:
        raise SetBack(foreign, _HINT)


def take_place(connection: Connection) -> str:
    """Make the store this database's own, under a new id, which is returned; the one before is kept."""
    connection.execute(statements.KEEP_FORMER, (store_id(connection),))
    new = os.urandom(16).hex()
    connection.execute(statements.ADOPT, (new, _place(connection)))
    return new


def _place(connection: Connection) -> str:
    return str(fetch_one(connection, statements.PLACE)[0])


def _row(connection: Connection) -> tuple[str, str]:
    rows = fetch_all(connection, statements.IDENTITY)
    if len(rows) != 1:
        raise tampered(f"the store has {len(rows)} identities instead of one")
    return str(rows[0][0]), str(rows[0][1])
