"""How many instructions a turn takes, counted by valgrind: the same again on any machine, whatever else it does.

Each contender runs in a process of its own, once with few turns and once with more; the difference is what the turns
in between took. ``python -m benchmarks.instructions MODULE:FUNCTION VARIANT TURNS`` is such a process.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.work import Opened

FEW, MORE = 10, 30
"""Turns of the two runs: the first fill what is found out once."""
_TOTAL = re.compile(r"I +refs: +([\d,]+)")


def per_turn(where: str, variant: str) -> float:
    """Instructions of one turn, without those of the kernel; 0 where there is no valgrind."""
    if shutil.which("valgrind") is None:
        return 0.0
    few, more = (_counted(where, variant, turns) for turns in (FEW, MORE))
    return (more - few) / (MORE - FEW)


def _counted(where: str, variant: str, turns: int) -> int:
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    command = (*valgrind, sys.executable, "-m", "benchmarks.instructions", where, variant, str(turns))
    done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    found = _TOTAL.search(done.stderr)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def main(where: str, variant: str, turns: int) -> None:
    """Take the turns, and end without closing down."""
    module, function = where.split(":")
    opened: Opened = getattr(importlib.import_module(module), function)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        contender = opened(Path(folder), variant)
        for number in range(turns):
            contender.turn(number)
        sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
