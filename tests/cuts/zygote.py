"""Processes that start warm: a parent that has imported the server and the Python client forks one for each order.

Each is a process of its own that runs the real command, `workflow mcp` or `workflow serve`, unchanged but for this: it
notes in the file ``turns`` when a turn or a read of the engine begins and ends; and if the socket ``hold-NAME`` is
there, it waits before the end until somebody there hangs up. So a call can be cut at an exact point.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
TURNS, HOLD = "turns", "hold-"
BEGUN, DONE = "+", "-"
"""Before the name of what was called."""
CLIENT = "client"
"""The order's first word for the Python client; every other one is a command of `workflow`."""
WARM = (
    "tests.cuts.clients.python",
    "workflow.cli.agent.mcp",
    "workflow.cli.agent.serve",
    "workflow.mcp_server.broker",
    "workflow.service.http",
    "requests",
    "phases.anygen",
)
_LARGEST, _READY = 65536, b"ready"


class Zygote:
    """Starts processes for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        with theirs:
            command = [sys.executable, "-m", "tests.cuts.zygote", str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=environ, pass_fds=[theirs.fileno()])
        if self._orders.recv(_LARGEST) != _READY:
            raise RuntimeError("the parent of the processes does not start")

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._orders.close()
        self._process.wait(60.0)

    def start(self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], pipes: Sequence[int]) -> int:
        """A process in this folder, with ``pipes`` as its stdin and stdout; its stderr goes to a file. Its id."""
        order = {"arguments": arguments, "folder": str(folder), "environ": dict(environ)}
        with self._lock:
            socket.send_fds(self._orders, [json.dumps(order).encode()], list(pipes))
            return int(self._orders.recv(_LARGEST))


def serve(orders: socket.socket) -> None:
    """Fork a process for each order. Returns in each of them, once it has done its work."""
    children = set[int]()
    while True:
        order, pipes, _, _ = socket.recv_fds(orders, _LARGEST, 2)
        with suppress(ChildProcessError):  # those that have ended since are forgotten
            while ended := os.waitpid(-1, os.WNOHANG)[0]:
                children.discard(ended)
        if not order:  # the harness is gone, perhaps by a signal
            for each in children:
                os.kill(each, signal.SIGKILL)
            return
        child = os.fork()
        if child == 0:
            orders.close()
            _become(json.loads(order), pipes)
            return
        for each in pipes:
            os.close(each)
        children.add(child)
        orders.send(b"%d" % child)


def _become(order: Mapping[str, Any], pipes: Sequence[int]) -> None:
    """From here on it is the command's own process."""
    folder = Path(order["folder"])
    os.chdir(folder)
    errors = os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, each in enumerate([*pipes, errors]):
        os.dup2(each, number)
        os.close(each)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115  # for good
    os.environ.clear()
    os.environ.update(order["environ"])
    name, *options = order["arguments"]
    if name == CLIENT:
        import_module("tests.cuts.clients.python").main()
        return
    _observe(folder)
    from workflow.cli.app import run, workflow

    sys.exit(run(workflow, [name, *options], "workflow"))


def _observe(folder: Path) -> None:
    """What a tool does in its thread is noted as it ends, and can be held there: done, and nobody knows yet."""
    from workflow.engine import Engine, View
    from workflow.history import audit

    turns, looks = ("start", "advance", "look"), ("shown", "sessions")
    for owner, name in (*((Engine, name) for name in turns), *((View, name) for name in looks)):
        setattr(owner, name, _held(getattr(owner, name), folder, name))
    audit.verify = _held(audit.verify, folder, "verify")


def _held(function: Callable[..., Any], folder: Path, name: str) -> Callable[..., Any]:
    def note(mark: str) -> None:
        with (folder / TURNS).open("a") as file:
            file.write(f"{mark}{name}\n")

    @wraps(function)
    def held(*given: Any, **named: Any) -> Any:
        note(BEGUN)
        try:
            return function(*given, **named)
        finally:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as waiting:
                waiting.connect(str(folder / f"{HOLD}{name}"))
                waiting.recv(1)
            note(DONE)

    return held


def _warm_up() -> None:
    """What every server does first, so that no fork has to: it checks the bundle, and describes the tools."""
    from workflow.bundle import checks
    from workflow.bundle.content import Files, read
    from workflow.mcp_server.tools import tools

    tools()
    examine, known = checks.examine, read(ROOT)
    found = examine(known)

    def remembered(files: Files) -> Any:
        return found if files.digest == known.digest else examine(files)

    checks.examine = remembered


if __name__ == "__main__":
    for module in WARM:
        import_module(module)
    _warm_up()
    gc.collect()
    gc.freeze()  # what all of them share need not be looked through by each as it ends
    with socket.socket(fileno=int(sys.argv[1])) as given:
        given.send(_READY)
        serve(given)
