"""``python -m benchmarks``: measure all, print the tables, keep them in ``results.md`` with a plot of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import command, conditions, definition, history, log, paid, processes, sessions, turn, watching
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
_HEAD = f"""# Measured beside its peers

Written by `make bench`, section by section: `make bench BENCH=turn` measures one again. {FULL.rounds} rounds of
{FULL.turns} turns of each contender, in turn; of what is slow, fewer. Instructions are counted in user space by
valgrind and repeat on any machine. Ratios of time are of one run on one machine; absolute times mean little elsewhere.
With a load well above 1 per core, the waiting for the disk and for each other outweighs the work, and the processor's
time is the better figure.
"""


def main() -> None:
    """Keep each measured section in ``results.md``; ``--quick`` keeps nothing and only shows that it runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a few turns of Phasegate and the floor; keeps nothing")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    effort = QUICK if given.quick else FULL
    for name in given.names or BENCHMARKS:
        section = _section(name, effort, quick=given.quick)
        if not given.quick:
            keep(name, section)


def keep(name: str, section: str, file: Path = HERE / "results.md") -> None:
    """Write the section in place of the one of the same title; the others stay as they were measured."""
    kept = file.read_text(encoding="utf-8").split("\n## ")[1:] if file.exists() else []
    found = {each.partition("\n")[0]: f"## {each.rstrip()}\n" for each in kept} | {BENCHMARKS[name][0]: section}
    titles = [title for title, _, _ in BENCHMARKS.values()]
    file.write_text("\n".join([_HEAD, *(found[title] for title in titles if title in found)]), encoding="utf-8")


def _section(name: str, effort: Effort, *, quick: bool) -> str:
    title, note, measure = BENCHMARKS[name]
    before = conditions.moment()
    found = measure(effort, not quick)
    measured = f"Before: {before}. After: {conditions.moment()}. {conditions.machine()}"
    print(f"\n{title}\n{found.table()}\n{measured}", flush=True)
    picture = ""
    if not quick and found.plot(title, HERE / f"{name}.svg"):
        picture = f"\n![{title}]({name}.svg)\n"
    return f"## {title}\n\n{note}\n\n{found.table()}\n\n{measured}\n{picture}"


if __name__ == "__main__":
    main()
