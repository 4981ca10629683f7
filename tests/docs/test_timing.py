"""The tutorial says how much there is to type."""

from __future__ import annotations

from tests.docs.pages import DOCS
from tests.docs.timing import counted


def test_the_tutorial_says_what_there_is_to_type() -> None:
    """Commands, files and lines are those of the page; the seconds are those of the machine that it names."""
    commands, files, lines = counted(DOCS / "tutorial.md")
    text = " ".join((DOCS / "tutorial.md").read_text(encoding="utf-8").split())
    assert f"types its {commands} commands and saves its {files} files ({lines} lines)" in text
