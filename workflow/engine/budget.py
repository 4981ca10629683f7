"""How long a turn, a look and a paid call may take in all, however many requests they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from workflow.model.errors import NoAnswer, Unreachable
from workflow.model.instant import Instant
from workflow.model.ports import LONGEST_CALL, Clock, Response, Service, Upload

TURN = 120.0
"""Seconds for all calls of a turn together, pauses between attempts included, except its paid calls."""
LOOK = 30.0
"""Seconds for one look of a watch, however many pages it reads; a look within a turn counts for both."""
PAID = LONGEST_CALL
"""Seconds for a paid action, from before its intent on; each of its requests has its own, shorter deadline."""


class Budget:
    """What is left of the seconds that a turn, a look or a paid call may take."""

    def __init__(self, clock: Clock, seconds: float, begun: Instant | None = None) -> None:
        """The seconds count from ``begun``, which is now unless it is given."""
        self._clock = clock
        self._seconds = seconds
        self._begun = begun or clock.now()

    def left(self) -> float:
        """Seconds that are left; zero or less if there are none."""
        return self._seconds - self._clock.now().since(self._begun)

    def part(self, seconds: float) -> Budget:
        """A budget of this many seconds, or of what is left here if that is less."""
        return Budget(self._clock, min(seconds, self.left()))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens within costs nothing."""
        before = self.left()
        try:
            yield
        finally:
            self._seconds += before - self.left()


class BudgetedService:
    """The service within a budget: each request gets its own timeout or what is left, whichever is shorter."""

    def __init__(self, service: Service, budget: Budget) -> None:
        self._service = service
        self._budget = budget
        self._asked = False

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        upload: Upload | None = None,
        timeout: float,
    ) -> Response:
        """One request; with nothing left, none leaves, which is certain only if none left before."""
        left = self._budget.left()
        if left <= 0:
            late = NoAnswer if self._asked else Unreachable
            raise late("There was no time left for another request of this turn.", transient=True)
        self._asked = True
        return self._service.call(
            method, path, query=query, headers=headers, json=json, upload=upload, timeout=min(timeout, left)
        )
