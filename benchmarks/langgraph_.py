"""LangGraph with its SQLite saver: a node per state, each waiting in an interrupt.

Variants: ``default``; ``tuned`` writes one checkpoint per turn, when the graph comes to rest (``durability="exit"``),
which is durable before the turn returns and is its fastest durable setting.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.work import STATES, following, message, words

CONFIG: Any = {"configurable": {"thread_id": "run"}}


class Run(TypedDict, total=False):
    """What the graph remembers."""

    words: str


class Graph:
    """One thread; the graph is compiled once."""

    def __init__(self, folder: Path, durability: Any) -> None:
        self._durability = durability
        graph: Any = StateGraph(Run)
        for state in STATES:
            graph.add_node(state, _node(state), destinations=STATES)
        graph.add_edge(START, STATES[0])
        self._opened = SqliteSaver.from_conn_string(str(folder / "runs.sqlite"))
        self._app = graph.compile(checkpointer=self._opened.__enter__())
        if not self._app.get_state(CONFIG).next:  # a new run; one that is there goes on
            self._app.invoke({"words": words(0)}, CONFIG, durability=durability)

    def turn(self, number: int) -> str:
        """Answer the interrupt; what is said is the next one's."""
        result = self._app.invoke(Command(resume=words(number)), CONFIG, durability=self._durability)
        return str(result["__interrupt__"][0].value)

    def close(self) -> None:
        """Close the saver."""
        self._opened.__exit__(None, None, None)


def opened(folder: Path, variant: str) -> Graph:
    """As it comes, or tuned."""
    return Graph(folder, "exit" if variant == "tuned" else None)


def _node(state: str) -> Callable[[Run], Any]:
    def node(run: Run) -> Any:
        said = interrupt(message(run["words"]))
        return Command(goto=following(state, said), update={"words": said})

    return node
