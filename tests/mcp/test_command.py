"""``workflow mcp``: how it is started, and what it says where it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Commands, cli
from workflow.cli import app
from workflow.store import sqlite

__all__ = ["cli"]
ROOT = Path(__file__).parents[2]
COURIER = Path(__file__).parent.parent / "courier"


def test_without_its_library_it_says_how_to_get_it(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; nothing else needs it."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "mcp" or "mcp_server" in name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mcp", None)
    ended = cli("mcp")
    assert ended.code == 2 and "as the extra 'mcp': `" in ended.why


def test_what_cannot_be_begun_with_is_told_at_once(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that is none, an unknown host, an address that is no sandbox: it ends before any client is served."""
    assert cli("mcp", "--bundle", str(cli.folder)).code == 2
    assert "unknown host" in cli("mcp", "--host", "nobody").why
    monkeypatch.setenv("PHASEGATE_SANDBOX", "https://www.anygen.io")
    assert cli("mcp").why


def test_no_other_command_loads_it() -> None:
    """The library costs some 400 ms, which no turn pays."""
    code = (
        "import sys, workflow.cli.app, workflow.cli.agent.turns, workflow.cli.people.admin, workflow.cli.agent.mcp;"
        "print([m for m in sys.modules if m.partition('.')[0] in ('mcp', 'mcp_types', 'anyio', 'starlette')])"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=60)
    assert ended.stdout.strip() == "[]", ended.stderr
    assert app.COMMANDS["mcp"] == "workflow.cli.agent.mcp:mcp"


def serve(tmp_path: Path, lines: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The command with these lines on stdin, until it ends by itself."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PHASEGATE_STATE": str(tmp_path / "state"),
    }
    command = [sys.executable, "-W", "error", "-m", "workflow", "mcp", *options]
    return subprocess.run(command, input=lines, capture_output=True, text=True, env=environ, timeout=60)


def test_it_ends_with_its_client(tmp_path: Path) -> None:
    """Closed at once or in the middle of a request: a quiet end, and a store that is whole."""
    assert serve(tmp_path, "").returncode == 0
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    start = {"name": "workflow_start", "arguments": {"input": {"address": "Pier 4", "weight": 2}}}
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": start},
    ]
    ended = serve(tmp_path, "".join(json.dumps(line) + "\n" for line in lines), "--bundle", str(COURIER))
    assert ended.returncode == 0, ended.stderr
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in ended.stdout.splitlines())
    store = sqlite.SqliteStore(tmp_path / "state")
    assert store.check() == []
    store.close()


def test_lines_that_are_no_messages_do_no_harm(tmp_path: Path) -> None:
    """Only protocol messages are ever on stdout, whatever comes in."""
    lines = ["", "{", "[]", "null", '{"jsonrpc": "1.0"}', "\x00\xff", '{"id": 1e400}', '{"jsonrpc": "2.0", "id": 1}']
    ended = serve(tmp_path, "\n".join(lines) + "\n")
    assert ended.returncode == 0, ended.stderr
    assert all(json.loads(each)["jsonrpc"] == "2.0" for each in ended.stdout.splitlines())


def test_its_secret_is_its_owners_alone(tmp_path: Path) -> None:
    """Made at the first start, and kept."""
    serve(tmp_path, "")
    key = tmp_path / "state" / "mcp.key"
    made = key.read_bytes()
    serve(tmp_path, "")
    assert key.read_bytes() == made and len(made) == 32 and key.stat().st_mode & 0o777 == 0o600
