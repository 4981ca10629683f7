"""Many sessions of the reference bundle, watched by one process against the sandbox in another.

``python -m benchmarks.watching FOLDER SECONDS`` is the process that is measured.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Effort
from benchmarks.outcome import Outcome, Table
from workflow.cli.agent.watch import waiting_sessions
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.engine.watch_many import AT_ONCE, Vigil
from workflow.local.settings import Settings
from workflow.model.frozen import replace
from workflow.model.session import Turn

ROOT = Path(__file__).parents[1]
TITLE = "Sessions watched by one process"
NOTE = (
    "Each session was brought to `deliver.generating` by turns of its own; each look holds its session, loads it, asks "
    "the sandbox and decides. Looks at one session are three seconds apart, and `late` is how much longer it took. The "
    "first look at a session also writes that somebody watches; later ones write nothing, since nothing changes."
)
LATE = 0.3
"""Seconds by which a look may be late and still hold its interval."""
FULL, QUICK = (1000, 30.0), (5, 4.0)
"""Sessions, and seconds of watching."""


@dataclass(frozen=True)
class Watched:
    """What the process reports: seconds late of each first look and of each later one, its own needs."""

    first: Sequence[float]
    later: Sequence[float]
    seconds: float
    cpu: float
    memory: float
    written: int


def measure(effort: Effort, peers: bool = True) -> Outcome:
    """The sessions are made first, which takes longer than the measurement."""
    count, seconds = FULL if peers else QUICK
    with tempfile.TemporaryDirectory() as folder, _sandbox(Path(folder)) as url:
        engine = _engine(Path(folder))
        for number in range(count):
            _bring(engine, number, url)
        engine.world.store.close()
        command = (sys.executable, "-m", "benchmarks.watching", folder, str(seconds))
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Outcome([_table(count, Watched(**json.loads(done.stdout)))])


def main(folder: str, seconds: float) -> None:
    """Watch whatever waits in this folder's store; what was seen goes to stdout as JSON."""
    engine = _engine(Path(folder))
    names = waiting_sessions(engine)
    late: dict[str, list[float]] = {name: [] for name in names}
    before = sum(engine.stored(name).seq for name in names)
    begun, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for seen in Vigil(engine, pool).watch(names):
            if seen.over or seen.look.fault:
                raise RuntimeError(f"{seen.session} was to wait on: {seen}")
            late[seen.session].append(seen.late)
            if seen.at >= seconds:
                break
    spent = time.process_time() - cpu
    watched = Watched(
        first=[each[0] for each in late.values() if each],
        later=[one for each in late.values() for one in each[1:]],
        seconds=time.perf_counter() - begun,
        cpu=spent,
        memory=_peak(),
        written=sum(engine.stored(name).seq for name in names) - before,
    )
    print(json.dumps(watched.__dict__))


def _table(count: int, watched: Watched) -> Table:
    head = (
        "looks at",
        "looks",
        "late by more than 0.3 s",
        "late, median, ms",
        "late, 99th percentile, ms",
        "latest, ms",
    )
    rows = []
    for title, late in ((f"{count} sessions, the first", watched.first), ("and later ones", watched.later)):
        spread = statistics.quantiles(late, n=100)
        milliseconds = (f"{max(0.0, each) * 1000:.0f}" for each in (spread[49], spread[98], max(late)))
        rows.append((title, str(len(late)), str(sum(each > LATE for each in late)), *milliseconds))
    looks = len(watched.first) + len(watched.later)
    rows.append(
        (
            f"all: {looks / watched.seconds:.0f} looks/s, {1000 * watched.cpu / looks:.1f} ms of processor each, "
            f"{watched.memory:.0f} MB resident at most, {watched.written / count:.1f} entries per session",
            *[""] * (len(head) - 1),
        )
    )
    return Table(head, rows)


def _bring(engine: Engine, number: int, sandbox: str) -> None:
    """A session to where it waits for its image."""
    start = Turn("start", {"words": f"A poster for jazz night {number}"}, turn_id=f"session-{number}")
    reply = engine.start(start, bundle=str(ROOT), host="claude-code", sandbox=sandbox)
    while reply.ok and reply.status != "watching":
        approve = any(option.event == "approve" and option.ready for option in reply.next)
        turn = Turn("approve", quote="Yes, go ahead") if approve else Turn("answer", {"words": "Warm colours"})
        reply = engine.advance(reply.session or "", replace(turn, seen=reply.seen))
    if reply.error:
        raise RuntimeError(f"the turn was refused: {reply.error.message}")


def _engine(folder: Path) -> Engine:
    settings = Settings(file=folder / "config.toml", state=folder)
    return open_engine(environ={"HOME": str(folder)}, base=folder, settings=settings)


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    """The reference bundle's, in a process of its own, with work that takes a thousand looks; its address."""
    command = (sys.executable, "-m", "workflow", "sandbox", "--port", "0", "--looks", "1000", "--bundle", str(ROOT))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(
                line.strip().partition("PHASEGATE_SANDBOX=")[2] for line in process.stdout if "PHASEGATE" in line
            )
        finally:
            process.kill()


def _peak() -> float:
    """MB of this process that were resident at most; the kernel's other figure begins with that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
