"""Commands run in this process, with a store, a configuration and a sandbox of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, configuration
from tests.replies import whole
from tests.schemas.forms import command_of, forms_of, outputs_of
from workflow.cli.app import run, workflow
from workflow.cli.people import approver
from workflow.cli.people.admin import admin


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its one reply, whole; anything beside it on stdout fails."""
        reply = json.loads(self.out)
        assert isinstance(reply, dict)
        return whole(reply)

    @property
    def error(self) -> dict[str, Any]:
        """What the reply says went wrong; nothing else is said about it elsewhere."""
        assert self.json["ok"] is False and self.err == ""
        error = self.json["error"]
        assert isinstance(error, dict)
        return error

    @property
    def why(self) -> str:
        """What went wrong and the next step, as people are told: in one line, from stderr alone."""
        assert self.out == "" and self.err.startswith("✗ ")
        return " ".join(self.err.replace("│", " ").split())


@dataclass
class Commands:
    """Runs commands as the executables do."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ended:
        """``workflow ARGUMENTS``."""
        return self._run("workflow", arguments, run(workflow, arguments, "workflow"))

    def admin(self, *arguments: str) -> Ended:
        """``workflow-admin ARGUMENTS``."""
        return self._run("workflow-admin", arguments, run(admin, arguments, "workflow-admin"))

    def write(self, turn: Mapping[str, Any]) -> str:
        """A file that holds this turn; its path."""
        file = self.folder / "turn.json"
        file.write_text(json.dumps(turn), encoding="utf-8")
        return str(file)

    def turn(self, *arguments: str, **turn: Any) -> dict[str, Any]:
        """A command that takes a turn, and its reply."""
        return self(*arguments, "--input-file", self.write(turn)).json

    def planned(self, **turn: Any) -> dict[str, Any]:
        """A session that waits for the approval of its plan; against a sandbox that is ready at once."""
        reply = self.turn("start", input={"words": "A poster for a jazz night"}, **turn)
        assert reply["state"] == "confirm.presenting"
        return reply

    def begun(self, *options: str) -> str:
        """The name of a session that waits for the approval of its plan, on a terminal too."""
        self("start", *options, "--input-file", self.write({"input": {"words": "A poster for a jazz night"}}))
        name = self("sessions", "--limit", "1", "--json").json["sessions"][0]["name"]
        assert isinstance(name, str)
        return name

    def approved(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to an approval that an agent relays."""
        evidence = {"quote": "yes, go ahead"}
        return self.turn("advance", plan["session"], "approve", evidence=evidence, seen=plan["seen"])

    def _run(self, program: str, arguments: Sequence[str], code: int) -> Ended:
        """How it ended; JSON is always of the form that is published for the command."""
        out, err = self.capsys.readouterr()
        command = command_of(program, arguments)
        for value in outputs_of(command, out):
            forms_of(command, value)
        return Ended(code, out, err)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The clock of the passphrases."""
    made = HandClock()
    monkeypatch.setattr(approver, "SystemClock", lambda: made)
    return made


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """The commands, for somebody who has nothing yet and stands in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PHASEGATE_CONFIG", str(configuration(tmp_path / "config")))
    return Commands(tmp_path, capsys)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The offline twin that new sessions use: ready at the first prepare, done at the first look."""
    with Sandbox(rounds=1, looks=1) as running:
        monkeypatch.setenv("PHASEGATE_SANDBOX", running.url)
        yield running


@pytest.fixture
def terminal(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks: stdout is a terminal of 80 columns that knows no colours."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda stream: True)
