"""How much of a bundle's limits is left now, for whoever looks."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine import brakes
from workflow.machine.definition import Definition
from workflow.model.brakes import Limit, Use, check_limits
from workflow.model.errors import Limited
from workflow.model.frozen import Noun
from workflow.model.instant import Instant
from workflow.model.ports import Reader


class Left(Noun):
    """A limit of ``action``: how many calls count, and when the next one may leave, None if it may now."""

    action: str
    limit: Limit
    used: int
    until: str | None = None

    @property
    def sentence(self) -> str:
        """In words."""
        used = f"{self.action}: {self.used} of {brakes.words(self.limit)}"
        return f"{used}; the next one may leave at {self.until}" if self.until else used


def left(store: Reader, definition: Definition, mine: Mapping[str, Limit], now: Instant) -> list[Left]:
    """Each limit on a paid call of this bundle, the user's own included; calls in a sandbox do not count."""
    found = []
    for action in dict.fromkeys((*definition.limits, *mine)):
        for limit in brakes.limits(definition, mine, action):
            uses = store.uses(Use("", 0, definition.workflow, action, False, now), limit.per)
            try:
                (told,) = check_limits(action, [limit], uses, now)
                found.append(Left(action, limit, told["used"]))
            except Limited as full:
                found.append(Left(action, limit, full.facts["limit"]["used"], full.facts["limit"]["until"]))
    return found
