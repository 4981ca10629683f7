"""The benchmarks of whole processes run: a little of each, with no word about how long anything takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import command, processes
from benchmarks.__main__ import BENCHMARKS
from benchmarks.measure import QUICK
from benchmarks.outcome import Lines, Outcome, Table
from benchmarks.programs import Invocation, NotThere, Program
from benchmarks.watching import Watched, _table


@pytest.mark.parametrize("name", ["command", "processes", "watch"])
def test_a_quick_slice_runs(name: str) -> None:
    """Its tables are whole, and Phasegate is in the first of them, or is all that it is about."""
    outcome = BENCHMARKS[name][2](QUICK, False)
    assert isinstance(outcome, Outcome)
    for each in outcome.tables:
        assert each.rows and {len(row) for row in each.rows} == {len(each.head)}
        assert len(each.markdown().splitlines()) == 2 + len(each.rows)
    assert name == "watch" or any("Phasegate" in cell for row in outcome.tables[0].rows for cell in row)


def test_every_process_has_a_session_of_its_own() -> None:
    """Two on one store take their turns without an error, and say so; each turn that was due is accounted for."""
    crowd = processes._crowd(processes._open_ours, 2, 0.2, rate=20)
    assert [(len(each.times), each.errors) for each in crowd] == [(2, []), (2, [])]


def test_what_cannot_be_had_is_told(tmp_path: Path) -> None:
    """It has its row with the reason, and the others race."""

    def absent(folder: Path) -> Program:
        raise NotThere("nobody is not installed")
        yield Invocation((), {})

    def bare(folder: Path) -> Program:
        while True:
            yield Invocation(("/bin/sh", "-c", "cat"), {}, "said")

    found = command._race({"floor": bare, "Absent": absent}, tmp_path, 2)
    assert found["Absent"] == "not measured: nobody is not installed"
    assert [cells[:2] for cells in command._table(found).rows] == [
        ("floor", "1.0"),
        ("Absent", "not measured: nobody is not installed"),
    ]


def test_a_program_is_sent_what_it_printed() -> None:
    """Its input is the one it was given, and what it says is read back whole."""
    ran, printed = command._run(Invocation(("/bin/sh", "-c", "cat; echo $HERE"), {"HERE": "there"}, "said "))
    assert printed == "said there\n" and ran.memory > 0
    with pytest.raises(RuntimeError, match="failed: wrong"):
        command._run(Invocation(("/bin/sh", "-c", "echo wrong >&2; exit 3"), {}))


def test_late_looks_are_counted() -> None:
    """More than 0.3 s, in the first looks and in later ones."""
    watched = Watched(first=[0.0, 0.31], later=[0.1, 0.2, 0.4], seconds=5.0, cpu=0.05, memory=40.0, written=4)
    rows = _table(2, watched).rows
    assert [row[2] for row in rows[:2]] == ["1", "1"]
    assert "1 looks/s, 10.0 ms of processor each, 40 MB" in rows[2][0] and "2.0 entries" in rows[2][0]


def test_a_table_and_a_plot_can_be_made(tmp_path: Path) -> None:
    """The table as Markdown; the same plot has the same bytes, where it can be drawn."""
    assert Table(("a", "b"), [("1", "2")]).markdown() == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    lines = Lines("x", "y", {"one": [(1, 2), (2, 3)], "two": [(1, 1), (2, 1)]})
    drawn = [lines("title", tmp_path / "plot.svg") and (tmp_path / "plot.svg").read_bytes() for _ in range(2)]
    assert drawn[0] == drawn[1]
