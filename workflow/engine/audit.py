"""Reading the journal and checking it; needs the store alone, whatever became of the bundle (DESIGN §9)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflow import journal
from workflow.engine.turns import Engine
from workflow.errors import JournalTampered, UsageError
from workflow.journal import Entry, fold
from workflow.names import is_name
from workflow.session import Session

_RECEIPT = re.compile(r"[1-9][0-9]{0,9}:[0-9a-f]{24}", re.ASCII)
_HINT = "Restore the store from a backup; the journal is the record, the snapshot only a copy of it."


@dataclass(frozen=True)
class Verified:
    """A journal that holds: its length, its head as it is quoted, and how many entries were erased."""

    entries: int
    receipt: str
    erased: int

    def claim(self, expect_head: str | None = None) -> str:
        """What was shown by this, and what was not (DESIGN §9)."""
        held = f"The {self.entries} entries follow one from another without a gap or an edit, and "
        if self.erased:
            held += f"the stored session stands at the last of them (the content of {self.erased} was erased)"
        else:
            held += "the stored session is exactly what they add up to"
        if expect_head:
            return f"{held}; up to {expect_head} they are those that were there then, which is not shown of later ones."
        only = "only a receipt kept elsewhere can show (--expect-head)."
        return f"{held}; that nobody cut or rewrote the whole log {only}"


def entries(engine: Engine, name: str) -> Sequence[Entry]:
    """The journal of a session as it is stored, unchecked; raises :class:`~workflow.errors.SessionNotFound`."""
    return _read(engine, name)[1]


def verify(engine: Engine, name: str, expect_head: str | None = None) -> Verified:
    """Check the chain, and that the stored session is exactly what its entries add up to.

    Raises :class:`JournalTampered` with the sequence number of the first entry that does not hold. Holds
    nothing, so that it can be run beside a turn: what is appended meanwhile is checked as well.
    """
    if expect_head is not None and not _RECEIPT.fullmatch(expect_head):
        raise UsageError(
            f"{expect_head[:60]!r} is no receipt", "Give one as a reply shows it, such as 12:ab12cd34ef56ab12cd34ef56."
        )
    snapshot, stored = _read(engine, name)
    folded: Session | None = None
    erased = 0
    last = None
    for last in journal.verify(stored, expect_head):
        erased += last.body is None
        folded = fold(folded, last) if not erased else None
        if last.seq == snapshot.seq:
            _compare(snapshot, last, folded)
    if last is None or last.seq < snapshot.seq:
        seq = last.seq if last else 0
        raise JournalTampered(f"the journal ends with entry {seq}, the snapshot is of entry {snapshot.seq}", seq, _HINT)
    if last.seq > snapshot.seq:
        _check_appended(engine, name, snapshot, last)
    return Verified(last.seq, last.receipt, erased)


def _read(engine: Engine, name: str) -> tuple[Session, Sequence[Entry]]:
    """The snapshot, then the entries: these are as new as it is, or newer."""
    snapshot = engine.world.store.load(name) if is_name(name) else None
    if snapshot is None:
        raise engine.unknown(name)
    return snapshot, list(engine.world.store.entries(name))


def _compare(snapshot: Session, entry: Entry, folded: Session | None) -> None:
    """What was erased cannot be replayed; then only the head is compared."""
    if snapshot.head != entry.hash or (folded is not None and folded.as_json() != snapshot.as_json()):
        raise JournalTampered(
            f"the stored session is not what its journal adds up to at entry {entry.seq}", entry.seq, _HINT
        )


def _check_appended(engine: Engine, name: str, before: Session, last: Entry) -> None:
    """Entries beyond the snapshot that was read: a turn that was taken meanwhile has written a newer one."""
    now = engine.world.store.load(name)
    if now is None or now.seq < last.seq:
        seq = before.seq + 1
        raise JournalTampered(f"entry {seq} is in the journal, but not in the stored session", seq, _HINT)
