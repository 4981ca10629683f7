"""Who a request comes from, and what they may see and do."""

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
    """One request's caller: ``name``, ``owner`` and ``scope`` of its token."""

    name: str = ""
    owner: str = ""
    scope: str = AGENT

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


def caller_of(request: Any) -> Caller | None:
    """The caller of a request over HTTP, as the broker has admitted it; None over a pipe, and in memory."""
    found = request.scope.get(SCOPE_KEY) if isinstance(request, Request) else None
    return found if isinstance(found, Caller) else None
