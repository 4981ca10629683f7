"""The place where a saved run waits gets another name in the procedure: what does the next answer do?"""

from __future__ import annotations

from compare.cell import FIRST, Cell
from compare.system import Run

TITLE = "renamed state"
_SAID = {"done": "goes on", "stopped": "stops, and says why", "refused": "stops, and says why"}


def measure(run: Run) -> Cell:
    """Nothing runs while the name is changed, as in any deployment."""
    shown = run.start(FIRST)
    run.kill()
    run.rename()
    before = len(run.warnings())
    run.restart()
    after = run.turn("approve", shown=shown.shown)
    warned = run.warnings()[before:]
    if after.status in _SAID:
        return Cell(_SAID[after.status], True, after.why)
    return Cell(f"nothing is run, {'a warning in the log' if warned else 'nothing is said'}", False, after.why)
