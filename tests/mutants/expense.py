"""Take one key after the other out of the expense bundle: its terms, lint or its tests must notice each.

``python -m tests.mutants expense`` tries all keys of the sections that say who approves and when.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.examples.expense_terms import unkept
from tests.mutants.mutants import Mutant, mutants
from workflow.bundle import find_problems, loader
from workflow.bundle.content import YAML
from workflow.machine.definition import Definition
from workflow.model.errors import WorkflowError

ROOT = Path(__file__).resolve().parents[2]
EXPENSE = ROOT / "examples" / "expense"
SECTIONS = ("gates", "roles", "never_without", "never_after", "only_after", "deadline", "limits")
TIMERS = (".after", ".remind")


def tried() -> list[Mutant]:
    """A mutant for each key of who approves what, and of what happens when nobody answers."""
    document: dict[str, Any] = loader.read((EXPENSE / YAML).read_bytes(), YAML).document
    return [
        each
        for each in mutants(document)
        if each.name.startswith(SECTIONS) or any(f"{key}." in f"{each.name}." for key in TIMERS)
    ]


@contextmanager
def copy() -> Iterator[Path]:
    """A copy of the bundle, in which a mutant takes the place of the machine."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(EXPENSE, Path(folder) / "expense", ignore=shutil.ignore_patterns("__pycache__")))


def quickly(bundle: Path, mutant: Mutant) -> str:
    """What the terms of the procedure, or else lint, have against it."""
    (bundle / YAML).write_text(mutant.text, encoding="utf-8")
    try:
        document = loader.read(mutant.text.encode(), YAML).document
        found = next(unkept(Definition.from_document(document)), "")
    except (KeyError, TypeError, WorkflowError):  # lint says what is missing or odd
        found = ""
    return found or next((str(problem) for problem in find_problems(bundle)), "")


def tested(bundle: Path) -> str:
    """The first test of the example that fails with it."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--tb=no", "--no-header"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--deselect", LONG, "tests/examples/test_expense.py"],
        cwd=ROOT,
        env={**os.environ, "PHASEGATE_EXPENSE_UNDER_TEST": str(bundle)},
        capture_output=True,
        text=True,
    )
    return next((line for line in ended.stdout.splitlines() if line.startswith("FAILED")), "")


LONG = "tests/examples/test_expense.py::test_nothing_is_paid_that_not_enough_people_were_shown_and_every_report_ends"


def main() -> int:
    """Try all, print each, and say how many survived."""
    alive = 0
    with copy() as bundle:
        for mutant in tried():
            found = quickly(bundle, mutant) or tested(bundle)
            alive += not found
            print(f"{'caught' if found else 'SURVIVED':<9} {mutant.name}  {found[:100]}", flush=True)
    print(f"{alive} survived")
    return 1 if alive else 0
