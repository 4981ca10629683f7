"""The loopback listener: one thread per connection, and answers that arrive well or badly."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from .wire import Answer, Request, Unreadable, encode, read_request

_DRIP = 0.05  # seconds between two drops


class Listener(ThreadingHTTPServer):
    """Keeps hold of its connections and threads, so that nothing is left when it stops.

    ``answer`` gets each request and what is wrong with its body, if anything.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request, str], Answer]) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        super().__init__(("127.0.0.1", port), _Connection)
        self._listener = threading.Thread(target=self.serve_forever, args=(0.02,), name="sandbox", daemon=True)

    def server_bind(self) -> None:
        """Without the reverse name look-up of `http.server`."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def listen(self) -> None:
        self._listener.start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self._listener.join()
        with self._guard:
            connections, workers = list(self._open), list(self._workers)
        for connection in connections:
            with contextlib.suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        worker = threading.Thread(target=self._work, args=(request, client_address), name="sandbox call", daemon=True)
        with self._guard:
            self._open.add(request)
            self._workers.add(worker)
        worker.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hangs up is no error of ours
            super().handle_error(request, client_address)

    def _work(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)
                self._workers.discard(threading.current_thread())


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    connection: socket.socket

    def _handle(self) -> None:
        problem = ""
        try:
            request = read_request(self.command, self.path, self.headers, self.rfile, time.time())
        except Unreadable as error:
            problem, request = error.args
        except ValueError:  # a length that is no number: where the body ends cannot be known
            self.close_connection = True
            self._send(_no("bad request", 400))
            return
        self._send(cast(Listener, self.server).answer(request, problem))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Even a request that cannot be parsed gets JSON."""
        self.close_connection = True
        self._send(_no(message or "bad request", code))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged: `Sandbox.requests` has it all."""

    def _send(self, answer: Answer) -> None:
        head = self._head(answer)
        content = b"" if self.command == "HEAD" else answer.content
        if answer.manner == "drop":
            self.close_connection = True
        elif answer.manner == "reset":
            self.close_connection = True
            self.connection.sendall(head + content[: len(content) // 2])
            self._reset()
        elif answer.manner == "slow-headers":
            self._drip(head, answer.seconds)
            self._drip(content, 0)
        elif answer.manner == "slow-body":
            self.connection.sendall(head)
            self._drip(content, answer.seconds)
        else:
            self.connection.sendall(head + content)

    def _head(self, answer: Answer) -> bytes:
        phrase = HTTPStatus(answer.status).phrase if answer.status in HTTPStatus._value2member_map_ else "Unknown"
        identity = secrets.token_hex(16)
        fields = {
            "Date": formatdate(usegmt=True),
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.content)),
            "x-request-id": identity,
            "x-tt-logid": identity,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close" if self.close_connection else "keep-alive",
            **answer.headers,
        }
        lines = [
            f"HTTP/1.1 {answer.status} {phrase}",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def _drip(self, content: bytes, seconds: float) -> None:
        """Send in drops over that many seconds; the end of the sandbox ends it at once."""
        drops = max(1, round(seconds / _DRIP))
        size = max(1, -(-len(content) // drops))
        for start in range(0, len(content), size):
            if seconds and cast(Listener, self.server).stopping.wait(min(_DRIP, seconds / drops)):
                self.close_connection = True
                return
            self.connection.sendall(content[start : start + size])

    def _reset(self) -> None:
        """Close so that the other side gets RST and not the end of the stream."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _no(error: str, status: int) -> Answer:
    return Answer(encode({"success": False, "error": error}), status)
