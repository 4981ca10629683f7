"""A client's process, as the harness drives it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.cuts.cells import Cell
from tests.cuts.relay import PATIENCE
from tests.cuts.zygote import CLIENT, Zygote
from tests.node import node_path

HERE = Path(__file__).parent


_Started = tuple[int, IO[bytes], IO[bytes]]
"""Its process id, its stdin, and its stdout."""


class NotPlayed(Exception):
    """The cell could not be played as it is meant; why."""


class Client:
    """A client's process; it takes orders and tells events, a line of JSON each. ``exported`` is set where it runs."""

    def __init__(
        self,
        cell: Cell,
        zygote: Zygote,
        folder: Path,
        address: Mapping[str, Any],
        exported: Mapping[str, str] | None = None,
    ) -> None:
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.answered = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **(exported or {})}
        start = self._python(zygote, folder, environ) if cell.client == "python" else self._node(cell, folder, environ)
        self.pid, self._orders, source = start
        self._reader = threading.Thread(target=self._read, args=(source,), daemon=True)
        self._reader.start()
        self.order(do="connect", era=cell.era, **address)
        connected = self.event()
        if connected.get("connected") != cell.era:
            raise NotPlayed(f"the client did not connect: {connected}")
        self.instructions = str(connected["instructions"])
        self.tools: dict[str, Any] = {each["name"]: each["inputSchema"]["properties"] for each in connected["tools"]}

    def _python(self, zygote: Zygote, folder: Path, environ: Mapping[str, str]) -> _Started:
        (stdin, orders), (events, stdout) = os.pipe(), os.pipe()
        pid = zygote.start([CLIENT], folder, environ, [stdin, stdout])
        os.close(stdin)
        os.close(stdout)
        return pid, os.fdopen(orders, "wb", 0), os.fdopen(events, "rb")

    def _node(self, cell: Cell, folder: Path, environ: Mapping[str, str]) -> _Started:
        with (folder / "client.err").open("ab") as errors:
            self._process = subprocess.Popen(
                ["node", str(HERE / f"clients/{cell.client}.cjs")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**environ, "NODE_PATH": node_path()},
                cwd=folder,
            )
        assert self._process.stdin and self._process.stdout
        return self._process.pid, self._process.stdin, self._process.stdout

    def _read(self, source: Any) -> None:
        with source:
            for line in source:
                event = json.loads(line)
                self._events.put(event)
                if "form" not in event:
                    self.answered.set()
        self._events.put({"error": "the client's process has ended", "timeout": False})

    def order(self, **order: Any) -> None:
        """Tell it what to do."""
        self._orders.write(json.dumps(order).encode() + b"\n")
        self._orders.flush()

    def call(self, name: str, given: Mapping[str, Any], seconds: float, hold_form: bool = False) -> None:
        """Let it call a tool; ``answered`` is set once the call is over for it."""
        self.answered.clear()
        self.order(do="call", name=name, arguments=dict(given), seconds=seconds, hold_form=hold_form)

    def event(self) -> dict[str, Any]:
        """What it tells next."""
        try:
            return self._events.get(timeout=3 * PATIENCE)
        except queue.Empty:
            raise NotPlayed("the client says nothing more") from None

    def answer(self) -> dict[str, Any]:
        """The end of a call; forms on the way are filled in by the person."""
        while "form" in (event := self.event()):
            pass
        return event

    def close(self) -> None:
        """It ends by itself, as a host does that is closed."""
        with suppress(OSError):
            self.order(do="close")
            self._orders.close()
        self._gone()

    def kill(self) -> None:
        """It is killed."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._gone()
        with suppress(OSError):
            self._orders.close()

    def _gone(self) -> None:
        self._reader.join(PATIENCE)
        if self._process:
            self._process.wait(PATIENCE)
