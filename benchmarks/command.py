"""One turn as a whole process: what an agent waits for that calls a command per turn.

Every contender is started anew for each turn; all of them in turn, round by round, `python -c pass` first.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs
from benchmarks.measure import Effort, Figure
from benchmarks.outcome import Outcome, Table
from benchmarks.programs import Begin, Invocation, NotThere, Program
from benchmarks.report import Ranking

TITLE = "One turn as a whole process"
NOTE = (
    "Phasegate is installed from its wheel; `advance` is an accepted, durable turn that calls no service, and `with a "
    "call` one that asks a service on this machine, by HTTP. Burr, "
    "LangGraph and DBOS open their store, take one durable turn and end. Lobster resumes a workflow at an approval and "
    "comes to rest at the next; it does not wait for the disk. Ratios are to `python -c pass` of the same round; "
    "memory is the most that the process had resident."
)
FULL_ROUNDS, QUICK_ROUNDS = 30, 2


@dataclass(frozen=True)
class Ran:
    """One process: milliseconds from start to end, and of processor; MB resident at most."""

    time: float
    cpu: float
    memory: float


def measure(effort: Effort, peers: bool = True) -> Outcome:
    """The floor comes first; without peers, only it and Phasegate as it lies here."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = (
            _race(programs.installed(), Path(folder), FULL_ROUNDS)
            if peers
            else _race(programs.here(), Path(folder), QUICK_ROUNDS)
        )
    figures = [
        Figure(title, why=ran) if isinstance(ran, str) else Figure(title, tuple(each.time for each in ran))
        for title, ran in found.items()
    ]
    return Outcome([_table(found)], Ranking(figures).plot)


def _race(contenders: Mapping[str, Begin], folder: Path, rounds: int) -> dict[str, list[Ran] | str]:
    """What each did, or why it cannot be had."""
    missing: dict[str, str] = {}
    racing: dict[str, tuple[Program, list[Ran]]] = {}
    coming: dict[str, Invocation] = {}
    for number, (title, begin) in enumerate(contenders.items()):
        home = folder / str(number)
        home.mkdir()
        program = begin(home)
        try:
            coming[title] = next(program)
        except NotThere as error:
            missing[title] = f"not measured: {error}"
            continue
        racing[title] = program, []
    for _ in range(rounds):
        for title, (program, ran) in racing.items():
            once, printed = _run(coming[title])
            ran.append(once)
            coming[title] = program.send(printed)
    return {title: missing.get(title) or racing[title][1] for title in contenders}


def _run(invocation: Invocation) -> tuple[Ran, str]:
    """Start it from a process that is smaller than any: a child's peak of memory begins with that of its parent."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as answer:
        given.write(invocation.stdin)
        given.seek(0)
        launch = (sys.executable, "-I", "-S", "-c", _LAUNCH, str(given.fileno()), str(answer.fileno()))
        done = subprocess.run(
            (*launch, *invocation.arguments),
            env=invocation.environ,
            pass_fds=(given.fileno(), answer.fileno()),
            capture_output=True,
            text=True,
        )
        answer.seek(0)
        printed = answer.read()
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(invocation.arguments)} failed: {done.stderr or printed}")
    time, cpu, memory = map(float, done.stdout.split())
    return Ran(time * 1000, cpu * 1000, memory / 1024), printed


def _table(found: Mapping[str, list[Ran] | str]) -> Table:
    head = ("", "× `python -c pass`, median", "least ÷ least", "ms, median", "processor, ms", "memory, MB")
    floor = next(iter(found.values()))
    assert not isinstance(floor, str)
    rows = []
    for title, ran in found.items():
        if isinstance(ran, str):
            rows.append((title, ran, *[""] * (len(head) - 2)))
            continue
        pairs = [one.time / bare.time for one, bare in zip(ran, floor, strict=True)]
        rows.append(
            (
                title,
                f"{statistics.median(pairs):.1f}",
                f"{min(each.time for each in ran) / min(each.time for each in floor):.1f}",
                f"{statistics.median(each.time for each in ran):.0f}",
                f"{statistics.median(each.cpu for each in ran):.0f}",
                f"{max(each.memory for each in ran):.1f}",
            )
        )
    return Table(head, rows)


_LAUNCH = """
import os, sys, time
given, answer, *command = sys.argv[1:]
actions = [(os.POSIX_SPAWN_DUP2, int(given), 0), (os.POSIX_SPAWN_DUP2, int(answer), 1)]
begun = time.perf_counter()
process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
_, status, used = os.wait4(process, 0)
print(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
