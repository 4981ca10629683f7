"""Whether the sandboxes of sessions answer now; a session keeps the address that it began with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflow.engine.run import Run
from workflow.engine.view import View
from workflow.model.ports import Summary
from workflow.model.reply import ENDED


def sandbox_now(run: Run) -> str | None:
    """Whether the sandbox of a session that goes on answers; None where it has none."""
    address, world = run.session.sandbox, run.world
    if address is None:
        return None
    why = world.listens(address)
    if not why:
        return f"The sandbox at {address} answers."
    return f"The sandbox at {address} does not answer: {why}. {world.surface.told(run.connection().advice(''))}"


def sandboxes(view: View, found: Iterable[Summary]) -> list[dict[str, Any]]:
    """The sandboxes of these sessions, those that go on: the address, whether it answers, and the sessions' names."""
    names: dict[str, list[str]] = {}
    for each in found:
        if each.sandbox and each.status not in ENDED:
            names.setdefault(each.sandbox, []).append(each.name)
    return [{"address": each, "answers": not view.world.listens(each), "sessions": names[each]} for each in names]
