"""One paid turn in process: an answer to a gate, an intent, the call (which costs no time here), its result."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Effort, Entrant, counted, race
from benchmarks.ours import Ours
from benchmarks.report import Ranking

TITLE = "A turn with intent and result, durable"
NOTE = (
    "The floor writes the bytes that Phasegate wrote for such a turn, in one transaction; by hand it takes two, "
    "since the intent must be durable before the call leaves."
)
ENTRANTS = (
    Entrant("raw SQLite, one transaction (the floor)", "benchmarks.floor:opened_paid", "one"),
    Entrant("two transactions by hand", "benchmarks.floor:opened_paid", "two"),
    Entrant("Phasegate", "benchmarks.paid:opened"),
)


class Paying:
    """Each turn approves the offer and pays; the run comes back to where it can be paid again."""

    def __init__(self, ours: Ours) -> None:
        self._ours = ours
        self._ours.to_offer()

    def turn(self, number: int) -> str:
        """The paid turn."""
        return self._ours.pay(number)

    def close(self) -> None:
        """Close the store."""
        self._ours.close()


def opened(folder: Path, variant: str) -> Paying:
    """There is one way to use it."""
    return Paying(Ours(folder))


def measure(effort: Effort, peers: bool = True) -> Ranking:
    """The floor comes first; the peers have no intents."""
    figures = race(ENTRANTS, effort)
    return Ranking(counted(ENTRANTS, figures) if peers else figures)
