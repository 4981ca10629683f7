"""One durable turn in process: load by name, guard, transition, entry, snapshot, message, leak check, reply."""

from __future__ import annotations

from benchmarks.measure import Effort, Entrant, counted, race
from benchmarks.report import Ranking

TITLE = "A turn in process, durable"
NOTE = (
    "The floor writes the bytes that Phasegate wrote for such a turn, in one transaction. The peers keep no chained "
    "log; guard, move, message and leak check are the same work for each. Bytes on disk include what was said, "
    "about 100 bytes in each copy."
)

OURS = Entrant("Phasegate", "benchmarks.ours:opened")
FLOOR = Entrant("raw SQLite (the floor)", "benchmarks.floor:opened")
PEERS = (
    Entrant("Burr, kept in memory", "benchmarks.burr_:opened", "kept"),
    Entrant("Burr, kept in memory, WAL", "benchmarks.burr_:opened", "kept wal"),
    Entrant("Burr, loaded", "benchmarks.burr_:opened", "loaded"),
    Entrant("Burr, loaded, WAL", "benchmarks.burr_:opened", "loaded wal"),
    Entrant("LangGraph, as it comes", "benchmarks.langgraph_:opened"),
    Entrant("LangGraph, tuned", "benchmarks.langgraph_:opened", "tuned"),
    Entrant("DBOS", "benchmarks.dbos_:opened"),
    Entrant("DBOS, WAL", "benchmarks.dbos_:opened", "wal"),
)


def measure(effort: Effort, peers: bool = True) -> Ranking:
    """The floor comes first; without peers, nothing is counted."""
    entrants = [FLOOR, OURS, *(PEERS if peers else ())]
    figures = race(entrants, effort)
    return Ranking(counted(entrants, figures) if peers else figures)
