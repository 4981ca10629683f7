"""The courier's offline twin: a loopback server that counts what it is asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Depot(ThreadingHTTPServer):
    """Prices by the length of the address; a parcel arrives at the third look."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str]] = []
        self.keys: set[str | None] = set()
        self.looks = 0
        self.lose_answer = False
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Stop listening and give the port back."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def answer(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """What the courier says."""
        self.seen.append((method, path.partition("?")[0]))
        if path.startswith("/price"):
            where = path.partition("to=")[2]
            if "nowhere" in where:
                return 422, {}
            return 200, {"text": f"To your door for {len(where)} coins.", "cents": len(where) * 100}
        if path == "/bookings":
            return 200, {"id": "bk_7f3a9c2e11"}
        self.looks += 1
        return 200, {"where": "door" if self.looks > 2 else "road", "percent": min(100, self.looks * 33)}


class _Handler(BaseHTTPRequestHandler):
    server: Depot

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer("POST")

    def _answer(self, method: str) -> None:
        self.server.keys.add(self.headers.get("Authorization"))
        status, body = self.server.answer(method, self.path)
        if method == "POST" and self.server.lose_answer:
            self.close_connection = True
            return
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: what was asked is in ``seen``."""
