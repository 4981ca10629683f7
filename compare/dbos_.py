"""The procedure on DBOS: a workflow with steps, waiting for messages, kept in its SQLite system database.

https://docs.dbos.dev/python/tutorials/workflow-communication. As documented there is one application process
(``serve``), and clients that send it messages. The variant ``turns`` has none: each turn launches the application,
as an agent that runs a command per turn would have it.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from dbos import DBOS, DBOSClient, SetWorkflowID

from compare.turn import SESSION, Asked, Stands, main, place_order, propose_plan

A_WEEK = 7 * 24 * 3600.0
PATIENCE = 15.0
"""Seconds a reader waits for the workflow to come to something."""


@DBOS.step()
def propose(wish: str) -> str:
    """The free call."""
    return propose_plan(wish)


@DBOS.step()
def place(plan: str) -> str:
    """The call that costs money."""
    return place_order(plan)


@DBOS.workflow()
def ordering(wish: str) -> None:
    """Propose until the person approves, then order; where it rests it publishes an event, numbered from 1."""
    rounds = 0
    while True:
        rounds += 1
        plan = propose(wish)
        DBOS.set_event(f"rest {rounds}", ["waiting", plan])
        answer: dict[str, str] = DBOS.recv("answer", timeout_seconds=A_WEEK)
        if answer["kind"] == "approve":
            break
        wish = answer["wish"]
    place(plan)
    DBOS.set_event(f"rest {rounds + 1}", ["done", plan])


def take(asked: Asked) -> Stands:
    """One turn, from within the application or as a client of it."""
    database = f"sqlite:///{asked.folder / 'dbos.sqlite'}"
    if asked.verb != "serve" and asked.variant != "turns":
        return _turn(DBOSClient(system_database_url=database), asked)
    DBOS(config={"name": "compare", "system_database_url": database})
    DBOS.launch()
    if asked.wish and asked.verb in ("serve", "start"):
        with SetWorkflowID(SESSION):
            DBOS.start_workflow(ordering, asked.wish)
    return _serve() if asked.verb == "serve" else _turn(DBOS, asked)


def _serve() -> Stands:
    """The application: goes on with its workflows until it is killed."""
    print("serving", flush=True)
    threading.Event().wait()
    return Stands("stopped")


def _turn(dbos: Any, asked: Asked) -> Stands:
    """``dbos`` is the application itself or a client of it: both send and read the same."""
    steps = [step["function_name"] for step in dbos.list_workflow_steps(SESSION)]
    if asked.verb not in ("approve", "revise"):
        return _rest(dbos, steps.count("DBOS.recv") + 1)
    dbos.send(SESSION, {"kind": asked.verb, "wish": asked.wish}, "answer")
    if asked.variant != "turns":
        print("sent", flush=True)
    return _rest(dbos, steps.count("DBOS.setEvent") + 1)


def _rest(dbos: Any, number: int) -> Stands:
    """Where the workflow comes to rest for the n-th time, or that it does not."""
    found = dbos.get_event(SESSION, f"rest {number}", timeout_seconds=PATIENCE)
    if found is None:
        status = dbos.list_workflows(workflow_ids=[SESSION])[0].status
        return Stands("idle", why=f"the workflow is {status}, and nothing ran it for {PATIENCE:.0f} s")
    return Stands(*found)


if __name__ == "__main__":
    main(take)
    os._exit(0)  # the workflow waits for days in a thread: the process ends here, and the next one recovers it
