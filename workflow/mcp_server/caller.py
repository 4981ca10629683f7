"""Who a request comes from, what they may see and do, and whether what they were answered has left for there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from workflow.local.tokens import AGENT, ALL, AUDITOR, WATCH

SCOPE_KEY = "phasegate.caller"
READING = ("workflow_status", "workflow_sessions", "workflow_audit")
"""The tools that change nothing, whoever calls them."""
WATCHING = "workflow_watch"


@dataclass(eq=False)
class Caller:
    """One request's caller; requests with the same ``key`` come from the same client.

    ``name``, ``owner`` and ``scope`` are those of its token; ``written`` counts the pieces of the answer that were
    handed to a connection that was still there.
    """

    name: str = ""
    owner: str = ""
    scope: str = AGENT
    key: tuple[str, ...] = ()
    written: int = 0

    def may_call(self, tool: str) -> bool:
        """Whether this scope includes the tool; a scope that is not known includes nothing."""
        if self.scope in (AGENT, ALL):
            return True
        return tool in READING if self.scope == AUDITOR else self.scope == WATCH and tool in (*READING, WATCHING)

    def sees(self, owner: str | None, tool: str = "") -> bool:
        """Whether a session of this owner exists for this caller: their own, or what their scope adds to it."""
        if owner is not None and owner == self.owner:
            return True
        if self.scope in (ALL, AUDITOR):
            return True
        return self.scope == WATCH and owner is not None and tool == WATCHING

    @property
    def lists(self) -> str:
        """Whose sessions a list shows; empty for everybody's."""
        return "" if self.scope in (ALL, AUDITOR) else self.owner


class Told:
    """What a caller was told: it has left once a further piece of the answer was written."""

    def __init__(self, caller: Caller | None) -> None:
        self._caller, self._before = caller, caller.written if caller else 0

    def reached(self, caller: Caller | None) -> bool:
        """Whether this caller, who calls now, has had it: over a pipe always, there is nobody else."""
        if self._caller is None or caller is None:
            return self._caller is caller
        return self._caller.key == caller.key and self._caller.written > self._before


def caller_of(request: Any) -> Caller | None:
    """The caller of a request over HTTP, as the broker has admitted it; None over a pipe, and in memory."""
    found = request.scope.get(SCOPE_KEY) if isinstance(request, Request) else None
    return found if isinstance(found, Caller) else None
