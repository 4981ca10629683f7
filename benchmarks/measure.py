"""How is measured: all contenders in turn, round by round, so that what slows the machine slows each of them.

The order is drawn anew for each round: what one leaves to the disk to be written slows the next.
"""

from __future__ import annotations

import gc
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from benchmarks.instructions import per_turn
from benchmarks.work import Opened

WARM_UP = 5
"""Turns before the first that counts."""


@dataclass(frozen=True)
class Entrant:
    """A row: its title, and where it is opened (``module:function``), in which variant; ``size`` is of what grows."""

    title: str
    where: str
    variant: str = ""
    size: int = 0


@dataclass(frozen=True)
class Effort:
    """How much is measured: ``turns`` of each contender in each of ``rounds``, after the first ones.

    ``largest`` bounds what is measured at several sizes.
    """

    rounds: int
    turns: int
    warm_up: int = WARM_UP
    largest: int = 1_000_000

    def sizes(self, *wanted: int) -> tuple[int, ...]:
        """As far as they are to be measured; the largest once."""
        return tuple(dict.fromkeys(min(size, self.largest) for size in wanted))

    def slow(self) -> Effort:
        """A twentieth of it, for what takes a hundred turns' time."""
        return replace(self, rounds=max(2, self.rounds // 2), turns=1, warm_up=1)


FULL = Effort(rounds=20, turns=10)
QUICK = Effort(rounds=2, turns=4, largest=50)


@dataclass(frozen=True)
class Figure:
    """Milliseconds of each turn; milliseconds of processor and bytes on disk per turn; ``why`` if there are none.

    ``instructions`` are those of one turn in user space, 0 if they were not counted.
    """

    title: str
    times: tuple[float, ...] = ()
    cpu: float = 0.0
    disk: float = 0.0
    why: str = ""
    size: int = 0
    instructions: float = 0.0

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def spread(self) -> tuple[float, float]:
        """The 10th and the 90th percentile."""
        cuts = statistics.quantiles(self.times, n=10)
        return cuts[0], cuts[-1]


class _Racer:
    """A contender under measurement, in a folder of its own."""

    def __init__(self, entrant: Entrant, folder: Path, warm_up: int) -> None:
        self.title, self._size, self._folder = entrant.title, entrant.size, folder
        module, function = entrant.where.split(":")
        opened: Opened = getattr(importlib.import_module(module), function)
        self.contender = opened(folder, entrant.variant)
        self.times: list[float] = []
        self._cpu = 0.0
        self._taken = 0
        self._take(warm_up)
        self.times.clear()
        self._cpu = 0.0
        self._before = disk_used(folder)

    def run(self, turns: int) -> None:
        """These turns, each timed by itself."""
        self._take(turns)

    def figure(self) -> Figure:
        """What came out."""
        grown = disk_used(self._folder) - self._before
        turns = len(self.times)
        cpu = self._cpu * 1000 / turns
        return Figure(self.title, tuple(self.times), cpu, grown / turns, size=self._size)

    def _take(self, turns: int) -> None:
        cpu = time.process_time()
        for _ in range(turns):
            self._taken += 1
            begun = time.perf_counter()
            text = self.contender.turn(self._taken)
            self.times.append((time.perf_counter() - begun) * 1000)
            if not text:
                raise RuntimeError(f"{self.title} said nothing")
        self._cpu += time.process_time() - cpu


def race(entrants: Sequence[Entrant], effort: Effort) -> list[Figure]:
    """A figure for each, in the same order; a system that is not installed has a reason instead."""
    with ExitStack() as stack:
        found: list[_Racer | Figure] = []
        for entrant in entrants:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            try:
                racer = _Racer(entrant, folder, effort.warm_up)
            except ModuleNotFoundError as error:
                why = f"not measured: {error.name} is not installed"
                found.append(Figure(entrant.title, why=why, size=entrant.size))
                continue
            stack.callback(racer.contender.close)
            found.append(racer)
        racers = [each for each in found if isinstance(each, _Racer)]
        gc.collect()
        gc.freeze()  # what the others keep in memory is not looked through for garbage in one's turns
        stack.callback(gc.unfreeze)
        for number in range(effort.rounds):
            for racer in Random(number).sample(racers, len(racers)):  # nobody always comes behind the same other
                racer.run(effort.turns)
        return [each.figure() if isinstance(each, _Racer) else each for each in found]


def counted(entrants: Sequence[Entrant], figures: Sequence[Figure]) -> list[Figure]:
    """The figures of these contenders with the instructions of one turn of each that was measured."""
    return [
        replace(figure, instructions=per_turn(entrant.where, entrant.variant)) if figure.times else figure
        for entrant, figure in zip(entrants, figures, strict=True)
    ]


def disk_used(folder: Path) -> int:
    """Bytes of the pages in use in every database below ``folder``.

    Asked in another process: to open and close a file by its path would drop the locks that SQLite has on it here.
    """
    found = subprocess.run([sys.executable, "-c", _PAGES, str(folder)], capture_output=True, text=True, check=True)
    return int(found.stdout)


_PAGES = """
import pathlib, sqlite3, sys
total = 0
for path in pathlib.Path(sys.argv[1]).rglob("*"):
    if path.suffix in (".db", ".sqlite"):
        database = sqlite3.connect(path)
        pages, free, size = (database.execute(f"PRAGMA {name}").fetchone()[0]
                             for name in ("page_count", "freelist_count", "page_size"))
        total += (pages - free) * size
        database.close()
print(total)
"""
