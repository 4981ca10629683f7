"""A cell of the table, and the two wishes that every failure is played with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

FIRST = "a jazz night"
SECOND = "a rock night"


@dataclass(frozen=True)
class Cell:
    """What was measured; ``kept`` says whether that keeps the promise of the column; ``why`` is the system's word."""

    text: str
    kept: bool
    why: str = ""
    measured: bool = True

    @classmethod
    def unmeasured(cls, why: str) -> Self:
        """Nothing is claimed about this one."""
        return cls(f"not measured: {why}", kept=False, measured=False)
