"""The procedure on LangGraph: a graph with an interrupt for the answer, kept by its SQLite saver.

https://docs.langchain.com/oss/python/langgraph/interrupts and /durable-execution. The variant ``tuned`` turns on
what helps: checkpoints written before the next step (``durability="sync"``), the side effect in a ``@task``, and the
answer addressed to the interrupt that was shown.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from compare.turn import SESSION, Asked, Stands, main, place_order, propose_plan


class Run(TypedDict, total=False):
    """What the graph remembers."""

    wish: str
    plan: str
    receipt: str


def propose(run: Run) -> Run:
    """The free call."""
    return {"plan": propose_plan(run["wish"])}


def confirm(run: Run) -> Command[Literal["propose", "place"]]:
    """Wait for the person."""
    answer = interrupt({"plan": run["plan"]})
    if answer["kind"] == "revise":
        return Command(goto="propose", update={"wish": answer["wish"]})
    return Command(goto="place")


def place(run: Run) -> Run:
    """The call that costs money."""
    return {"receipt": place_order(run["plan"])}


@task
def place_in_task(plan: str) -> str:
    """A task's result is kept, so that a node that runs again does not repeat it."""
    return place_order(plan)


def place_tuned(run: Run) -> Run:
    """The same call in a task."""
    return {"receipt": place_in_task(run["plan"]).result()}


def take(asked: Asked) -> Stands:
    """One turn: the graph is invoked with an input, an answer, or nothing to go on where it was."""
    tuned = asked.variant == "tuned"
    graph: Any = StateGraph(Run)
    graph.add_node("propose", propose)
    graph.add_node("confirm", confirm)
    graph.add_node("place", place_tuned if tuned else place)
    graph.add_edge(START, "propose")
    graph.add_edge("propose", "confirm")
    graph.add_edge("place", END)
    config: Any = {"configurable": {"thread_id": SESSION}}
    durability: Any = "sync" if tuned else None
    with SqliteSaver.from_conn_string(str(asked.folder / "runs.sqlite")) as saver:
        app = graph.compile(checkpointer=saver)
        if asked.verb != "look":
            app.invoke(_input(asked), config, durability=durability)
        return _stands(app.get_state(config))


def _input(asked: Asked) -> Any:
    if asked.verb == "start":
        return {"wish": asked.wish}
    if asked.verb == "resume":
        return None
    answer = {"kind": asked.verb, "wish": asked.wish}
    return Command(resume={asked.shown: answer} if asked.variant == "tuned" else answer)


def _stands(state: Any) -> Stands:
    if state.interrupts:
        asking = state.interrupts[0]
        return Stands("waiting", asking.value["plan"], asking.id)
    if state.values.get("receipt"):
        return Stands("done", state.values["plan"])
    return Stands("idle", why=f"next: {', '.join(state.next) or 'nothing'}")


if __name__ == "__main__":
    main(take)
