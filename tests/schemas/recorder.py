"""Commands whose JSON is kept, for somebody who stands in a folder of their own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands, Ended
from tests.playing import configuration
from tests.schemas.forms import PROGRAMS, command_of, json_commands, outputs_of
from workflow.cli.app import run


@dataclass(frozen=True)
class Output:
    """One JSON value that a command has printed, and how the command was called."""

    command: str
    arguments: Sequence[str]
    value: Any


@dataclass
class Recorder(Commands):
    """Runs commands as the executables do, asks them for JSON, and keeps what they print."""

    sandbox: Sandbox
    outputs: list[Output] = field(default_factory=list)

    def __call__(self, *arguments: str) -> Ended:
        """``workflow ARGUMENTS``."""
        return self._typed("workflow", arguments)

    def admin(self, *arguments: str) -> Ended:
        """``workflow-admin ARGUMENTS``."""
        return self._typed("workflow-admin", arguments)

    def _typed(self, program: str, arguments: Sequence[str]) -> Ended:
        if "--json" not in arguments and command_of(program, arguments) in json_commands():
            arguments = (*arguments, "--json")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(PROGRAMS[program], arguments, program)
        command = command_of(program, arguments)
        found = outputs_of(command, out.getvalue())
        self.outputs += [Output(command, arguments, value) for value in found]
        return Ended(code, out.getvalue(), err.getvalue())

    def wrote(self, file: str) -> None:
        """Keep the lines of a file that a command has written."""
        lines = (self.folder / file).read_text(encoding="utf-8").splitlines()
        self.outputs += [Output(Path(file).name, (file,), json.loads(line)) for line in lines]


Scene = Callable[[Recorder, pytest.MonkeyPatch], None]


@contextmanager
def standing(folder: Path) -> Iterator[tuple[Recorder, pytest.MonkeyPatch]]:
    """Somebody who has nothing yet, in a new folder, with a sandbox that is ready at once."""
    folder.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch, Sandbox(rounds=1, looks=1) as sandbox:
        patch.chdir(folder)
        patch.setenv("PHASEGATE_STATE", str(folder / "state"))
        patch.setenv("PHASEGATE_CONFIG", str(configuration(folder / "config")))
        patch.setenv("PHASEGATE_SANDBOX", sandbox.url)
        patch.setenv("HOME", str(folder))
        yield Recorder(folder, None, sandbox), patch  # type: ignore[arg-type]
