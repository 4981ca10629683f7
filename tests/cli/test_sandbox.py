"""``workflow sandbox``: the real command, as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phases.anygen.sandbox import FAULTS
from tests.cli import terminals
from tests.cli.conftest import Commands

ROOT = Path(__file__).parents[2]
COURIER = Path(__file__).parent.parent / "courier"
RELEASE = ROOT / "examples" / "release"


@pytest.fixture
def unserved(tmp_path: Path) -> Path:
    """A bundle that names a module as its sandbox which is none."""
    folder = tmp_path / "unserved"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    assert "sandbox: phases.depot" in text
    yaml.write_text(text.replace("sandbox: phases.depot", "sandbox: phases.order"), encoding="utf-8")
    return folder


PATIENCE = 30.0


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that its banner tells; never left behind."""
    command = [sys.executable, "-m", "workflow", "sandbox", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environ
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "export PHASEGATE_SANDBOX=" in line:
                    yield process, line.strip().partition("=")[2]
                    break
            else:
                raise AssertionError("the banner names no address")
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_on_loopback_until_it_is_interrupted(cli: Commands, number: int) -> None:
    """Port 0 is any free port, told by the banner; the end is quiet, with exit code 0."""
    with serving("--port", "0", "--quiet") as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*", url)
        with urllib.request.urlopen(f"{url}/v1/openapi/document", timeout=PATIENCE) as answer:
            assert answer.status == 200
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")


def test_start_uses_it_and_rounds_and_looks_are_its_own(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the banner says to set makes a session run against it; `--rounds 1` is ready at once."""
    with serving("--port", "0", "--rounds", "1", "--looks", "1") as (_, url):
        monkeypatch.setenv("PHASEGATE_SANDBOX", url)
        plan = cli.planned()
        assert plan["sandbox"] is True
        cli.approved(plan)
        assert cli("advance", plan["session"], "check").json["state"] == "deliver.ready"


def test_ctrl_c_on_a_terminal_ends_it_quietly(cli: Commands) -> None:
    """No traceback and no error, exit code 0."""
    terminal = terminals.workflow("sandbox", "--port", "0")
    terminal.expect("Ctrl-C ends it")
    terminal.expect("export PHASEGATE_SANDBOX=")
    assert terminal.interrupt() == 0
    assert "Traceback" not in terminal.shown and "✗" not in terminal.shown


def test_faults_are_listed_and_nothing_is_served(cli: Commands, unserved: Path) -> None:
    """One a line, with what it does; a bundle whose sandbox knows none says so."""
    listed = cli("sandbox", "--faults")
    assert listed.code == 0 and [line.split()[0] for line in listed.out.splitlines()] == list(FAULTS)
    ended = cli("sandbox", "--faults", "--bundle", str(unserved))
    assert ended.code == 2 and "no table FAULTS" in ended.why


def test_a_port_that_is_taken_is_a_usage_error(cli: Commands) -> None:
    """It names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = cli("sandbox", "--port", str(port), "--quiet")
    assert ended.code == 2
    assert f"port {port}" in ended.why and "--port" in ended.why


@pytest.mark.parametrize("arguments", [("--port", "65536"), ("--port", "-1"), ("--rounds", "0"), ("--looks", "no")])
def test_numbers_out_of_range_are_usage_errors(cli: Commands, arguments: tuple[str, ...]) -> None:
    """Nothing is served on a guess."""
    ended = cli("sandbox", *arguments)
    assert ended.code == 2
    assert arguments[0] in ended.why


def test_a_bundle_whose_sandbox_cannot_serve_says_so(cli: Commands, unserved: Path) -> None:
    """The module that the bundle names must have the function."""
    ended = cli("sandbox", "--bundle", str(unserved))
    assert ended.code == 2
    assert "phases.order" in ended.why and "no Sandbox and no function serve" in ended.why


def test_a_sandbox_without_serve_is_served(tmp_path: Path) -> None:
    """A module that has a `Sandbox` alone needs no more: its address is told, and being told to end ends it."""
    terminal = terminals.workflow("sandbox", "--bundle", str(COURIER), "--port", "0")
    terminal.expect("export PHASEGATE_SANDBOX=http://127.0.0.1:")
    assert terminal.interrupt() == 0


def test_a_bundle_that_is_not_there_is_an_error(cli: Commands) -> None:
    """It is named."""
    ended = cli("sandbox", "--bundle", "/nowhere")
    assert ended.code == 2 and "the bundle /nowhere is not there" in ended.why


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_written_in_yaml_is_served_alike(cli: Commands, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Its faults are listed, a session runs against it, and it ends quietly."""
    listed = cli("sandbox", "--bundle", str(RELEASE), "--faults")
    assert listed.code == 0 and "drop-after " in listed.out
    with serving("--port", "0", "--bundle", str(RELEASE)) as (process, url):
        monkeypatch.setenv("PHASEGATE_SANDBOX", url)
        turn = cli.write({"input": {"project": "lighthouse", "version": "v1"}})
        started = cli("start", "--bundle", str(RELEASE), "--input-file", turn)
        assert started.json["state"] == "test.running"
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
