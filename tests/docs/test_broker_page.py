"""The page about the broker: its commands are ours, its numbers those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.conftest import Commands, cli
from tests.docs.pages import DOCS, blocks, rows, section
from tests.docs.shell import check_usage
from workflow.cli.agent.host_config import HOSTS
from workflow.cli.agent.serve import PORT
from workflow.engine import refusals
from workflow.local.tokens import SCOPES
from workflow.mcp_server import admission, connections, sockets
from workflow.mcp_server.broker import MAX_REQUEST, PATH
from workflow.mcp_server.caller import READING, WATCHING
from workflow.mcp_server.rate_limit import AT_ONCE, BURST, PER_SECOND
from workflow.mcp_server.uploads import MAX_FILE, MAX_OWNED, MAX_SPOOL, MOST_OWNED

__all__ = ["cli"]
PAGE = DOCS / "broker.md"
ADDRESS = f"http://127.0.0.1:{PORT}{PATH}"


def test_its_commands_take_what_they_are_given() -> None:
    """For the second user, the service and the container; in sentences too."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"(workflow(?:-admin)? (?:serve|api config set|token|approve)[^`\n#]*)", text)
    (container,) = re.findall(r"CMD (\[.*\])", text)
    lines = [line.strip() for line in found] + [" ".join(json.loads(container))]
    assert len(lines) >= 10
    for line in lines:
        check_usage(line)


def test_its_addresses_and_numbers_are_those_of_the_code() -> None:
    """Where it is called, and how much of what it takes."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(ADDRESS) == len(HOSTS) and f"EXPOSE {PORT}" in text
    limits = {cells[0]: cells[1] for cells in rows(section(PAGE, "Limits"))}
    assert limits["a request"] == f"{MAX_REQUEST // 1024**2} MB"
    assert limits["a file in it"] == f"{MAX_FILE // 1024**2} MB"
    assert limits["all files that wait"] == f"{MAX_SPOOL // 1024**2} MB"
    assert limits["files of one owner that wait"] == f"{MAX_OWNED // 1024**2} MB, {MOST_OWNED} files"
    assert limits["MCP connections of one owner"] == str(connections.MOST_OF_ONE)
    assert limits["TCP connections of one owner"] == str(sockets.MOST_OF_ONE)
    assert limits["TCP connections without a valid token"] == str(sockets.MOST_STRANGERS)
    assert limits["headers of a request"] == f"{sockets.HEADER_SECONDS:g} s, {sockets.LARGEST_HEADER // 1024} KiB"
    assert limits["the body of a request"] == f"{admission.BODY_SECONDS:g} s"
    assert limits["refused turns that a session records"] == f"{refusals.MOST_AN_HOUR} an hour"
    assert limits["of a refused turn"] == f"{refusals.MOST_KEPT // 1024} KiB"
    assert limits["requests of one owner"] == f"{BURST} at once after a pause, then {PER_SECOND:g} a second"
    assert limits["under way for one owner, streams included"] == str(AT_ONCE)


def test_its_scopes_are_those_of_the_code() -> None:
    """Each has a row, and what an auditor may call is named."""
    found = {cells[0].strip("`"): cells[1] for cells in rows(section(PAGE, "Tokens"))}
    assert tuple(found) == SCOPES and set(READING) <= set(re.findall(r"`(\w+)`", found["auditor"]))
    assert WATCHING in found["watch"]


def test_the_entries_for_hosts_are_those_that_are_printed(cli: Commands) -> None:
    """Each names the variable of the token, and nobody is told to write the token itself into it."""
    shown = [block.text.strip() for block in blocks(PAGE, "text", "json")]
    printed = [cli("serve", "--print-config", host).out.strip() for host in HOSTS]
    assert [each for each in shown if each in printed] == printed
    assert all("PHASEGATE_TOKEN" in each for each in printed)


def test_the_page_is_found() -> None:
    """Whoever reads about the command or the boundary finds it."""
    assert all("broker.md" in (DOCS / name).read_text(encoding="utf-8") for name in ("cli.md", "security.md", "mcp.md"))
    assert Path(PAGE).is_file()
