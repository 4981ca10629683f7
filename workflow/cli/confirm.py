"""Giving a reply whose messages count as said once they are printed."""

from __future__ import annotations

import sys
from contextlib import suppress

from workflow.cli.answer import give
from workflow.engine import Engine
from workflow.model.errors import UsageError, WorkflowError
from workflow.model.reply import Reply


def require_output() -> None:
    """Raise :class:`UsageError` where stdout was closed by the caller: nobody could read the reply of a turn."""
    if sys.__stdout__ is None:
        raise UsageError("stdout is closed, so the reply could not be read; nothing was done", "Run it with a stdout.")


def give_and_confirm(engine: Engine, reply: Reply, as_json: bool) -> int:
    """Print the reply, and only then confirm that what it claimed was said.

    Where stdout does not take it, it was not said.
    """
    try:
        code = give(reply, as_json)
        sys.stdout.flush()
    except OSError:
        with suppress(WorkflowError):
            engine.unsay(reply, "it could not be written")
        raise
    with suppress(WorkflowError):  # it has been said: what cannot be noted now is offered again, as maybe said
        engine.confirm(reply)
    return code
