"""SIGTERM and SIGINT end whatever runs long; as PID 1 too, for which the kernel does nothing by itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.readable import missing

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
AS_FIRST = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
INITIALIZE = (
    '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
    '"capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}}\n'
)
ANSWERS = str(ROOT / "examples" / "release")
RUNNING = {
    "mcp": (("mcp",), 143, 130),
    "serve": (("serve", "--port", "0"), 0, 0),
    "a sandbox": (("sandbox", "--port", "0"), 0, 0),
    "a sandbox of answers": (("sandbox", "--port", "0", "--bundle", ANSWERS), 0, 0),
    "a watch": (("watch", "NAME"), 143, 130),
    "a watch that speaks": (("watch", "NAME", "--announce-skip"), 143, 130),
}
"""What is run, and the exit codes after SIGTERM and SIGINT as a shell gives them."""


@pytest.fixture
def waiting(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session that waits for a service which is not done for long."""
    with Sandbox(rounds=1, looks=1000) as running:
        monkeypatch.setenv("PHASEGATE_SANDBOX", running.url)
        reply = cli.approved(cli.planned())
        assert reply["status"] == "watching"
        yield reply["session"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("first", [False, True], ids=["a process", "PID 1"])
@pytest.mark.parametrize("what", RUNNING)
def test_a_signal_ends_it(waiting: str, what: str, first: bool, number: signal.Signals) -> None:
    """With the exit code that it has anywhere else."""
    if first and (os.geteuid() != 0 or not shutil.which("unshare")):
        missing("only root can run a process as PID 1, with unshare")
    arguments, *codes = RUNNING[what]
    words = [waiting if word == "NAME" else word for word in arguments]
    process = subprocess.Popen(
        [*(AS_FIRST if first else ()), sys.executable, "-m", "workflow", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdin and process.stdout and process.stderr
        if what == "mcp":
            process.stdin.write(INITIALIZE)
            process.stdin.flush()
        stream = process.stderr if "watch" in what else process.stdout
        assert stream.readline(), process.stderr.read()
        os.kill(_child(process.pid) if first else process.pid, number)
        ended = process.wait(PATIENCE)
        told = process.stdout.read() + process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert (ended if ended >= 0 else 128 - ended) == codes[number is signal.SIGINT], told
    assert "Traceback" not in told
    assert what != "a watch that speaks" or told.splitlines()[-1] == "ANNOUNCE_SKIP"


def _child(pid: int) -> int:
    """The only child of a process: PID 1 of its own namespace, as it is called here."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
