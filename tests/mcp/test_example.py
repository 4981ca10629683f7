"""The scripted agent: the good conversation is served, the cheating one gets nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.mcp.conftest import Place
from tests.mcp.wire import serving
from workflow.mcp_server.rate_limit import Pace

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, sandbox: str, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The example as somebody runs it."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environ |= {"PHASEGATE_STATE": str(tmp_path / "state"), "PHASEGATE_SANDBOX": sandbox, **more}
    command = [sys.executable, "-W", "error", str(ROOT / "examples/mcp_agent.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environ, timeout=120)


def paid(sandbox: Sandbox) -> list[str]:
    """The calls that cost money."""
    posts = [each.path.rpartition("/")[2] for each in sandbox.requests if each.method == "POST"]
    return [name for name in posts if name in ("tasks", "messages")]


def uploaded(sandbox: Sandbox) -> int:
    """How many files left this machine."""
    return sum(each.path.endswith("/upload") for each in sandbox.requests)


@pytest.mark.parametrize("era", [[], ["--legacy"]], ids=["2026-07-28", "2025-11-25"])
def test_the_good_conversation(tmp_path: Path, era: list[str]) -> None:
    """One image and one change, each after a form; the end is reached."""
    with Sandbox(rounds=2, looks=1) as sandbox:
        ended = run(tmp_path, sandbox.url, *era)
        assert paid(sandbox) == ["tasks", "messages"]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("the person is asked") == 2 and "Your image is ready!" in ended.stdout


@pytest.mark.parametrize("era", [[], ["--legacy"]], ids=["2026-07-28", "2025-11-25"])
def test_the_cheating_one(tmp_path: Path, era: list[str]) -> None:
    """Nothing that can be put into a call sends a file or brings an image; what the person wants comes once."""
    with Sandbox(rounds=2, looks=1) as sandbox:
        ended = run(tmp_path, sandbox.url, "--cheat", *era)
        assert paid(sandbox) == ["tasks"] and uploaded(sandbox) == 1
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "17 of 17 attempts were in vain" in ended.stdout


@pytest.mark.parametrize("options", [[], ["--cheat"], ["--legacy"], ["--cheat", "--legacy"]])
def test_the_same_over_http(place: Place, tmp_path: Path, options: list[str]) -> None:
    """Against a broker, with a token, and the picture by content."""
    place.sandbox.settings(looks=1)
    with serving(place, pace=Pace(burst=10_000)) as served:
        ended = run(tmp_path, "", "--url", served.url, *options, PHASEGATE_TOKEN=served.token())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    cheats = "--cheat" in options
    assert paid(place.sandbox) == (["tasks"] if cheats else ["tasks", "messages"])
    assert uploaded(place.sandbox) == cheats


def test_it_never_talks_to_the_service(tmp_path: Path) -> None:
    """Without a sandbox it says what is missing."""
    ended = run(tmp_path, "")
    assert ended.returncode == 2 and "PHASEGATE_SANDBOX" in ended.stderr
