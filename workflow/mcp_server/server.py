"""The server: tools, resources and prompts of one desk, and what holds for every call."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer, RequestStateSecurity

from workflow.local.tokens import WATCH
from workflow.mcp_server.caller import caller_of
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.elicitation import PATIENCE
from workflow.mcp_server.prompts import add_prompts, refusing
from workflow.mcp_server.resources import add_resources
from workflow.mcp_server.tools import result, tools
from workflow.mcp_server.uploads import MAX_FILE, SHAPE
from workflow.model.reply import VERSION as REPLY
from workflow.model.reply import failed
from workflow.model.strict_json import printed_json
from workflow.model.translation import RULE
from workflow.model.version import VERSION

NAME = "phasegate"
INSTRUCTIONS = f"""\
This server runs a declared procedure, one step per call; a step out of order is refused, with the way out.
- Begin with workflow_start: the user's own words, as they said them. Then one event for each message of \
the user, out of the last reply's `next`, by workflow_advance with that reply's `seen`. A `note`, and a `check` sent \
first to see whether the result is there, come on top. Send `seen` with every call. \
In a `brief` reply `next` has names alone; the rest is as before, and workflow_status gives all of it.
- Tell the user what `say` says, whole. {RULE} Where `how` of an event asks for it, send your \
translation of the question along as `translation`. What is marked `repeat` was said before, `maybe_said` perhaps; \
`unsaid` was not, and workflow_advance without an event says it. `notices`, names, ids and this protocol are not for \
the user.
- Options with `who: person` are theirs: send such an event when they have decided. If your client shows forms, this \
server then asks them itself, by a form that shows exactly what they agree to, and nothing that you pass on counts. If \
they give no answer, every other event stays possible, and the same call shows the form again once they ask for it. If \
your client shows no forms, pass their answer on word for word as `quote`, with `items`, the names of the files \
that they agreed to: one that is left out is declined.
- Where no event fits: answer side questions yourself, and send nothing for thanks. Only what is meant for the result \
goes into an event's words. A wish that has to wait, or that was said before `say` asked what it asks now, is kept \
with the event `note` and the input {{"words": their wish, "for": the event that it waits for, one that takes words}}. \
`say` asks about it in time; on a yes send the event whose `how` names the wish with these words, on a no `note` with \
the same and "drop": true.
- `status: watching`: the service is at work. Never wait for it: the conversation goes on at once. When the user asks, \
send `check`; workflow_advance without an event says what is new.
- A session that is over still takes what its `next` names. What the user wants changed goes to the session that made \
it, never into a new one, which would be paid for again. Where they take back a `cancel` and `next` \
has `check`, send that.
- `in_doubt`: a paid call may or may not have happened; it is never repeated, and the person decides.
"""
BEGINS = "A session that begins here"
"""What the first line of the instructions is about: some hosts cut their end off."""
BY_CONTENT = f"- Files come by content, never by path: {SHAPE}, at most {MAX_FILE // 1024**2} MB each.\n"
LOGGED = "%(levelname)s %(name)s: %(message)s"
"""A line of the log, on stderr."""
_OURS = printed_json({"v": REPLY, "ok": False})[:-1]
"""What each refusal of ours begins with."""
_LINK = re.compile(r"\n *For further information visit \S+")


def make_server(desk: Callable[[], Desk], title: str) -> MCPServer[Desk]:
    """A server for pipes, or for whoever the broker admits; ``title`` is that of the bundle that it begins with.

    ``desk`` is called for each pipe, and once for all clients over HTTP.
    """

    @asynccontextmanager
    async def connected(server: MCPServer[Desk]) -> AsyncIterator[Desk]:
        yield desk()

    logging.basicConfig(level=logging.WARNING, format=LOGGED, stream=sys.stderr)  # else the library's own, in frames
    server = MCPServer[Desk](
        NAME,
        title=f"Phasegate: {title}",
        instructions=f"{desk().told(BEGINS)}\n{INSTRUCTIONS}{BY_CONTENT if desk().spool else ''}",
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
