"""Bundles held open by a process: read anew exactly when a file of theirs has changed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from workflow.bundle.shelf import Shelf
from workflow.model.errors import BundleError

COURIER = Path(__file__).parent.parent / "courier"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle of one's own."""
    return shutil.copytree(COURIER, tmp_path / "courier")


def shelf(later: float = 60.0) -> Shelf:
    """A shelf whose clock is ``later`` seconds ahead, so that all files were last touched long ago."""
    rows: dict[str, str] = {}
    return Shelf(rows.get, rows.__setitem__, now=lambda: time.time() + later)


def test_an_unchanged_bundle_is_read_no_more(folder: Path) -> None:
    """From the second time on its files are looked at; then it is the same object."""
    bundles = shelf()
    first, second, third, fourth = (bundles.open(folder) for _ in range(4))
    assert first.digest == second.digest
    assert second is third is fourth


def test_a_change_is_seen_whatever_the_times_say(folder: Path) -> None:
    """A file of the same size with its old time is still another file."""
    bundles = shelf()
    before = [bundles.open(folder) for _ in range(3)][-1]
    prompt = next((folder / "prompts" / "en").glob("*.md"))
    times, text = prompt.stat(), prompt.read_text()
    prompt.write_text(text.swapcase())
    os.utime(prompt, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert bundles.open(folder).digest != before.digest


def test_a_file_more_and_a_file_less_are_seen(folder: Path) -> None:
    """What is in the folder counts, not only what was in it."""
    bundles = shelf()
    before = [bundles.open(folder) for _ in range(3)][-1]
    (folder / "phases" / "another.py").write_text('"""Nothing yet."""\n')
    changed = bundles.open(folder)
    assert changed.digest != before.digest
    (folder / "phases" / "another.py").unlink()
    assert bundles.open(folder).digest == before.digest


def test_what_has_only_just_changed_is_read_again(folder: Path) -> None:
    """A file could change twice within one step of its clock, so that for two seconds nothing is taken on trust."""
    bundles = shelf(later=0.0)
    next((folder / "prompts" / "en").glob("*.md")).touch()
    opened = [bundles.open(folder) for _ in range(3)]
    assert len({id(each) for each in opened}) == 3


def test_a_bundle_that_is_gone_is_said_to_be(folder: Path) -> None:
    """What is held is no excuse for what is not there."""
    bundles = shelf()
    for _ in range(3):
        bundles.open(folder)
    shutil.rmtree(folder)
    with pytest.raises(BundleError, match="is not there"):
        bundles.open(folder)
