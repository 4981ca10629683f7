"""Two approvals at once: how often is paid?"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from compare.cell import FIRST, Cell
from compare.system import Run

TITLE = "paid calls under a race"


def measure(run: Run) -> Cell:
    """The second approval comes while the first one's order is under way; both go on once it said or paid something."""
    shown = run.start(FIRST)
    run.shop.hold("orders")
    first = run.begin("approve", shown=shown.shown)
    run.shop.calls(least=1)
    second = run.begin("approve", shown=shown.shown)
    with ThreadPoolExecutor() as pool:
        awaited: list[Future[Any]] = [
            pool.submit(run.shop.calls, least=2),
            pool.submit(run.first_word, second),
        ]
        wait(awaited, return_when=FIRST_COMPLETED)
        run.shop.release()
    ends = [run.finish(each) for each in (first, second)]
    paid = len(run.shop.calls())
    return Cell(str(paid), paid == 1 and ends[0].status == "done", ends[1].why)
