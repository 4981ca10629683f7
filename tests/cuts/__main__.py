"""``make cuts``: every call over MCP is cut, and what the user was told is counted.

A client that runs out of time is a kill point like a process that dies. Each cell of the table is one conversation of
the reference bundle with its sandbox, in a store of its own:

- **the call**: each tool of the server; ``workflow_advance`` as a plain event, as an answer that a form asks for, as a
  paid approval, and without an event (`cells.py`);
- **the cut**: *before* the server has read the call, *during* its work, *after* the answer was written and before the
  client has read it, or while a *form* is open. A relay (`relay.py`) holds the call or its answer, or the sandbox does
  not answer (`twin.py`);
- **the client**: the TypeScript SDKs 1.x and 2.x and the Python SDK (`clients/`), over stdio and HTTP, in the eras
  2025-11-25 and 2026-07-28 of the protocol. SDK 1.x speaks only the first;
- **its life**: it runs out of time (1 s) and stays *alive*; it runs out of time and is *restarted*; or it is *killed*;
- **what comes next**: `workflow_status`, `workflow_advance` without an event, or the same call again; and then one
  `workflow_advance` without an event. In the end the same call is sent again, and has to lead to the same place.

`oracle.py` counts messages by what clients have read:

- *said once*: read once within the recovery;
- *offered again*: read again there, marked as perhaps said before or as a recorded reply;
- *lost*: said by the engine and read by no client within the recovery, or in the end;
- *twice*: read again without a mark at any time, or paid for a second time.

The last line holds these four. The exit code is 0 only if all cells were played, nothing is lost or twice, and nothing
is wrong besides (an internal error, a turn that is refused when it is sent again).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.cuts.cells import Cell, cells
from tests.cuts.client import NotPlayed
from tests.cuts.oracle import COUNTS, LOST, TWICE
from tests.cuts.play import Played, play
from tests.cuts.zygote import Zygote

JOBS = 6
"""Cells at once: most of a cell is waiting for a client's time-out."""
ATTEMPTS = 5
"""Under load a client may run out of time before its call is where it is to be cut: then the cell is played again."""
_HEAD = ("call", "cut", "cells", *COUNTS, "wrong")


def main() -> int:
    """All cells, or those whose description has all the given words."""
    wish = argparse.ArgumentParser(prog="python -m tests.cuts", description="Cut every call over MCP.")
    wish.add_argument("words", nargs="*", help="only cells with these words, such as: approve during sdk2 http")
    wish.add_argument("--jobs", type=int, default=JOBS, help="cells at once")
    wish.add_argument("--list", action="store_true", help="list the cells, and play none")
    given = wish.parse_args()
    chosen = [cell for cell in cells() if set(given.words) <= set(str(cell).split())]
    if given.list:
        print(*chosen, f"{len(chosen)} cells", sep="\n")
        return 0
    began = time.monotonic()
    found = list(played(chosen, given.jobs))
    good = _show(chosen, found)
    print(f"\n{len(found)} of {len(chosen)} cells played in {time.monotonic() - began:.0f} s")
    print(", ".join(f"{name} {_sum(found)[name]}" for name in COUNTS))
    return 0 if good and chosen else 1


def played(chosen: Sequence[Cell], jobs: int) -> Iterator[tuple[Cell, Played]]:
    """Each cell with what came of it, but for those that could not be played."""
    with Zygote() as zygote, ThreadPoolExecutor(jobs) as pool:
        for cell, found in pool.map(lambda cell: (cell, attempt(cell, zygote)), chosen):
            if isinstance(found, Played):
                for each in (*found.why, *found.wrong):
                    print(f"WRONG {cell}: {each}", flush=True)
                yield cell, found
            else:
                print(f"NOT PLAYED {cell}: {found}", flush=True)


def attempt(cell: Cell, zygote: Zygote) -> Played | str:
    """What came of a cell, or why it could not be played."""
    why = ""
    for _ in range(ATTEMPTS):
        try:
            return play(cell, zygote)
        except NotPlayed as fault:
            why = str(fault)
        except Exception as fault:  # whatever it is: the cell was not played
            return f"{type(fault).__name__}: {fault}"
    return why


def _show(chosen: Sequence[Cell], found: Sequence[tuple[Cell, Played]]) -> bool:
    """The table; whether it is as it must be."""
    print("\n" + _line(_HEAD))
    rows: dict[tuple[str, str], list[tuple[Cell, Played]]] = defaultdict(list)
    for cell, each in found:
        rows[cell.kind.name, cell.cut].append((cell, each))
    for (kind, cut), part in rows.items():
        print(_line((kind, cut, str(len(part)), *_figures(part))))
    print(_line(("all", "", str(len(found)), *_figures(found))))
    total = _sum(found)
    return len(found) == len(chosen) and not (total[LOST] or total[TWICE] or any(each.wrong for _, each in found))


def _figures(part: Sequence[tuple[Cell, Played]]) -> Iterator[str]:
    yield from (str(_sum(part)[name]) for name in COUNTS)
    yield str(sum(bool(each.wrong) for _, each in part))


def _sum(part: Sequence[tuple[Cell, Played]]) -> Counter[str]:
    return sum((each.counts for _, each in part), Counter())


def _line(values: Iterable[str]) -> str:
    return "".join(f"{value:<15}" for value in values).rstrip()


if __name__ == "__main__":
    sys.exit(main())
