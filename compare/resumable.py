"""Killed within a call that is free: does a new process go on, with what the person said last?"""

from __future__ import annotations

from compare.cell import FIRST, SECOND, Cell
from compare.system import Run

TITLE = "resumable"


def measure(run: Run) -> Cell:
    """The person has asked for another plan; every process of the run gets SIGKILL while the shop is making it."""
    shown = run.start(FIRST)
    run.shop.hold("plans")
    run.begin("revise", wish=SECOND, shown=shown.shown)
    run.shop.calls("plans", least=2)
    run.kill()
    run.shop.release()
    after = run.resume()
    end = run.turn("approve", shown=after.shown)
    orders = run.shop.calls()
    resumed = end.status == "done" and len(orders) == 1 and SECOND in orders[0]
    return Cell("yes" if resumed else "no", resumed)
