"""A fault in a bundle's own code, as its author sees it; no user, no agent and no journal is told of it."""

from __future__ import annotations

from workflow.model.frozen import Noun

MOST_FAULTS = 20
"""Faults that a store keeps of one session: the latest."""


class Fault(Noun):
    """A ``guard`` or an ``action`` that failed, and its ``trace``: who, then the traceback.

    ``session`` is where, or empty for one that did not begin; ``seq`` its last entry then, ``state`` where it stood.
    ``time`` is ISO 8601, UTC.
    """

    session: str
    seq: int
    state: str
    time: str
    kind: str
    trace: str

    @property
    def last(self) -> str:
        """The last line of the traceback: what was raised."""
        return self.trace.strip().splitlines()[-1]
