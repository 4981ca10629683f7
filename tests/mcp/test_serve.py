"""``workflow serve``: how it is started and stopped, and what it says where it cannot be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands, cli
from tests.mcp.host import Person, all_phases, connected
from tests.mcp.wire import content, dialled
from tests.on_leave import DAY, begun
from tests.playing import HandClock
from workflow.cli.agent import serve as serve_
from workflow.local.tokens import Tokens
from workflow.store.sqlite import SqliteStore

__all__ = ["cli"]
ROOT = Path(__file__).parents[2]
WHEN = "2026-01-01T00:00:00.000Z"


@contextmanager
def running(folder: Path, sandbox: str = "", *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and where it says that it is."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    environ |= {"PHASEGATE_STATE": str(folder / "state"), "PHASEGATE_SANDBOX": sandbox}
    command = [sys.executable, "-W", "error", "-m", "workflow", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:"), line + process.stderr.read()
        yield process, line.split()[1]
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and all that it has said beside its address."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(tmp_path: Path, by: signal.Signals) -> None:
    """A whole conversation with the real command; then it is stopped, quietly and with 0."""
    token = Tokens(tmp_path / ".config/phasegate").new("agent", "agent", WHEN)
    person = Person()

    async def run(url: str) -> None:
        async with connected(dialled(url, token), "2026-07-28", person) as host:
            await all_phases(host, content())

    with Sandbox(rounds=2, looks=1) as sandbox, running(tmp_path, sandbox.url) as (process, url):
        anyio.run(run, url)
        assert httpx2.get(url.replace("/mcp", "/health"), trust_env=False).json() == {"ok": True}
        process.send_signal(by)
        assert ended(process) == (0, "")
    assert len(person.asked) == 3


def test_it_ends_with_clients_that_only_listen(tmp_path: Path) -> None:
    """A stream that is open for news does not keep it; and it can be started anew at once."""
    token = Tokens(tmp_path / ".config/phasegate").new("agent", "agent", WHEN)

    async def run(process: subprocess.Popen[str], url: str) -> tuple[int, str]:
        async with connected(dialled(url, token), "2025-11-25", Person()) as host:
            await host.client.list_tools()
            process.terminate()
            return await anyio.to_thread.run_sync(ended, process)

    for _ in range(2):
        with running(tmp_path) as (process, url):
            assert anyio.run(run, process, url) == (0, "")


def test_what_is_due_happens_while_it_serves(tmp_path: Path) -> None:
    """Nobody calls: what nobody answered for days leads on all the same."""
    begun_then = HandClock()
    begun_then.wall = time.time() - 5 * DAY
    with begun(tmp_path / "work", store=SqliteStore(tmp_path / "state"), clock=begun_then) as (play, _, _):
        with running(tmp_path) as (process, _):
            process.terminate()
            assert ended(process)[0] == 0
        assert play.engine.stored(play.name).state == "review.escalated"


def test_without_a_token_it_says_so_and_waits_for_one(tmp_path: Path) -> None:
    """On loopback it can be started first; a token that is made meanwhile is good at once."""
    with running(tmp_path) as (process, url):
        assert httpx2.post(url, trust_env=False).status_code == 401
        token = Tokens(tmp_path / ".config/phasegate").new("agent", "agent", WHEN)
        found = httpx2.post(url, headers={"authorization": f"Bearer {token}"}, trust_env=False)
        assert found.status_code != 401
        process.terminate()
        code, said = ended(process)
    assert code == 0 and "workflow-admin token new" in said


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", "::", "broker.example"])
def test_elsewhere_it_is_not_served_before_there_is_a_token(cli: Commands, address: str) -> None:
    """Nobody can come in yet, and whoever could be reached should know why they are."""
    ended = cli("serve", "--port", "0", "--bind", address)
    assert ended.code == 2 and "there is no token" in ended.err and "workflow-admin token new" in ended.err


def test_what_cannot_be_served_is_told_at_once(cli: Commands) -> None:
    """An address of somebody else, a port that is taken, an unknown host, no bundle."""
    Tokens(cli.folder / "config").new("agent", "agent", WHEN)
    assert "cannot be served" in cli("serve", "--port", "0", "--bind", "192.0.2.7").err
    assert "unknown host" in cli("serve", "--host", "nobody").err
    assert "workflow.yaml" in cli("serve", "--bundle", str(cli.folder)).err
    with running(cli.folder) as (_, url):
        port = url.split(":")[2].partition("/")[0]
        assert "in use" in cli("serve", "--port", port).err
        assert "another broker" in cli("serve", "--port", "0").err


def test_without_its_library_it_says_how_to_get_it(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; nothing else needs it."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "mcp" or "mcp_server" in name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mcp", None)
    ended = cli("serve")
    assert ended.code == 2 and "as the extra 'mcp': `" in ended.why


def test_what_is_on_loopback() -> None:
    """Numbers and the one name; any other name may lead anywhere."""
    assert all(map(serve_._is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "localhost"]))
    assert not any(map(serve_._is_loopback, ["0.0.0.0", "::", "10.0.0.1", "localhost.example", ""]))


def test_its_files_are_beside_the_store_and_not_in_it(tmp_path: Path) -> None:
    """No file is ever read from the store's folder."""
    with running(tmp_path) as (process, _):
        assert (tmp_path / "state-spool").stat().st_mode & 0o777 == 0o700
        process.terminate()
        ended(process)
    assert json.dumps(sorted(each.name for each in (tmp_path / "state-spool").iterdir())) == '["lock"]'
