"""The shop: a loopback service that counts every call, and can hold its answers back.

An answer that is held back is how a failure is put exactly between a paid call and its record: the shop has
counted the order, the caller does not know it yet. Run by itself, it prints its address and ends with its stdin.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE = 60.0
"""Seconds that anyone waits for anything here; a limit for a broken run, never reached by a good one."""


class Shop(ThreadingHTTPServer):
    """``calls`` holds the text of each plan and order that was asked for, in order."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.calls: dict[str, list[str]] = {"plans": [], "orders": []}
        self.held: set[str] = set()
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, kind: str, body: dict[str, str]) -> dict[str, Any]:
        """Count first, then answer, as soon as answers of this kind are not held back."""
        text = body["wish"] if kind == "plans" else body["plan"]
        with self.changed:
            self.calls[kind].append(text)
            number = len(self.calls[kind])
            self.changed.notify_all()
            self.changed.wait_for(lambda: kind not in self.held, PATIENCE)
        return {"plan": f"A poster: {text}."} if kind == "plans" else {"receipt": f"rc-{number:012d}"}

    def hold(self, kind: str | None) -> None:
        """Hold back the answers of this kind; without one, let everything go."""
        with self.changed:
            self.held = {kind} if kind else set()
            self.changed.notify_all()

    def counted(self, kind: str, least: int) -> dict[str, list[str]] | None:
        """The calls, once there are this many of a kind or nothing is held; None if that does not come about."""
        with self.changed:
            reached = self.changed.wait_for(lambda: len(self.calls[kind]) >= least or not self.held, PATIENCE)
            return dict(self.calls) if reached else None


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        """``/calls?kind=orders&least=1``"""
        query = parse_qs(urlsplit(self.path).query)
        found = self.server.counted(query.get("kind", ["orders"])[0], int(query.get("least", ["0"])[0]))
        self._say(504 if found is None else 200, found or {})

    def do_POST(self) -> None:
        """``/plans``, ``/orders``; ``/hold`` and ``/release`` are for the conductor."""
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        kind = self.path.strip("/")
        if kind in self.server.calls:
            self._say(200, self.server.answer(kind, body))
        else:
            self.server.hold(body.get("kind") if kind == "hold" else None)
            self._say(200, {})

    def log_message(self, format: str, *args: object) -> None:
        """Silent: what was asked is in ``calls``."""

    def _say(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked was killed meanwhile


def serve(port: int, rounds: int, looks: int, announce: Callable[[str], None]) -> None:
    """Until Ctrl-C, for ``workflow sandbox --bundle compare/bundle``; the shop asks nothing and needs no looks."""
    with Shop(port) as shop:
        announce(shop.url)
        shop.serve_forever()


def _serve_while_wanted() -> None:
    """Until stdin ends: whoever started the shop is gone then."""
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        print(shop.url, flush=True)
        sys.stdin.read()
        shop.shutdown()


if __name__ == "__main__":
    _serve_while_wanted()
