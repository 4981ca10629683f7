"""The floor: the bytes that Phasegate wrote for one turn, written by bare SQLite calls with ``synchronous=FULL``.

Variant ``one``: everything in one transaction. Variant ``two``: the same bytes of a paid turn in two, the intent
before the call and the result after it, as one would do it by hand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from benchmarks.ours import Ours, RecordingStore
from workflow.store import write_body, write_snapshot

PATIENCE = 60_000
"""Milliseconds that a writer waits for others, as bare SQLite waits: by trying again."""

WARM = 24
"""Turns before the one whose bytes are taken."""


@dataclass(frozen=True)
class Shape:
    """What one turn writes: rows of the journal, and the snapshot."""

    rows: tuple[tuple[Any, ...], ...]
    snapshot: str | bytes
    text: str


class Floor:
    """One run; no decisions, no checks."""

    def __init__(self, folder: Path, shape: Shape, transactions: int = 1, name: str = "run") -> None:
        self._shape = shape
        self._name = name
        first = 1 + [row[0] for row in shape.rows].index("intent") if transactions == 2 else len(shape.rows)
        self._parts = [part for part in (shape.rows[:first], shape.rows[first:]) if part]
        self._connection = apsw.Connection(str(folder / "floor.db"))
        self._connection.set_busy_timeout(PATIENCE)
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "full")
        self._connection.execute(_SCHEMA).fetchall()
        self._connection.execute(_BEGIN, (name, shape.snapshot))
        self._seq = 0

    def grow(self, turns: int, sessions: int = 1) -> None:
        """So many turns of the run before the first that counts, and other runs beside it with one each."""
        rows = [row for part in self._parts for row in part]
        others = [f"run-{number}" for number in range(1, sessions)]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_BEGIN, ((name, self._shape.snapshot) for name in others))
        self._connection.executemany(_INSERT, ((name, seq, *row) for name in others for seq, row in enumerate(rows, 1)))
        for _ in range(turns):
            self._insert(rows)
        self._connection.execute("COMMIT")
        # A log that is long already is written over, which is quicker than growing; ours begins empty in its copy, too.
        self._connection.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def turn(self, number: int) -> str:
        """Read the snapshot, write the rows and the snapshot."""
        self._connection.execute("SELECT snapshot FROM sessions WHERE name = ?", (self._name,)).fetchall()
        for part in self._parts:
            self._write(part)
        return self._shape.text

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._insert(rows)
        update = "UPDATE sessions SET seq = ?, head = ?, snapshot = ? WHERE name = ?"
        self._connection.execute(update, (self._seq, rows[-1][_HASH].hex(), self._shape.snapshot, self._name))
        self._connection.execute("COMMIT")

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in rows:
            self._seq += 1
            self._connection.execute(_INSERT, (self._name, self._seq, *row))


def opened(folder: Path, variant: str) -> Floor:
    """With the bytes of a plain turn."""
    return Floor(folder, shape_of("turn"))


def opened_paid(folder: Path, variant: str) -> Floor:
    """With the bytes of a paid turn."""
    return Floor(folder, shape_of("pay"), 2 if variant == "two" else 1)


@cache
def shape_of(kind: str) -> Shape:
    """Take turns with Phasegate, and keep what the last one wrote."""
    with tempfile.TemporaryDirectory() as folder:
        store = RecordingStore(Path(folder))
        ours = Ours(Path(folder), store)
        for number in range(WARM):
            ours.turn(number)
        if kind == "pay":
            ours.to_offer()
        store.commits.clear()
        text = ours.pay(WARM) if kind == "pay" else ours.turn(WARM)
        rows = [
            (e.kind, e.time, bytes.fromhex(e.digest), bytes.fromhex(e.hash), e.turn, write_body(e))
            for entries, _ in store.commits
            for e in entries
        ]
        snapshot = write_snapshot(store.commits[-1][1])
        ours.close()
    return Shape(tuple(rows), snapshot, text)


_SCHEMA = """
    CREATE TABLE IF NOT EXISTS sessions (name TEXT PRIMARY KEY, seq INTEGER, head TEXT, snapshot TEXT);
    CREATE TABLE IF NOT EXISTS entries (
        session TEXT, seq INTEGER, kind TEXT, time TEXT, digest BLOB, hash BLOB, turn TEXT, body TEXT,
        PRIMARY KEY (session, seq)
    );
"""
_BEGIN = "INSERT INTO sessions VALUES (?, 0, '', ?)"
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HASH = 3
"""Its place in a row of the journal."""
