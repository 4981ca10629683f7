"""Forgetting: what people wrote is erased for good, and the chain says so and still holds."""

from __future__ import annotations

from collections.abc import Callable

from workflow.engine.turns import Engine
from workflow.history import audit
from workflow.model.frozen import Noun
from workflow.model.instant import iso
from workflow.model.journal import LEFT, Entry, fold, receipt, seal
from workflow.model.ports import Record
from workflow.model.reply import ENDED, Failure


class Forgotten(Noun):
    """What was erased: the content of how many entries, when, and the journal's head since then.

    ``fault`` is why the log did not hold before; after it, nobody can tell any more.
    """

    session: str
    entries: int
    at: str
    receipt: str
    fault: str | None


def forget(
    engine: Engine,
    name: str,
    *,
    wait: float = 0.0,
    unless: Callable[[Record], str] = lambda record: "",
    sweep: bool = True,
) -> Forgotten | Failure:
    """Erase all that ``name`` holds but its place in the log; a session whose outcome is unknown is refused.

    ``unless`` says why the session stays after all, asked when nobody else can change it. A caller that erases several
    leaves it to :meth:`Store.sweep` to remove what is left of their bytes. Once more on a session that was forgotten
    removes what another reader of the store kept in its files.
    """
    store = engine.world.store
    audit.read(engine, name)  # there is one, before a lock is made for it
    with store.hold(name, wait) as held:
        record = audit.read(engine, name)
        session, last = record.session, record.entries[-1]
        stays = unless(record)
        if stays:
            return Failure("refused", stays, "It was left as it is.")
        if session.forgotten:
            store.sweep()
            return _told(last)
        if session.intent or (session.doubt and record.summary.status not in ENDED):
            return _in_doubt(name)
        status = record.summary.status if record.summary.status in ENDED else "cancelled"
        owner = {"owner": session.owner} if session.owner else {}
        body = {
            "status": status,
            "left": {each: getattr(session, each) for each in LEFT} | owner,
            "entries": last.seq,
            "fault": audit.fault(engine, name),
        }
        time = iso(engine.world.clock.now())
        entry = seal(name, last.seq + 1, last.hash, "forgotten", time, body, engine.world.nonce())
        store.forget(held, entry, fold(None, entry), status, sweep=sweep)
    return _told(entry)


def _in_doubt(name: str) -> Failure:
    return Failure(
        "refused",
        f"whether a paid call of {name} happened is not known, and only what it holds can tell",
        f"Settle it with `workflow-admin resolve {name}`, then forget it.",
    )


def _told(entry: Entry) -> Forgotten:
    assert entry.body is not None
    head = receipt(entry.seq, entry.hash)
    return Forgotten(entry.session, entry.body["entries"], entry.time, head, entry.body["fault"])
