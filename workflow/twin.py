"""A sandbox to build on: the loopback listener, the record of requests and the faults; a bundle adds the answers.

A bundle imports it by itself, ``from workflow.twin import Twin``: no turn pays for a web server.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import parse_qsl

Answer = tuple[int, Mapping[str, Any]]
"""Status, and the JSON of the body."""


class Request(NamedTuple):
    """One recorded request; ``json`` is None where the body is something else."""

    method: str
    path: str
    query: Mapping[str, str]
    json: Any
    key: str


class _Armed:
    """A fault that waits for its call; ``times`` counts down, 0 means until cleared."""

    def __init__(self, name: str, on: str, times: int) -> None:
        self.name, self.on, self.times = name, on, times


class Twin:
    """The offline twin of a service; a subclass has :meth:`answer`, and names in ``PAID`` what costs something.

    ``rounds`` and ``looks`` mean what the subclass makes of them: questions until it is ready, looks until work is
    done. A fault strikes ``METHOD /path``, with ``*`` for any part.
    """

    FAULTS: ClassVar[Mapping[str, str]] = {
        "refused": "422, and nothing is done",
        "unauthorized": "401, and nothing is done",
        "rate-limited": "429 with Retry-After, and nothing is done",
        "server-error": "500, and nothing is done",
        "bad-gateway": "502 with the HTML of a proxy, and nothing is done",
        "redirect": "307 to the same path of another host, and nothing is done",
        "drop-before": "the connection closes without an answer, and nothing is done",
        "drop-after": "it is done, then the connection closes without an answer",
        "truncated-json": "it is done; half of the answer arrives",
    }
    SLOW: ClassVar[Collection[str]] = ()
    PAID: ClassVar[Collection[str]] = ()

    def __init__(self, *, port: int = 0, rounds: int = 2, looks: int = 2) -> None:
        self.rounds, self.looks = rounds, looks
        self.requests: list[Request] = []
        self._port = port
        self._armed: list[_Armed] = []
        self._lock = threading.RLock()
        self._server: _Server | None = None

    def answer(self, request: Request) -> Answer:
        """What the service says, one request at a time."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it listens; the same after a stop and a new start."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def found(self) -> list[str]:
        """The pages that a person would find in their account; a subclass may have some."""
        return []

    def start(self) -> Self:
        """Listen, on a thread of its own; raises OSError where the port is taken."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), self)
            self._port = self._server.server_address[1]
            self._server.listen()
        return self

    def stop(self) -> None:
        """Give the port back; what was recorded is kept."""
        server, self._server = self._server, None
        if server:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fault(self, name: str, *, on: str = "*", times: int = 1, **options: Any) -> None:
        """Let ``times`` answers go wrong (0: until cleared); raises KeyError, or ValueError for an option."""
        if name not in self.FAULTS:
            raise KeyError(f"unknown fault {name!r}; there are: {', '.join(self.FAULTS)}")
        if options:
            raise ValueError(f"{name} takes no option {', '.join(options)}")
        with self._lock:
            self._armed.append(_Armed(name, on, times))

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._armed.clear()

    def take(self, request: Request) -> tuple[int, bytes, Mapping[str, str]] | None:
        """Record a request and answer it, as the oldest fault that fits will have it; None: no answer at all."""
        with self._lock:
            self.requests.append(request)
            fault = self._strike(f"{request.method} {request.path}")
            if fault in _INSTEAD:
                status, kind, text = _INSTEAD[fault]
                more = {"Location": f"https://elsewhere.invalid{request.path}"} if status == 307 else {}
                return status, text, {"Content-Type": kind, "Retry-After": "1", **more}
            if fault == "drop-before":
                return None
            status, body = self.answer(request)
        if fault == "drop-after":
            return None
        content = json.dumps(body, ensure_ascii=False).encode()
        content = content[: len(content) // 2] if fault == "truncated-json" else content
        return status, content, {"Content-Type": "application/json"}

    def _strike(self, call: str) -> str:
        """The name of the fault that strikes this call, empty if none does."""
        for armed in self._armed:
            if fnmatchcase(call, armed.on):
                armed.times -= 1
                if armed.times == 0:
                    self._armed.remove(armed)
                return armed.name
        return ""


_JSON = "application/json"
_INSTEAD = {
    "refused": (422, _JSON, b'{"error": "this cannot be done"}'),
    "unauthorized": (401, _JSON, b'{"error": "who are you?"}'),
    "rate-limited": (429, _JSON, b'{"error": "not so fast"}'),
    "server-error": (500, _JSON, b'{"error": "an error of ours"}'),
    "bad-gateway": (502, "text/html", b"<html><title>502 Bad Gateway</title></html>"),
    "redirect": (307, _JSON, b"{}"),
}


class _Server(ThreadingHTTPServer):
    """Remembers whom it serves, and its thread."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], twin: Twin) -> None:
        super().__init__(address, _Handler)
        self.twin = twin
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="sandbox", daemon=True)

    def server_bind(self) -> None:
        """Without the reverse name look-up of `http.server`."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def listen(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        content = self.rfile.read(int(length)) if length.isdecimal() else b""
        path, _, query = self.path.partition("?")
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(self.command, path, dict(parse_qsl(query)), _read(content), key)
        found = self.server.twin.take(request)
        if found is None:
            self.close_connection = True
            return
        status, body, headers = found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Silent: what was asked is in ``requests``."""


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
