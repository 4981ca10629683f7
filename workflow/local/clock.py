"""The clock of the machine."""

from __future__ import annotations

import os
import time

from workflow.model.instant import Instant

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class SystemClock:
    """Wall time, and the time since boot (suspension included) where the system counts it."""

    def __init__(self) -> None:
        self._boot_id = _read_boot_id()

    def now(self) -> Instant:
        """This moment, by the wall and by the boot clock."""
        return Instant(time.time(), _since_boot(), self._boot_id)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def _read_boot_id() -> str:
    """Where boots have no name, this process stands for one: between processes the wall decides then."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip() or _PROCESS
    except (OSError, ValueError):
        return _PROCESS


_PROCESS = os.urandom(16).hex()


def _since_boot() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
