"""The benchmarks run: a few turns of Phasegate and the floor, with no word about how long they take."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from benchmarks import sessions, turn
from benchmarks.__main__ import BENCHMARKS
from benchmarks.floor import shape_of
from benchmarks.machines import write_bundle
from benchmarks.measure import QUICK, Entrant, Figure, race
from benchmarks.report import Growth
from workflow.bundle import find_problems, open_bundle
from workflow.history import audit


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name not in ("command", "processes", "watch")])
def test_a_quick_slice_runs(name: str) -> None:
    """Each benchmark measures Phasegate beside a floor, and a table comes of it, without a hole."""
    _, _, measure = BENCHMARKS[name]
    head, _, *rows = [line for line in measure(QUICK, False).table().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert all(len(row) == head.count("|") - 1 and all(row) for row in cells)
    assert "floor" in cells[0][0] and any(row[0].startswith("Phasegate") for row in cells)


def test_every_turn_is_measured() -> None:
    """Rounds times turns of each, without those before the first that counts."""
    found = turn.measure(QUICK, peers=False).figures
    assert [len(each.times) for each in found] == [QUICK.rounds * QUICK.turns] * 2


def test_growth_is_told_as_a_power_of_the_size() -> None:
    """What stays the same grows as n^0, what doubles with the size as n^1; a size that is not measured is left out."""
    flat = [Figure("flat (the floor)", (2.0, 2.0), size=size) for size in (10, 1_000)]
    linear = [Figure("linear", (0.5 * size, 0.5 * size), size=size) for size in (10, 1_000)]
    rows = Growth([*flat, *linear, Figure("absent", why="not measured", size=10)], "things").table().splitlines()[2:5]
    assert [row.split(" | ")[1:] for row in rows] == [
        ["1.00 (1.00–1.00)", "1.00 (1.00–1.00)", "1.00", "n^0.00 |"],
        ["2.50 (2.50–2.50)", "250 (250–250)", "100.00", "n^1.00 |"],
        ["not measured", "", "", " |"],
    ]


def test_other_sessions_are_sound() -> None:
    """A session under another name has a chain of its own, and adds up to what is stored of it."""
    with tempfile.TemporaryDirectory() as folder:
        stores = sessions.crowded(Path(folder), 1, 3)
        ours = sessions.opened(stores[3], str(stores[3]))
        found = ours.store.sessions()
        assert len(found) == 3
        assert all(audit.verify(ours.engine, each.name).entries == 5 for each in found)
        ours.close()


@pytest.mark.parametrize("states", [12, 15, 33])
def test_a_machine_of_any_size_is_sound(states: int, tmp_path: Path) -> None:
    """It has as many states as were asked for, and lint finds nothing."""
    assert find_problems(write_bundle(tmp_path, states)) == []
    assert len(open_bundle(tmp_path).definition.states) == states


def test_the_floor_writes_what_a_turn_writes() -> None:
    """A plain turn is an event and its reply; a paid one also has the intent before the call and the result after."""
    assert [row[0] for row in shape_of("turn").rows] == ["event", "reply"]
    assert [row[0] for row in shape_of("pay").rows] == ["event", "intent", "result", "move", "reply"]


def test_a_system_that_is_not_installed_says_so() -> None:
    """It has a row with the reason, and no figure."""
    found = race([Entrant("Absent", "phasegate_absent:opened")], QUICK)
    assert found == [Figure("Absent", why="not measured: phasegate_absent is not installed")]
