"""Many processes on one store, each with a session of its own: who gets how many turns, and who waits how long.

Each is a real process. First all of them take turns as fast as they can; then each takes one turn per tick of a
schedule of its own, and what counts is how long after its tick a turn is done.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.floor import Floor, Shape, shape_of
from benchmarks.measure import Effort
from benchmarks.ours import Ours
from benchmarks.outcome import Lines, Outcome, Table
from benchmarks.work import Contender

TITLE = "Many processes on one store, each its own session"
NOTE = (
    "First, every process takes turns as fast as it can for the same time: the slowest is compared to the mean of "
    "all, their total to the rate of one process alone. Then 32 processes take turns on a schedule, and the time "
    "counts from when a turn was due, so that what has to wait is not left out; a turn that was still waiting at the "
    "end counts with what it had waited by then. Bare SQLite writes the bytes that Phasegate wrote for such a turn, "
    "with `BEGIN IMMEDIATE` and a busy timeout."
)
LIMIT = 120.0
"""Seconds to wait for what another process should have done long ago."""

Open = Callable[[Path, str], Contender]


@dataclass(frozen=True)
class Plan:
    """Sizes of the crowds in a tight loop, turns per second that ``offering`` processes offer, seconds of each."""

    crowds: Sequence[int]
    offers: Sequence[int]
    offering: int
    seconds: float


FULL = Plan(crowds=(1, 2, 8, 32), offers=(100, 250, 500, 1000), offering=32, seconds=3.0)
QUICK = Plan(crowds=(1, 2), offers=(20,), offering=2, seconds=0.3)


@dataclass(frozen=True)
class Worked:
    """What one process did: milliseconds of each turn, turns that were due and not taken, its own time, errors."""

    times: Sequence[float]
    left: int
    cpu: float
    errors: Sequence[str]


def measure(effort: Effort, peers: bool = True) -> Outcome:
    """Bare SQLite comes first."""
    plan = FULL if peers else QUICK
    systems: Mapping[str, Open] = {"raw SQLite": partial(_open_floor, shape_of("turn")), "Phasegate": _open_ours}
    tight = {(name, size): _crowd(systems[name], size, plan.seconds) for size in plan.crowds for name in systems}
    offered = {
        (name, rate): _crowd(systems[name], plan.offering, plan.seconds, rate)
        for rate in plan.offers
        for name in systems
    }
    points = {name: [(rate, _cut(offered[name, rate], 99)) for rate in plan.offers] for name in systems}
    lines = Lines("turns per second that are offered", "p99, ms after it was due", points)
    return Outcome([_tight(tight, plan), _offered(offered, plan)], lines)


def _crowd(open_: Open, size: int, seconds: float, rate: float = 0.0) -> list[Worked]:
    """So many processes on one store; ``rate`` is how many turns per second they offer together, 0 = all they can."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    gate = context.Barrier(size)
    period = size / rate if rate else 0.0
    lines: list[Connection] = []
    with tempfile.TemporaryDirectory() as folder:
        open_(Path(folder), "first").close()  # bare SQLite has no patience while a database is being made
        for index in range(size):
            ours, theirs = context.Pipe(duplex=False)
            begin = partial(open_, Path(folder), f"run{index}")
            shift = period * index / size
            context.Process(target=_work, args=(theirs, gate, begin, seconds, period, shift), daemon=True).start()
            theirs.close()
            lines.append(ours)
        return [_received(line) for line in lines]


def _received(line: Connection) -> Worked:
    if not line.poll(LIMIT):
        raise RuntimeError(f"a process did not answer within {LIMIT:.0f} s")
    worked: Worked = line.recv()
    return worked


def _work(
    line: Connection, gate: Barrier, begin: Callable[[], Contender], seconds: float, period: float, shift: float
) -> None:
    """One process: opened and warm, then off together with all others."""
    contender = begin()
    contender.turn(0)
    gate.wait(LIMIT)
    cpu, end = time.process_time(), time.perf_counter() + seconds
    times: list[float] = []
    errors: list[str] = []
    left = 0
    for number, due in enumerate(_schedule(end, seconds, period, shift), 1):
        time.sleep(max(0.0, due - time.perf_counter()))
        if time.perf_counter() >= end:
            left += 1
        else:
            try:
                contender.turn(number)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
        times.append((time.perf_counter() - due) * 1000)
    line.send(Worked(times, left, time.process_time() - cpu, errors))
    contender.close()


def _schedule(end: float, seconds: float, period: float, shift: float) -> Iterator[float]:
    """When turns are due until the end: at fixed times, or without a period, always now."""
    if period:
        yield from (end - seconds + shift + number * period for number in range(round(seconds / period)))
        return
    while (now := time.perf_counter()) < end:
        yield now


def _tight(found: Mapping[tuple[str, int], list[Worked]], plan: Plan) -> Table:
    head = ("processes", "", "errors", "slowest ÷ mean", "total ÷ one process", "turns/s", "processor, ms per turn")
    rows = []
    for (name, size), crowd in found.items():
        turns = [len(each.times) for each in crowd]
        alone = len(found[name, plan.crowds[0]][0].times)
        rows.append(
            (
                str(size),
                name,
                str(sum(len(each.errors) for each in crowd)),
                f"{min(turns) / statistics.mean(turns):.0%}",
                f"{sum(turns) / alone:.0%}",
                f"{sum(turns) / plan.seconds:.0f}",
                f"{_cpu(crowd):.2f}",
            )
        )
    return Table(head, rows)


def _offered(found: Mapping[tuple[str, int], list[Worked]], plan: Plan) -> Table:
    head = ("turns/s offered", "", "errors", "taken", "p50, ms", "p99, ms", "longest, ms", "processor, ms per turn")
    rows = []
    for (name, rate), crowd in found.items():
        due = sum(len(each.times) for each in crowd)
        rows.append(
            (
                str(rate),
                name,
                str(sum(len(each.errors) for each in crowd)),
                f"{1 - sum(each.left for each in crowd) / due:.1%}",
                f"{_cut(crowd, 50):.1f}",
                f"{_cut(crowd, 99):.1f}",
                f"{max(max(each.times) for each in crowd):.0f}",
                f"{_cpu(crowd):.2f}",
            )
        )
    return Table(head, rows)


def _cut(crowd: Sequence[Worked], percent: int) -> float:
    return statistics.quantiles([time for each in crowd for time in each.times], n=100)[percent - 1]


def _cpu(crowd: Sequence[Worked]) -> float:
    taken = sum(len(each.times) - each.left for each in crowd)
    return 1000 * sum(each.cpu for each in crowd) / taken


def _open_ours(folder: Path, name: str) -> Ours:
    return Ours(folder, run=name)


def _open_floor(shape: Shape, folder: Path, name: str) -> Floor:
    return Floor(folder, shape, name=name)
