"""LangGraph with its SQLite saver: a node per state, each waiting in an interrupt.

Variants: ``default``; ``tuned`` writes one checkpoint per turn, when the graph comes to rest (``durability="exit"``),
which is durable before the turn returns and is its fastest durable setting. With a list, everything that was said is
in the state, as conversations usually are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.work import STATES, following, message, words

CONFIG: Any = {"configurable": {"thread_id": "run"}}


class Run(TypedDict, total=False):
    """What the graph remembers; ``said`` is added to."""

    words: str
    said: Annotated[list[str], operator.add]


class Graph:
    """One thread; the graph is compiled once. ``said`` is what the list begins with, None without one."""

    def __init__(self, folder: Path, durability: Any, said: Sequence[str] | None = None) -> None:
        self._durability = durability
        graph: Any = StateGraph(Run)
        for state in STATES:
            graph.add_node(state, _node(state, listed=said is not None), destinations=STATES)
        graph.add_edge(START, STATES[0])
        self._opened = SqliteSaver.from_conn_string(str(folder / "runs.sqlite"))
        self._app = graph.compile(checkpointer=self._opened.__enter__())
        if not self._app.get_state(CONFIG).next:  # a new run; one that is there goes on
            begin = {"words": words(0)} if said is None else {"words": words(0), "said": list(said)}
            self._app.invoke(begin, CONFIG, durability=durability)

    def turn(self, number: int) -> str:
        """Answer the interrupt; what is said is the next one's."""
        result = self._app.invoke(Command(resume=words(number)), CONFIG, durability=self._durability)
        return str(result["__interrupt__"][0].value)

    def history(self) -> int:
        """Lists all checkpoints; how many there are."""
        return sum(1 for _ in self._app.get_state_history(CONFIG))

    def close(self) -> None:
        """Close the saver."""
        self._opened.__exit__(None, None, None)


class History:
    """A graph with so many checkpoints, which are listed; tuned, so that each turn has one."""

    def __init__(self, folder: Path, checkpoints: int) -> None:
        self._graph = Graph(folder, "exit")
        for number in range(1, checkpoints):
            self._graph.turn(number)

    def turn(self, number: int) -> str:
        """Once through."""
        return f"{self._graph.history()} checkpoints"

    def close(self) -> None:
        """Close the saver."""
        self._graph.close()


def opened(folder: Path, variant: str) -> Graph:
    """As it comes, or tuned."""
    return Graph(folder, "exit" if variant == "tuned" else None)


def opened_with_list(folder: Path, variant: str) -> Graph:
    """As it comes; ``variant`` is how much was said before."""
    return Graph(folder, None, [words(number) for number in range(int(variant))])


def opened_history(folder: Path, variant: str) -> History:
    """``variant`` is the number of checkpoints."""
    return History(folder, int(variant))


def _node(state: str, listed: bool) -> Callable[[Run], Any]:
    def node(run: Run) -> Any:
        said = interrupt(message(run["words"]))
        update: Run = {"words": said, "said": [said]} if listed else {"words": said}
        return Command(goto=following(state, said), update=update)

    return node
