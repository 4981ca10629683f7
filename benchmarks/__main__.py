"""``python -m benchmarks``: measure all, print the tables, keep them in ``results.md`` with a plot of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import command, paid, processes, report, turn, watching
from benchmarks.measure import FULL, QUICK, Effort, Figure
from benchmarks.outcome import Outcome, Plot

HERE = Path(__file__).parent
BENCHMARKS: Mapping[str, tuple[str, str, Callable[[Effort, bool], Sequence[Figure]]]] = {
    "turn": (turn.TITLE, turn.NOTE, turn.measure),
    "paid": (paid.TITLE, paid.NOTE, paid.measure),
}
WHOLE: Mapping[str, tuple[str, str, Callable[[bool], Outcome]]] = {
    "command": (command.TITLE, command.NOTE, command.measure),
    "processes": (processes.TITLE, processes.NOTE, processes.measure),
    "watch": (watching.TITLE, watching.NOTE, watching.measure),
}
"""Those of whole processes, which have tables of their own; each takes whether it is to be quick."""


def main() -> None:
    """Without peers, or quickly, nothing is kept: that only shows that it runs."""
    known = (*BENCHMARKS, *WHOLE)
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(known)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a few turns of Phasegate and the floor; keeps nothing")
    given = parser.parse_args()
    unknown = set(given.names) - set(known)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    effort = QUICK if given.quick else FULL
    sections = [_section(name, effort, quick=given.quick) for name in given.names or known]
    if not given.quick and not given.names:
        head = ["# Measured beside its peers", "", f"Written by `make bench`. {report.conditions(effort)}", ""]
        (HERE / "results.md").write_text("\n".join([*head, *sections]), encoding="utf-8")


def _section(name: str, effort: Effort, *, quick: bool) -> str:
    title, note, table, plot = _whole(name, quick) if name in WHOLE else _raced(name, effort, quick)
    print(f"\n{title}\n{table}", flush=True)
    picture = ""
    if not quick and plot(title, HERE / f"{name}.svg"):
        picture = f"\n![{title}]({name}.svg)\n"
    return f"## {title}\n\n{note}\n\n{table}\n{picture}"


def _raced(name: str, effort: Effort, quick: bool) -> tuple[str, str, str, Plot]:
    title, note, measure = BENCHMARKS[name]
    figures = measure(effort, not quick)
    return title, note, report.table(figures), lambda title, path: report.plot(title, figures, path)


def _whole(name: str, quick: bool) -> tuple[str, str, str, Plot]:
    title, note, measure = WHOLE[name]
    outcome = measure(quick)
    return title, note, outcome.table(), outcome.plot


if __name__ == "__main__":
    main()
