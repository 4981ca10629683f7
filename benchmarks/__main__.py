"""``python -m benchmarks``: measure all, print the tables, keep them in ``results.md`` with a plot of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import command, definition, history, log, paid, processes, report, sessions, turn, watching
from benchmarks.measure import FULL, QUICK, Effort
from benchmarks.report import Report

HERE = Path(__file__).parent
BENCHMARKS: Mapping[str, tuple[str, str, Callable[[Effort, bool], Report]]] = {
    "turn": (turn.TITLE, turn.NOTE, turn.measure),
    "paid": (paid.TITLE, paid.NOTE, paid.measure),
    "history": (history.TITLE, history.NOTE, history.measure),
    "sessions": (sessions.TITLE, sessions.NOTE, sessions.measure),
    "log": (log.TITLE, log.NOTE, log.measure),
    "definition": (definition.TITLE, definition.NOTE, definition.measure),
    "command": (command.TITLE, command.NOTE, command.measure),
    "processes": (processes.TITLE, processes.NOTE, processes.measure),
    "watch": (watching.TITLE, watching.NOTE, watching.measure),
}


def main() -> None:
    """Without peers, or quickly, nothing is kept: that only shows that it runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a few turns of Phasegate and the floor; keeps nothing")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    effort = QUICK if given.quick else FULL
    sections = [_section(name, effort, quick=given.quick) for name in given.names or BENCHMARKS]
    if not given.quick and not given.names:
        head = ["# Measured beside its peers", "", f"Written by `make bench`. {report.conditions(effort)}", ""]
        (HERE / "results.md").write_text("\n".join([*head, *sections]), encoding="utf-8")


def _section(name: str, effort: Effort, *, quick: bool) -> str:
    title, note, measure = BENCHMARKS[name]
    found = measure(effort, not quick)
    print(f"\n{title}\n{found.table()}", flush=True)
    picture = ""
    if not quick and found.plot(title, HERE / f"{name}.svg"):
        picture = f"\n![{title}]({name}.svg)\n"
    return f"## {title}\n\n{note}\n\n{found.table()}\n{picture}"


if __name__ == "__main__":
    main()
