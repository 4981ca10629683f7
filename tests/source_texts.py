"""What the sources give for the user to hear, sentence by sentence, and how the messages keep to it.

``source_texts.csv`` quotes them, with ``${task_url}`` in place of their own marks for the link. A message that is not
its source byte for byte has a reason there; ``docs/anygen.md`` lists those.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from workflow.model.frozen import Noun

FILE = Path(__file__).with_suffix(".csv")
PROMPTS = Path(__file__).parents[1] / "prompts"

Kept = Literal["byte for byte", "whole, with more around it", "in other words"]


class SourceText(Noun):
    """A text of the sources for one message in one language; ``reason`` is why the message differs, if it does."""

    message: str
    language: str
    source: str
    reason: str

    @property
    def ours(self) -> str:
        """The message as it is."""
        return (PROMPTS / self.language / f"{self.message}.md").read_text(encoding="utf-8").strip()

    @property
    def kept(self) -> Kept:
        """How the message keeps to its source."""
        if self.ours == self.source:
            return "byte for byte"
        return "whole, with more around it" if self.source in self.ours else "in other words"


def read_texts() -> list[SourceText]:
    """All of them, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [SourceText(**row) for row in csv.DictReader(lines)]


def differences() -> list[SourceText]:
    """Those whose message is not the source byte for byte."""
    return [each for each in read_texts() if each.kept != "byte for byte"]
