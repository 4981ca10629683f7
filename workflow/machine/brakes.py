"""Brakes: which limits a call leaves under, what of the user's own changes nothing, and the words for pauses."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine.definition import Definition
from workflow.machine.foreign import inline
from workflow.machine.registry import Registry
from workflow.model.brakes import Limit, Pause
from workflow.model.duration import span

Limits = Mapping[str, Limit]
"""Action → the user's own limit."""


def limits(definition: Definition, mine: Limits, action: str) -> list[Limit]:
    """The bundle's limit and the user's: each has to let a call through, so that the user's can only lower it."""
    return list(dict.fromkeys(each[action] for each in (definition.limits, mine) if action in each))


def misfits(definition: Definition, registry: Registry, mine: Limits) -> list[str]:
    """What of the user's limits changes nothing, in words: calls that cost nothing, and more than the bundle allows."""
    told = []
    for name, limit in mine.items():
        own, action = definition.limits.get(name), registry.actions.get(name)
        if action is None or not action.once:
            told.append(f"The configuration limits '{name}', which is not a paid call of this bundle.")
        elif own and own != limit and own.per >= limit.per and own.most <= limit.most:
            raised = f"The configuration cannot raise the limit of '{name}' to {words(limit)}"
            told.append(f"{raised}; the bundle lets {words(own)} pass.")
    return told


def words(limit: Limit) -> str:
    """A limit, such as ``20 in 1d``."""
    return f"{limit.most} in {span(limit.per)}"


def told(pause: Pause) -> str:
    """A pause as a sentence; its reason is somebody's words."""
    return f"{pause.subject} is paused since {pause.since} by {pause.who}: {inline(pause.why)}."
