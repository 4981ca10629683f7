"""Processes that start warm: a parent that has imported the commands forks one for each turn.

What dies is a real process that runs the real command, from reading its arguments to the interpreter's end. Only
the start of the interpreter and the imports are not repeated, which write nothing and cost ten times the rest.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.crash import failpoints
from tests.crash.person import answer
from workflow.cli.app import run, workflow

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a process that does not end is taken for one that never will."""
LATE = (
    "workflow.cli.agent.turns",
    "workflow.cli.agent.watch",
    "workflow.service.http",
    "requests",
    "importlib.resources",
)
"""What a turn imports on its way."""
_LET_ANYBODY_TRACE = (0x59616D61, ctypes.c_ulong(-1))
"""PR_SET_PTRACER, PR_SET_PTRACER_ANY: Linux may allow tracing by ancestors alone."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, negative for a signal, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        """Whether nothing in it got to tidy up."""
        return self.code == -signal.SIGKILL

    @property
    def reply(self) -> dict[str, Any] | None:
        """The one reply on stdout; None where it is missing or cut short."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class Zygote:
    """Starts commands in ``folder`` with this environment, one at a time; ``out`` and ``err`` go to files there."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", str(self._out), str(self._err)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                **environ,
            },
            cwd=folder,
        )

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def run(self, *arguments: str, turn: Mapping[str, Any] | None = None) -> Ended:
        """One command from beginning to end; ``turn`` is what it reads on stdin."""
        self.begin(arguments, turn)
        return self.end()

    def begin(
        self,
        arguments: Sequence[str],
        turn: Mapping[str, Any] | None = None,
        *,
        stopped: bool = False,
        fuse: Mapping[str, Any] | None = None,
    ) -> int:
        """Start a command; its process id. ``stopped``: it waits for SIGUSR1; ``fuse``: see `failpoints`."""
        given = [*arguments, "--input", "-"] if turn is not None else list(arguments)
        order = {"arguments": given, "turn": json.dumps(turn or {}), "stopped": stopped, "fuse": fuse}
        for file in (self._out, self._err):
            file.write_bytes(b"")  # what the one before wrote is not this one's, however soon it dies
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._hear(PATIENCE))

    def end(self) -> Ended:
        """Wait for the end of the command."""
        code = int(self._hear(PATIENCE))
        return Ended(code, self._out.read_text("utf-8", "replace"), self._err.read_text("utf-8", "replace"))

    def ends_within(self, seconds: float) -> bool:
        """Whether the command ends in this time."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def _hear(self, seconds: float) -> bytes:
        """A line of the parent's; byte by byte, so that what is not read yet can still be waited for."""
        assert self._process.stdout
        line = b""
        while not line.endswith(b"\n"):
            if not self.ends_within(seconds):
                raise AssertionError(f"the process did not get anywhere in {seconds:g} s")
            byte = os.read(self._process.stdout.fileno(), 1)
            if not byte:
                raise AssertionError("the parent of the processes is gone")
            line += byte
        return line


def serve(out: str, err: str) -> None:
    """Fork a process for each order on stdin; say its id, and then how it ended. Returns in each of them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    while line := sys.stdin.readline():
        order = json.loads(line)
        heard, ready = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(heard)
            _become(order, out, err, ready)
            return
        os.close(ready)
        os.read(heard, 1)
        os.close(heard)
        os.write(1, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(order: Mapping[str, Any], out: str, err: str, ready: int) -> None:
    """From here on it is the command's own process; until it closes ``ready`` nothing strikes it."""
    if order["stopped"]:
        ctypes.CDLL(None).prctl(*_LET_ANYBODY_TRACE, 0, 0, 0)
    _give(0, order["turn"])
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # what was read ahead is the parent's
    if order["fuse"]:
        failpoints.install(order["fuse"])
    os.close(ready)
    if order["stopped"]:
        signal.sigwait({signal.SIGUSR1})
    command, *arguments = order["arguments"]
    if command == answer.name:
        sys.exit(run(answer, arguments, command))
    sys.exit(run(workflow, [command, *arguments], "workflow"))


def _give(number: int, text: str) -> None:
    """Let reading this descriptor give ``text``, and then its end."""
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    os.dup2(read, number)
    os.close(read)


if __name__ == "__main__":
    for name in LATE:
        import_module(name)
    gc.collect()
    gc.freeze()  # what all of them share need not be looked through by each as it ends
    serve(*sys.argv[1:])
