"""What a mutant has to get past: lint, the golden journals decided again, the scenarios, and a slice of the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.golden.make import JOURNEYS
from tests.mutants.mutants import Mutant
from tests.promises.test_golden import KEPT, engine_with, kept
from workflow.bundle import find_problems
from workflow.bundle.content import YAML
from workflow.bundle.loader import read
from workflow.history.replay import replay

ROOT = Path(__file__).resolve().parents[2]
SLICE = (
    "invariants",
    "seldom_ways",
    "phase2_plan",
    "phase3_create",
    "phase1_talk",
    "phase1_files",
    "phase4_messages",
    "phase4_waiting",
    "phase5_changes",
    "phase5_files",
    "phase5_messages",
    "phase5_recommendations",
    "doubt",
    "doubt_of_a_change",
    "cancelling",
    "acknowledged",
    "phase3_faults",
    "key",
    "steps",
)
"""Tests of `tests/promises` that drive the reference bundle, or the one in ``PHASEGATE_BUNDLE_UNDER_TEST``."""

FIRST = {
    "service": ("key",),
    "gates": ("phase2_plan", "phase3_create"),
    "events.praised": ("phase5_recommendations",),
    "events.asked_for_more": ("phase5_recommendations",),
    "events.happened": ("doubt_of_a_change",),
    "events.modify": ("phase5_files",),
    "events": ("phase1_files",),
    "phases.understand": ("phase1_files", "phase1_talk"),
    "phases.create": ("doubt", "phase3_create"),
    "phases.deliver": ("seldom_ways", "phase4_waiting", "phase4_messages"),
    "phases.revise.searching": ("doubt_of_a_change",),
    "phases.revise": ("seldom_ways", "phase5_files", "phase5_messages", "phase5_changes"),
}
"""Where a mutant begins → the tests that are likely to catch it."""

TEXTUAL = "tests/promises/test_phase2_plan.py::test_settings_cannot_weaken_a_gate"
"""It edits the text of the machine, which is written anew for a mutant."""

Stage = Callable[["Bench"], str]
"""Says what it found; nothing if the mutant got past."""


class Bench:
    """A copy of the reference bundle in which one mutant at a time takes the place of the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("phases", "prompts", "scenarios"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.document: dict[str, Any] = read((ROOT / YAML).read_bytes(), YAML).document
        self.put(Mutant("", self.document))

    def put(self, mutant: Mutant) -> None:
        """Let this be the bundle from now on."""
        self.name = mutant.name
        (self.folder / YAML).write_text(mutant.text, encoding="utf-8")

    @cached_property
    def expected(self) -> dict[str, str]:
        """What the reference itself would do otherwise, such as say a message in today's words."""
        return dict(_replayed(ROOT, self.folder))


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench in a folder of its own, for as long as it is used."""
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(Path(folder) / "bundle")


def lint(bench: Bench) -> str:
    """The first problem of the bundle."""
    problems = find_problems(bench.folder)
    return str(problems[0]) if problems else ""


def journals(bench: Bench) -> str:
    """The first golden session that would go another way."""
    for name, found in _replayed(bench.folder, bench.folder):
        if found != bench.expected[name]:
            return f"{name}: {found}"
    return ""


def scenarios(bench: Bench) -> str:
    """The first of the bundle's own scenarios that does not come as it says."""
    printed = _failed([sys.executable, "-m", "workflow", "test", str(bench.folder)], {}, (1, 2, 3))
    played = json.loads(printed).get("scenarios", ()) if printed.startswith("{") else ()
    told = (
        f"{each['name']}: {failure['what']}: expected {failure['expected']}, got {failure['got']}"
        for each in played
        for failure in each["failures"]
    )
    return next(told, printed)


def tests(bench: Bench) -> str:
    """The slice of the tests, with this bundle in the place of the reference."""
    first = next((names for begins, names in FIRST.items() if bench.name.startswith(begins)), ())
    moves = ("steps",) if ".on." in bench.name else ()
    files = [f"tests/promises/test_{name}.py" for name in dict.fromkeys(("invariants", *moves, *first, *SLICE))]
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--tb=no", "--no-header"]
    options += ["--basetemp", str(bench.folder.with_name("tmp"))]
    found = {"PHASEGATE_BUNDLE_UNDER_TEST": str(bench.folder)}
    return _failed([sys.executable, "-m", "pytest", *options, "--deselect", TEXTUAL, *files], found, (1,))


STAGES: dict[str, Stage] = {"lint": lint, "journals": journals, "scenarios": scenarios, "tests": tests}
"""The quickest first."""


def caught(bench: Bench, mutant: Mutant, stages: dict[str, Stage]) -> tuple[str, str]:
    """The first stage that the mutant does not get past, and what was found; empty if it gets past all of them."""
    bench.put(mutant)
    for name, stage in stages.items():
        found = stage(bench)
        if found:
            return name, found
    return "", ""


def _replayed(bundle: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Golden session → where it would go another way with this bundle."""
    for name in [name for name in KEPT if not JOURNEYS[name].bundle]:
        entries = kept(name)
        found = replay(engine_with(entries, folder), entries[0].session, bundle)
        yield name, "; ".join(f"{each.kind} {each.what}: {each.now}" for each in found.differences)


def _failed(command: list[str], environ: dict[str, str], failures: tuple[int, ...]) -> str:
    """The last words of a command that failed; one that ends in any other way says nothing about a mutant."""
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True)
    if ended.returncode == 0:
        return ""
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    if ended.returncode not in failures:
        raise RuntimeError(f"{command} ended with {ended.returncode}: {lines[-1:]}")
    return next((line for line in lines if line.startswith("FAILED")), lines[-1] if lines else "failed")
