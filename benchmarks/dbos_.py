"""DBOS with its SQLite system database: a workflow per turn, which loads the run in one step and decides in another.

With the variant ``wal`` the database has a write-ahead log, which a database keeps once it was set; DBOS itself leaves
SQLite's default, a rollback journal.

A workflow that waits for messages would be the other way; on SQLite it is woken by polling, once per second as it
comes, which would say nothing about the cost of a turn.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypedDict

from dbos import DBOS, SetWorkflowID

from benchmarks.work import STATES, following, message, words


class Run(TypedDict):
    """The snapshot: the result of the turn before."""

    state: str
    words: str
    text: str


@DBOS.step()
def decide(run: Run, said: str) -> Run:
    """Guard, move, message."""
    return {"state": following(run["state"], said), "words": said, "text": message(said)}


@DBOS.workflow()
def take_turn(before: str, said: str) -> Run:
    """Loading is a step of its own: the result of the workflow before, as DBOS keeps it."""
    run: Run = DBOS.retrieve_workflow(before).get_result() if before else {"state": STATES[0], "words": "", "text": ""}
    after: Run = decide(run, said)
    return after


class App:
    """One application; turns are numbered, and so many were ``taken`` before."""

    def __init__(self, folder: Path, taken: int, wal: bool = False) -> None:
        file = folder / "dbos.sqlite"
        if wal:
            with closing(sqlite3.connect(file)) as database:
                database.execute("PRAGMA journal_mode = wal")
        url = f"sqlite:///{file}"
        DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
        DBOS.launch()
        self._taken = taken

    def turn(self, number: int) -> str:
        """A workflow under the next name."""
        before = f"run-{self._taken}" if self._taken else ""
        self._taken += 1
        with SetWorkflowID(f"run-{self._taken}"):
            return str(take_turn(before, words(number))["text"])

    def close(self) -> None:
        """Stop the application."""
        DBOS.destroy()


def opened(folder: Path, variant: str) -> App:
    """As it comes, or with a write-ahead log (``wal``); a number is how many turns the run has had."""
    return App(folder, 0, wal=True) if variant == "wal" else App(folder, int(variant or 0))
