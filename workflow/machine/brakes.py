"""Brakes: which limits a call leaves under, what of the user's own changes nothing, and the words for pauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.machine.definition import Definition
from workflow.machine.foreign import inline
from workflow.machine.registry import Registry
from workflow.model.brakes import Limit, Pause
from workflow.model.duration import span
from workflow.model.frozen import replace

Limits = Mapping[str, Limit]
"""Action, or name of a limit of the bundle over several → the user's own limit."""


def named(definition: Definition, mine: Limits) -> Iterator[tuple[str, Limit]]:
    """Every limit by its name: the bundle's, then the user's where it says something else."""
    yield from definition.limits.items()
    for name, limit in mine.items():
        own = definition.limits.get(name)
        limit = replace(limit, of=own.of) if own else limit
        if limit != own:
            yield name, limit


def limits(definition: Definition, mine: Limits, action: str) -> list[Limit]:
    """The bundle's limits and the user's: each has to let a call through, so that the user's can only lower it."""
    return [limit for name, limit in named(definition, mine) if action in (limit.of or (name,))]


def misfits(definition: Definition, registry: Registry, mine: Limits) -> list[str]:
    """What of the user's limits changes nothing, in words: calls that cost nothing, and more than the bundle allows."""
    told = []
    for name, limit in mine.items():
        own, action = definition.limits.get(name), registry.actions.get(name)
        if not (own and own.of) and (action is None or not action.once):
            told.append(f"The configuration limits '{name}', which is not a paid call of this bundle.")
        elif own and (own.per, own.most) != (limit.per, limit.most) and own.per >= limit.per and own.most <= limit.most:
            raised = f"The configuration cannot raise the limit of '{name}' to {words(limit)}"
            told.append(f"{raised}; the bundle lets {words(own)} pass.")
    return told


def words(limit: Limit) -> str:
    """A limit, such as ``20 in 1d``."""
    return f"{limit.most} in {span(limit.per)}"


def told(pause: Pause) -> str:
    """A pause as a sentence; its reason is somebody's words."""
    return f"{pause.subject} is paused since {pause.since} by {pause.who}: {inline(pause.why)}."
