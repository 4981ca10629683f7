"""Who a request comes from, and whether what it was answered with has left for there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

SCOPE_KEY = "phasegate.caller"


@dataclass(eq=False)
class Caller:
    """One request's caller; requests with the same ``key`` come from the same client.

    ``name`` is that of its token; ``written`` counts the pieces of the answer that were handed to a connection
    that was still there.
    """

    name: str = ""
    key: tuple[str, ...] = ()
    reads_only: bool = False
    written: int = 0


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
