"""The cookbook shows pieces of real bundles, and a test that passes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import DOCS, ROOT, Block, blocks
from tests.docs.test_snippets import completed
from workflow.author.scaffold import new_bundle
from workflow.bundle import loader

COOKBOOK, TUTORIAL = DOCS / "cookbook.md", DOCS / "tutorial.md"
PIECES = blocks(COOKBOOK, "yaml")


def leaves(table: dict[str, Any], *, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every value of nested tables, by its place."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in table.items():
        found |= leaves(value, at=(*at, key)) if isinstance(value, dict) and value else {(*at, key): value}
    return found


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: f"line {piece.line}")
def test_a_recipe_is_what_a_bundle_has(piece: Block) -> None:
    """Each value stands there in the same place, and a state of a recipe is whole."""
    kind, _, file = piece.note.partition(": ")
    assert kind == "of", "a note says which bundle the piece is of"
    whole = loader.read((ROOT / file).read_text(encoding="utf-8"), file).document
    frame = leaves(loader.read(completed(""), "frame").document)
    read = loader.read(completed(textwrap.dedent(piece.text)), "piece").document
    shown = {place: value for place, value in leaves(read).items() if frame.get(place) != value}
    there = leaves(whole)
    assert shown and all(there.get(place) == value for place, value in shown.items())
    for phase, states in read.get("phases", {}).items():
        for name, state in states.items():
            assert state == whole["phases"][phase][name]


def test_the_test_of_the_cookbook_passes(tmp_path: Path) -> None:
    """With the files of the tutorial, as a reader would have them; pytest may find the scenarios, too."""
    new_bundle("notice", tmp_path / "notice")
    for block in (*blocks(TUTORIAL), *blocks(COOKBOOK)):
        if block.note.startswith("file: "):
            place = tmp_path / block.note.removeprefix("file: ")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "notice"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0 and " passed" in ended.stdout, ended.stdout + ended.stderr
