"""Take one check after the other out of the source, in a copy of the tree: a test must notice each.

``python -m tests.mutants source`` tries them all, on all processors. ``--only NAME`` tries one (repeatable),
``--list-stale`` names those whose text the code does not hold exactly once, and tries none. ``--first`` runs the tests
that a mutant names and no wider ones, which is quicker where one survives.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.mutants.source import SURVIVORS, TABLE, Mutation

ROOT = Path(__file__).resolve().parents[2]
WIDER = ("tests/unit", "tests/promises", "tests/threats", "tests/faults", "tests/contract", "tests/mcp", "tests/cli")
"""What is tried on a mutant that its own tests let pass, unless a decision proves that nothing can notice it."""
SECONDS, WIDER_SECONDS = 300, 1500
"""A run that takes longer has noticed as well: the code does not end any more."""
MOST_SURVIVORS = 2
_OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--tb=no", "--no-header")


class Outcome(NamedTuple):
    """The test that noticed a mutant, empty if none did, and the seconds that it took."""

    name: str
    noticed: str
    seconds: float


class Tree:
    """A copy of the checkout in which one mutant at a time takes the place of the code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._edits = int(time.time())
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    @contextmanager
    def holding(self, mutation: Mutation) -> Iterator[None]:
        """The mutant, for as long as it is tried."""
        path = self.folder / mutation.file
        before = path.read_text(encoding="utf-8")
        self._write(path, before.replace(mutation.old, mutation.new))
        try:
            yield
        finally:
            self._write(path, before)

    def failure(self, tests: Sequence[str], seconds: float) -> str:
        """The first test that fails; empty if all of them pass. Raises :class:`RuntimeError` if none could be run."""
        basetemp = tempfile.mkdtemp(prefix="mutant-")
        command = [sys.executable, "-m", "pytest", *_OPTIONS, "--basetemp", basetemp, *tests]
        known = {**os.environ, "PYTHONPATH": str(self.folder)}
        try:
            ended = subprocess.run(
                command, cwd=self.folder, env=known, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return f"no end within {seconds:.0f} s"
        finally:
            shutil.rmtree(basetemp, ignore_errors=True)
        lines = (ended.stdout + ended.stderr).strip().splitlines()
        if ended.returncode == 0:
            return ""
        if ended.returncode not in (1, 2, 4):  # failed; or a module does not even import with the mutant
            raise RuntimeError(f"{command} ended with {ended.returncode}: {lines[-1:]}")
        return next((line for line in lines if line.startswith(("FAILED", "ERROR"))), lines[-1] if lines else "failed")

    def _write(self, path: Path, text: str) -> None:
        """With a time that no version before had: compiled code is told apart by whole seconds."""
        path.write_text(text, encoding="utf-8")
        self._edits += 1
        os.utime(path, (self._edits, self._edits))


def stale(table: Sequence[Mutation], root: Path = ROOT) -> Iterator[str]:
    """Mutants that the code has left behind, each with the reason."""
    for each in table:
        path = root / each.file
        count = path.read_text(encoding="utf-8").count(each.old) if path.is_file() else -1
        if count != 1:
            why = "there is no such file" if count < 0 else f"its text stands there {count} times"
            yield f"{each.name}: {each.file}: {why}"


def judge(outcomes: Sequence[Outcome], known: Mapping[str, str]) -> Iterator[str]:
    """What is wrong: survivors that no decision explains, explanations of what is noticed, and too many of them."""
    alive = {each.name for each in outcomes if not each.noticed}
    yield from (f"{name} survives: write a test that notices" for name in sorted(alive - set(known)))
    noticed = {each.name for each in outcomes if each.noticed}
    yield from (f"{name} is explained, and noticed: take it out of SURVIVORS" for name in sorted(noticed & set(known)))
    if len(known) > MOST_SURVIVORS:
        yield f"{len(known)} are explained; at most {MOST_SURVIVORS} may be"


def main(arguments: Sequence[str]) -> int:
    """Try the mutants, print which test noticed each, and sum up."""
    parser = argparse.ArgumentParser(prog="make mutants MUTANTS='source …'")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list-stale", action="store_true")
    parser.add_argument("--first", action="store_true")
    given = parser.parse_args(arguments)
    chosen = [each for each in TABLE if not given.only or each.name in given.only]
    strangers = set(given.only) - {each.name for each in chosen}
    gone = [*(f"{name}: there is no such mutant" for name in sorted(strangers)), *stale(chosen)]
    if gone or given.list_stale:
        print("\n".join([*gone, f"{len(gone)} of {len(chosen)} mutants are stale"]))
        return 1 if gone else 0
    outcomes = list(_tried(chosen, () if given.first else WIDER))
    faults = list(judge(outcomes, SURVIVORS))
    noticed = sum(bool(each.noticed) for each in outcomes)
    print("\n".join(["", f"{len(outcomes)} source mutants: {noticed} noticed", *faults]))
    return 1 if faults else 0


def shares(chosen: Sequence[Mutation], count: int) -> list[list[str]]:
    """The tests of these mutants, each once, in as many shares of about the same size."""
    tests = sorted({test for each in chosen for test in each.tests})
    return [share for number in range(count) if (share := tests[number::count])]


def _tried(chosen: Sequence[Mutation], wider: Sequence[str]) -> Iterator[Outcome]:
    """Each on one of the trees, of which there is one for each processor; first the tests have to pass without any."""
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(os.cpu_count() or 1):
            trees.put(Tree(Path(folder) / str(number)))

        def plain(tests: Sequence[str]) -> str:
            tree = trees.get()
            try:  # a busy machine has two tries
                return tree.failure(tests, WIDER_SECONDS) and tree.failure(tests, WIDER_SECONDS)
            finally:
                trees.put(tree)

        def attempt(mutation: Mutation) -> Outcome:
            tree, began = trees.get(), time.monotonic()
            try:
                with tree.holding(mutation):
                    noticed = tree.failure(mutation.tests, SECONDS)
                    if wider and not noticed and mutation.name not in SURVIVORS:
                        noticed = tree.failure(wider, WIDER_SECONDS)
            finally:
                trees.put(tree)
            return Outcome(mutation.name, noticed, time.monotonic() - began)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            if found := [each for each in pool.map(plain, shares(chosen, os.cpu_count() or 1)) if each]:
                raise SystemExit("\n".join(["without any mutant:", *found]))
            for outcome in pool.map(attempt, chosen):
                state = "noticed" if outcome.noticed else "SURVIVED"
                print(f"{state:<9} {outcome.seconds:5.0f} s  {outcome.name}  {outcome.noticed[:120]}", flush=True)
                yield outcome
