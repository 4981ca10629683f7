"""The work of one turn that has nothing to do with storage: a guard, a move, a message and its leak check."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

STATES = (
    *("gather.wishing", "gather.detailing", "gather.checking"),
    *("draft.outlining", "draft.weighing", "draft.presenting"),
    "order.offering",
    *("make.sketching", "make.painting"),
    "close.packing",
)
"""The circle of ``bundle/workflow.yaml``, for the systems that have no YAML."""

LONGEST = 2000
_LEAKS = re.compile(r"receipt|rc-\w+|scripts/|workflow\.yaml|sub-agent", re.IGNORECASE)


class Contender(Protocol):
    """A system that takes turns on one run, which is ready when it is made."""

    def turn(self, number: int) -> str:
        """Take one durable turn; returns what is said to the user."""

    def close(self) -> None:
        """Give the files back."""


class Opened(Protocol):
    """What the file of each system offers."""

    def __call__(self, folder: Path, variant: str) -> Contender:
        """A contender in an empty folder."""


def words(number: int) -> str:
    """What the person says in this turn: about a hundred characters, never the same."""
    return f"This is what I say in turn {number:06d}: make it blue and gold, and a little darker than the one before."


def following(state: str, said: str) -> str:
    """The guard and the move; raises ``ValueError`` if nothing was said."""
    if not 0 < len(said.strip()) <= LONGEST:
        raise ValueError("say something")
    return STATES[(STATES.index(state) + 1) % len(STATES)]


def message(said: str) -> str:
    """Rendered and checked."""
    text = f"You said: {said}\n\nWhat comes next?"
    if _LEAKS.search(text):
        raise ValueError("the message leaks")
    return text
