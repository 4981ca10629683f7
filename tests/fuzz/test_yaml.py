"""Bundles that hold anything: every fault has its place, nothing else is raised, and a live session stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.values import mutated
from workflow.bundle import find_problems, open_bundle
from workflow.bundle.loader import read
from workflow.model.errors import BundleError

COURIER = Path(__file__).parents[1] / "courier"
TEXT = (COURIER / "workflow.yaml").read_text("utf-8")
LINES = TEXT.splitlines()
PIECES = [
    "&a",
    "*a",
    "<<: ",
    "!!python/object:os.system ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "\t",
    "\0",
    "|\n",
    "#",
]
SOME = settings(max_examples=settings().max_examples // 2)


@SOME
@given(data=st.data())
def test_a_value_of_another_kind(data: st.DataObject) -> None:
    """One value in the document is replaced, missing or new."""
    document = data.draw(mutated(read(TEXT, "workflow.yaml").document))
    _examine(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace"))


@SOME
@given(
    at=st.integers(0, len(LINES) - 1),
    other=st.integers(0, len(LINES) - 1),
    how=st.sampled_from(["drop", "double", "swap", "indent"]),
)
def test_lines_that_were_moved(at: int, other: int, how: str) -> None:
    """A line is missing, twice there, in another's place, or further in."""
    lines = LINES.copy()
    change: dict[str, Callable[[], object]] = {
        "drop": lambda: lines.pop(at),
        "double": lambda: lines.insert(other, lines[at]),
        "swap": lambda: lines.__setitem__(slice(at, at + 1), [LINES[other], LINES[at]]),
        "indent": lambda: lines.__setitem__(at, "  " + LINES[at]),
    }
    change[how]()
    _examine("\n".join(lines).encode())


@SOME
@given(at=st.integers(0, len(TEXT)), piece=st.sampled_from(PIECES) | st.text(max_size=4), cut=st.integers(0, 5))
def test_characters_that_do_not_belong_there(at: int, piece: str, cut: int) -> None:
    """Marks of YAML, and any other text, wherever they stand."""
    _examine((TEXT[:at] + piece + TEXT[at + cut :]).encode("utf-8", "replace"))


@SOME
@given(content=st.binary(max_size=200))
def test_no_text_at_all(content: bytes) -> None:
    """Bytes."""
    _examine(content)


def _examine(content: bytes) -> None:
    """Either every problem has its place, and opening raises them; or the bundle opens."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        shutil.copytree(COURIER, bundle, ignore=shutil.ignore_patterns("__pycache__"))
        (bundle / "workflow.yaml").write_bytes(content)
        problems = find_problems(bundle)
        assert all(each.message and each.line >= 1 and each.column >= 1 for each in problems)
        if not problems:
            assert open_bundle(bundle).definition.start
            return
        with pytest.raises(BundleError):
            open_bundle(bundle)
