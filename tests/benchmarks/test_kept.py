"""What `make bench` keeps: sections by themselves, the conditions of each, and instructions that repeat."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks import conditions
from benchmarks.__main__ import BENCHMARKS, keep
from benchmarks.instructions import per_turn
from benchmarks.measure import Figure
from benchmarks.report import Ranking


def test_a_section_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """The others stay byte for byte, in the order in which they are measured."""
    file = tmp_path / "results.md"
    for name in ("paid", "turn"):
        keep(name, f"## {BENCHMARKS[name][0]}\n\nfirst\n", file)
    before = file.read_text(encoding="utf-8")
    assert before.index(BENCHMARKS["turn"][0]) < before.index(BENCHMARKS["paid"][0])
    keep("paid", f"## {BENCHMARKS['paid'][0]}\n\nsecond\n", file)
    head, _, tail = before.rpartition("first")
    assert file.read_text(encoding="utf-8") == f"{head}second{tail}"


def test_the_disk_and_the_build_are_named() -> None:
    """These are the facts that a figure depends on most."""
    assert re.fullmatch(r"load \d+\.\d per core, `fdatasync` \d+\.\d\d ms", conditions.moment())
    assert "Python 3." in conditions.machine() and "phasegate 0." in conditions.machine()


class Adding:
    """A contender whose turn is a loop."""

    def __init__(self, loops: int) -> None:
        self._loops = loops

    def turn(self, number: int) -> str:
        """Count."""
        return str(sum(range(self._loops)))

    def close(self) -> None:
        """Nothing is open."""


def opened(folder: Path, variant: str) -> Adding:
    """The variant is the number of loops."""
    return Adding(int(variant))


def test_instructions_are_those_of_the_turns_alone() -> None:
    """A turn of ten times the work takes about ten times as many; where there is no valgrind nothing is claimed."""
    small, large = (per_turn(f"{__name__}:opened", loops) for loops in ("20000", "200000"))
    if shutil.which("valgrind") is None:
        assert small == large == 0.0
    else:
        assert 8 < large / small < 12


def test_a_row_without_a_count_says_so() -> None:
    """A figure that was not counted is no zero."""
    rows = Ranking([Figure("floor", (1.0, 1.0), 1.0), Figure("Phasegate", (3.0, 3.0), 1.0, 1.0, instructions=2e6)])
    lines = rows.table().splitlines()
    assert "| floor | not counted | 0.00 |" in lines[2] and "| Phasegate | 2,000 | 2.00 |" in lines[3]
