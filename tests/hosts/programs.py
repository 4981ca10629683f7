"""The hosts' own command lines from npm: how each is asked whether it reaches the server of an entry."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT
from workflow.cli.agent.host_config import HOSTS, NAME, SHELL

FOLDER = ROOT / ".venv/.cache/node/hosts/node_modules"
PINNED: Mapping[str, str] = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]
PATIENCE = 180.0
"""Seconds for one command of a host: some take ten on a machine that has nothing else to do."""
FILE = "mcp.json"
"""Where an entry goes that is for a file."""
_CODEX = (
    {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "make-hosts", "version": "1"}}},
    {"method": "initialized"},
    {"id": 2, "method": "mcpServerStatus/list", "params": {}},
)


class HostFault(Exception):
    """A host did not do what its entry is for; what it printed."""


@dataclass
class Home:
    """A user's account for one host: an empty home, a project that the host trusts, and what is exported there."""

    folder: Path
    exported: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = self.folder / "project"
        self.project.mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        """What a program of this user starts with."""
        path = f"{FOLDER / '.bin'}:/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self.folder), "PATH": path, "LANG": "C.UTF-8", "NO_COLOR": "1", **self.exported}

    def run(self, *command: str, check: bool = True) -> str:
        """What a command prints, in the project; raises :class:`HostFault` where it fails."""
        try:
            ended = subprocess.run(
                command,
                cwd=self.project,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            raise HostFault(f"{command[0]} has not ended after {PATIENCE:.0f} s") from error
        if check and ended.returncode != 0:
            raise HostFault(f"{' '.join(command)[:200]} ended with {ended.returncode}:\n{ended.stdout[-2000:]}")
        return ended.stdout

    def enter(self, host: str, entry: str) -> None:
        """Do with an entry what its host asks for: run the line, or put it into the file."""
        if HOSTS[host].place == SHELL:
            self.run("sh", "-c", entry)
        else:
            (self.project / FILE).write_text(entry, encoding="utf-8")


@dataclass(frozen=True)
class Program:
    """One host's command line: its npm package, and what shows that it reaches the server."""

    host: str
    package: str
    reaches: Callable[[Home], str]
    calls: bool = False
    """Whether it calls a tool as well, since it needs no model for that."""


def _marked(text: str, mark: str) -> str:
    """The line of the host's list with this mark; raises :class:`HostFault` where there is none."""
    found = re.search(mark, text, re.MULTILINE)
    if not found:
        raise HostFault(text[-2000:])
    return " ".join(found[0].split())


def _claude(home: Home) -> str:
    return _marked(home.run("claude", "mcp", "list"), rf"^{NAME}: .*✔ Connected$")


def _openclaw(home: Home) -> str:
    return _marked(home.run("openclaw", "mcp", "probe", NAME), rf"^- {NAME}: 6 tools.*$")


def _gemini(home: Home) -> str:
    trusted = home.folder / ".gemini/trustedFolders.json"
    trusted.parent.mkdir(exist_ok=True)
    trusted.write_text(json.dumps({str(home.project): "TRUST_FOLDER"}), encoding="utf-8")
    return _marked(home.run("gemini", "mcp", "list"), rf"^✓ {NAME}: .*Connected$")


def _codex(home: Home) -> str:
    """`codex mcp list` shows the entry and connects to nothing; what its editor extensions call does."""
    _marked(home.run("codex", "mcp", "list"), rf"^{NAME} .*enabled.*$")
    with subprocess.Popen(
        ["codex", "app-server"],
        cwd=home.project,
        env=home.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as served:
        assert served.stdin and served.stdout
        try:
            served.stdin.write("".join(json.dumps(each) + "\n" for each in _CODEX))
            served.stdin.flush()
            for line in served.stdout:
                answer = json.loads(line)
                if answer.get("id") == _CODEX[-1]["id"]:
                    return _tools(answer)
        finally:
            served.kill()
    raise HostFault("codex app-server ended without an answer")


def _tools(answer: Mapping[str, Any]) -> str:
    for server in answer.get("result", {}).get("data", ()):
        if server["name"] == NAME and len(server["tools"]) == 6:
            return f"{NAME}: 6 tools"
    raise HostFault(json.dumps(answer)[:2000])


def _mcpc(home: Home) -> str:
    """It has no model, so that it can call a tool as well."""
    session = "@hosts"
    try:
        home.run("mcpc", "connect", f"{FILE}:{NAME}", session)
        tools = json.loads(_json(home.run("mcpc", "--json", session, "tools-list")))
        if len(tools) != 6:
            raise HostFault(f"{len(tools)} tools")
        given = ("workflow_start", json.dumps({"input": {"words": "A poster for a jazz night"}}))
        result = json.loads(_json(home.run("mcpc", "--json", session, "tools-call", *given, check=False)))
        return str(json.loads(result["content"][0]["text"])["notices"][-1])
    finally:
        with suppress(HostFault):
            home.run("mcpc", "close", session)


def _json(printed: str) -> str:
    """What a program prints as JSON, without the remarks before it."""
    at = re.search(r"^[\[{]$", printed, re.MULTILINE)
    if not at:
        raise HostFault(printed[-2000:])
    return printed[at.start() :]


PROGRAMS = (
    Program("claude-code", "@anthropic-ai/claude-code", _claude),
    Program("openclaw", "openclaw", _openclaw),
    Program("codex", "@openai/codex", _codex),
    Program("gemini-cli", "@google/gemini-cli", _gemini),
    Program("generic", "@apify/mcpc", _mcpc, calls=True),
)


def installed(program: Program) -> bool:
    """Whether `make hosts`, or CI for its slice, has installed it in the version that is pinned."""
    file = FOLDER / program.package / "package.json"
    return file.is_file() and json.loads(file.read_text())["version"] == PINNED[program.package]
