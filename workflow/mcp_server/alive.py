"""Signs of life: a client that gave a token for progress hears that its call goes on, and need not give up on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from workflow.mcp_server.calls import Desk

FIRST = 1.0
"""Seconds after which a call says for the first time that it goes on; most end earlier."""
SIGN = 10.0
"""Seconds between two signs of life; clients give up after 60 without any."""
Calling = Context[Desk, Any]
_BEGAN: ContextVar[float] = ContextVar("began")
"""When this call showed its first sign of life, for the numbers of one call only ever grow."""


@asynccontextmanager
async def alive(context: Calling, message: str) -> AsyncIterator[None]:
    """Report progress, in seconds, for as long as the block takes."""
    async with anyio.create_task_group() as group:
        group.start_soon(_signs_of_life, context, message, began())
        try:
            yield
        finally:
            group.cancel_scope.cancel()


def began() -> float:
    """When this call began to work or to wait."""
    known = _BEGAN.get(None)
    if known is None:
        known = anyio.current_time()
        _BEGAN.set(known)
    return known


async def _signs_of_life(context: Calling, message: str, since: float) -> None:
    pause = FIRST
    while True:
        await anyio.sleep(pause)
        pause = SIGN
        with suppress(Exception):  # nobody hears it; that the client has gone is found out when it is answered
            await context.report_progress(anyio.current_time() - since, None, message)
