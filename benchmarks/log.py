"""Reading a long journal, and checking its chain."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import apsw

from benchmarks.history import grown, resumed
from benchmarks.measure import Effort, Entrant, race
from benchmarks.ours import Ours
from benchmarks.report import Ranking
from workflow.cli.answer import print_json
from workflow.history import audit
from workflow.model.frozen import as_dict
from workflow.model.journal import verify
from workflow.store import write_body

TITLE = "A log of 5,000 entries"
NOTE = (
    "The floor selects the same bytes, and decodes the JSON of each body. The chain is checked of entries that were "
    "read before; `audit verify` reads them, checks the chain, and compares the stored session with what they add up "
    "to. LangGraph lists as many checkpoints, of which it writes one a turn in its tuned setting."
)
ENTRIES = 5_000


def measure(effort: Effort, peers: bool = True) -> Ranking:
    """The floor comes first."""
    (entries,) = effort.sizes(ENTRIES)
    with tempfile.TemporaryDirectory() as folder:
        [database] = grown(Path(folder), entries // 2).values()  # a turn is an event and its reply
        entrants = [
            Entrant(title, f"{__name__}:{function}", str(database))
            for title, function in (
                ("raw SQLite (the floor)", "opened_floor"),
                ("Phasegate, entries read", "opened_read"),
                ("Phasegate, `audit log --json`", "opened_log"),
                ("Phasegate, chain checked", "opened_chain"),
                ("Phasegate, `audit verify`", "opened_verify"),
            )
        ]
        if peers:
            entrants.append(Entrant("LangGraph, state history", "benchmarks.langgraph_:opened_history", str(entries)))
        return Ranking(race(entrants, effort.slow()), "entries", entries)


class Reading:
    """All of one session's journal, again and again; ``read`` tells how many entries it saw."""

    def __init__(self, ours: Ours, read: Callable[[Ours], int]) -> None:
        self._ours, self._read = ours, read

    def turn(self, number: int) -> str:
        """Once through."""
        return f"{self._read(self._ours)} entries"

    def close(self) -> None:
        """Close the store."""
        self._ours.close()


class Floor:
    """The same bytes in a bare table."""

    def __init__(self, folder: Path, ours: Ours) -> None:
        self._connection = apsw.Connection(str(folder / "floor.db"))
        self._connection.execute(_SCHEMA).fetchall()
        rows = [
            (e.session, e.seq, e.kind, e.time, e.previous, e.digest, e.hash, write_body(e))
            for e in ours.store.entries(ours.name)
        ]
        with self._connection:
            self._connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._name = ours.name

    def turn(self, number: int) -> str:
        """Once through."""
        rows = self._connection.execute("SELECT * FROM entries WHERE session = ? ORDER BY seq", (self._name,))
        return f"{len([(*row, json.loads(body)) for *row, body in rows])} entries"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def opened_floor(folder: Path, variant: str) -> Floor:
    """``variant`` is the database, as in all of these."""
    ours = resumed(folder, variant)
    floor = Floor(folder, ours)
    ours.close()
    return floor


def opened_read(folder: Path, variant: str) -> Reading:
    """As the store gives them."""
    return Reading(resumed(folder, variant), lambda ours: len(list(ours.store.entries(ours.name))))


def opened_log(folder: Path, variant: str) -> Reading:
    """As the command does, but for its process."""
    return Reading(resumed(folder, variant), _printed)


def opened_chain(folder: Path, variant: str) -> Reading:
    """Hashes alone."""
    ours = resumed(folder, variant)
    entries = list(ours.store.entries(ours.name))
    return Reading(ours, lambda _: sum(1 for _ in verify(entries)))


def opened_verify(folder: Path, variant: str) -> Reading:
    """As the command does, but for its process."""
    return Reading(resumed(folder, variant), lambda ours: audit.verify(ours.engine, ours.name).entries)


def _printed(ours: Ours) -> int:
    entries = audit.entries(ours.engine, ours.name)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        for entry in entries:
            print_json(as_dict(entry))
    return len(entries)


_SCHEMA = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE entries (
        session TEXT, seq INTEGER, kind TEXT, time TEXT, previous TEXT, digest TEXT, hash TEXT, body TEXT,
        PRIMARY KEY (session, seq)
    );
"""
