"""The tables: made by a role of its own, and compared with what was made before anything is believed."""

from __future__ import annotations

import os
from contextlib import closing
from importlib.resources import files
from typing import Any

from workflow.model.database_address import Address
from workflow.model.digest import sha256
from workflow.model.errors import StoreError, UsageError
from workflow.model.surface import Machine
from workflow.store.postgres import statements
from workflow.store.postgres.connection import (
    WRITE,
    Connection,
    Connections,
    Unknown,
    fetch_all,
    fetch_none,
    fetch_one,
    identifier,
    tampered,
)

SCHEMA = 1
OLDEST = 140000
"""The oldest server, as it numbers itself."""
OBJECTS = "7e6aacdc6abbb11b86e1cd3443ce80211a922784c66624dffba4ae89ec770fcd"
"""SHA-256 of everything that the schema script makes, as the catalogs list it."""
_MIGRATE = Machine("Run `workflow-admin store migrate` with a role that may create a schema.")
_LISTED = """
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'phasegate'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'phasegate'
    UNION ALL
    SELECT 'trigger', c.relname, tgname, '', '' FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE c.relnamespace = 'phasegate'::regnamespace AND NOT tgisinternal
    UNION ALL
    SELECT 'switched off', c.relname, tgname, tgenabled::text, '' FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE c.relnamespace = 'phasegate'::regnamespace AND tgisinternal AND tgenabled <> 'O'
        AND (SELECT confrelid FROM pg_constraint WHERE oid = tgconstraint) <> 0
    UNION ALL
    SELECT 'rule', tablename, rulename, '', '' FROM pg_rules WHERE schemaname = 'phasegate'
    UNION ALL
    SELECT 'policy', tablename, policyname, '', '' FROM pg_policies WHERE schemaname = 'phasegate'
    UNION ALL
    SELECT 'constraint', c.relname, conname, replace(pg_get_constraintdef(k.oid), 'phasegate.', ''), ''
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.connamespace = 'phasegate'::regnamespace AND contype IN ('c', 'f')
    ORDER BY 1, 2, 3
"""


def migrate(address: str, role: str = "") -> str:
    """Make the tables, or find them made, and let ``role`` use them; returns what was done, in words.

    Raises :class:`StoreError` for a schema of this name that no migration made.
    """
    connections = Connections(Address(address))
    with closing(connections), connections.transaction(WRITE) as connection:
        if fetch_one(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'phasegate'"):
            check_schema(connection, connections.address.shown)
            done = f"the schema is there already, number {SCHEMA}"
        else:
            _check_server(connection)
            fetch_none(connection, _script())
            place = fetch_one(connection, statements.PLACE)[0]
            connection.execute(statements.KEEP_IDENTITY, (os.urandom(16).hex(), place))
            check_schema(connection, connections.address.shown)
            done = f"made the schema, number {SCHEMA}"
        if role:
            _grant(connection, role)
            done += f"; the role {role} may use it"
    return done


def check_schema(connection: Connection, shown: str) -> None:
    """Raise :class:`StoreError` where there is none of this version, :class:`JournalTampered` for a changed one."""
    row = fetch_one(connection, "SELECT to_regclass('phasegate.version') IS NOT NULL")
    if not row[0]:
        raise StoreError(f"{shown} holds no store yet", _MIGRATE)
    number = fetch_one(connection, "SELECT schema FROM phasegate.version")
    if number is None or number[0] != SCHEMA:
        told = number[0] if number else "none"
        hint = "Upgrade Phasegate on this host, or migrate the store; nothing in it was changed."
        raise StoreError(f"{shown} has the schema {told}, and this version knows {SCHEMA}", hint)
    found = listed(connection)
    if digest_of(found) != OBJECTS:
        raise tampered(f"the schema of {shown} was changed by another program: {_strange(found)}")


def listed(connection: Connection) -> list[Any]:
    """What is in the schema, as the catalogs list it."""
    return fetch_all(connection, _LISTED)


def digest_of(found: list[Any]) -> str:
    """What :data:`OBJECTS` is for the schema script."""
    return sha256(repr(found).encode())


def _strange(found: list[Any]) -> str:
    """What stands out: things of a kind that the script makes none of."""
    odd = [f"the {kind} {name[:64]!r} of {table}" for kind, table, name, *_ in found if kind not in _OURS]
    return "; ".join(odd[:5]) or "its tables, indexes or constraints are others"


_OURS = ("column", "index", "constraint")


def _check_server(connection: Connection) -> None:
    if connection.info.server_version < OLDEST:
        raise StoreError(
            f"the server is too old: {connection.info.server_version // 10000}", "Use PostgreSQL 14 or later."
        )
    encoding = connection.execute("SELECT current_setting('server_encoding')").fetchone()
    if encoding != ("UTF8",):
        raise StoreError("the database is not in UTF-8", "Create it with ENCODING 'UTF8'.")


def _grant(connection: Connection, role: str) -> None:
    """What a turn needs, and nothing else: no table is its own, and no entry or link can be deleted."""
    name = identifier(connection, role)
    try:
        for grant in _GRANTS:
            fetch_none(connection, grant.format(role=name))
    except Unknown as error:
        raise UsageError(f"there is no role {role[:64]!r}", "Create it with CREATE ROLE, then try again.") from error


_GRANTS = (
    "GRANT USAGE ON SCHEMA phasegate TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA phasegate TO {role}",
    "GRANT INSERT ON phasegate.sessions, phasegate.entries, phasegate.links, phasegate.definitions,"
    " phasegate.occasions, phasegate.former, phasegate.ledgers, phasegate.faults,"
    " phasegate.pauses, phasegate.uses, phasegate.holds, phasegate.timers TO {role}",
    "GRANT UPDATE ON phasegate.sessions, phasegate.entries, phasegate.head, phasegate.identity, phasegate.uses,"
    " phasegate.holds TO {role}",
    "GRANT DELETE ON phasegate.faults, phasegate.pauses, phasegate.uses, phasegate.holds, phasegate.timers TO {role}",
    "GRANT USAGE ON SEQUENCE phasegate.fences TO {role}",
)


def _script() -> str:
    return (files("workflow.store.postgres") / "schema" / "001_initial.sql").read_text("utf-8")
