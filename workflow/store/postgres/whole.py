"""A whole store at one instant: verified, and one session of it with all that is stored of it."""

from __future__ import annotations

from typing import Any

from workflow.model.errors import JournalTampered
from workflow.model.journal import START
from workflow.model.ports import Chain, Record, Summary
from workflow.store import read_snapshot
from workflow.store.chain import HINT, check_chain, check_receipt
from workflow.store.postgres import statements
from workflow.store.postgres.connection import Connection, fetch_all, fetch_one, tampered
from workflow.store.postgres.schema import check_schema
from workflow.store.statements import following

_ALL = 2**62


def verified(connection: Connection, shown: str, expect_head: str | None = None) -> Chain:
    """The chain of a store, compared with everything that it names, within the caller's transaction."""
    check_receipt(expect_head)
    check_schema(connection, shown)
    if fetch_all(connection, statements.ORPHANS):
        raise tampered("the store holds entries of a session that was deleted")
    found = fetch_all(connection, statements.LINKS)
    links = [(number, name, seq, link.hex(), head and head.hex()) for number, name, seq, link, head in found]
    chain = check_chain(links, fetch_all(connection, statements.ENDS), expect_head)
    last = fetch_one(connection, statements.LAST)
    if last is None or (last[0], last[1].hex() or START) != (chain.links, links[-1][3] if links else START):
        raise JournalTampered("the store's chain does not end where writers left it", chain.links, HINT)
    return chain


def record_of(connection: Connection, row: Any) -> Record:
    """All that is stored of the session in this row of ``statements.RECORD``, within the caller's transaction."""
    name = row[0]
    *summary, seq, head, snapshot = row
    entries = tuple(following(fetch_all(connection, statements.ENTRIES, name, 0, _ALL)))
    turns = dict(fetch_all(connection, statements.TURNS, name))
    session = read_snapshot(name, snapshot, trusted=False)
    definitions = definitions_of(connection, session.bundle)
    timers = tuple(fetch_all(connection, statements.TIMERS, name))
    return Record(Summary(*summary), seq, head, session, snapshot, entries, turns, definitions, timers)


def definitions_of(connection: Connection, bundle: str) -> tuple[str, ...]:
    """The compiled definitions of a bundle, one per engine that compiled it."""
    return tuple(str(row[0]) for row in fetch_all(connection, statements.DEFINITIONS, f"{bundle}:"))
