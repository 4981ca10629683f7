"""The plain turn beside ever more other sessions in the store, and how they are listed and found."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.floor import Floor, shape_of
from benchmarks.measure import Effort, Entrant, race
from benchmarks.ours import Ours
from benchmarks.report import Growth
from workflow.model.journal import START, Entry, fold, seal
from workflow.model.session import Session
from workflow.store.sqlite import SqliteStore

TITLE = "A turn beside many sessions"
NOTE = (
    "The other sessions are one real session under other names: every entry sealed anew in a chain of its own, and "
    "appended as any other. The floor has as many rows of the same bytes."
)
SIZES = (1, 1_000, 100_000)
LISTED = 50


def measure(effort: Effort, peers: bool = True) -> Growth:
    """Every size in the same rounds; a peer would keep its runs in as many files or threads, and lists none."""
    sizes = effort.sizes(*SIZES)
    with tempfile.TemporaryDirectory() as folder:
        stores = crowded(Path(folder), *sizes)
        entrants = [Entrant("raw SQLite (the floor)", f"{__name__}:opened_floor", str(size), size) for size in sizes]
        for title, function in (
            ("Phasegate, a plain turn", "opened"),
            (f"Phasegate, the latest {LISTED} listed", "opened_list"),
            ("Phasegate, one loaded by its name", "opened_load"),
            ("Phasegate, a name searched for in vain", "opened_search"),
        ):
            entrants += [Entrant(title, f"{__name__}:{function}", str(stores[size]), size) for size in sizes]
        return Growth(race(entrants, effort), "sessions in the store")


def crowded(folder: Path, *sizes: int) -> Mapping[int, Path]:
    """Folders of stores with so many sessions; sizes go up. They are filled in memory, where there is a disk in it."""
    stores: dict[int, Path] = {}
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as begun:
        ours = Ours(Path(begun))
        ours.turn(1)
        entries = tuple(ours.store.entries(ours.name))
        for before, size in pairwise((1, *sizes)):
            for number in range(before, size):
                name = f"{ours.name}-{number}"
                with ours.store.hold(name) as held:
                    ours.store.append(held, *renamed(entries, name), "waiting")
            stores[size] = folder / str(size)
            stores[size].mkdir()
            ours.store.backup(str(stores[size] / ours.store.path.name))
        ours.close()
    return stores


class Looking:
    """Reads of the store as a whole, or of one session in it."""

    def __init__(self, folder: Path, look: Callable[[SqliteStore, str], object]) -> None:
        self._store = SqliteStore(folder)
        self._look = look
        self._name = self._store.sessions(limit=1)[0].name

    def turn(self, number: int) -> str:
        """One look."""
        return str(self._look(self._store, self._name))

    def close(self) -> None:
        """Close the store."""
        self._store.close()


def opened(folder: Path, variant: str) -> Ours:
    """``variant`` is the folder of the store; the latest session goes on."""
    store = SqliteStore(Path(variant))
    return Ours(folder, store, store.sessions(limit=1)[0].name)


def opened_list(folder: Path, variant: str) -> Looking:
    """As ``workflow sessions`` does."""
    return Looking(Path(variant), lambda store, name: len(store.sessions(limit=LISTED)))


def opened_load(folder: Path, variant: str) -> Looking:
    """As each turn does."""
    return Looking(Path(variant), lambda store, name: store.load(name))


def opened_search(folder: Path, variant: str) -> Looking:
    """As ``workflow sessions --search`` does: by the index of names and first words."""
    return Looking(Path(variant), lambda store, name: len(store.sessions(search="nobody", limit=LISTED)))


def opened_floor(folder: Path, variant: str) -> Floor:
    """``variant`` is the number of sessions."""
    floor = Floor(folder, shape_of("turn"))
    floor.grow(turns=1, sessions=int(variant))
    return floor


def renamed(entries: Sequence[Entry], name: str) -> tuple[Sequence[Entry], Session]:
    """The same journal as that of another session, and what it adds up to."""
    chain: list[Entry] = []
    session: Session | None = None
    for each in entries:
        body = {**(each.body or {})}
        nonce = str(body.pop("nonce"))
        if each.turn is not None:
            body["turn"] = f"{each.turn}:{name}"
        chain.append(seal(name, each.seq, chain[-1].hash if chain else START, each.kind, each.time, body, nonce))
        session = fold(session, chain[-1])
    if session is None:
        raise ValueError("a session has entries")
    return chain, session


_MEMORY = Path("/dev/shm")
