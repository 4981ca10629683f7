"""Many watches in one process: looks in the order in which they are due, a few of them at a time."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from queue import Empty, SimpleQueue

from workflow.bundle import Bundle
from workflow.engine.turns import Engine
from workflow.engine.watching import Look
from workflow.engine.world import World
from workflow.model.errors import SessionBusy
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant

AT_ONCE = 64
"""Looks that are under way together, at most: a service that answers slowly must not hold up the others."""
APART = 0.005
"""Seconds between the first looks of two sessions, so that they do not all come at once, then or later."""
BUSY = 1.0
"""Seconds until the next look at a session that a turn is holding."""
AGAIN = 3.0
"""Seconds between two questions for sessions that have begun to wait meanwhile."""
TICK = 1e-6
"""Seconds that do not count: a clock that has slept until a moment may still read a rounding before it."""
FRESH = 1.0
"""Seconds for which a bundle is taken to be as it was: looking at its files costs as much as looking at a service."""


class Seen(Noun):
    """One look: it began ``at`` seconds after the vigil, ``late`` seconds after it was due.

    ``left`` is how many sessions are watched on; ``error`` is why this one cannot be.
    """

    session: str
    look: Look
    at: float
    late: float
    left: int = 0
    error: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether the watch of this session has come to its end."""
        return self.look.moved or self.error is not None


class Vigil:
    """Watches sessions until none is left to wait; each is held only while it is looked at.

    Looks at one session begin ``every`` seconds apart, never less, however many others there are.
    ``more`` names the sessions that wait by now; it is asked again and again.
    """

    def __init__(self, engine: Engine, pool: Executor, more: Callable[[], Iterable[str]] = tuple) -> None:
        self._engine = Engine(replace(engine.world, open_bundle=_remembering(engine.world)))
        self._clock = engine.world.clock
        self._pool = pool
        self._more = more
        self._begun = self._clock.now()
        self._asked = 0.0
        self._due: list[tuple[float, str]] = []
        self._watched: set[str] = set()
        self._lost: set[str] = set()
        self._looking = 0
        self._seen: SimpleQueue[Seen] = SimpleQueue()

    def watch(self, sessions: Iterable[str]) -> Iterator[Seen]:
        """Every look at these sessions, and at those that join them, as it is done."""
        self._join(sessions)
        while self._watched:
            if self._now() - self._asked >= AGAIN:
                self._asked = self._now()
                self._join(self._more())
            self._begin()
            found = self._next()
            if found:
                yield self._settled(found)

    def _join(self, sessions: Iterable[str]) -> None:
        joining = [name for name in dict.fromkeys(sessions) if name not in self._watched | self._lost]
        for number, name in enumerate(joining):
            heapq.heappush(self._due, (self._now() + number * APART, name))
        self._watched.update(joining)

    def _begin(self) -> None:
        """The looks that are due, the longest due first."""
        while self._due and self._due[0][0] <= self._now() + TICK and self._looking < AT_ONCE:
            due, name = heapq.heappop(self._due)
            self._looking += 1
            self._pool.submit(self._look, name, due)

    def _next(self) -> Seen | None:
        """What was seen next; None where it is time for another look first."""
        room = self._looking < AT_ONCE and self._due
        pause = min(AGAIN, max(0.0, self._due[0][0] - self._now())) if room else AGAIN
        if not self._looking:
            self._clock.sleep(pause)
            return None
        try:
            return self._seen.get(timeout=pause)
        except Empty:
            return None

    def _settled(self, found: Seen) -> Seen:
        self._looking -= 1
        if found.over:
            self._watched.discard(found.session)
            if found.error:
                self._lost.add(found.session)
        else:
            heapq.heappush(self._due, (found.at + found.look.every, found.session))
        return replace(found, left=len(self._watched))

    def _look(self, name: str, due: float) -> None:
        """On a thread of the pool; whatever goes wrong with one session is news of that one alone."""
        at = self._now()
        look, error = Look(False, every=BUSY), None
        try:
            look = self._engine.look(name)
        except SessionBusy:
            pass
        except Exception as fault:
            error = fault
        self._seen.put(Seen(name, look, at, at - due, error=error))

    def _now(self) -> float:
        return self._clock.now().since(self._begun)


def _remembering(world: World) -> Callable[[str], Bundle]:
    """Opens each bundle once for all looks within ``FRESH`` seconds."""
    held: dict[str, tuple[Instant, Bundle]] = {}
    lock = threading.Lock()

    def open_bundle(path: str) -> Bundle:
        with lock:
            known = held.get(path)
            if known and 0 <= world.clock.now().since(known[0]) < FRESH:
                return known[1]
            bundle = world.open_bundle(path)
            held[path] = world.clock.now(), bundle
            return bundle

    return open_bundle
