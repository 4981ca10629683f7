"""Where the time of one turn goes: ``python -m benchmarks.profile``, in process and as a command.

In process by samples of what runs: shares of the processor's time, the waiting for the disk left out. As a command by
what the interpreter says of its imports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from benchmarks.ours import Ours
from benchmarks.report import markdown

PARTS: Mapping[tuple[str, str], str] = {
    ("engine/turns.py", "load"): "load the session, look whether its bundle has changed",
    ("store/holds.py", "hold"): "hold the session",
    ("engine/observe.py", "observe"): "observe",
    ("workflow/machine/decide.py", "decide"): "decide: guard, transition, evidence",
    ("engine/run.py", "note"): "entries: canonical JSON, digest, chain, fold",
    ("engine/speak.py", "message"): "render the message, check it for leaks",
    ("engine/speak.py", "reply"): "the reply, with what may come next",
    ("engine/run.py", "commit"): "commit: snapshot, statements, write-ahead log",
}
"""The stages of a turn, none within another, by the function that each begins with."""

TURNS, EVERY = 4_000, 0.0005
_IMPORTS = ("workflow", "apsw", "click", "transitions")


def main() -> None:
    """Two tables."""
    print(f"In process, {TURNS} turns\n\n{_in_process()}\n\nAs a command\n\n{_as_a_command()}")


def _in_process() -> str:
    samples: Counter[str] = Counter()

    def sample(number: int, frame: FrameType | None) -> None:
        samples[_part(frame)] += 1

    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(Path(folder))
        before = signal.signal(signal.SIGPROF, sample)
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        for number in range(TURNS):
            ours.turn(number)
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = time.process_time() - begun
        signal.signal(signal.SIGPROF, before)
        ours.close()
    rows = [(part, f"{samples[part] / samples.total():.0%}") for part in (*PARTS.values(), _REST)]
    rows.append(("all", f"{1000 * spent / TURNS:.2f} ms of processor"))
    return markdown(("part of a turn", "share"), rows)


_REST = "all else"


def _part(frame: FrameType | None) -> str:
    """The stage that is under way: the outermost that is known."""
    found = _REST
    while frame:
        code = frame.f_code
        found = PARTS.get(("/".join(code.co_filename.split("/")[-2:]), code.co_name), found)
        frame = frame.f_back
    return found


def _as_a_command() -> str:
    """`status` of a session, as it lies here."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "HOME": folder, "XDG_STATE_HOME": folder}
        ours = Ours(Path(folder) / "phasegate")
        ours.close()
        bare, whole = (_run(environ, *words) for words in (("-c", "pass"), ("-m", "workflow", "status", ours.name)))
    spent = Counter[str]()
    for line in whole.splitlines():
        if line.startswith("import time:") and "self" not in line:
            own, _, name = line.removeprefix("import time:").split("|")
            package = name.strip().partition(".")[0]
            spent[package if package in _IMPORTS else "the standard library"] += int(own)
    known = _imported(bare)
    spent["the standard library"] -= known
    rows = [(f"import {name}", f"{micros / 1000:.1f}") for name, micros in spent.most_common()]
    return markdown(("beside what `python -c pass` loads", "ms"), rows)


def _run(environ: Mapping[str, str], *words: str) -> str:
    done = subprocess.run((sys.executable, "-X", "importtime", *words), env=environ, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stderr


def _imported(told: str) -> int:
    """Microseconds of all imports."""
    lines = (line.removeprefix("import time:") for line in told.splitlines() if "self" not in line)
    return sum(int(line.split("|")[0]) for line in lines)


if __name__ == "__main__":
    main()
