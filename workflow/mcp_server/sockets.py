"""The broker's TCP connections: strangers and each owner have room of their own, and nobody may be slow for long."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SOCKET = "phasegate.socket"
"""Where a request's scope names its connection."""
MOST_STRANGERS = 128
"""Connections that have not shown a valid token; the oldest of more is closed, so that a new one is heard."""
MOST_OF_ONE = 48
"""Connections of one owner; the one that was idle for longest is closed for a new one."""
HEADER_SECONDS = 5.0
"""For the headers of a request, from the first byte or the opening of the connection."""
LARGEST_HEADER = 16 * 1024
"""Bytes of a request's headers."""


class Sockets:
    """Every connection of one broker, for the thread of its event loop."""

    def __init__(self, *, strangers: int = MOST_STRANGERS, of_one: int = MOST_OF_ONE) -> None:
        self._strangers: OrderedDict[Socket, None] = OrderedDict()
        self._known: dict[str, OrderedDict[Socket, None]] = {}
        self._most_strangers, self._most_of_one = strangers, of_one

    def protocol(self, *arguments: Any, **named: Any) -> Socket:
        """A new connection, as the server's factory."""
        return Socket(self, *arguments, **named)

    def arrived(self, socket: Socket) -> None:
        """A connection was opened; the oldest stranger makes room for it."""
        self._strangers[socket] = None
        while len(self._strangers) > self._most_strangers:
            self._strangers.popitem(last=False)[0].abort()

    def belongs(self, socket: Socket, owner: str) -> bool:
        """A request on it showed a token of this owner; False if the owner has no room left for it."""
        if socket.owner != owner:
            self.left(socket)
            socket.owner = owner
        theirs = self._known.setdefault(owner, OrderedDict())
        theirs[socket] = None
        theirs.move_to_end(socket)
        if len(theirs) <= self._most_of_one:
            return True
        idle = next((each for each in theirs if each.idle), None)
        if idle is None:
            return False
        self.left(idle)
        idle.finish()
        return True

    def left(self, socket: Socket) -> None:
        """It was closed, or belongs to somebody else now."""
        self._strangers.pop(socket, None)
        theirs = self._known.get(socket.owner, OrderedDict())
        theirs.pop(socket, None)
        if not theirs:
            self._known.pop(socket.owner, None)

    def stranger(self, socket: Socket) -> None:
        """A request on it showed no valid token: it has no room of an owner any more."""
        self.left(socket)
        socket.owner = ""
        self.arrived(socket)


class Socket(H11Protocol):
    """One connection; it is closed where the headers of a request take too long."""

    def __init__(self, sockets: Sockets, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.owner = ""
        self._sockets = sockets
        self._told: Any = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is under way on it."""
        return self.cycle is None or self.cycle.response_complete

    def finish(self) -> None:
        """Close it once what was answered has left, or after the time that headers have."""
        self.transport.close()
        self.loop.call_later(HEADER_SECONDS, self.abort)

    def abort(self) -> None:
        """Close it now; what was not read by then is lost."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Headers are awaited from here on."""
        super().connection_made(transport)
        self._sockets.arrived(self)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for it any more."""
        self._stop_waiting()
        self._sockets.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The first byte of a further request starts the time for its headers."""
        if self.idle and self._timer is None:
            self._await_headers()
        super().data_received(data)

    def handle_events(self) -> None:
        """Headers that are complete name this connection to the application."""
        super().handle_events()
        if self.scope is not None and self.scope is not self._told:
            self._stop_waiting()
            self._told = self.scope
            self.scope[SOCKET] = self  # type: ignore[literal-required]

    def _await_headers(self) -> None:
        self._timer = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.idle and self.conn.our_state is not h11.SEND_RESPONSE:
            self.abort()
