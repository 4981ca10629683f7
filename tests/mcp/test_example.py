"""The scripted agent: the good conversation is served, the cheating one gets nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, sandbox: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The example as somebody runs it."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environ |= {"PHASEGATE_STATE": str(tmp_path / "state"), "PHASEGATE_SANDBOX": sandbox}
    command = [sys.executable, "-W", "error", str(ROOT / "examples/mcp_agent.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environ, timeout=120)


def paid(sandbox: Sandbox) -> list[str]:
    """The calls that cost money."""
    posts = [each.path.rpartition("/")[2] for each in sandbox.requests if each.method == "POST"]
    return [name for name in posts if name in ("tasks", "messages")]


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
    """Nothing that can be put into a call brings an image."""
    with Sandbox(rounds=2, looks=1) as sandbox:
        ended = run(tmp_path, sandbox.url, "--cheat", *era)
        assert paid(sandbox) == []
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "7 of 7 attempts were in vain" in ended.stdout


def test_it_never_talks_to_the_service(tmp_path: Path) -> None:
    """Without a sandbox it says what is missing."""
    ended = run(tmp_path, "")
    assert ended.returncode == 2 and "PHASEGATE_SANDBOX" in ended.stderr
