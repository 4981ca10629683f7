"""The fault matrix as matrix.md has it, and how to bring a run to a cell and let its fault strike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import answer, before, reach, tasks_of, usual_turn
from tests.docs.pages import rows, section
from tests.playing import Player
from workflow.service.http import Http

PAGE = Path(__file__).parent / "matrix.md"
PAID = {"create": "/tasks", "send": "/tasks/[^/]+/messages"}
CALLS = {
    "upload": "upload",
    "prepare": "prepare",
    "create": "create",
    "adopt": "task",
    "look": "task",
    "send": "send",
    "find_sent": "messages",
    "read_answer": "messages",
}
"""Action → the call of the service that it makes."""

REFUSED = "no connection"
LAYERS = {"envelope": "server-error", "page": "bad-gateway"}
"""Who answers in front of the service → the fault that lets it."""
LATE = {"headers too late": "slow-headers", "body too late": "slow-body"}
OFTEN = ", each time"
FASTER: dict[str, dict[str, Any]] = {
    "slow-headers": {"seconds": 0.05},
    "slow-body": {"seconds": 0.05},
    "gzip-bomb": {"size": 4_194_304},
}


def cells_of(heading: str) -> dict[tuple[str, str], str]:
    """A table of the page by row and action; what is empty is left out."""
    found = rows(section(PAGE, heading))
    return {
        (row.strip("`"), action): cell
        for row, *cells in found
        for action, cell in zip(CALLS, cells, strict=True)
        if cell not in ("", "·")
    }


MATRIX = cells_of("What each fault comes to")
STATES = cells_of("What the words mean")


def options_of(row: str) -> dict[str, Any]:
    """The options that a row gives its fault: the status of an envelope or a page."""
    form, _, status = row.partition(" ")
    if form not in LAYERS or not status.isdigit():
        return {}
    return {"status": int(status), **({"after": True} if form == "envelope" else {})}


def faults_of(row: str) -> tuple[str, int]:
    """The fault of the sandbox that a row names, and how often it strikes; 0: until the turn is over."""
    if row in LATE:
        return LATE[row], 0
    if options_of(row):
        return LAYERS[row.partition(" ")[0]], 1
    return (row.removesuffix(OFTEN), 3) if row.endswith(OFTEN) else (row, 1)


def bring(play: Player, sandbox: Sandbox, action: str) -> tuple[str, str, dict[str, Any]]:
    """Bring the run to where the action is next: the state, the turn that leads to it."""
    if action == "adopt":
        reach(play, "confirm.presenting")
        known = set(tasks_of(sandbox))
        sandbox.fault("drop-after", on="create")
        answer(play, "approve")
        (task,) = set(tasks_of(sandbox)) - known
        return "create.unsure", "found", {"input": {"task_url": f"{sandbox.url}/task/{task}"}, "quote": "it is here"}
    if action == "find_sent":
        reach(play, "deliver.ready")
        sandbox.fault("drop-after", on="send")
        sandbox.fault("bad-gateway", on="messages", times=3)
        answer(play, "modify")
        return "revise.unsure", "happened", {"quote": "I see it"}
    state, _ = before(CALLS[action])
    reach(play, state)
    event, given = usual_turn(state)
    return state, event, given


@contextmanager
def struck(sandbox: Sandbox, row: str, call: str, **options: Any) -> Iterator[None]:
    """The fault of a row, for one turn; ``options`` of the fault besides those that make it quick."""
    if row == REFUSED:
        sandbox.stop()
        try:
            yield
        finally:
            sandbox.start()
        return
    name, times = faults_of(row)
    faster = {"seconds": 30.0} if row in LATE else FASTER.get(name, {})
    sandbox.fault(name, on=call, times=times, **faster, **options_of(row), **options)
    with pytest.MonkeyPatch.context() as patch:
        if row in LATE:
            patch.setattr(Http, "call", _impatient(Http.call))
        yield
    if row in LATE:
        sandbox.clear()


def _impatient(call: Any) -> Any:
    """The same call, which waits for a quarter of a second."""
    return lambda *given, **named: call(*given, **{**named, "timeout": 0.25})
