"""How fast, and how much at once, one owner may call, with all of their tokens."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable

BURST = 60
"""Requests that may come one upon another."""
PER_SECOND = 4.0
"""Requests that may always come."""
AT_ONCE = 16
"""Requests that may be under way, open streams included."""


class Pace:
    """A bucket for each name that fills up with time; ``clock`` counts seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        burst: int = BURST,
        per_second: float = PER_SECOND,
        at_once: int = AT_ONCE,
    ) -> None:
        self._clock = clock
        self._burst, self._per_second, self._at_once = burst, per_second, at_once
        self._left: dict[str, tuple[float, float]] = {}
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, name: str) -> int:
        """0 if the request may come in, and :meth:`leave` is owed; else in how many seconds to try again."""
        with self._lock:
            now = self._clock()
            left, since = self._left.get(name, (float(self._burst), now))
            left = min(self._burst, left + (now - since) * self._per_second)
            if self._under_way[name] >= self._at_once:
                self._left[name] = (left, now)
                return 1
            if left < 1:
                self._left[name] = (left, now)
                return math.ceil((1 - left) / self._per_second)
            self._left[name] = (left - 1, now)
            self._under_way[name] += 1
            return 0

    def leave(self, name: str) -> None:
        """The request is over."""
        with self._lock:
            self._under_way[name] -= 1
