"""A broker on loopback, and clients that dial it with a token."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.conftest import Place
from workflow.local.tokens import Tokens
from workflow.mcp_server import Desk
from workflow.mcp_server.broker import PATH, Broker, make_app, names
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.uploads import Spool

PICTURE = b"a picture of brass"
PATIENCE = 60.0


def content(name: str = "ref.png", data: bytes = PICTURE, description: str = "warm brass") -> dict[str, Any]:
    """A file as a remote caller sends it."""
    return {"name": name, "description": description, "content": base64.b64encode(data).decode()}


@dataclass
class Served:
    """A broker that is running; ``url`` is where its tools are."""

    url: str
    desk: Desk
    tokens: Tokens
    broker: Broker
    thread: threading.Thread

    @property
    def root(self) -> str:
        """Where the rest of it is."""
        return self.url.removesuffix(PATH)

    def token(self, name: str = "agent", scope: str = "agent", owner: str = "") -> str:
        """A new one."""
        return self.tokens.new(name, scope, "2026-01-01T00:00:00.000Z", owner)

    def stop(self) -> None:
        """As a signal does; waits for its end."""
        self.broker.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextmanager
def serving(place: Place, engine: Any = None, pace: Pace | None = None) -> Iterator[Served]:
    """A broker for this place, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    spool = Spool(place.folder / "state-spool")
    desk = place.desk(spool, engine)
    tokens = Tokens(place.folder / "config")
    broker = Broker(make_app(desk, "Images", tokens, names("127.0.0.1", port, ()), pace=pace), desk)
    thread = threading.Thread(target=broker.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    served = Served(f"http://127.0.0.1:{port}{PATH}", desk, tokens, broker, thread)
    try:
        yield served
    finally:
        served.stop()
        spool.close()


@asynccontextmanager
async def dialled(url: str, token: str) -> AsyncIterator[Any]:
    """The streams of a client with this token."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE, trust_env=False) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams
