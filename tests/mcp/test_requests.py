"""A request that cannot be met is an error of JSON-RPC, with its number, and at most one line in the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND

from tests.mcp.conftest import Place
from tests.mcp.host import Person, connected

ROOT = Path(__file__).parents[2]
ASKED: list[tuple[str, dict[str, Any], int, str]] = [
    ("prompts/get", {"name": "nope"}, INVALID_PARAMS, "there is no prompt 'nope'; known: start, resume"),
    ("prompts/get", {"name": "x\n\x1b[31m" + "y" * 99}, INVALID_PARAMS, "there is no prompt 'x\\n\\x1b[31myyy"),
    ("prompts/get", {"name": "start"}, INVALID_PARAMS, "the prompt 'start' needs words"),
    ("prompts/get", {"name": "start", "arguments": {}}, INVALID_PARAMS, "the prompt 'start' needs words"),
    (
        "prompts/get",
        {"name": "resume", "arguments": {"session": "amber-fox", "words": "x"}},
        INVALID_PARAMS,
        "the prompt 'resume' does not take 'words'; it takes session",
    ),
    ("prompts/get", {"name": "start", "arguments": {"words": 1}}, INVALID_PARAMS, "Invalid request parameters"),
    ("prompts/get", {"name": 1}, INVALID_PARAMS, "Invalid request parameters"),
    ("prompts/get", {"name": "start", "arguments": ["words"]}, INVALID_PARAMS, "Invalid request parameters"),
    ("prompts/get", {}, INVALID_PARAMS, "Invalid request parameters"),
    ("resources/read", {"uri": "workflow://nope"}, INVALID_PARAMS, "Unknown resource: workflow://nope"),
    ("resources/read", {"uri": "workflow://sessions/amber-fox"}, INVALID_PARAMS, "there is no session 'amber-fox'"),
    ("resources/read", {"uri": "workflow://sessions/amber-fox/audit"}, INVALID_PARAMS, "there is no session"),
    ("resources/read", {"uri": "\x00"}, INVALID_PARAMS, "Unknown resource"),
    ("resources/read", {}, INVALID_PARAMS, "Invalid request parameters"),
    ("tools/call", {}, INVALID_PARAMS, "Invalid request parameters"),
    ("resources/subscribe", {"uri": "workflow://x"}, METHOD_NOT_FOUND, "Method not found"),
    ("no/such", {}, METHOD_NOT_FOUND, "Method not found"),
]


def test_every_request_that_cannot_be_met_has_its_number(tmp_path: Path) -> None:
    """By pipe, as a host sends them: the code, what is wrong, and no more lines on stderr than requests."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    command = [sys.executable, "-W", "error", "-m", "workflow", "mcp"]
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environ, text=True
        )
        with process:
            asked = [("initialize", hello), *((method, params) for method, params, *_ in ASKED)]
            answers = [_answer(process, number, *each) for number, each in enumerate(asked)]
        told = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    for (method, params, code, message), answer in zip(ASKED, answers[1:], strict=True):
        error = answer["error"]
        assert (error["code"], error["message"].startswith(message)) == (code, True), (method, params, error)
    ours = [line for line in told if line.startswith("WARNING workflow.mcp_server.prompts: prompts/get: the")]
    assert len(ours) == 5 and len(told) <= len(ASKED) and not any("Traceback" in line for line in told)


def test_a_fault_of_ours_is_one_as_well(quick: Place, era: str, caplog: pytest.LogCaptureFixture) -> None:
    """A prompt that raises: an internal error with its place and nothing of its words, one record, and it goes on."""
    server = quick.server()

    @server.prompt(name="broken")
    def broken() -> str:
        """Raise."""
        raise KeyError("sk-secret")

    async def play() -> None:
        async with connected(server, era, Person()) as host:
            with pytest.raises(MCPError) as found:
                await host.client.get_prompt("broken", {})
            assert found.value.code == INTERNAL_ERROR and "secret" not in found.value.message
            await host.start()

    anyio.run(play)
    (record,) = caplog.records
    assert "\n" not in record.getMessage() and record.exc_info is None and "secret" not in caplog.text


def _answer(process: subprocess.Popen[str], number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """One request, and what comes back; the server is told that it can begin after the first."""
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    if method == "initialize":
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    return answer
