"""A host as MCP knows it, with a person who fills in forms: it calls the tools, and reads what they answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, ErrorData, Implementation

from tests.replies import whole

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}
"""Protocol version → how the client is told to use it."""
CLIENT = Implementation(name="host-of-tests", version="7.1")
WORDS = "A poster for a jazz night"
CHANGE = "Make it blue"
BRASS = {"path": "ref.png", "description": "warm brass"}
Filled = ElicitResult | ErrorData


def agree(form: Mapping[str, Any]) -> ElicitResult:
    """The person agrees, to every file as well."""
    content: dict[str, Any] = {name: True for name in form if name.startswith("file_")}
    return ElicitResult(action="accept", content={**content, "answer": form["answer"]["enum"][1]})


def decline(form: Mapping[str, Any]) -> ElicitResult:
    """The person sends the form away."""
    return ElicitResult(action="decline")


@dataclass
class Person:
    """Answers forms as ``fills`` says; ``asked`` are the texts of all that were shown, ``forms`` their fields."""

    fills: Callable[[Mapping[str, Any]], Filled] = agree
    asked: list[str] = field(default_factory=list)
    forms: list[Mapping[str, Any]] = field(default_factory=list)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> Filled:
        """What the client's library calls for each form."""
        assert params.mode == "form"
        self.asked.append(params.message)
        self.forms.append(params.requested_schema["properties"])
        return self.fills(self.forms[-1])


@dataclass
class Host:
    """One connected client; ``reply`` is the last reply to a turn."""

    client: Client
    reply: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The session."""
        name = self.reply["session"]
        assert isinstance(name, str)
        return name

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """A tool's answer; an error is one for the model as well."""
        return answer_of(await self.client.call_tool(tool, arguments))

    async def start(self, words: str = WORDS, **more: Any) -> dict[str, Any]:
        """A new session."""
        self.reply = await self.call("workflow_start", input={"words": words, **more})
        return self.reply

    async def advance(self, event: str | None = None, **more: Any) -> dict[str, Any]:
        """One turn, which quotes the revision of the reply before."""
        revision = {"seen": self.reply["seen"]} | ({"expect_revision": self.reply["revision"]} if event else {})
        arguments = {"session": self.name, **({"event": event} if event else {}), **revision, **more}
        reply = await self.call("workflow_advance", **arguments)
        if reply["session"]:
            self.reply = reply
        return reply

    def says(self) -> list[str]:
        """The messages of the last reply."""
        return [said["id"] for said in self.reply["say"]]


def answer_of(result: CallToolResult) -> dict[str, Any]:
    """The object of a tool's result, whole: it is given as text, and once."""
    (text,) = result.content
    assert text.type == "text" and result.structured_content is None
    answer = json.loads(text.text)
    assert isinstance(answer, dict) and result.is_error is not answer["ok"]
    return whole(answer)


@asynccontextmanager
async def connected(
    server: Any, era: str, person: Person | None, *, client: Implementation = CLIENT
) -> AsyncIterator[Host]:
    """A client in this era; without a person it cannot show forms."""
    made = Client(server, mode=ERAS[era], elicitation_callback=person, client_info=client, cache=None)
    async with made as known:
        assert known.protocol_version == era
        yield Host(known)


async def all_phases(host: Host, file: Mapping[str, Any] = BRASS) -> None:
    """The good conversation: a reference file, one question, an approval, a watch, a change, and the end."""
    await host.start(references=[file])
    assert host.reply["state"] == "understand.consenting"
    await host.advance("consent")
    assert host.reply["state"] == "understand.asking"
    await host.advance("answer", input={"words": "Warm colours"})
    assert host.reply["state"] == "confirm.presenting"
    await host.advance("approve")
    assert host.reply["state"] == "deliver.generating"
    await host.call("workflow_watch", session=host.name)
    await host.advance()
    assert host.reply["state"] == "deliver.ready" and "ready" in host.says()
    await host.advance("modify", input={"words": CHANGE})
    assert host.reply["state"] == "revise.applying"
    await host.call("workflow_watch", session=host.name)
    await host.advance()
    assert host.reply["state"] == "revise.changed"
    await host.advance("finish")
    assert host.reply["status"] == "done"
