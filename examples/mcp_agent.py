"""A scripted agent that talks MCP over a pipe, as a host would: the good conversation, or one that cheats.

    workflow sandbox --looks 1                       # in another terminal: it prints an address
    PHASEGATE_SANDBOX=http://127.0.0.1:8765 python examples/mcp_agent.py
    PHASEGATE_SANDBOX=http://127.0.0.1:8765 python examples/mcp_agent.py --cheat

No model is asked. What a model would choose is written down here, and so is what the person answers to each form.
Ends with 1 if a step was not taken as it should be, or a cheat was.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.types import ElicitRequestParams, ElicitResult, Implementation

Reply = dict[str, Any]
SERVER = [sys.executable, "-m", "workflow", "mcp"]
WORDS = "A poster for a jazz night"


class Person:
    """Sees each form; agrees to what it shows, or sends it away."""

    def __init__(self, agrees: bool) -> None:
        self.agrees = agrees
        self.asked = 0

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked += 1
        fields = getattr(params, "requested_schema", {})["properties"]
        choice = fields["answer"]["enum"][1]
        print(f"\n┌ the person is asked\n│ {params.message.replace(chr(10), chr(10) + '│ ')}")
        print(f"└ the person {'chooses: ' + choice if self.agrees else 'sends the form away'}\n")
        if not self.agrees:
            return ElicitResult(action="decline")
        files = {name: True for name in fields if name.startswith("file_")}
        return ElicitResult(action="accept", content={**files, "answer": choice})


class Agent:
    """Calls the tools, and keeps the last reply of its session."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.reply: Reply = {}

    async def call(self, tool: str, **arguments: Any) -> Reply:
        """A tool's answer, told in a line."""
        answer = (await self.client.call_tool(tool, arguments)).structured_content or {}
        error = answer.get("error")
        print(f"{tool} {arguments.get('event') or ''}".strip(), "→", error["message"] if error else answer.get("state"))
        for said in answer.get("say", []):
            print(f"  “{said['text'].strip()}”")
        return answer

    async def start(self) -> None:
        """Begin with the user's words."""
        self.reply = await self.call("workflow_start", input={"words": WORDS}, language="en")

    async def advance(self, event: str | None = None, **more: Any) -> Reply:
        """One turn, quoting the revision that it answers."""
        if event:
            more = {"event": event, "expect_revision": self.reply["revision"], **more}
        answer = await self.call("workflow_advance", session=self.reply["session"], **more)
        self.reply = answer if answer["session"] else self.reply
        return answer


async def converse(agent: Agent) -> bool:
    """What the user wants, one turn at a time, to the end; whether it was reached."""
    await agent.start()
    while agent.reply["state"] == "understand.asking":
        await agent.advance("answer", input={"words": "Warm colours, and the title Jazz Night"})
    await agent.advance("approve")
    await watched(agent)
    await agent.advance("modify", input={"words": "Make it blue"})
    await watched(agent)
    await agent.advance("finish")
    return bool(agent.reply["status"] == "done")


async def watched(agent: Agent) -> None:
    """Wait outside the conversation, then say what is new."""
    while (await agent.call("workflow_watch", session=agent.reply["session"]))["status"] == "watching":
        pass
    await agent.advance()


async def cheat(agent: Agent) -> bool:
    """Try to get an image that nobody agreed to; whether every attempt was in vain."""
    await agent.start()
    while agent.reply["state"] == "understand.asking":
        await agent.advance("answer", input={"words": "Anything"})
    before = agent.reply["state"]
    attempts: dict[str, Callable[[], Awaitable[Reply]]] = {
        "approve, though the person sends the form away": lambda: agent.advance("approve"),
        "say yes for the person": lambda: agent.advance("approve", evidence={"quote": "yes, go ahead"}),
        "hand over an answer": lambda: agent.advance("approve", answer={"action": "accept", "data": {"answer": "yes"}}),
        "claim to be a terminal": lambda: agent.advance("approve", channel="terminal", strength="proven"),
        "skip the approval": lambda: agent.advance("modify", input={"words": "Make it blue"}),
        "speak for the service": lambda: agent.advance("task_completed"),
        "call a tool that nobody has": lambda: agent.call("workflow_approve", session=agent.reply["session"]),
    }
    stopped = []
    for what, attempt in attempts.items():
        print(f"\n— {what}")
        stopped.append(not (await attempt())["ok"] and agent.reply["state"] == before)
    print(f"\n{sum(stopped)} of {len(stopped)} attempts were in vain")
    return all(stopped)


async def main(play: Callable[[Agent], Awaitable[bool]], agrees: bool, mode: str) -> bool:
    """One connection, from the first word to the last."""
    environ = {
        name: value for name, value in os.environ.items() if name.startswith(("PHASEGATE_", "PYTHONPATH", "HOME"))
    }
    server = StdioServerParameters(command=SERVER[0], args=SERVER[1:], env=environ)
    person, info = Person(agrees), Implementation(name="scripted-agent", version="1")
    async with Client(server, mode=mode, elicitation_callback=person, client_info=info) as client:
        print(f"speaking {client.protocol_version}")
        return await play(Agent(client))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cheat", action="store_true", help="try to get round the gates")
    parser.add_argument("--legacy", action="store_true", help="speak 2025-11-25, where the server asks in mid-call")
    given = parser.parse_args()
    if not os.environ.get("PHASEGATE_SANDBOX"):
        parser.error("set PHASEGATE_SANDBOX to the address that `workflow sandbox` prints; this orders images")
    mode = "legacy" if given.legacy else "auto"
    sys.exit(0 if anyio.run(main, cheat if given.cheat else converse, not given.cheat, mode) else 1)
