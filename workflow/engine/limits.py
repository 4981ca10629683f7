"""How much of a bundle's limits is left now, for whoever looks."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine import brakes
from workflow.machine.definition import Definition
from workflow.model.brakes import Limit, Use, alike, check_limit
from workflow.model.errors import Limited
from workflow.model.frozen import Noun
from workflow.model.instant import Instant
from workflow.model.ports import Reader


class Left(Noun):
    """A limit by its name: how many calls count, and when the next one may leave, None if it may now."""

    name: str
    limit: Limit
    used: int
    until: str | None = None

    @property
    def sentence(self) -> str:
        """In words."""
        used = f"{self.name}: {self.used} of {brakes.words(self.limit)}"
        return f"{used}; the next one may leave at {self.until}" if self.until else used


def left(store: Reader, definition: Definition, mine: Mapping[str, Limit], now: Instant) -> list[Left]:
    """Each limit on a paid call of this bundle, the user's own included; calls in a sandbox do not count."""
    found = []
    for name, limit in brakes.named(definition, mine):
        use = Use("", 0, definition.workflow, name, False, now)
        try:
            found.append(Left(name, limit, check_limit(name, limit, counting(store, use, limit), now)))
        except Limited as full:
            found.append(Left(name, limit, full.facts["limit"]["used"], full.facts["limit"]["until"]))
    return found


def counting(store: Reader, use: Use, limit: Limit) -> list[Instant]:
    """When the calls left that count against a limit of ``use``."""
    return [left for each in alike(use, limit) for left in store.uses(each, limit.per)]
