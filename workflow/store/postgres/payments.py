"""Whether a paid call may leave this host, what its ledgers know that the journals do not, and how a store is adopted.

Each host has its own ledger. A host that never paid has none, and has lost nothing; the database knows which have one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping

from workflow.model.errors import LedgerUnusable, SetBack
from workflow.model.journal import receipt
from workflow.model.ledger import Ledger, Payment
from workflow.store.ledger import ADOPT, Ledgers, check_known, journalled
from workflow.store.postgres import statements
from workflow.store.postgres.connection import Connection, fetch_all, fetch_one
from workflow.store.postgres.identity import check_own, former_ids, store_id, take_place


def check_paying(connection: Connection, ledgers: Ledgers, session: str) -> None:
    """Raise :class:`SetBack` or :class:`LedgerUnusable` unless a paid call may leave this host."""
    check_durable(connection)
    check_own(connection)
    found = ledgers.load()
    fault = _lost(connection, found) or _superseded(connection, found)
    if fault:
        raise SetBack(fault, ADOPT)
    paid = _unsettled(found.values(), former_ids(connection))
    known = {receipt(seq, hash_.hex()) for seq, hash_ in fetch_all(connection, statements.INTENTS_OF, session)}
    check_known(session, paid, known)
    gone = fetch_all(connection, statements.MISSING, sorted({each.session for each in paid}))
    if gone:
        told = f"the store was set back: the ledger knows the session {gone[0][0]}, which the store does not"
        raise SetBack(told, ADOPT)


def check_durable(connection: Connection) -> None:
    """Raise :class:`LedgerUnusable` on a server that acknowledges what it can lose by itself."""
    fsync, pages, commit = fetch_one(connection, statements.DURABLE)
    off = [f"{name} is off" for name, value in (("fsync", fsync), ("full_page_writes", pages)) if value != "on"]
    off += [f"synchronous_commit is {commit}"] if commit == "off" else []
    if off:
        told = f"the database acknowledges what it can lose: {', '.join(off)}"
        raise LedgerUnusable(told, "Switch it on at the server. Then try again.")


def begin(connection: Connection, ledgers: Ledgers, time: str) -> None:
    """Make this host's ledgers, then note that it has them."""
    ledgers.begin(store_id(connection), time)
    for host, path in _named(str(file.path) for file in ledgers.files):
        connection.execute(statements.KEEP_LEDGER, (host, path, time))


def ledger_fault(connection: Connection, ledgers: Ledgers) -> str:
    """Why this host's ledgers cannot be relied on; empty if they can."""
    try:
        found = ledgers.load()
        return _lost(connection, found) or _superseded(connection, found)
    except SetBack as error:
        return error.message


def unknown_payments(connection: Connection, ledgers: Ledgers) -> list[Payment]:
    """What this host's ledgers know of the store and its journals do not, in order; a damaged line is left out."""
    paid = _unsettled(ledgers.load(salvage=True).values(), former_ids(connection))
    known = {(name, receipt(seq, hash_.hex())) for name, seq, hash_, *_ in fetch_all(connection, statements.INTENTS)}
    return [each for each in paid if (each.session, each.entry) not in known]


def adopt(connection: Connection, ledgers: Ledgers, time: str) -> list[str]:
    """Make the store this database's own under a new id; what this host's ledgers know counts as settled.

    Within the caller's transaction, in which writers wait. Another host's ledger still has to be settled there.
    """
    before, ids = store_id(connection), former_ids(connection)
    known = list(journalled(before, fetch_all(connection, statements.INTENTS)))
    new = take_place(connection)
    moved = ledgers.restart(new, before, time, known)
    for old in sorted(ids - {before}):
        ledgers.settle(new, old, time)
    for host, path in _named(str(file.path) for file in ledgers.files):
        connection.execute(statements.KEEP_LEDGER, (host, path, time))
    return moved


def _lost(connection: Connection, found: Mapping[str, Ledger]) -> str:
    """Which ledger of this host was lost: the database knows that it was begun, and it does not know the store."""
    ids = former_ids(connection)
    for (host, path), ledger in zip(_named(found), found.values(), strict=True):
        if not ledger.stores & ids and fetch_one(connection, statements.LEDGER, host, path):
            return f"the ledger {path} of this host was lost: it does not know this store, for which it was begun"
    return ""


def _named(paths: Iterable[str]) -> list[tuple[str, str]]:
    """How the database knows ledgers: by this host and their real paths."""
    return [(socket.gethostname(), os.path.realpath(path)) for path in paths]


def _superseded(connection: Connection, found: Mapping[str, Ledger]) -> str:
    """Why this is an older copy of a store that was adopted on this host since; empty if it is not."""
    ids = former_ids(connection)
    for name, ledger in found.items():
        if ledger.later(store_id(connection)) - ids:
            return f"this is an older copy of a store that was adopted since, as the ledger {name} says"
    return ""


def _unsettled(ledgers: Iterable[Ledger], ids: frozenset[str]) -> list[Payment]:
    """This host's payments of the store under any of its ids, without those that a person settled here; each once."""
    found: dict[tuple[str, str], Payment] = {}
    for ledger in ledgers:
        settled = {old for _, old in ledger.after}
        mine = ids | frozenset(each for known in ids for each in ledger.later(known))
        found |= {(p.session, p.entry): p for p in ledger.payments if p.store in mine - settled}
    return list(found.values())
