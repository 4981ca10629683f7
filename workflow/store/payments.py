"""Whether a paid call may leave a store, what its ledgers know that its journals do not, and how it is adopted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from workflow.model.errors import SetBack
from workflow.model.journal import receipt
from workflow.model.ledger import Ledger, Payment
from workflow.store import statements
from workflow.store.connection import Connection, fetch_all, fetch_one
from workflow.store.identity import check_own, store_id, take_place
from workflow.store.ledger import ADOPT, Ledgers, check_known, journalled


def check_paying(connection: Connection, path: Path, ledgers: Ledgers, session: str) -> None:
    """Raise :class:`SetBack` unless this is the store itself and its ledgers know no more than its journals.

    The ledgers are read before the journals, which are always ahead of them.
    """
    check_own(connection, path)
    found = ledgers.load()
    lost = _lost(connection, found)
    if lost:
        raise SetBack(lost, ADOPT)
    older = _superseded(connection, found)
    if older:
        raise SetBack(older, ADOPT)
    paid = _of(found.values(), store_id(connection))
    known = _intents(connection, session)
    check_known(session, paid, known)
    gone = _gone(connection, paid)
    if gone:
        raise SetBack(
            f"the store was set back: the ledger knows the session {gone[0]}, which the store does not", ADOPT
        )


def ledger_fault(connection: Connection, ledgers: Ledgers) -> str:
    """Why the ledgers cannot be relied on; empty if they can."""
    try:
        found = ledgers.load()
        return _lost(connection, found) or _superseded(connection, found)
    except SetBack as error:
        return error.message


def unknown_payments(connection: Connection, ledgers: Ledgers) -> list[Payment]:
    """What the ledgers know of this store and its journals do not, in order; a damaged line is left out."""
    paid = _of(ledgers.load(salvage=True).values(), store_id(connection))
    known = {
        (session, receipt(seq, hash_.hex())) for session, seq, hash_, *_ in fetch_all(connection, statements.INTENTS)
    }
    return [each for each in paid if (each.session, each.entry) not in known]


def adopt(connection: Connection, path: Path, ledgers: Ledgers, time: str) -> list[str]:
    """Make the store its own at ``path`` under a new id, within the caller's transaction.

    The ledgers get what they lost of the journals' paid calls. Returns the damaged files that were moved aside.
    """
    before = store_id(connection)
    known = list(journalled(before, fetch_all(connection, statements.INTENTS)))
    take_place(connection, path)
    return ledgers.restart(store_id(connection), before, time, known)


def _lost(connection: Connection, found: Mapping[str, Ledger]) -> str:
    """Which ledger was lost: it does not know a store that has made paid calls."""
    store = store_id(connection)
    lost = [name for name, ledger in found.items() if store not in ledger.stores]
    if not lost or not fetch_one(connection, statements.ANY_INTENT):
        return ""
    return f"the ledger {lost[0]} was lost, or is new: it does not know this store, which has made paid calls"


def _superseded(connection: Connection, found: Mapping[str, Ledger]) -> str:
    """Why this is an older copy of a store that was adopted since; empty if it is not."""
    store = store_id(connection)
    known = [name for name, ledger in found.items() if ledger.later(store)]
    return f"this is an older copy of a store that was adopted since, as the ledger {known[0]} says" if known else ""


def _of(ledgers: Iterable[Ledger], store: str) -> list[Payment]:
    """The payments of one store and of what it has become since, each once."""
    return list({(each.session, each.entry): each for ledger in ledgers for each in ledger.of(store)}.values())


def _intents(connection: Connection, session: str) -> set[str]:
    rows = fetch_all(connection, statements.INTENTS_OF, session)
    return {receipt(seq, hash_.hex()) for seq, hash_ in rows}


def _gone(connection: Connection, paid: Iterable[Payment]) -> list[str]:
    """The sessions that were paid for and that the store does not hold."""
    names = json.dumps(sorted({each.session for each in paid}))
    return [str(row[0]) for row in fetch_all(connection, statements.MISSING, names)]
