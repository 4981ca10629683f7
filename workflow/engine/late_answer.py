"""An answer to a paid call that arrives after its turn lost the session: it settles the doubt, whoever holds it now."""

from __future__ import annotations

from collections.abc import Callable

from workflow.engine.budget import PAID
from workflow.engine.run import Run
from workflow.model.errors import HoldLost

PATIENCE = PAID + 60.0
"""Seconds to wait for whoever holds the session by now, a paid call included: this answer exists nowhere else."""


def settle(run: Run, state: str, call: str, record: Callable[[], object], *, known: bool, happened: bool) -> None:
    """Hold the session again and ``record`` the outcome of the call that left from ``state``.

    ``call`` is the hash of the call's intent. An outcome that is not ``known`` settles no doubt. If the call was
    taken for one in doubt meanwhile, the run returns to ``state`` first, or stays where it has ended; an end that takes
    what becomes of the doubt is left if the call ``happened``. Raises :class:`HoldLost` if another paid call was made
    since.
    """
    run.retake(PATIENCE)
    if run.session.intent and run.session.head == call:  # nobody has had the session in between
        record()
        return
    log = run.world.surface.log.format(run.session.name)
    intents = [entry.hash for entry in run.world.store.entries(run.session.name) if entry.kind == "intent"]
    if intents[-1:] != [call]:
        raise HoldLost(
            f"the answer to a paid call of {run.session.name} arrived after another one was made, and is not recorded",
            f"{log} shows both calls; compare them with the service's own list.",
        )
    if not known:
        return
    waits = happened and run.state.name in run.program.doubtful and run.state.on
    to = None if run.state.end and not waits else state
    why = {"why": "answered", "from": run.session.state, "call": call, "verdicts": {}}
    run.note("move", {**why, "to": to, "owe": [], "since": None, "settles": True, "asks": []})
    record()
