"""Print what each scripted conversation of ``evals/`` costs: ``python -m tests.evals [--surface mcp]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evals.test_conversations import SCENARIOS, check, play

COLUMNS = ("messages", "without an event", "refused", "replies", "KB a reply", "KB a reply without its messages")


def main(arguments: Sequence[str]) -> int:
    """One line for each user, then all of them; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--surface", choices=("shell", "mcp"), default="shell")
    surface, code = parser.parse_args(arguments).surface, 0
    rows: dict[str, list[float]] = {}
    for name, scenario in SCENARIOS.items():
        with tempfile.TemporaryDirectory(prefix="phasegate-evals-") as folder:
            ended = check(Path(folder), name, play(Path(folder), scenario, surface))
        printed = dict(line.rsplit(": ", 1) for line in ended.stdout.splitlines() if ": " in line)
        rows[name] = [float(printed[column]) for column in COLUMNS]
        if ended.returncode:
            code = 1
            print(ended.stdout + ended.stderr)
    rows["all"] = [sum(row[n] for row in rows.values()) for n in range(4)]
    replies = rows["all"][3]
    rows["all"] += [sum(row[n] * row[3] for name, row in rows.items() if name != "all") / replies for n in (4, 5)]
    print(f"{'':20}" + "".join(f"{column:>{max(10, len(column) + 2)}}" for column in COLUMNS))
    for name, row in rows.items():
        cells = (f"{cell:.0f}" if n < 4 else f"{cell:.2f}" for n, cell in enumerate(row))
        print(f"{name:20}" + "".join(f"{c:>{max(10, len(k) + 2)}}" for c, k in zip(cells, COLUMNS, strict=True)))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
