"""Output that nobody got: stdout is closed, full or broken, its terminal hung up or killed. Nothing is lost by it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from tests.cuts.oracle import told
from tests.cuts.relay import PATIENCE
from tests.cuts.twin import Twin

ROOT = Path(__file__).parents[2]
WORDS = {"input": {"words": "A poster for a jazz night"}}
YES = {"evidence": {"quote": "yes, go ahead"}}


@dataclass(frozen=True)
class Cut:
    """A command whose output is lost: ``says`` is owed to the user, ``state`` is what it is tried in."""

    arguments: tuple[str, ...]
    says: str
    state: str
    turn: Mapping[str, Any] | None = None
    then: tuple[str, ...] = ("advance", "NAME")


CUTS = {
    "start": Cut(("start",), "plan", "nothing", WORDS, ("resume",)),
    "advance": Cut(("advance", "NAME", "approve"), "started_unwatched", "planned", YES),
    "advance with news": Cut(("advance", "NAME"), "ready", "news"),
    "resume with news": Cut(("resume", "NAME"), "ready", "news"),
    "watch": Cut(("watch", "NAME"), "ready", "generating"),
    "watch that speaks": Cut(("watch", "NAME", "--announce-skip"), "ready", "generating"),
    "status with news": Cut(("status", "NAME"), "ready", "news"),
}


@contextmanager
def closed() -> Iterator[int | None]:
    """There is no stdout."""
    yield None


@contextmanager
def full() -> Iterator[int]:
    """A disk that takes nothing more."""
    file = os.open("/dev/full", os.O_WRONLY)
    yield file
    os.close(file)


@contextmanager
def broken() -> Iterator[int]:
    """A pipe that nobody reads."""
    end, given = os.pipe()
    os.close(end)
    yield given
    os.close(given)


@contextmanager
def hung_up() -> Iterator[int]:
    """A terminal that is gone; the command was started to outlive it."""
    end, given = pty.openpty()
    os.close(end)
    yield given
    os.close(given)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    """It is ready at the first prepare, done at the first look, and can keep a request waiting."""
    running = Twin(rounds=1, looks=1)
    with running:
        monkeypatch.setenv("PHASEGATE_SANDBOX", running.url)
        yield running
        running.go.set()


def arranged(cli: Commands, cut: Cut) -> list[str]:
    """The command's arguments, once the session is where it is to be."""
    name, file = "", cli.write(cut.turn or {})
    if cut.state != "nothing":
        plan = cli.planned()
        name = plan["session"]
        if cut.state != "planned":
            cli.approved(plan)
        if cut.state == "news":
            assert cli("watch", name).code == 0
        file = cli.write({**(cut.turn or {}), "seen": plan["seen"]})
    return [each.replace("NAME", name) for each in cut.arguments] + (["--input-file", file] if cut.turn else [])


def run(arguments: list[str], stdout: int | None, folder: Path) -> str:
    """The command in a process of its own; what it wrote to stderr."""

    def prepare() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if stdout is None:
            os.close(1)

    ended = subprocess.run(
        [sys.executable, "-m", "workflow", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        preexec_fn=prepare,
        timeout=60,
        check=False,
        text=True,
    )
    return ended.stderr


def check_said(cli: Commands, cut: Cut, name: str) -> None:
    """The next command says it, and no later one says it as if for the first time."""
    first = cli(*(each.replace("NAME", name) for each in cut.then)).json
    assert cut.says in told([first])
    later = told([cli("advance", name).json, cli("advance", name).json])
    assert all(marked for each in later.values() for marked in each)


def latest(cli: Commands) -> str:
    """The name of the one session."""
    (session,) = cli("sessions", "--json").json["sessions"]
    name: str = session["name"]
    return name


@pytest.mark.parametrize("lost", [closed, full, broken, hung_up], ids=lambda each: each.__name__)
@pytest.mark.parametrize("cut", CUTS)
def test_what_was_not_written_is_said_by_the_next_command(
    cli: Commands, sandbox: Twin, cut: str, lost: Callable[[], Any]
) -> None:
    """Each command × each way in which its output can go nowhere: it is offered again, and paid once."""
    arguments = arranged(cli, CUTS[cut])
    before, paid = cli("sessions", "--json").json["sessions"], sandbox.paid()
    with lost() as stdout:
        told = run(arguments, stdout, cli.folder)
    assert "Traceback" not in told
    if lost is closed and cut not in ("watch", "status with news"):  # nobody could read what it would say
        assert "stdout is closed" in told
        assert (cli("sessions", "--json").json["sessions"], sandbox.paid()) == (before, paid)
        return
    check_said(cli, CUTS[cut], latest(cli))
    assert sandbox.paid() <= 1


@pytest.mark.parametrize("cut", ["start", "advance", "watch", "watch that speaks"])
def test_a_terminal_that_is_killed_in_the_middle_of_a_call(cli: Commands, sandbox: Twin, cut: str) -> None:
    """The window is closed while the service is asked: the session goes on, and what it has to say is said once."""
    arguments = arranged(cli, CUTS[cut])
    request = {"start": ("POST", "/v1/openapi/tasks/prepare"), "advance": ("POST", "/v1/openapi/tasks")}
    sandbox.slow = request.get(cut, ("GET", "/v1/openapi/tasks/"))
    end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "workflow", *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    try:
        assert sandbox.arrived.wait(PATIENCE)
    finally:
        os.close(end)
        sandbox.go.set()
    assert process.wait(PATIENCE) == -signal.SIGHUP
    name = latest(cli)
    if cut == "advance":  # nobody knows whether the call happened: a person says that it did
        doubt = cli("advance", name).json
        assert doubt["status"] == "in_doubt" and told([doubt]) == {"unsure_created": [False]}
        return
    if cut != "start":
        assert cli("watch", name).code == 0
    check_said(cli, CUTS[cut], name)
