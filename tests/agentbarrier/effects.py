"""The service whose effects the suite counts: HTTP on loopback, with the suite's own probe behind it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from agentbarrier.errors import AmbiguousEffectError
from agentbarrier.models import ActionRequest
from agentbarrier.probe import EffectProbe


class Effects:
    """``POST /effects/N`` has an effect, ``GET /effects/N`` tells what is known of it.

    A client that hangs up ends the work on its request, as in any web framework; an outcome that the probe cannot tell
    is an answer that never comes.
    """

    def __init__(self, probe: EffectProbe) -> None:
        self._probe = probe
        self._ordered: dict[str, ActionRequest] = {}
        self._server: asyncio.Server | None = None
        self.url = ""

    @classmethod
    async def serve(cls, probe: EffectProbe) -> Effects:
        """One that is listening."""
        made = cls(probe)
        made._server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{made._server.sockets[0].getsockname()[1]}"
        return made

    async def close(self) -> None:
        """Take no more requests."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            length = next((line for line in head.lower().split("\r\n") if line.startswith("content-length:")), ":0")
            body = await reader.readexactly(int(length.partition(":")[2]))
            work = asyncio.ensure_future(self._answer(method, path, body))
            gone = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not work.done():
                work.cancel()
            answer = await work
            if answer is not None:
                text = json.dumps(answer).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
                writer.write(head.encode() + text)
                await writer.drain()
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        """What to answer; None to hang up."""
        if method == "GET":
            found = await self._probe.reconcile(self._ordered[path])
            return {"status": found.status.value, "digests": list(found.observed_action_digests)}
        self._ordered[path] = action = ActionRequest(**json.loads(json.loads(body)["action"]))
        try:
            return {"effect": "done", "told": await self._probe(action)}
        except AmbiguousEffectError:
            return None
