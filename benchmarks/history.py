"""The plain and the paid turn after ever more turns of the same session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from benchmarks.floor import Floor, shape_of
from benchmarks.measure import Effort, Entrant, race
from benchmarks.ours import Ours
from benchmarks.paid import Paying
from benchmarks.report import Growth
from workflow.store.sqlite import SqliteStore

TITLE = "A turn after many others"
NOTE = (
    "Phasegate's history is that of real turns, taken one by one, in a copy that the store itself has made. LangGraph "
    "keeps what was said in a list of its state, which it is given at once; Phasegate keeps it in the journal. What is "
    "measured are the turns that follow, so that the history goes on growing by as many."
)
SIZES = (10, 1_000, 5_000)


def measure(effort: Effort, peers: bool = True) -> Growth:
    """Every size in the same rounds."""
    sizes = effort.sizes(*SIZES)
    with tempfile.TemporaryDirectory() as folder:
        databases = {str(size): str(file) for size, file in grown(Path(folder), *sizes).items()}
        systems = [
            ("raw SQLite (the floor)", "benchmarks.history:opened_floor", {}),
            ("Phasegate, a plain turn", "benchmarks.history:opened", databases),
            ("Phasegate, a paid turn", "benchmarks.history:opened_paid", databases),
        ]
        if peers:
            systems.append(("LangGraph, as it comes, with a list", "benchmarks.langgraph_:opened_with_list", {}))
        entrants = [
            Entrant(title, where, variants.get(str(size), str(size)), size)
            for title, where, variants in systems
            for size in sizes
        ]
        return Growth(race(entrants, effort), "turns of the session before")


def grown(folder: Path, *sizes: int) -> Mapping[int, Path]:
    """Copies of a store with one session, after so many turns of it; sizes go up."""
    files: dict[int, Path] = {}
    with tempfile.TemporaryDirectory() as begun:
        ours = Ours(Path(begun))
        for before, size in pairwise((0, *sizes)):
            for number in range(before, size):
                ours.turn(number)
            files[size] = folder / f"{size}.db"
            ours.store.backup(str(files[size]))
        ours.close()
    return files


def resumed(folder: Path, database: str) -> Ours:
    """The session of a copied store, to go on with."""
    shutil.copy(database, folder / "phasegate.db")
    store = SqliteStore(folder)
    store.adopt("2026-01-01T00:00:00.000Z")  # a copy pays for nothing before
    return Ours(folder, store, store.sessions(limit=1)[0].name)


def opened(folder: Path, variant: str) -> Ours:
    """``variant`` is the database."""
    return resumed(folder, variant)


def opened_paid(folder: Path, variant: str) -> Paying:
    """``variant`` is the database."""
    return Paying(resumed(folder, variant))


def opened_floor(folder: Path, variant: str) -> Floor:
    """``variant`` is the number of turns."""
    floor = Floor(folder, shape_of("turn"))
    floor.grow(turns=int(variant))
    return floor
