"""What `make compare` rests on; the other systems are measured there, not here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compare import changed_plan, crash, race, renamed_state
from compare.__main__ import COLUMNS, measure
from compare.cell import Cell
from compare.system import OURS, Run
from compare.table import Row, as_markdown, as_text

CELLS = {title: Cell("1", True) for title in COLUMNS}


@pytest.mark.parametrize("failure", [crash, race, changed_plan, renamed_state], ids=lambda each: str(each.TITLE))
def test_ours_keeps_its_promises(failure: object) -> None:
    """Each failure is played for real, with real processes, and what the shop counted is right."""
    played: Callable[[Run], Cell] = failure.measure  # type: ignore[attr-defined]
    cell = measure(OURS, played)
    assert cell.kept, cell


def test_what_was_not_measured_is_never_a_result() -> None:
    """A run that breaks off before the failure is said to be unmeasured, with the reason."""

    def breaks_off(run: Run) -> Cell:
        run.asked(run.turn("look"))
        raise AssertionError("there is no run to look at")

    cell = measure(OURS, breaks_off)
    assert not cell.measured and not cell.kept
    assert cell.text.startswith("not measured: there was to be a question")


def test_the_table_has_every_cell() -> None:
    """Text and Markdown show the same cells; bold ones keep their promise."""
    rows = [Row(OURS, "9.9", CELLS | {race.TITLE: Cell("2", False, "who knows")})]
    text, markdown = as_text(rows, list(COLUMNS)), as_markdown(rows, list(COLUMNS))
    assert text.splitlines()[1].split() == ["Phasegate", "9.9", "1", "2", "1", "1", "1"]
    assert "| Phasegate 9.9 | **1** | 2 | **1** | **1** | **1** |" in markdown
    assert "- Phasegate, paid calls under a race: who knows" in markdown
