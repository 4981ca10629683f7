"""A client with the Python SDK, `mcp`: both eras of the protocol, the same orders and events as `host.cjs`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import REQUEST_TIMEOUT, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, Implementation

MODES = {"2025-11-25": "legacy", "2026-07-28": "auto"}


def tell(**event: Any) -> None:
    """One event, as a line."""
    print(json.dumps(event), flush=True)


class Person:
    """Agrees to everything, in their own words; or looks at the form for ever."""

    holds = False

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """What the library calls for each form."""
        assert isinstance(params, ElicitRequestFormParams)
        tell(form=params.message)
        if self.holds:
            await anyio.sleep_forever()
        fields = params.requested_schema["properties"]
        content: dict[str, Any] = {name: True for name in fields if name.startswith("file_")}
        content["answer"] = fields["answer"]["enum"][1]
        return ElicitResult(action="accept", content={**content, "words": "yes, please do"})


@asynccontextmanager
async def transport(order: Mapping[str, Any]) -> AsyncIterator[Any]:
    """What the client is given: a command, or the streams to an address."""
    if order.get("command"):
        command, *arguments = order["command"]
        yield StdioServerParameters(command=command, args=arguments, env=order.get("env"))
        return
    headers = {"Authorization": f"Bearer {order['token']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60.0, trust_env=False) as known:
        yield streamable_http_client(order["url"], http_client=known)


async def run() -> None:
    """Take orders until ``close``; the first one connects."""
    order, person = json.loads(sys.stdin.readline()), Person()
    me = Implementation(name="cuts-python", version="1")
    async with (
        transport(order) as server,
        Client(server, mode=MODES[order["era"]], elicitation_callback=person, client_info=me, cache=None) as client,
    ):
        tools = [each.model_dump(mode="json", by_alias=True) for each in (await client.list_tools()).tools]
        tell(connected=client.protocol_version, instructions=client.instructions, tools=tools)
        while (order := json.loads(await anyio.to_thread.run_sync(sys.stdin.readline)))["do"] == "call":
            person.holds = order.get("hold_form", False)
            try:
                result = await client.call_tool(order["name"], order["arguments"], order["seconds"])
                tell(answer=json.loads(result.content[0].text))  # type: ignore[union-attr]  # all answers are text
            except MCPError as error:
                tell(error=str(error), timeout=error.code == REQUEST_TIMEOUT)


def main() -> None:
    """The client, for as long as the harness gives orders."""
    anyio.run(run)
