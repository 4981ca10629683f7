"""``make crash``: every step at every point, then a soak; prints the figures, and fails if one is not as it must be."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.crash.matrix import AS_BEFORE, FAULTS, IN_DOUBT, WENT_ON, Row, matrix
from tests.crash.points import can_trace
from tests.crash.soak import Soaked, soak

HEAD = ("step", "fault", "kinds", "points", WENT_ON, IN_DOUBT, AS_BEFORE, "paid", "lost", "twice", "wrong")
NO_STRACE = (
    "strace is not here, or not allowed to trace: install it (apt install strace) to strike at every system call, and "
    "to have disks fail. Until then only the named failpoints are struck."
)
LIMIT = (
    "This is the death of a process, and a disk that says no; not the loss of power, at which a disk may lose what it "
    "said was written."
)


def main() -> int:
    """Everything, or what is asked for; the exit code says whether nothing was lost, doubled or wrong."""
    wish = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    wish.add_argument("--jobs", type=int, default=0, help="processes at once; default: one for each processor")
    wish.add_argument("--turns", type=int, default=1500, help="processes of the soak; 0 = none")
    wish.add_argument("--seed", type=int, default=1, help="of the soak")
    wish.add_argument("--only", choices=["failpoints", "strace", "soak"], help="one part alone")
    given = wish.parse_args()
    began, good = time.monotonic(), True
    if given.only in (None, "failpoints"):
        good &= _show("named failpoints", matrix("failpoints", faults=FAULTS[:1], jobs=given.jobs))
    if given.only in (None, "strace"):
        if can_trace():
            good &= _show("system calls, by strace", matrix("system calls", jobs=given.jobs))
        else:
            print(NO_STRACE)
    if given.only in (None, "soak") and given.turns:
        good &= _tell(soak(given.turns, given.seed))
    print(f"\n{LIMIT}\n{time.monotonic() - began:.0f} s")
    return 0 if good else 1


def _show(title: str, rows: Iterable[Row]) -> bool:
    print(f"\n{title}\n{_line(HEAD)}")
    done: list[Row] = []
    for row in rows:
        done.append(row)
        print(_line(_cells(row)), flush=True)
    total = {fault: [row for row in done if row.fault == fault] for fault in FAULTS}
    for fault, part in total.items():
        if part:
            print(_line(_cells(_sum(f"all {len(part)} steps", fault, part))))
    for row in done:
        for each in row.wrong:
            print(f"WRONG {each}")
    return bool(done) and not any(row.lost or row.duplicated or row.wrong for row in done)


def _tell(found: Soaked) -> bool:
    print(
        f"\nsoak, seed {found.seed}\n"
        f"{found.processes} processes on {found.sessions} sessions of one store, {found.killed} of them killed; "
        f"{found.turns} turns accepted, {found.approvals} approvals, {found.paid} paid calls received; "
        f"{found.doubts} in doubt; {found.receipts} receipts held against the logs\n"
        f"lost {found.lost}, twice {found.duplicated}, wrong {len(found.wrong)}"
    )
    for each in found.wrong:
        print(f"WRONG {each}")
    return not (found.lost or found.duplicated or found.wrong)


def _sum(step: str, fault: str, rows: list[Row]) -> Row:
    return Row(
        step,
        fault,
        calls=max(row.calls for row in rows),
        points=sum(row.points for row in rows),
        outcomes=sum((row.outcomes for row in rows), Counter()),
        paid=sum(row.paid for row in rows),
        lost=sum(row.lost for row in rows),
        duplicated=sum(row.duplicated for row in rows),
        wrong=tuple(each for row in rows for each in row.wrong),
    )


def _cells(row: Row) -> Iterator[object]:
    yield from (row.step, row.fault, row.calls, row.points)
    yield from (row.outcomes[name] for name in (WENT_ON, IN_DOUBT, AS_BEFORE))
    yield from (row.paid, row.lost, row.duplicated, len(row.wrong))


def _line(cells: Iterable[object]) -> str:
    step, fault, *numbers = cells
    return f"{step!s:<31} {fault!s:<8}" + "".join(f"{number!s:>10}" for number in numbers)


if __name__ == "__main__":
    sys.exit(main())
