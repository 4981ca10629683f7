"""Reading the journal and checking it; needs the store alone, whatever became of the bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workflow.bundle import kept_definition
from workflow.engine.turns import Engine
from workflow.machine.definition import Definition
from workflow.machine.standing import status_of
from workflow.model.errors import JournalTampered, StoreError, UsageError
from workflow.model.frozen import Noun
from workflow.model.journal import Entry, replay
from workflow.model.ports import Record
from workflow.model.session import Session
from workflow.model.session_names import is_name
from workflow.store import write_snapshot

_RECEIPT = re.compile(r"[1-9][0-9]{0,9}:[0-9a-f]{24}", re.ASCII)
_HINT = "Restore the store from a backup; the journal is the record, the rest only a copy of what it adds up to."


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
            held += f" (but for its {', '.join(self.unchecked)}: what its bundle says is not in the store)"
        if expect_head:
            return f"{held}; up to {expect_head} they are those that were there then, which is not shown of later ones."
        only = "only a receipt kept elsewhere can show (--expect-head)."
        return f"{held}; that nobody cut or rewrote the whole log {only}"


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


def entries(engine: Engine, name: str, wanted: Filter | None = None) -> Sequence[Entry]:
    """The journal of a session as it is stored, unchecked; raises :class:`SessionNotFound`."""
    if not is_name(name) or engine.world.store.load(name) is None:
        raise engine.unknown(name)
    return [each for each in engine.world.store.entries(name) if wanted is None or wanted.matches(each)]


def log(engine: Engine, wanted: Filter, limit: int) -> Sequence[Entry]:
    """The latest entries of all sessions that are asked for, in the order of their times, unchecked."""
    kinds = wanted.kinds or (("event", "refusal") if wanted.events else ())
    found = engine.world.store.log(since=wanted.since, kinds=kinds, limit=limit)
    return [each for each in found if wanted.matches(each)]


def verify(engine: Engine, name: str, expect_head: str | None = None) -> Verified:
    """Check the chain, and that what is stored of the session is exactly what its entries add up to.

    Raises :class:`JournalTampered` with the sequence number of the first entry that does not hold. Holds
    nothing, so that it can be run beside a turn: all is read of one instant.
    """
    if expect_head is not None and not _RECEIPT.fullmatch(expect_head):
        raise UsageError(
            f"{expect_head[:60]!r} is no receipt", "Give one as a reply shows it, such as 12:ab12cd34ef56ab12cd34ef56."
        )
    record = read(engine, name)
    last, folded = None, None
    for last, folded in replay(record.entries, expect_head):
        if last.seq == record.session.seq:
            _compare(record, last, folded)
    if last is None or folded is None or last.seq < record.session.seq:
        seq = last.seq if last else 0
        raise JournalTampered(
            f"the journal ends with entry {seq}, the snapshot is of entry {record.session.seq}", seq, _HINT
        )
    if last.seq > record.session.seq:
        seq = record.session.seq + 1
        raise JournalTampered(f"entry {seq} is in the journal, but not in the stored session", seq, _HINT)
    definition = definition_of(engine, folded.bundle)
    _compare_row(record, folded, definition)
    erased = sum(each.body is None for each in record.entries)
    unchecked = () if definition or folded.forgotten else ("status",)
    return Verified(
        last.seq, last.receipt, erased, last.time if erased else None, unchecked, folded.sandbox is not None
    )


def read(engine: Engine, name: str) -> Record:
    """All that is stored of a session; raises :class:`SessionNotFound`."""
    record = engine.world.store.record(name) if is_name(name) else None
    if record is None:
        raise engine.unknown(name)
    return record


def definition_of(engine: Engine, bundle: str) -> Definition | None:
    """What the bundle of this digest says, as the store has kept it since its first turn; None if it has not."""
    return kept_definition(engine.world.store.find_definition(bundle))


def _event(body: Mapping[str, Any]) -> Any:
    """The event that an entry accepts or refuses."""
    given = body.get("given")
    return body.get("event", given.get("event") if isinstance(given, Mapping) else None)


def _compare(record: Record, entry: Entry, folded: Session | None) -> None:
    """As text: to Python, 1, 1.0 and true are the same."""
    if folded is None or record.session.head != entry.hash or _text(folded) != record.snapshot:
        raise JournalTampered(
            f"the stored session {entry.session} is not what its journal adds up to at entry {entry.seq}",
            entry.seq,
            _HINT,
        )


def _compare_row(record: Record, folded: Session, definition: Definition | None) -> None:
    """What sessions and turns are listed and found by is a copy as well."""
    last = record.entries[-1]
    for what, stored, true in _copies(record, folded, definition):
        if stored != true:
            message = f"the store lists the session's {what} as {stored!r}; its journal adds up to {true!r}"
            raise JournalTampered(message[:400], last.seq, _HINT)
    for entry in record.entries:
        if record.turns.get(entry.seq) != entry.turn:
            raise JournalTampered(f"entry {entry.seq} is kept under a turn that is not its own", entry.seq, _HINT)


def _copies(record: Record, folded: Session, definition: Definition | None) -> Iterator[tuple[str, object, object]]:
    """What, as it is stored, and as it should be."""
    summary = record.summary
    yield "name", summary.name, folded.name
    yield "workflow", summary.workflow, folded.workflow
    yield "state", summary.state, folded.state
    yield "revision", summary.revision, folded.revision
    yield "sequence", record.seq, folded.seq
    yield "head", record.head, folded.head
    yield "beginning", summary.created, record.entries[0].time
    yield "last change", summary.updated, record.entries[-1].time
    if folded.forgotten:
        yield "status", summary.status, folded.forgotten
    elif definition and folded.state in definition.states:
        yield "status", summary.status, status_of(definition, folded)


def _text(session: Session) -> str | None:
    try:
        return write_snapshot(session)
    except StoreError:  # such as NaN, which equals nothing
        return None
