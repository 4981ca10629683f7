"""Brakes: what a person paused, and how many paid calls a window of time lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflow.model.duration import span
from workflow.model.errors import Limited, Paused
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant, iso

SHORTEST, LONGEST = 60.0, 365 * 86400.0
"""Seconds that the window of a limit may have."""
SCOPES = ("session", "bundle", "all")
"""What a pause is about."""
LONGEST_WHY = 500
"""Characters of the reason of a pause."""


class Pause(Noun):
    """A pause that holds: of one ``session``, of every session of one ``bundle`` (its workflow's name), or of ``all``.

    ``name`` is empty for ``all``. ``since`` is ISO 8601 in UTC, ``who`` the account that paused, ``why`` its words.
    """

    scope: str
    name: str
    since: str
    who: str
    why: str

    def stops(self, session: str, workflow: str) -> bool:
        """Whether it is about this session of this workflow."""
        return self.scope == "all" or self.name == (session if self.scope == "session" else workflow)

    @property
    def what(self) -> str:
        """What is paused, within a sentence."""
        if self.scope == "all":
            return "everything"
        return self.name if self.scope == "session" else f"every session of '{self.name}'"

    @property
    def subject(self) -> str:
        """The same, where a sentence begins with it."""
        return self.what if self.scope == "session" else f"{self.what[0].upper()}{self.what[1:]}"

    @property
    def sentence(self) -> str:
        """For errors and notices; the reason is another person's words."""
        return f"{self.what} is paused since {self.since} by {self.who}: {self.why}"


class Limit(Noun):
    """At most ``most`` calls within any ``per`` seconds, over all sessions of the workflow in a store.

    The calls ``of`` these actions count together; of none, those of the one action that it is written for.
    """

    per: float
    most: int
    of: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the journal, and for whoever looks."""
        return {"per": self.per, "most": self.most, **({"of": list(self.of)} if self.of else {})}


class Use(Noun):
    """A paid call that counts: the session and entry of its intent, whose limits it counts against, and when it left.

    A ``sandbox`` call is not real, and counts among its like.
    """

    session: str
    seq: int
    workflow: str
    action: str
    sandbox: bool
    left: Instant


def check_pauses(pauses: Iterable[Pause], session: str, workflow: str) -> None:
    """Raise :class:`Paused` if one of them stops this session."""
    for pause in pauses:
        if pause.stops(session, workflow):
            raise Paused(pause.sentence, {"pause": {"scope": pause.scope, "since": pause.since, "who": pause.who}})


def waits(use: Instant, now: Instant, per: float) -> float:
    """Seconds for which a call that left at ``use`` still counts; not more than 0 once it does not.

    Within one boot the boot clock decides, which nobody can set. Across a reboot only the wall can tell; where it was
    set back, the whole window is left.
    """
    return per - max(now.since(use), 0.0)


def used(uses: Iterable[Instant], now: Instant, per: float) -> int:
    """How many of these calls count within the last ``per`` seconds."""
    return sum(waits(use, now, per) > 0 for use in uses)


def alike(use: Use, limit: Limit) -> list[Use]:
    """The kinds of calls that count against a limit of ``use``: one for each action."""
    return [replace(use, action=action) for action in limit.of or (use.action,)]


def check_limit(action: str, limit: Limit, uses: Iterable[Instant], now: Instant) -> int:
    """How many of these calls count against a limit of ``action``; raises :class:`Limited` if it is full."""
    left = sorted(wait for use in uses if (wait := waits(use, now, limit.per)) > 0)
    if len(left) >= limit.most:
        until = iso(Instant(now.wall + left[len(left) - limit.most], 0.0, ""))
        together, whose = (" together", "their") if limit.of else ("", "its")
        calls = f"{len(left)} calls of " + ", ".join(f"'{name}'" for name in limit.of or (action,))
        raise Limited(
            f"{calls} count{together} within {span(limit.per)}, and {whose} limit is {limit.most}; "
            f"the next one may leave at {until}",
            {"limit": {**limit.as_json(), "used": len(left), "until": until}},
        )
    return len(left)


def limits_in(body: Mapping[str, Any]) -> list[Limit]:
    """The limits that an intent says it leaves under."""
    return [Limit(each["per"], each["most"], tuple(each.get("of", ()))) for each in body.get("limits", ())]
