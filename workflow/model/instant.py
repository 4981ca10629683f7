"""A moment by two clocks, and how it is written."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from workflow.model.frozen import Noun


class Instant(Noun):
    """A moment by two clocks, in seconds: the wall's, and the one that counts since boot ``boot_id``."""

    wall: float
    boot: float
    boot_id: str

    def since(self, earlier: Instant) -> float:
        """Seconds that have passed; by the wall only across a reboot."""
        if self.boot_id == earlier.boot_id:
            return self.boot - earlier.boot
        return self.wall - earlier.wall

    def as_json(self) -> list[Any]:
        """For the journal."""
        return [self.wall, self.boot, self.boot_id]


def iso(instant: Instant) -> str:
    """An instant as people and journals write it."""
    seconds, milliseconds = divmod(round(instant.wall * 1000), 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
