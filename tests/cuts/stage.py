"""Where a cell is played: a folder with a store, a sandbox, a server behind a relay, and one client after the other."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.cuts.cells import KINDS, PICTURE, Cell
from tests.cuts.client import HERE, Client, NotPlayed
from tests.cuts.relay import PATIENCE, Http, Relay, Stdio
from tests.cuts.twin import Twin
from tests.cuts.zygote import BEGUN, DONE, TURNS, Zygote
from workflow.local.tokens import Tokens
from workflow.store.sqlite import SqliteStore


class Stage:
    """A folder with a store, a sandbox, a server behind a relay, and one client after the other."""

    def __init__(self, cell: Cell, zygote: Zygote, folder: Path) -> None:
        self.cell, self.kind, self.zygote, self.folder = cell, cell.kind, zygote, folder
        self.sandbox = Twin(rounds=self.kind.rounds, looks=1)
        self.sandbox.start()
        self.read: list[dict[str, Any]] = []
        self.reply: dict[str, Any] = {}
        self.wrong: list[str] = []
        self.known: Client | None = None
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PHASEGATE_STATE": str(folder / "state"),
            "PHASEGATE_SANDBOX": self.sandbox.url,
        }
        (folder / "ref.png").write_bytes(PICTURE)
        self.pids: list[int] = []
        self.relay: Relay = self._stdio() if cell.transport == "stdio" else self._http()

    def _stdio(self) -> Relay:
        def serve(stdin: int, stdout: int) -> int:
            pid = self.zygote.start(["mcp"], self.folder, self.environ, [stdin, stdout])
            self.pids.append(pid)
            return pid

        return Stdio(self.folder / "relay", serve)

    def _http(self) -> Relay:
        self.token = Tokens(self.folder / ".config" / "phasegate").new("agent", "agent", "2026-01-01T00:00:00.000Z", "")
        relay = Http()
        command = ["serve", "--port", "0", "--allow-host", f"127.0.0.1:{relay.port}"]
        nothing, (told, stdout) = os.open(os.devnull, os.O_RDONLY), os.pipe()
        self.pids.append(self.zygote.start(command, self.folder, self.environ, [nothing, stdout]))
        os.close(nothing)
        os.close(stdout)
        with os.fdopen(told) as lines:
            address = lines.readline()
        if not address:
            raise NotPlayed(f"the broker does not start: {(self.folder / 'stderr').read_text()}")
        relay.target = int(address.rpartition(":")[2].partition("/")[0])
        return relay

    def address(self) -> dict[str, Any]:
        """Where a client finds the server."""
        if isinstance(self.relay, Http):
            return {"url": f"http://127.0.0.1:{self.relay.port}/mcp", "token": self.token}
        return {"command": [sys.executable, "-I", "-S", str(HERE / "pipe.py"), str(self.folder / "relay")]}

    @property
    def client(self) -> Client:
        """The one that is connected; a new one where there is none."""
        if self.known is None:
            self.known = Client(self.cell, self.zygote, self.folder, self.address())
            if set(self.known.tools) != {kind.tool for kind in KINDS}:
                raise NotPlayed(f"the table of cells knows other tools than the server has: {sorted(self.known.tools)}")
        return self.known

    def call(self, tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A call that comes to its end, and is read. While the session is busy, it is made again."""
        end = time.monotonic() + PATIENCE
        while ((answer := self._call(tool, given)).get("error") or {}).get("type") == "busy":
            if time.monotonic() > end:
                break
        return answer

    def _call(self, tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.client.call(tool, given, 1.5 * PATIENCE)
        event = self.client.answer()
        if "answer" not in event:
            raise NotPlayed(f"{tool}: {event['error']}")
        answer: dict[str, Any] = event["answer"]
        self.read.append(answer)
        if (answer.get("error") or {}).get("type") == "internal":
            self.wrong.append(f"{tool}: {answer['error']['message']}")
        if answer.get("session") and "revision" in answer:
            self.reply = answer
        return answer

    def turns(self) -> list[str]:
        """What has begun and ended on the server's side."""
        with suppress(FileNotFoundError):
            return (self.folder / TURNS).read_text().split()
        return []

    def done(self) -> int:
        """How often what the call does has been done."""
        return self.turns().count(f"{DONE}{self.kind.function}")

    def settle(self) -> None:
        """Wait until nothing is under way on the server's side."""

        def idle() -> bool:
            marks = [each[0] for each in self.turns()]
            return marks.count(BEGUN) == marks.count(DONE)

        until(idle, "the server never comes to rest")

    @contextmanager
    def store(self) -> Iterator[SqliteStore]:
        """What the server has written."""
        store = SqliteStore(self.folder / "state")
        try:
            yield store
        finally:
            store.close()

    def replies(self) -> int:
        """How many replies are recorded."""
        with self.store() as store:
            return sum(each.kind == "reply" for known in store.sessions() for each in store.entries(known.name))

    def taken(self) -> int:
        """How often the turn that is cut was taken."""
        with self.store() as store:
            names = [known.name for known in store.sessions()]
            if self.kind.name == "start":
                return len(names)
            events = [each.body for name in names for each in store.entries(name) if each.kind == "event"]
            return sum(dict(body or {})["event"] == self.kind.given.get("event") for body in events)

    def close(self) -> None:
        """Leave nothing behind."""
        self.sandbox.go.set()
        if self.known:
            self.known.kill()
        self.relay.close()
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sandbox.stop()


@contextmanager
def staged(cell: Cell, zygote: Zygote) -> Iterator[Stage]:
    """A stage in a folder of its own, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="cut-"))
    with ExitStack() as held:
        held.callback(shutil.rmtree, folder, ignore_errors=True)
        stage = Stage(cell, zygote, folder)
        held.callback(stage.close)
        yield stage


def good(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of a call that was to succeed."""
    if not answer["ok"]:
        raise NotPlayed(f"refused: {answer['error']['message']}")
    return answer


def wait(event: threading.Event, why: str) -> None:
    """Wait for what has to happen."""
    if not event.wait(PATIENCE):
        raise NotPlayed(why)


def until(condition: Callable[[], bool], why: str) -> None:
    """Wait for another process, which has nobody to tell."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise NotPlayed(why)
        time.sleep(0.005)
