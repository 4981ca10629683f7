"""Between client and server: a relay that holds one call, or its answer, at an exact point.

Over stdio it passes lines, over HTTP requests and what comes back. What is held in a pipe goes on when it is released,
in the order in which it came: the server reads the call together with its cancellation. Over HTTP a held call gets no
further, and its connection stays silent. Where one side hangs up, the relay hangs up on the other.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 20.0
"""Seconds for whatever has to happen before a cell is given up."""
BEFORE, AFTER = "before", "after"
_ANSWER = b'"isError"'
"""Only the result of a tool has it, and no form."""


class Silence(Exception):
    """Nothing more comes over this connection, and nobody is told."""


class Relay(ABC):
    """Watches the calls of one tool. ``held``: something is held; ``given_up``: the client waits no more.

    ``keeps``: what is held of the client's still reaches the server.
    """

    keeps = True

    def __init__(self, listener: socket.socket) -> None:
        self._tool, self._point = "", ""
        self._call: Any = None
        self.held, self.given_up, self._go = threading.Event(), threading.Event(), threading.Event()
        self._listener, self._sockets = listener, list[socket.socket]()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, tool: str, point: str) -> None:
        """Hold the next call of this tool, or its answer; at another ``point`` hold nothing, and look on."""
        self._tool, self._point = tool, point

    def release(self) -> None:
        """Let go of what is held, and hold nothing more."""
        self._tool = self._point = ""
        self._go.set()

    def close(self) -> None:
        """Hang up everywhere."""
        self.release()
        for each in (self._listener, *self._sockets):
            _hang_up(each)
            each.close()

    def _accept(self) -> None:
        """Whoever connects while there is no server is hung up on; the next may find one."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    self._connected(client)
                except ConnectionError:
                    _hang_up(client)

    @abstractmethod
    def _connected(self, client: socket.socket) -> None:
        """Pass on what this client and its server say, on threads."""

    def _asked(self, line: bytes) -> bool:
        """Look at a message of the client's, and hold it if it is the call; whether it is."""
        message = _read(line)
        if message.get("method") != "tools/call" or message["params"]["name"] != self._tool:
            return False
        self._call = message["id"]
        if self._point == BEFORE:
            self._hold()
            if not self.keeps:
                raise Silence
        return True

    def _forwarded(self, line: bytes) -> None:
        """The server has a message of the client's: it may say that the client waits no more."""
        message = _read(line)
        if message.get("method") == "notifications/cancelled" and message["params"].get("requestId") == self._call:
            self.given_up.set()

    def _answered(self, piece: bytes) -> None:
        """Hold what comes back if the answer is in it."""
        if self._point == AFTER and _ANSWER in piece:
            self._hold()

    def _hold(self) -> None:
        self.held.set()
        self._go.wait(2 * PATIENCE)


class Stdio(Relay):
    """Each connection gets a server of its own: ``serve(stdin, stdout)`` starts it, and gives its process id."""

    def __init__(self, path: Path, serve: Callable[[int, int], int]) -> None:
        self._serve = serve
        self.servers: list[int] = []
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        super().__init__(listener)

    def _connected(self, client: socket.socket) -> None:
        (stdin, to_server), (from_server, stdout) = os.pipe(), os.pipe()
        self.servers.append(self._serve(stdin, stdout))
        os.close(stdin)
        os.close(stdout)
        asks = (client.makefile("rb"), os.fdopen(to_server, "wb", 0), self._asked)
        answers = (os.fdopen(from_server, "rb"), client.makefile("wb", 0), self._answered)
        threading.Thread(target=self._pump, args=asks, daemon=True).start()
        threading.Thread(target=self._pump, args=(*answers, client), daemon=True).start()

    def _pump(
        self, source: Any, target: Any, look: Callable[[bytes], object], client: socket.socket | None = None
    ) -> None:
        """Pass lines on until the source ends; then the target has its end as well."""
        with suppress(OSError), source, target:
            for line in source:
                look(line)
                target.write(line)
                if not client:
                    self._forwarded(line)
        if client:
            _hang_up(client)
        elif self._call is not None:
            self.given_up.set()


class Http(Relay):
    """An address on loopback in front of another one; ``target`` is that one's port."""

    keeps, target = False, 0

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        super().__init__(listener)

    def _connected(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.target))
        self._sockets.append(server)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        called = threading.Event()
        threading.Thread(target=self._ask, args=(client, server, called), daemon=True).start()
        threading.Thread(target=self._answer, args=(server, client, called), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, called: threading.Event) -> None:
        """Pass requests on, each as a whole. Once the client hangs up, so does the relay."""
        try:
            for request, body in _requests(client):
                called.clear()
                if self._asked(body):
                    called.set()
                server.sendall(request)
                self._forwarded(body)
        except Silence:
            return
        except OSError:
            pass
        if called.is_set():
            self.given_up.set()
        _hang_up(server)
        _hang_up(client)

    def _answer(self, server: socket.socket, client: socket.socket, called: threading.Event) -> None:
        """Pass back what comes; a mark may be split over two pieces."""
        end = b""
        with suppress(OSError):
            while piece := server.recv(1 << 20):
                if called.is_set():
                    self._answered(end + piece)
                end = piece[-len(_ANSWER) :]
                client.sendall(piece)
        _hang_up(client)


def _requests(client: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Each request of a connection as it came, and its body; all of them say how long they are."""
    source = client.makefile("rb")
    while line := source.readline():
        head, length = line, 0
        while (line := source.readline()) not in (b"\r\n", b""):
            head += line
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = source.read(length)
        yield head + line + body, body


def _hang_up(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


def _read(text: bytes) -> dict[str, Any]:
    """A message; empty where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
