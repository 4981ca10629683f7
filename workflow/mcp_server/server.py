"""The server: tools, resources and prompts of one desk, and what holds for every call."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer, RequestStateSecurity

from workflow.local.tokens import WATCH
from workflow.mcp_server.caller import caller_of
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.elicitation import PATIENCE
from workflow.mcp_server.instructions import BEGINS, instructions
from workflow.mcp_server.prompts import add_prompts, refusing
from workflow.mcp_server.resources import add_resources
from workflow.mcp_server.tools import result, tools
from workflow.model.reply import VERSION as REPLY
from workflow.model.reply import failed
from workflow.model.strict_json import printed_json
from workflow.model.version import VERSION

NAME = "phasegate"
LOGGED = "%(levelname)s %(name)s: %(message)s"
"""A line of the log, on stderr."""
_OURS = printed_json({"v": REPLY, "ok": False})[:-1]
"""What each refusal of ours begins with."""
_LINK = re.compile(r"\n *For further information visit \S+")


def make_server(desk: Callable[[], Desk], title: str, waits: Sequence[str] = ()) -> MCPServer[Desk]:
    """A server for pipes, or for whoever the broker admits; ``title`` is that of the bundle that it begins with.

    ``waits`` are the events of that bundle that a wish can wait for.

    ``desk`` is called for each pipe, and once for all clients over HTTP.
    """

    @asynccontextmanager
    async def connected(server: MCPServer[Desk]) -> AsyncIterator[Desk]:
        yield desk()

    logging.basicConfig(level=logging.WARNING, format=LOGGED, stream=sys.stderr)  # else the library's own, in frames
    server = MCPServer[Desk](
        NAME,
        title=f"Phasegate: {title}",
        instructions=instructions(desk().told(BEGINS), waits, by_content=desk().spool is not None),
        version=VERSION,
        tools=tools(),
        lifespan=connected,
        log_level="WARNING",
        request_state_security=RequestStateSecurity(keys=[desk().secret], ttl=PATIENCE),
        middleware=[refusing(lambda: server.list_prompts()), _permit, _explain],
    )
    add_resources(server, desk())
    add_prompts(server, title)
    return server


async def _permit(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """A caller is offered the tools of their scope, and gets no other."""
    caller = caller_of(ctx.request)
    if caller is None:
        return await call_next(ctx)
    name = str((ctx.params or {}).get("name"))
    if ctx.method == "tools/call" and not caller.may_call(name):
        reads = "read and watch" if caller.scope == WATCH else "read"
        hint = "Nothing was done. Turns need a token of the scope agent."
        return result(failed("refused", f"this token may only {reads}, and {name[:64]} is more", hint).as_json())
    answer = await call_next(ctx)
    if ctx.method == "tools/list" and isinstance(answer, dict):
        return {**answer, "tools": [each for each in answer["tools"] if caller.may_call(each["name"])]}
    return answer


async def _explain(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """What the library itself refuses, such as an unknown tool, is a reply like every other refusal."""
    result = await call_next(ctx)
    if ctx.method != "tools/call" or not isinstance(result, dict):
        return result
    message = "\n".join(str(each.get("text", "")) for each in result.get("content", ()))
    if not result.get("isError") or message.startswith(_OURS):
        return result
    hint = "tools/list has the tools, and what each takes; nothing was done."
    answer = failed("usage", _LINK.sub("", message), hint).as_json()
    return {**result, "content": [{"type": "text", "text": printed_json(answer)}]}
