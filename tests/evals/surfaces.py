"""The two surfaces on which an agent can play: the command line in this process, and a client over MCP.

Both run on a clock that is set by hand, so that twenty minutes of waiting take none.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, chdir, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from mcp.types import ElicitResult

from tests.mcp.host import Host, Person, agree, connected
from tests.playing import HandClock, configuration
from tests.replies import whole
from workflow.cli.app import run, workflow
from workflow.compose import beginning, open_engine, surroundings
from workflow.local.settings import read_settings
from workflow.mcp_server import Desk, make_server

ERA = "2025-11-25"
HOST = "claude-code"
"""A program in which the agent can run something in the background."""
Json = dict[str, Any]


class Surface(Protocol):
    """What an agent can do; each answer is a reply as the surface prints it."""

    printed: list[str]

    async def start(self, input: Mapping[str, Any], language: str) -> Json:
        """Begin a session."""

    async def advance(self, session: str, event: str | None, turn: Mapping[str, Any]) -> Json:
        """Take a turn; ``turn`` has input, seen and, where the person answers, quote, items and translation."""

    async def watch(self, session: str) -> None:
        """Wait until the service is done, or late."""

    async def sessions(self) -> list[Json]:
        """The open sessions, as they are listed."""

    async def resume(self, session: str) -> Json:
        """Where a session stands, said again."""


@dataclass
class Shell:
    """``workflow`` commands, as an agent runs them."""

    folder: Path
    printed: list[str] = field(default_factory=list)

    async def start(self, input: Mapping[str, Any], language: str) -> Json:
        """``workflow start``."""
        return self._turn("start", "--host", HOST, "--language", language, turn={"input": input})

    async def advance(self, session: str, event: str | None, turn: Mapping[str, Any]) -> Json:
        """``workflow advance``."""
        body = {name: turn[name] for name in ("input", "seen") if turn.get(name)}
        evidence = {name: turn[name] for name in ("quote", "items", "translation") if turn.get(name)}
        body |= {"evidence": evidence} if evidence else {}
        return self._turn("advance", session, *([event] if event else []), turn=body if event else None)

    async def watch(self, session: str) -> None:
        """``workflow watch``, in the background of a real host."""
        self._run("watch", session)

    async def sessions(self) -> list[Json]:
        """``workflow sessions --live``."""
        found: list[Json] = json.loads(self._run("sessions", "--live", "--json"))["sessions"]
        return found

    async def resume(self, session: str) -> Json:
        """``workflow resume``."""
        return self._kept(self._run("resume", session))

    def _turn(self, *arguments: str, turn: Mapping[str, Any] | None) -> Json:
        if turn is None:
            return self._kept(self._run(*arguments))
        file = self.folder / "turn.json"
        file.write_text(json.dumps(turn, ensure_ascii=False), encoding="utf-8")
        return self._kept(self._run(*arguments, "--input-file", str(file)))

    def _run(self, *arguments: str) -> str:
        out = io.StringIO()
        with redirect_stdout(out):
            run(workflow, arguments, "workflow")
        return out.getvalue()

    def _kept(self, line: str) -> Json:
        self.printed.append(line)
        return whole(json.loads(line))


@dataclass
class Mcp:
    """The tools of the server; the person answers its forms, where the client can show them."""

    host: Host
    printed: list[str] = field(default_factory=list)

    async def start(self, input: Mapping[str, Any], language: str) -> Json:
        """``workflow_start``."""
        return await self._call("workflow_start", input=dict(input), language=language)

    async def advance(self, session: str, event: str | None, turn: Mapping[str, Any]) -> Json:
        """``workflow_advance``."""
        taken = {name: value for name, value in turn.items() if value}
        return await self._call("workflow_advance", session=session, **({"event": event} if event else {}), **taken)

    async def watch(self, session: str) -> None:
        """``workflow_watch``, as long as it takes."""
        while (await self.host.call("workflow_watch", session=session, seconds=3600))["status"] == "watching":
            pass

    async def sessions(self) -> list[Json]:
        """``workflow_sessions``."""
        found: list[Json] = (await self.host.call("workflow_sessions", live=True))["sessions"]
        return found

    async def resume(self, session: str) -> Json:
        """A turn without an event says what is open."""
        return await self._call("workflow_advance", session=session)

    async def _call(self, tool: str, **arguments: Any) -> Json:
        result = await self.host.client.call_tool(tool, arguments)
        self.printed += [content.text for content in result.content if content.type == "text"]
        return whole(json.loads(self.printed[-1]))


@dataclass(frozen=True)
class Home:
    """A user of their own: home, files, store and configuration in one folder, a twin as the service, and a clock."""

    folder: Path
    service: str
    clock: HandClock = field(default_factory=HandClock)
    bundle: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def lived_in(self) -> Iterator[None]:
        """Whatever runs within this is run by that user."""
        tables = {"settings": self.settings, "gates": self.gates}
        written = [f"bundle = {json.dumps(self.bundle)}"] if self.bundle else []
        for table, values in tables.items():
            written += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
        config = configuration(self.folder / "config")
        config.write_text("\n".join(written), encoding="utf-8")
        environ = {
            "HOME": str(self.folder),
            "PHASEGATE_STATE": str(self.folder / "state"),
            "PHASEGATE_CONFIG": str(config),
            "PHASEGATE_SANDBOX": self.service,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHASEGATE_", "ANYGEN_"))}
        with (
            patch.dict(os.environ, {**kept, **environ}, clear=True),
            patch("workflow.compose.SystemClock", lambda: self.clock),
            chdir(self.folder),
        ):
            yield


@asynccontextmanager
async def shell(home: Home) -> AsyncIterator[Shell]:
    """The command line."""
    with home.lived_in():
        yield Shell(home.folder)


@asynccontextmanager
async def client(home: Home, person: Person | None = None) -> AsyncIterator[Mcp]:
    """A client of a server in this process; without a person it cannot show forms."""
    with home.lived_in():
        server = make_server(lambda: Desk(open_engine, _beginning, _told, b"a secret" * 4), "Images")
        async with connected(server, ERA, person) as host:
            yield Mcp(host)


def _beginning() -> Mapping[str, Any]:
    return beginning(read_settings(os.environ))


def _told(subject: str) -> str:
    service = open_engine().world.open_bundle(str(_beginning()["bundle"])).definition.service
    return surroundings(service, read_settings(os.environ), os.environ).told(subject)


def ticking(items: Sequence[str]) -> Person:
    """A person who agrees, and of several files ticks these."""

    def fill(form: Mapping[str, Any]) -> ElicitResult:
        filled = agree(form)
        ticks = {
            name: any(item in str(shown) for item in items) for name, shown in form.items() if name.startswith("file_")
        }
        return ElicitResult(action="accept", content={**(filled.content or {}), **ticks})

    return Person(fill)
