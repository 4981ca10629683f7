"""The broker: the tools over streamable HTTP, for whoever has a token."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Protocol

import anyio.to_thread
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from workflow.local.tokens import Tokens
from workflow.mcp_server.admission import Admission
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.server import make_server
from workflow.mcp_server.sockets import LARGEST_HEADER, Sockets
from workflow.mcp_server.uploads import Spool

__all__ = ["PATH", "Broker", "Desk", "Spool", "make_app", "names", "serve"]
PATH = "/mcp"
MAX_REQUEST = 16 * 1024 * 1024
"""Bytes of a request; files in it are written in base64, a third longer than they are."""
_THREADS = 200
"""Each call that looks, waits or is at work has one."""


def make_app(
    desk: Desk,
    title: str,
    tokens: Tokens,
    hosts: Sequence[str],
    *,
    waits: Sequence[str] = (),
    pace: Pace | None = None,
) -> Admission:
    """The application; ``hosts`` are the names that it may be called by, with their port (DNS rebinding)."""
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    served = make_server(lambda: desk, title, waits).streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MAX_REQUEST,
        max_sessions=None,  # each owner has a bound: Connections
        transport_security=TransportSecuritySettings(allowed_hosts=list(hosts), allowed_origins=origins),
    )

    def healthy() -> object:
        return desk.open_engine().sessions(limit=1)

    return Admission(served, tokens, desk, pace or Pace(), healthy, MAX_REQUEST)


def names(bound: str, port: int, given: Sequence[str]) -> list[str]:
    """What a broker may be called: its own address, loopback's names if it is there, and what its user says."""
    loopback = ["127.0.0.1", "localhost", "[::1]"]
    own = f"[{bound}]" if ":" in bound else bound
    found = [*(loopback if own in loopback else [own]), *given]
    return [f"{name}:{port}" for name in found] + list(given)


class Door(Protocol):
    """An application that knows the connections of its server."""

    sockets: Sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""


class Waiting(Protocol):
    """What an application's requests may wait for."""

    def stop(self) -> None:
        """Nobody waits any more. For the thread of the event loop."""


class Broker(uvicorn.Server):
    """Serves on a socket that is open already, until a signal; what has begun is finished and answered first."""

    def __init__(self, app: Door, desk: Waiting, ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=app.sockets.protocol,  # type: ignore[arg-type]  # a factory is as good as a class
                h11_max_incomplete_event_size=LARGEST_HEADER,
                ws="none",
                lifespan="on",
                proxy_headers=False,
                server_header=False,
                log_config=None,
                log_level="error",
                access_log=False,
            )
        )
        self._desk, self._ready = desk, ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From here on it can be told to stop."""
        self._loop = asyncio.get_running_loop()
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal; it is not raised again at the end, as uvicorn does: to be stopped is not a failure."""
        self.stop()

    def stop(self) -> None:
        """Take no more requests, end what only waits, and let turns come to their end; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._desk.stop)


def serve(app: Door, desk: Waiting, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``ready`` is called once a signal would be heard."""
    Broker(app, desk, ready).run(sockets=[listener])
