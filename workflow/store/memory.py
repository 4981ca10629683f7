"""A store that is gone with its process: for tests, simulations and dry runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from string import ascii_lowercase, ascii_uppercase

from workflow.model.brakes import Pause, Use
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.fault import MOST_FAULTS, Fault
from workflow.model.frozen import replace, written
from workflow.model.instant import Instant, iso
from workflow.model.journal import START, Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Chain, Held, Holder, Over, Record, Summary
from workflow.model.session import Session
from workflow.store import (
    ENDED,
    brakes,
    check_append,
    other_definition,
    read_body,
    read_snapshot,
    timers_of,
    turn_taken,
    write_body,
    write_snapshot,
)
from workflow.store.chain import check_chain, linked
from workflow.store.holder import myself, read_holder
from workflow.store.locks import busy, check_name, lost


class MemoryStore:
    """Keeps text, as a database would, so that nothing in it is shared with a caller.

    It cannot be copied or set back, so that its ledger is never asked. ``identity`` is its id, by default a random one.
    """

    def __init__(self, identity: str = "") -> None:
        self._id = identity or os.urandom(16).hex()
        self._payments: list[Payment] = []
        self._lock = threading.Lock()
        self._holds: dict[tuple[str, str], _Lock] = {}
        self._summaries: dict[str, Summary] = {}
        self._timers: dict[str, list[tuple[str, float, float, str]]] = {}
        self._snapshots: dict[str, str] = {}
        self._journals: dict[str, list[tuple[Entry, str | None]]] = {}
        self._turns: dict[tuple[str, str], int] = {}
        self._starts: dict[str, str] = {}
        self._links: list[tuple[int, str, int, str, str]] = []
        self._definitions: dict[str, str] = {}
        self._occasions: set[tuple[str, str]] = set()
        self._faults: list[Fault] = []
        self._brakes = brakes.InMemory()
        self._closed = False

    @contextmanager
    def hold(self, name: str, wait: float = 0.0, part: str = "") -> Iterator[Held]:
        """The sole right to append to ``name``."""
        check_name(name)
        with self._open():
            lock = self._holds.setdefault((name, part), _Lock())
        held = _MemoryHold(name, part, lock)
        held.retake(wait)
        try:
            yield held
        finally:
            held.release()

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """This process, if one of its threads holds it."""
        check_name(name)
        with self._open():
            lock = self._holds.get((name, part))
        return lock.holder if lock else None

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session."""
        with self._open():
            text = self._snapshots.get(name)
        return None if text is None else read_snapshot(name, text)

    def check_session(self, session: Session) -> None:
        """Nobody else can write to it, so a session is as it was appended, or was never stored."""
        with self._open():
            if self._snapshots.get(session.name) != write_snapshot(session):
                message = f"the session {session.name} in hand is not the one that its journal adds up to"
                raise JournalTampered(message, session.seq)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot, or nothing at all."""
        self._check_held(held, session.name)
        rows = [(replace(entry, body=None), write_body(entry)) for entry in entries]
        snapshot = write_snapshot(session)
        with self._open():
            held_back = brakes.stops(self._brakes, entries, session)
            if held_back:
                raise held_back
            journal = self._journals.get(session.name)
            check_append(entries, session, (journal[-1][0].seq, journal[-1][0].hash) if journal else None)
            self._index(entries)
            self._journals.setdefault(session.name, []).extend(rows)
            self._snapshots[session.name] = snapshot
            self._timers[session.name] = timers_of(session, status)
            self._summaries[session.name] = self._summary(entries, session, status)
            previous = self._links[-1][3] if self._links else START
            number, seq, head = len(self._links) + 1, session.seq, session.head
            link = linked(previous, number, session.name, seq, head)
            self._links.append((number, session.name, seq, link, head))
            brakes.count(self._brakes, entries, session)

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal of ``name`` in order, from the entry behind ``after``."""
        with self._open():
            rows = self._journals.get(name, [])[after:]
        for row in rows:
            yield _entry(*row)

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of one entry."""
        with self._open():
            rows = self._journals.get(name, [])
            return rows[seq - 1][0].hash if 1 <= seq <= len(rows) else None

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, of one instant."""
        with self._open():
            if name not in self._snapshots:
                return None
            snapshot = self._snapshots[name]
            session = read_snapshot(name, snapshot, trusted=False)
            entries = tuple(starmap(_entry, self._journals[name]))
            turns = {seq: turn for (owner, turn), seq in self._turns.items() if owner == name}
            last, known = entries[-1], self._definitions.items()
            kept = tuple(text for key, text in sorted(known) if key.startswith(f"{session.bundle}:"))
            timers = tuple(self._timers[name])
            return Record(self._summaries[name], last.seq, last.hash, session, snapshot, entries, turns, kept, timers)

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times."""
        with self._open():
            rows = [row for journal in self._journals.values() for row in journal]
            rows = [row for row in rows if row[0].time >= since and (not kinds or row[0].kind in kinds)]
            rows.sort(key=lambda row: (row[0].time, row[0].session, row[0].seq))
            return list(starmap(_entry, rows[-limit:]))

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> None:
        """Append the entry, and drop what those before it held."""
        self.append(held, [entry], session, status)
        with self._open():
            journal = self._journals[session.name]
            journal[:-1] = [(row, None) for row, _ in journal[:-1]]
            self._turns = {known: seq for known, seq in self._turns.items() if known[0] != session.name}
            self._starts = {turn: name for turn, name in self._starts.items() if name != session.name}
            self._faults = [each for each in self._faults if each.session != session.name]

    def sweep(self) -> None:
        """Nothing is left of what was dropped."""
        with self._open():
            return

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn, in one session or (a start) in any."""
        with self._open():
            session = self._starts.get(turn) if name is None else name
            seq = None if session is None else self._turns.get((session, turn))
            return None if session is None or seq is None else _entry(*self._journals[session][seq - 1])

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry behind ``after``."""
        return next((entry for entry in self.entries(name, after) if entry.kind == "reply"), None)

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        owner: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """Sessions, the latest updated first, those of one instant by name."""
        with self._open():
            found = [
                each
                for each in self._summaries.values()
                if not (live and each.status in ENDED)
                and _found_in(each, search)
                and (not state or each.state == state or each.state.startswith(f"{state}."))
                and (not status or each.status == status)
                and (not owner or each.owner == owner)
            ]
        found.sort(key=lambda each: each.name)
        found.sort(key=lambda each: each.updated, reverse=True)
        return found[offset : offset + limit]

    def count(self) -> tuple[int, str]:
        """By looking at all of them."""
        with self._open():
            begun = [each.created for each in self._summaries.values()]
        return len(begun), min(begun, default="")

    def over(self, before: str) -> list[Over]:
        """By looking at all of them."""
        with self._open():
            found = [
                Over(each.name, each.status, each.updated, self._size(each.name))
                for each in self._summaries.values()
                if each.status in ENDED
                and each.updated < before
                and self._journals[each.name][-1][0].kind != "forgotten"
            ]
        return sorted(found, key=lambda each: (each.updated, each.name))

    def definition(self, key: str) -> str | None:
        """A compiled definition, as JSON."""
        with self._open():
            return self._definitions.get(key)

    def definitions(self, bundle: str) -> tuple[str, ...]:
        """The compiled definitions of this bundle, one per engine that compiled it."""
        with self._open():
            return tuple(text for key, text in sorted(self._definitions.items()) if key.startswith(f"{bundle}:"))

    def keep_definition(self, key: str, content: str) -> None:
        """Keep a compiled definition; another one under the same key raises :class:`StoreError`."""
        with self._open():
            if self._definitions.setdefault(key, content) != content:
                raise other_definition(key)

    def first_time(self, profile: str, occasion: str) -> bool:
        """True once per profile and occasion."""
        with self._open():
            first = (profile, occasion) not in self._occasions
            self._occasions.add((profile, occasion))
            return first

    def note_fault(self, fault: Fault) -> None:
        """Keep it, and drop what is older than the latest of its session."""
        with self._open():
            self._faults.append(fault)
            older = [number for number, each in enumerate(self._faults) if each.session == fault.session]
            for number in reversed(older[:-MOST_FAULTS]):
                del self._faults[number]

    def faults(self, name: str | None = None) -> list[Fault]:
        """Those that were kept, oldest first."""
        with self._open():
            return [each for each in self._faults if name is None or each.session == name]

    def verify(self, expect_head: str | None = None) -> Chain:
        """The links, compared with the ends of all journals."""
        with self._open():
            ends = [
                (name, rows[-1][0].seq, rows[-1][0].hash, len(rows), len(rows)) for name, rows in self._journals.items()
            ]
            return check_chain(self._links, ends, expect_head)

    def backup(self, file: str) -> Chain:
        """There is nothing that outlives the process."""
        raise StoreError("a store in memory has no file to copy", "Choose a store on disk.")

    def identity(self) -> str:
        """The id that it was given."""
        return self._id

    def foreign(self) -> str:
        """It is never elsewhere."""
        return ""

    def check_own(self) -> None:
        """Nothing can be wrong."""

    def check_paying(self, session: str) -> None:
        """Nothing can be wrong."""

    def pauses(self) -> list[Pause]:
        """Those that hold."""
        with self._open():
            return self._brakes.pauses()

    def pause(self, pause: Pause) -> bool:
        """Keep it; one that holds already stays as it is."""
        with self._open():
            return self._brakes.pause(pause)

    def unpause(self, scope: str, name: str) -> bool:
        """Remove it."""
        with self._open():
            return self._brakes.unpause(scope, name)

    def uses(self, use: Use, per: float) -> list[Instant]:
        """When the paid calls like this one left."""
        with self._open():
            return self._brakes.like(use, per)

    def due(self, now: Instant) -> list[tuple[str, int]]:
        """All that run are compared."""
        with self._open():
            due = [name for name, timers in sorted(self._timers.items()) if any(_passed(now, *each) for each in timers)]
            return [(name, self._journals[name][-1][0].seq) for name in due]

    def begin_ledger(self, time: str) -> None:
        """There is one from the beginning."""

    def enter(self, payment: Payment) -> None:
        """Keep it."""
        with self._open():
            self._payments.append(payment)

    def ledger_fault(self) -> str:
        """It has no file."""
        return ""

    def unknown_payments(self) -> list[Payment]:
        """The journals know every one."""
        return []

    def adopt(self, time: str) -> list[str]:
        """Take another id."""
        self._id = os.urandom(16).hex()
        return []

    def check(self) -> list[str]:
        """Nothing can be wrong with it."""
        with self._open():
            return []

    def close(self) -> None:
        """Nothing can be read or written any more; idempotent."""
        self._closed = True

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            yield

    def _check_held(self, held: Held, name: str) -> None:
        lock = self._holds.get((name, ""))
        if not (isinstance(held, _MemoryHold) and lock is not None and lock.hold is held):
            raise lost(name)

    def _size(self, name: str) -> int:
        texts = [self._snapshots[name], *(text or "" for _, text in self._journals[name])]
        return sum(len(text.encode()) for text in texts)

    def _index(self, entries: Sequence[Entry]) -> None:
        """Note the turns of the entries, all of them or none."""
        turns = {(each.session, each.turn): each.seq for each in entries if each.turn is not None}
        starts = {each.turn: each.session for each in entries if each.turn is not None and each.kind == "started"}
        if turns.keys() & self._turns.keys() or starts.keys() & self._starts.keys():
            raise turn_taken(entries[0].session)
        self._turns.update(turns)
        self._starts.update(starts)

    def _summary(self, entries: Sequence[Entry], session: Session, status: str) -> Summary:
        known = self._summaries.get(session.name)
        created = known.created if known else entries[0].time
        told = (session.workflow, session.state, status, session.revision, created, entries[-1].time)
        kept = (known.owner, known.sandbox) if known else (session.owner, session.sandbox)
        due = min((wall for _, wall, _, _ in timers_of(session, status)), default=None)
        told_due = None if due is None else iso(Instant(due, 0.0, ""))
        return Summary(session.name, *told, *kept, session.about, told_due)


def _passed(now: Instant, name: str, wall: float, boot: float, boot_id: str) -> bool:
    return boot <= now.boot if boot_id == now.boot_id else wall <= now.wall


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def _found_in(each: Summary, search: str) -> bool:
    """By name or state, or by its first words, where the capitals of ASCII do not matter: as SQLite looks."""
    return search in each.name or search in each.state or search.translate(_LOWER) in each.about.translate(_LOWER)


class _Lock:
    """The lock of a session, and the hold that has it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hold: _MemoryHold | None = None
        self.holder: Holder | None = None


class _MemoryHold:
    """A hold in hand."""

    def __init__(self, name: str, part: str, lock: _Lock) -> None:
        self.name = name
        self._part = part
        self._lock = lock

    def release(self) -> None:
        """Let go; idempotent."""
        if self._lock.hold is self:
            self._lock.hold = self._lock.holder = None
            self._lock.lock.release()

    def retake(self, wait: float = 0.0) -> None:
        """Take it, or take it again."""
        self.release()
        if not self._lock.lock.acquire(timeout=max(wait, 0.0)):
            raise busy(self.name, self._lock.holder)
        self._lock.hold, self._lock.holder = self, read_holder(myself())[0]


def _entry(entry: Entry, text: str | None) -> Entry:
    return written(replace(entry, body=read_body(entry.session, entry.seq, text)), text)
