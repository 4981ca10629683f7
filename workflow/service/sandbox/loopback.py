"""Listening on the loopback interface, for offline twins: one request, one answer, one connection."""

from __future__ import annotations

import re
import socketserver
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

_LARGEST = 16 * 1024 * 1024
"""Bytes of a body; the rest of a longer one is not read."""


class Call(NamedTuple):
    """A request as it came; the names of ``headers`` are in small letters, ``query`` is as it was sent."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content: bytes


class Sent(NamedTuple):
    """An answer: status, body, and headers beside its length."""

    status: int
    content: bytes
    headers: Mapping[str, str]


class Loopback(ABC):
    """Something that listens; a subclass says what is answered, and calls ``super().__init__``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: _Server | None = None

    @abstractmethod
    def respond(self, call: Call) -> Sent | None:
        """The answer, on a thread of its own; None closes the connection without one."""

    @property
    def url(self) -> str:
        """Its address, ``http://127.0.0.1:PORT``; the same after a stop and a new start."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def found(self) -> list[str]:
        """The pages that a person would find in their account; a subclass may have some."""
        return []

    def start(self) -> Self:
        """Listen, on a thread of its own; raises OSError where the port is taken."""
        if self._server is None:
            self._server = _Server(self._port, self)
            self._port = self._server.server_address[1]
            self._server.listen()
        return self

    def stop(self) -> None:
        """Give the port back; what was recorded is kept."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    """One thread per connection; none is left when it stops."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, port: int, owner: Loopback) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="sandbox", daemon=True)

    def server_bind(self) -> None:
        """Without the reverse name look-up of `http.server`."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def listen(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hangs up is no error of ours
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        content = self.rfile.read(min(int(length), _LARGEST)) if re.fullmatch("[0-9]{1,9}", length) else b"?"
        path, _, query = self.path.partition("?")
        sent = self.server.owner.respond(Call(self.command, path, query, headers, content))
        self.close_connection = True
        if sent is None:
            return
        self.send_response(sent.status)
        for name, value in sent.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent.content)))
        self.end_headers()
        self.wfile.write(sent.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent: who listens keeps what was asked."""
