"""Take one key after the other out of the expense bundle: its terms, lint or its tests must notice each.

``python -m tests.mutants expense`` tries all keys, but those that only tell something (``EXPLAINED``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.examples.expense_terms import unkept
from tests.mutants.mutants import Mutant, mutants
from workflow.bundle import content, lint, loader
from workflow.bundle.code import complete
from workflow.bundle.content import YAML, Files
from workflow.bundle.lint.subject import Subject
from workflow.machine.definition import Definition
from workflow.model.errors import BundleFaults

ROOT = Path(__file__).resolve().parents[2]
EXPENSE = ROOT / "examples" / "expense"
EXPLAINED = {
    "title": "what people call it; its name stands for it",
    "phases.report.title": "what people call the phase; its name stands for it",
    "phases.review.title": "what people call the phase; its name stands for it",
    "phases.pay.title": "what people call the phase; its name stands for it",
    "service.sandbox_key": "a sandbox takes any key, and none of it is real",
    "avoid": "words for whoever writes messages: no message has one of them",
    "avoid[API]": "as above",
    "avoid[endpoint]": "as above",
    "avoid[JSON]": "as above",
    "guards.refused_lines.because": "words for the agent, which are made from the rest",
}
"""Mutant → why nothing is lost with it."""


TESTED = {
    "gates.submitted.valid": "test_who_handed_it_in_is_not_asked_again_after_a_week",
    "gates.stand_in_ok.decline": "test_a_rejection_is_told_word_for_word",
    "gates.outcome_told.other_than": "test_what_is_not_found_accounting_says",
    "gates.outcome_told.other_than[submitted]": "test_what_is_not_found_accounting_says",
}
"""Mutant → the test of the example that notices it, which `make mutants` plays."""


def tried() -> list[Mutant]:
    """A mutant for each key and each item of a list."""
    document: dict[str, Any] = loader.read((EXPENSE / YAML).read_bytes(), YAML).document
    return list(mutants(document))


def quickly(mutant: Mutant) -> str:
    """What the grammar, the terms of the procedure, or else lint has against it first; prompts and code are as ever."""
    try:
        source = loader.read(mutant.text, YAML)
    except BundleFaults as faults:
        return str(faults.problems[0])
    definition = Definition.from_document(source.document)
    with suppress(KeyError):  # of a gate that is missing, which lint says
        if found := next(unkept(definition), ""):
            return found
    files = _files()
    prompts, briefs = files.texts()
    registry = complete(files.code.registry, definition)
    subject = Subject(definition, source, registry, prompts, briefs, files.phases)
    checks = (check for some in lint.CHECKS.values() for check in some)
    return next((str(problem) for check in checks for problem in check(subject)), "")


@cache
def _files() -> Files:
    return content.read(EXPENSE)


@contextmanager
def copy() -> Iterator[Path]:
    """A copy of the bundle, in which a mutant takes the place of the machine."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(EXPENSE, Path(folder) / "expense", ignore=shutil.ignore_patterns("__pycache__")))


def tested(bundle: Path, mutant: Mutant) -> str:
    """The failure of the test that has to notice it."""
    if mutant.name not in TESTED:
        return ""
    (bundle / YAML).write_text(mutant.text, encoding="utf-8")
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--tb=no", "--no-header"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"tests/examples/test_expense.py::{TESTED[mutant.name]}"],
        cwd=ROOT,
        env={**os.environ, "PHASEGATE_EXPENSE_UNDER_TEST": str(bundle)},
        capture_output=True,
        text=True,
    )
    return next((line for line in ended.stdout.splitlines() if line.startswith("FAILED")), "")


def main() -> int:
    """Try all, print each, and say how many survived."""
    alive = 0
    with copy() as bundle:
        for mutant in tried():
            found = EXPLAINED.get(mutant.name) or quickly(mutant) or tested(bundle, mutant)
            alive += not found
            print(f"{'caught' if found else 'SURVIVED':<9} {mutant.name}  {found[:100]}", flush=True)
    print(f"{alive} survived")
    return 1 if alive else 0
