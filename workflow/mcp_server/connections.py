"""The MCP connections of each owner: clients that never say goodbye take room from their own owner alone."""

from __future__ import annotations

from collections import OrderedDict

from starlette.types import ASGIApp, Message, Scope

MOST_OF_ONE = 20
"""Connections of one owner; the one that was unused for longest is ended for a new one."""
HEADER = b"mcp-session-id"


class Connections:
    """Ends the oldest connection of an owner who opens too many, as its own client could: by DELETE."""

    def __init__(self, app: ASGIApp, most: int = MOST_OF_ONE) -> None:
        self._app, self._most = app, most
        self._open: dict[str, OrderedDict[str, Scope]] = {}
        self._busy: dict[str, int] = {}

    def begin(self, name: str) -> None:
        """A request of the connection ``name`` is under way; empty for none."""
        if name:
            self._busy[name] = self._busy.get(name, 0) + 1

    async def end(self, owner: str, name: str, answered: str, status: int, scope: Scope) -> None:
        """It is over: ``answered`` is the connection that the answer names, ``status`` the answer's."""
        if name:
            self._busy[name] -= 1
            if not self._busy[name]:
                del self._busy[name]
        theirs = self._open.setdefault(owner, OrderedDict())
        if status == 404 or (scope["method"] == "DELETE" and status < 300):
            theirs.pop(name, None)
        elif answered or name in theirs:
            theirs[answered or name] = scope
            theirs.move_to_end(answered or name)
        while len(theirs) > self._most:
            oldest = next((each for each in theirs if each not in self._busy), None)
            if oldest is None:
                break
            await self._delete(oldest, theirs.pop(oldest))
        if not theirs:
            del self._open[owner]

    async def _delete(self, name: str, scope: Scope) -> None:
        """With the credential that it was opened with; whatever the answer is, nobody waits for it."""
        kept = [each for each in scope["headers"] if each[0] not in (HEADER, b"content-length")]

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            return

        await self._app({**scope, "method": "DELETE", "headers": [*kept, (HEADER, name.encode())]}, receive, send)
