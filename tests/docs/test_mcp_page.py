"""The page about MCP: its set-up starts a server, and its tables are that server's."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.cli.conftest import Commands, cli
from tests.docs.pages import DOCS, ROOT, blocks, rows, section
from tests.docs.shell import PORT as SANDBOX
from tests.docs.shell import check_usage
from tests.docs.tables import INSTALLED
from workflow.cli.agent.host_config import HOSTS
from workflow.compose import Surroundings
from workflow.mcp_server import elicitation as asking
from workflow.mcp_server.form_words import WORDS
from workflow.model.journal import seal
from workflow.show.story import tell

__all__ = ["cli"]
PAGE = DOCS / "mcp.md"
Served = tuple[list[str], list[str], list[str]]


def configured() -> dict[str, Any]:
    """The entry for a host that reads a file."""
    entry: dict[str, Any] = json.loads(blocks(PAGE, "json")[-1].text)["mcpServers"]["phasegate"]
    return entry


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """What the server of that entry offers: tools, addresses, prompts."""
    entry, home = configured(), tmp_path_factory.mktemp("home")
    assert entry["command"] == INSTALLED
    environ = {"HOME": str(home), "PYTHONPATH": str(ROOT), "PHASEGATE_STATE": str(home / "state"), **entry["env"]}
    server = StdioServerParameters(command=sys.executable, args=["-m", "workflow", *entry["args"]], env=environ)

    async def ask() -> Served:
        async with Client(server) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            places = [str(each.uri) for each in (await client.list_resources()).resources]
            places += [each.uri_template for each in (await client.list_resource_templates()).resource_templates]
            return tools, places, [each.name for each in (await client.list_prompts()).prompts]

    return anyio.run(ask)


def test_the_tools_and_addresses_are_those_of_the_server(served: Served) -> None:
    """Each has a row, in order, and no other; each tool names a command that there is."""
    tools, places, prompts = served
    found = rows(section(PAGE, "Tools"))
    assert [cells[0] for cells in found] == [f"`{tool}`" for tool in tools]
    for cells in found:
        check_usage(f"{cells[2].strip('`')} --help")
    assert [cells[0] for cells in rows(section(PAGE, "Resources and prompts"))] == [f"`{place}`" for place in places]
    assert all(f"`{prompt}`" in section(PAGE, "Resources and prompts") for prompt in prompts)


def test_the_lines_for_hosts_are_those_that_are_printed(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the path of the command, each is what `--print-config` prints; `make hosts` carries these out."""
    for name in ("ANYGEN_API_KEY", "PHASEGATE_STATE", "PHASEGATE_CONFIG", "PHASEGATE_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("workflow.cli.agent.host_config.command", lambda: (INSTALLED,))
    shown = [block.text.strip() for block in blocks(PAGE, "text", "json")]
    printed = [cli("mcp", "--print-config", host, "--sandbox", SANDBOX).out.strip() for host in HOSTS]
    assert shown[: len(printed)] == printed


def test_what_the_server_says_first_is_shown() -> None:
    """The text of the page is the one that is sent."""
    key, store = "The key is read from ANYGEN_API_KEY.", "The store is /home/you/.local/state/phasegate."
    told = Surroundings("https://www.anygen.io", None, key, store).told("This session")
    assert [" ".join(block.text.split()) for block in blocks(PAGE, "text")][-1] == told


def test_the_numbers_and_words_are_those_of_the_code() -> None:
    """What stands first in a form, and how long an answer is waited for."""
    text = PAGE.read_text(encoding="utf-8")
    assert f"`{WORDS['en'].no}`" in text and f"({asking.PATIENCE / 60:.0f} minutes)" in text
    assert re.search(r"`approve [A-Z2-7]{4}-[A-Z2-7]{4}`", text)


def test_the_log_shows_such_an_answer_like_this() -> None:
    """The line of the page is how the story tells it."""
    (block,) = blocks(PAGE, "console")
    evidence = {
        "gate": "user_approved",
        "strength": "asked",
        "channel": "elicitation",
        "client": "unverified: claude-code 2.1.76",
        "quote": "approve NS2I-4KHX",
        "item": None,
        "service": "https://www.anygen.io",
    }
    given: dict[str, Any] = {"input": {}, "quote": None}
    body = {"event": "approve", "from": "a.b", "to": "c.d", "revision": 2, "given": given, "verdicts": {}}
    told = tell(seal("amber-fox", 2, "0" * 64, "event", "", {**body, "evidence": [evidence]}, "n"))
    assert [f"{label}: {text}" for label, text in told.notes] == [block.text.strip()]


def test_what_was_not_answered_is_told_too() -> None:
    """The log says who was asked through what, and why there is no answer."""
    body = {"event": "approve", "gate": "user_approved", "why": "the person has declined the question"}
    body |= {"channel": "elicitation", "client": "unverified: claude-code 2.1.76"}
    told = tell(seal("amber-fox", 2, "0" * 64, "unanswered", "", body, "n"))
    assert "'approve' was not answered for: the person has declined" in told.what
    assert ("asked", "elicitation, “unverified: claude-code 2.1.76”") in told.notes


def test_the_page_is_found() -> None:
    """Whoever reads about the command finds it."""
    assert "mcp.md" in (DOCS / "cli.md").read_text(encoding="utf-8") and Path(PAGE).is_file()
