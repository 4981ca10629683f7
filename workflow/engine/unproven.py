"""A wrong passphrase, as the session's journal has it: who was claimed to answer, never what was typed."""

from __future__ import annotations

from workflow.engine.turns import Engine
from workflow.session import Turn


def note_unproven(engine: Engine, name: str, turn: Turn, gate: str, approver: str, wrong: int, wait: float) -> None:
    """Record it; ``wrong`` counts those in a row. Nothing else of the session changes."""
    with engine.world.store.hold(name, wait):
        run = engine.load(name)
        body = {"event": turn.event, "gate": gate, "approver": approver, "wrong": wrong, "channel": turn.channel}
        run.note("unproven", body)
        run.commit()
