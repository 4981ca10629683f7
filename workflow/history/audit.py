"""Reading the journal and checking it; needs the store alone, whatever became of the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workflow.engine.view import View
from workflow.machine.definition import Definition
from workflow.machine.kept import kept_definition
from workflow.model.errors import JournalTampered
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.ports import Record
from workflow.model.session_names import is_name
from workflow.store.chain import check_receipt
from workflow.store.verification import check_record, compiled_in

MOST = 1_000_000_000
"""More sessions than any store has: they are listed in one statement, so that none moves between two pages."""


class Verified(Noun):
    """A journal that holds: its length, its head as it is quoted, how many entries were erased and when.

    In a ``sandbox`` session nothing was ordered from the real service, and nothing sent to it.

    ``unchecked`` names what could not be compared with it.
    """

    entries: int
    receipt: str
    erased: int
    forgotten: str | None
    unchecked: tuple[str, ...]
    sandbox: bool

    def claim(self, expect_head: str | None = None) -> str:
        """What was shown by this, and what was not."""
        held = f"The {self.entries} entries follow one from another without a gap or an edit, and "
        if self.erased:
            held += f"the last of them says that the content of the {self.erased} before was erased"
        else:
            held += "the stored session is exactly what they add up to"
        if self.unchecked:
            held += f" (except its {', '.join(self.unchecked)}: what its bundle says is not in the store)"
        if expect_head:
            return f"{held}; up to {expect_head} they are those that were there then, which is not shown of later ones."
        only = "only a receipt kept elsewhere can show."
        return f"{held}; that nobody cut or rewrote the whole log {only}"


class VerifiedStore(Noun):
    """A whole store that holds: its sessions, the links of its chain, and its head as a receipt."""

    sessions: int
    links: int
    receipt: str

    def claim(self, expect_head: str | None = None) -> str:
        """What was shown by this, and what was not."""
        held = f"All {self.sessions} sessions are what their journals add up to, and the store's {self.links} links"
        held += " name exactly these"
        if expect_head:
            return f"{held}. No session of {expect_head} was deleted or set back since."
        only = "only a receipt kept elsewhere can show."
        return f"{held}. That nobody set back or rewrote the whole store {only}"


class Filter(Noun):
    """Which entries are asked for: not before ``since`` (as in the entries), of these kinds, about these events."""

    since: str = ""
    kinds: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is asked for; an event's entries are its acceptance and its refusals."""
        return (
            entry.time >= self.since
            and (not self.kinds or entry.kind in self.kinds)
            and (not self.events or _event(entry.body or {}) in self.events)
        )


def entries(view: View, name: str, wanted: Filter | None = None) -> Sequence[Entry]:
    """The journal of a session as it is stored, unchecked; raises :class:`SessionNotFound`."""
    if not is_name(name) or view.store.load(name) is None:
        raise view.unknown(name)
    return [each for each in view.store.entries(name) if wanted is None or wanted.matches(each)]


def log(view: View, wanted: Filter, limit: int) -> Sequence[Entry]:
    """The latest entries of all sessions that are asked for, in the order of their times, unchecked."""
    kinds = wanted.kinds or (("event", "refusal") if wanted.events else ())
    found = view.store.log(since=wanted.since, kinds=kinds, limit=limit)
    return [each for each in found if wanted.matches(each)]


def verify(view: View, name: str, expect_head: str | None = None) -> Verified:
    """Check the chain, and that what is stored of the session is exactly what its entries add up to.

    Raises :class:`JournalTampered` with the sequence number of the first entry that does not hold. Holds
    nothing, so that it can be run beside a turn: all is read of one instant.
    """
    check_receipt(expect_head)
    record = read(view, name)
    checked = check_record(record, expect_head)
    last, erased = checked.last, sum(each.body is None for each in record.entries)
    unchecked = () if checked.defined else ("status",)
    return Verified(
        last.seq, last.receipt, erased, last.time if erased else None, unchecked, record.session.sandbox is not None
    )


def fault(view: View, name: str) -> str | None:
    """Why the log of a session does not hold; None if it does."""
    try:
        verify(view, name)
    except JournalTampered as error:
        return error.message
    return None


def verify_store(view: View, expect_head: str | None = None) -> VerifiedStore:
    """Check the chain of the store and every session in it; raises :class:`JournalTampered` for the first fault."""
    chain = view.store.verify(expect_head)
    for each in view.store.sessions(limit=MOST):
        verify(view, each.name)
    return VerifiedStore(chain.sessions, chain.links, chain.receipt)


def read(view: View, name: str) -> Record:
    """All that is stored of a session; raises :class:`SessionNotFound`."""
    record = view.store.record(name) if is_name(name) else None
    if record is None:
        raise view.unknown(name)
    return record


def definition_of(view: View, bundle: str, entries: Iterable[Entry]) -> Definition | None:
    """What the bundle of this digest says, as the store has kept it; None if that is not what ``entries`` name."""
    return kept_definition(view.store.definitions(bundle), compiled_in(entries, bundle))


def _event(body: Mapping[str, Any]) -> Any:
    """The event that an entry accepts or refuses."""
    given = body.get("given")
    return body.get("event", given.get("event") if isinstance(given, Mapping) else None)
