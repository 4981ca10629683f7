"""What a person can pick in their host to begin or to go on, and what is answered to a request that cannot be met."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, Prompt
from pydantic import ValidationError

from workflow.mcp_server.calls import Desk
from workflow.model.reply import in_one_line

_LOG = logging.getLogger(__name__)
_LONGEST = 64
"""Characters of a caller's name that are told."""


def add_prompts(server: MCPServer[Desk], title: str) -> None:
    """What a person may pick in their host to begin a session of the bundle with this title, or to go on."""

    @server.prompt(name="start", title=f"Begin: {title}")
    def start(words: str) -> str:
        """Begin with your own words."""
        return (
            f"Begin a session of “{title}”: call workflow_start with exactly these words of mine as input.words, "
            f"and tell me what `say` of its reply says.\n\n{words}"
        )

    @server.prompt(name="resume", title="Go on with a session")
    def resume(session: str) -> str:
        """Go on with a saved session."""
        return (
            f"Go on with my session {session}: call workflow_advance for it without an event, and if nothing is in "
            "`say` of its reply, workflow_status. Tell me what `say` says, and what I can do next."
        )


def refusing(prompts: Callable[[], Awaitable[Sequence[Prompt]]]) -> ServerMiddleware[Any]:
    """What stands before every request: where one cannot be met, an error of JSON-RPC and one line in the log.

    Without it the library answers with the code 0, and logs a traceback. ``prompts`` lists those that can be had.
    """

    async def refuse(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "prompts/get":
            fault = _misfit(await prompts(), ctx.params or {})
            if fault:
                raise _logged(ctx.method, INVALID_PARAMS, fault)
        try:
            return await call_next(ctx)
        except (MCPError, ValidationError):  # the library answers these as JSON-RPC wants it
            raise
        except Exception as error:
            raise _logged(ctx.method, INTERNAL_ERROR, in_one_line(error)) from error

    return refuse


def _misfit(known: Sequence[Prompt], params: Mapping[str, Any]) -> str:
    """Why this prompt cannot be had; empty if it can, or if the library says so better."""
    name, given = params.get("name"), params.get("arguments") or {}
    if not isinstance(name, str) or not isinstance(given, Mapping):
        return ""
    prompt = next((each for each in known if each.name == name), None)
    if prompt is None:
        return f"there is no prompt {_short(name)}; known: {', '.join(each.name for each in known)}"
    takes = [each.name for each in prompt.arguments or ()]
    missing, strange = [each for each in takes if each not in given], [each for each in given if each not in takes]
    if missing:
        return f"the prompt '{name}' needs {', '.join(missing)}"
    if strange:
        return f"the prompt '{name}' does not take {_short(str(strange[0]))}; it takes {', '.join(takes)}"
    return ""


def _logged(method: str, code: int, message: str) -> MCPError:
    _LOG.warning("%s: %s", method, message)
    return MCPError(code, message)


def _short(name: str) -> str:
    return repr(name[:_LONGEST])
