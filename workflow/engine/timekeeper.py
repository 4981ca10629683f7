"""Whoever runs for long lets happen what is due, in any session: the store finds them, and reads no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workflow.engine.turns import Engine
from workflow.model.errors import SessionBusy, WorkflowError
from workflow.model.frozen import Noun

EVERY = 10.0
"""Seconds between two rounds of a process that serves."""


class Kept(Noun):
    """A session in which something happened by itself; ``error`` is why nothing could."""

    session: str
    error: Exception | None = None


class Timekeeper:
    """Goes through the sessions in which something is due.

    Where nothing happens, because something holds the timer back or the session cannot be opened, the session is left
    alone until it has changed. ``open_engine`` is called for each round.
    """

    def __init__(self, open_engine: Callable[[], Engine]) -> None:
        self._open_engine = open_engine
        self._left: dict[str, int] = {}

    def round(self) -> Iterator[Kept]:
        """What happens now, session by session; whatever goes wrong with one is news of that one alone."""
        engine = self._open_engine()
        due = dict(engine.store.due(engine.world.clock.now()))
        self._left = {name: seq for name, seq in self._left.items() if due.get(name) == seq}
        for name, seq in due.items():
            if name in self._left:
                continue
            try:
                happened, error = engine.check_due(name), None
            except SessionBusy:  # who holds it lets it happen, or the next round does
                continue
            except Exception as fault:
                happened, error = False, fault
            if not happened:
                self._left[name] = seq
            if happened or error:
                yield Kept(name, error)


@contextmanager
def keeping_time(keeper: Timekeeper, told: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile a thread goes round after round, the first at once; what has begun comes to its end.

    ``told`` hears what could not happen, from that thread.
    """
    over = threading.Event()
    thread = threading.Thread(target=_keep, args=(keeper, told, over), name="phasegate-timekeeper")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _keep(keeper: Timekeeper, told: Callable[[str], None], over: threading.Event) -> None:
    while True:
        try:
            for kept in keeper.round():
                if kept.error:
                    told(f"what is due in {kept.session} could not happen: {_why(kept.error)}")
        except Exception as error:  # of the whole store, such as a full disk: the next round finds out more
            told(f"what is due could not be found: {_why(error)}")
        if over.wait(EVERY):
            return


def _why(error: Exception) -> str:
    return error.message if isinstance(error, WorkflowError) else type(error).__name__
