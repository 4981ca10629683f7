"""The sandbox, which can keep one request waiting."""

from __future__ import annotations

import threading
from typing import Any

from phases.anygen.sandbox import Request, Sandbox
from tests.cuts.relay import PATIENCE


class Twin(Sandbox):
    """The sandbox; it lets one request wait until it is released. ``arrived`` is set once that is there."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.slow: tuple[str, str] | None = None
        self.arrived, self.go = threading.Event(), threading.Event()

    def _answer(self, request: Request, problem: str) -> Any:
        method, path = self.slow or ("", "")
        same = request.path.startswith(path) if path.endswith("/") else request.path == path
        if request.method == method and same:
            self.slow = None
            self.arrived.set()
            self.go.wait(PATIENCE)
        return super()._answer(request, problem)

    def paid(self) -> int:
        """How often something was paid for."""
        return sum(each.method == "POST" and each.path == "/v1/openapi/tasks" for each in self.requests)
