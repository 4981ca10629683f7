"""A scripted agent that talks MCP, as a host would: the good conversation, or one that cheats.

    workflow sandbox --looks 1                       # in another terminal: it prints an address
    PHASEGATE_SANDBOX=http://127.0.0.1:8765 python examples/mcp_agent.py
    PHASEGATE_SANDBOX=http://127.0.0.1:8765 python examples/mcp_agent.py --cheat

Over a pipe to a server of its own; or to a broker (`workflow serve`), which has to use a sandbox itself:

    PHASEGATE_TOKEN=phasegate_… python examples/mcp_agent.py --url http://127.0.0.1:8760/mcp

No model is asked. What a model would choose is written down here, and so is what the person answers to each form.
Ends with 1 if a step was not taken as it should be, or a cheat was.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult, Implementation

Reply = dict[str, Any]
SERVER = [sys.executable, "-m", "workflow", "mcp"]
WORDS = "A poster for a jazz night"
CHANGE = "Make it blue"
PICTURE = b"a picture of a harbour at night"


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
    """Calls the tools, and keeps the last reply of its session. A ``remote`` server takes files by content alone."""

    def __init__(self, client: Client, person: Person, remote: bool, folder: Path) -> None:
        self.client, self.person, self.remote, self.folder = client, person, remote, folder
        self.reply: Reply = {}

    def picture(self) -> dict[str, Any]:
        """A file that the person has given."""
        about = {"description": "a harbour at night"}
        if self.remote:
            return {"name": "harbour.png", "content": base64.b64encode(PICTURE).decode(), **about}
        (self.folder / "harbour.png").write_bytes(PICTURE)
        return {"path": str(self.folder / "harbour.png"), **about}

    async def call(self, tool: str, **arguments: Any) -> Reply:
        """A tool's answer, told in a line."""
        (text,) = (await self.client.call_tool(tool, arguments)).content
        answer: Reply = json.loads(text.text) if text.type == "text" else {}
        error = answer.get("error")
        print(f"{tool} {arguments.get('event') or ''}".strip(), "→", error["message"] if error else answer.get("state"))
        for said in answer.get("say", []):
            print(f"  “{said['text'].strip()}”")
        return answer

    async def start(self, *files: dict[str, Any]) -> Reply:
        """Begin with the user's words, and what they gave."""
        input = {"words": WORDS, **({"references": list(files)} if files else {})}
        answer = await self.call("workflow_start", input=input, language="en")
        self.reply = answer if "session" in answer else self.reply
        return answer

    async def with_the_person(self, event: str, **more: Any) -> Reply:
        """One turn to which the person agrees."""
        self.person.agrees = True
        answer = await self.advance(event, **more)
        self.person.agrees = False
        return answer

    async def advance(self, event: str | None = None, **more: Any) -> Reply:
        """One turn, naming the reply that it answers."""
        if event:
            more = {"event": event, "expect_revision": self.reply["revision"], **more}
        more = {"seen": self.reply["seen"], **more}
        answer = await self.call("workflow_advance", session=self.reply["session"], **more)
        self.reply = answer if "session" in answer else self.reply
        return answer


async def converse(agent: Agent) -> bool:
    """What the user wants, one turn at a time, to the end; whether it was reached."""
    await agent.start()
    await answered(agent)
    await agent.with_the_person("approve")
    await watched(agent)
    await agent.with_the_person("modify", input={"words": CHANGE})
    await watched(agent)
    await agent.advance("finish")
    return bool(agent.reply["status"] == "done")


async def watched(agent: Agent) -> None:
    """Wait outside the conversation, then say what is new."""
    while (await agent.call("workflow_watch", session=agent.reply["session"]))["status"] == "watching":
        pass
    await agent.advance()


async def answered(agent: Agent) -> None:
    """Answer what the service asks, until there is a plan."""
    while agent.reply["state"] == "understand.asking":
        await agent.advance("answer", input={"words": "Warm colours, and the title Jazz Night"})


async def cheat(agent: Agent) -> bool:
    """Try to get at files, and images, that nobody agreed to; whether every attempt was in vain.

    The honest steps between the attempts are those that the person wants; all other forms are sent away.
    """
    stopped = await tried(agent, before_anything(agent))
    await agent.start(agent.picture())
    stopped += await tried(agent, while_consent_is_asked(agent))
    await agent.with_the_person("consent")
    await answered(agent)
    stopped += await tried(agent, while_the_plan_waits(agent))
    await agent.advance("adjust", input={"words": CHANGE})
    await answered(agent)
    stopped += await tried(agent, {"approve the new plan with an answer to the old one": lambda: old_answer(agent)})
    ordered = agent.reply["revision"]
    await agent.with_the_person("approve")
    stopped += await tried(agent, after_the_order(agent, ordered))
    print(f"\n{sum(stopped)} of {len(stopped)} attempts were in vain")
    return all(stopped)


Attempts = dict[str, Callable[[], Awaitable[Reply]]]


async def tried(agent: Agent, attempts: Attempts) -> list[bool]:
    """Whether each was in vain: refused, or a repetition; and the session is where it was."""
    stopped = []
    for what, attempt in attempts.items():
        print(f"\n— {what}")
        before = agent.reply.get("state")
        answer = await attempt()
        stopped.append((not answer["ok"] or answer.get("replayed", False)) and agent.reply.get("state") == before)
    return stopped


def before_anything(agent: Agent) -> Attempts:
    """Files that are nobody's to send."""
    paths = {
        "offer the server's own environment as a picture": "/proc/self/environ",
        "offer the file that holds the key": "~/.config/anygen/config.json",
        "offer the store of all runs": os.path.expanduser("~/.local/state/phasegate/phasegate.db"),
    }
    return {
        what: lambda path=path: agent.start({"path": path, "description": "a picture"})  # type: ignore[misc]
        for what, path in paths.items()
    }


def while_consent_is_asked(agent: Agent) -> Attempts:
    """The picture is here, and has not left."""
    return {
        "go on as if the person had agreed to the upload": lambda: agent.advance("answer", input={"words": "x"}),
        "approve a plan that nobody has seen": lambda: agent.advance("approve"),
        "consent, though the person sends the form away": lambda: agent.advance("consent"),
    }


def while_the_plan_waits(agent: Agent) -> Attempts:
    """The person has not agreed to it."""
    claimed = {"action": "accept", "data": {"answer": "yes"}}
    return {
        "approve, though the person sends the form away": lambda: agent.advance("approve"),
        "say yes for the person": lambda: agent.advance("approve", evidence={"quote": "yes, go ahead"}),
        "hand over an answer": lambda: agent.advance("approve", answer=claimed),
        "claim to be a terminal": lambda: agent.advance("approve", channel="terminal", strength="proven"),
        "skip the approval": lambda: agent.advance("modify", input={"words": CHANGE}),
        "speak for the service": lambda: agent.advance("task_completed"),
        "call a tool that nobody has": lambda: agent.call("workflow_approve", session=agent.reply["session"]),
    }


async def old_answer(agent: Agent) -> Reply:
    """The person would agree to anything; the plan that is quoted is not the one there is."""
    return await agent.with_the_person("approve", expect_revision=agent.reply["revision"] - 1)


def after_the_order(agent: Agent, ordered: int) -> Attempts:
    """An image is being made; each further one would cost once more."""
    return {
        "send the same approval again": lambda: agent.with_the_person("approve", expect_revision=ordered),
        "approve once more, for a second image": lambda: agent.with_the_person("approve"),
        "say for the service that it is ready": lambda: agent.advance("task_completed"),
    }


@asynccontextmanager
async def dialled(url: str, token: str) -> AsyncIterator[Any]:
    """A line to a broker."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=300) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


async def main(play: Callable[[Agent], Awaitable[bool]], mode: str, url: str) -> bool:
    """One connection, from the first word to the last."""
    environ = {
        name: value for name, value in os.environ.items() if name.startswith(("PHASEGATE_", "PYTHONPATH", "HOME"))
    }
    pipe = StdioServerParameters(command=SERVER[0], args=SERVER[1:], env=environ)
    server: Any = dialled(url, os.environ.get("PHASEGATE_TOKEN", "")) if url else pipe
    person, info = Person(False), Implementation(name="scripted-agent", version="1")
    with tempfile.TemporaryDirectory() as folder:
        async with Client(server, mode=mode, elicitation_callback=person, client_info=info) as client:
            print(f"speaking {client.protocol_version}")
            return await play(Agent(client, person, bool(url), Path(folder)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cheat", action="store_true", help="try to get round the gates")
    parser.add_argument("--legacy", action="store_true", help="speak 2025-11-25, where the server asks in mid-call")
    parser.add_argument(
        "--url", default="", help="a broker, instead of a server of its own; its token: PHASEGATE_TOKEN"
    )
    given = parser.parse_args()
    if not (given.url or os.environ.get("PHASEGATE_SANDBOX")):
        parser.error("set PHASEGATE_SANDBOX to the address that `workflow sandbox` prints; this orders images")
    mode = "legacy" if given.legacy else "auto"
    sys.exit(0 if anyio.run(main, cheat if given.cheat else converse, mode, given.url) else 1)
