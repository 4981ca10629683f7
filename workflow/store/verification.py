"""Whether what is stored of a session is exactly what its journal adds up to. Every door that verifies uses this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflow.machine.definition import Definition
from workflow.machine.kept import kept_definition
from workflow.machine.standing import status_of
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.frozen import Noun
from workflow.model.journal import Entry, replay
from workflow.model.ports import Record
from workflow.model.session import Session
from workflow.store import timers_of, write_snapshot

_HINT = "Restore the store from a backup; the journal is the record, the rest only a copy of what it adds up to."


class Checked(Noun):
    """A record that passed: its last entry, and whether its bundle's definition is in the store to compare with."""

    last: Entry
    defined: bool


def check_record(record: Record, expect_head: str | None = None) -> Checked:
    """Compare all that is stored of a session with its journal; raises :class:`JournalTampered` with the entry."""
    last, folded = None, None
    for last, folded in replay(record.entries, expect_head):
        if last.seq == record.session.seq:
            _compare(record, last, folded)
    if last is None or folded is None or last.seq < record.session.seq:
        seq = last.seq if last else 0
        raise JournalTampered(
            f"the journal of {record.session.name} ends with entry {seq}, the snapshot is of {record.session.seq}",
            seq,
            _HINT,
        )
    if last.seq > record.session.seq:
        seq = record.session.seq + 1
        what = f"entry {seq} is in the journal of {last.session}, but not in the stored session"
        raise JournalTampered(what, seq, _HINT)
    compiled = compiled_in(record.entries, folded.bundle)
    definition = kept_definition(record.definitions, compiled)
    if definition is None and compiled and record.definitions:
        message = f"the store keeps another definition of the bundle {folded.bundle[:12]} than the journal names"
        raise JournalTampered(message, last.seq, _HINT)
    _compare_row(record, folded, definition)
    return Checked(last, definition is not None or bool(folded.forgotten))


def compiled_in(entries: Iterable[Entry], bundle: str) -> str | None:
    """The digest of the compiled definition that the journal names for this bundle; None if it names none."""
    found = None
    for entry in entries:
        if entry.body and entry.body.get("bundle") == bundle and isinstance(entry.body.get("compiled"), str):
            found = entry.body["compiled"]
    return found


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
    yield "owner", summary.owner, folded.owner
    yield "sandbox", summary.sandbox, folded.sandbox
    yield "first words", summary.about, folded.about
    yield "last change", summary.updated, record.entries[-1].time
    yield "timers", record.timers, tuple(timers_of(folded, summary.status))
    if folded.forgotten:
        yield "status", summary.status, folded.forgotten
    elif definition and folded.state in definition.states:
        yield "status", summary.status, status_of(definition, folded)


def _text(session: Session) -> str | None:
    try:
        return write_snapshot(session)
    except StoreError:  # such as NaN, which equals nothing
        return None
