"""Giving a reply whose messages count as said once they are printed."""

from __future__ import annotations

import sys
from contextlib import suppress

from workflow.cli.answer import give
from workflow.engine import Engine
from workflow.model.errors import WorkflowError
from workflow.model.reply import Reply


def give_and_confirm(engine: Engine, reply: Reply, as_json: bool) -> int:
    """Print the reply, and only then confirm that what it claimed was said."""
    code = give(reply, as_json)
    sys.stdout.flush()
    with suppress(WorkflowError):  # it has been said: what cannot be noted now is offered again, as maybe said
        engine.confirm(reply)
    return code
