"""Killed between the paid call and its record: how often has been paid, once the run is at its end?"""

from __future__ import annotations

from compare.cell import FIRST, Cell
from compare.system import Run

TITLE = "paid calls after a crash"


def measure(run: Run) -> Cell:
    """The shop has counted the order and holds the answer back; every process of the run gets SIGKILL."""
    shown = run.start(FIRST)
    run.shop.hold("orders")
    run.begin("approve", shown=shown.shown)
    run.shop.calls(least=1)
    run.kill()
    run.shop.release()
    after = run.resume()
    if after.status == "waiting":  # asked again: a person who was told nothing approves again
        after = run.turn("approve", shown=after.shown)
    asked, why = after.status == "in doubt", after.why
    if asked:  # the person looks into their account, and finds the order
        after = run.turn("placed", shown=after.shown)
    paid = len(run.shop.calls())
    note = ", and the person is asked" if asked else ""
    return Cell(f"{paid}{note}", paid == 1 and after.status == "done", why)
