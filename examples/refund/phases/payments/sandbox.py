"""The payments service's offline twin: it remembers refunds by idempotency key, as the real ones do."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs

from workflow.twin import Call, Loopback, Sent

KEY = "pay-sandbox-key-0000"
FAULTS = {
    "server-error": "HTTP 500, nothing is done",
    "drop-before": "the connection closes without an answer, nothing is done",
    "drop-after": "it is done, then the connection closes without an answer",
}
PAYMENTS: dict[str, dict[str, Any]] = {
    "A-1001": {"id": "pay_8c1f0a", "refundable": 240, "age_days": 12},
    "A-1002": {"id": "pay_77de3b", "refundable": 35.5, "age_days": 3},
    "A-1003": {"id": "pay_19b2c4", "refundable": 60, "age_days": 200},
}
"""By order; all of them are Ada's, in euro."""
EMAIL = "ada@example.org"


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    json: dict[str, Any]


class Sandbox(Loopback):
    """The service on the loopback interface; ``refunds`` are those that were made, by idempotency key."""

    FAULTS = FAULTS
    SLOW: ClassVar[Sequence[str]] = ()
    PAID: ClassVar[Sequence[str]] = ("POST /v1/payments/*/refunds",)

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port)
        self.requests: list[Request] = []
        self.refunds: dict[str, dict[str, Any]] = {}
        self.noticed: dict[str, str] = {}
        self._armed: list[tuple[str, str]] = []

    def respond(self, call: Call) -> Sent | None:
        """As :meth:`answer` has it; what is not JSON is answered by nobody."""
        body = json.loads(call.content) if call.content else {}
        status, said = self.answer(Request(call.method, call.path, call.headers, parse_qs(call.query), body))
        return Sent(status, json.dumps(said).encode(), {"Content-Type": "application/json"}) if status else None

    def fault(self, name: str, *, on: str = "*", times: int = 1) -> None:
        """Let ``times`` answers go wrong; ``on`` is ``METHOD /path``, with ``*`` for any part."""
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")
        self._armed += [(name, on)] * times

    def clear(self) -> None:
        """Forget all faults."""
        self._armed = []

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body; status 0 closes the connection."""
        self.requests.append(request)
        fault = self._strike(f"{request.method} {request.path}")
        if fault in ("server-error", "drop-before"):
            return (500, {}) if fault == "server-error" else (0, {})
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"error": {"code": "unauthorized"}}
        said = self._said(request)
        return (0, {}) if fault else said

    def _strike(self, call: str) -> str | None:
        for place, (name, on) in enumerate(self._armed):
            if fnmatchcase(call, on):
                del self._armed[place]
                return name
        return None

    def _said(self, request: Request) -> tuple[int, Any]:
        call = f"{request.method} {request.path}"
        if match := re.fullmatch(r"GET /v1/orders/([^/]+)/payment", call):
            payment = PAYMENTS.get(match[1])
            if payment is None or request.query.get("email") != [EMAIL]:
                return 404, {"error": {"code": "not_found"}}
            return 200, {**payment, "currency": "EUR", "customer": {"name": "Ada Byron"}}
        if match := re.fullmatch(r"POST /v1/payments/([^/]+)/refunds", call):
            return self._refund(match[1], request)
        if call == "GET /v1/refunds":
            wanted = request.query.get("idempotency_key", [])
            return 200, {"data": [self.refunds[key] for key in wanted if key in self.refunds]}
        if match := re.fullmatch(r"PUT /v1/refunds/([^/]+)/notice", call):
            self.noticed[match[1]] = request.json["to"]
            return 200, {}
        return 404, {"error": {"code": "not_found"}}

    def _refund(self, payment: str, request: Request) -> tuple[int, Any]:
        key = request.headers.get("idempotency-key", "")
        left = next((each["refundable"] for each in PAYMENTS.values() if each["id"] == payment), 0)
        if key in self.refunds:
            return 200, self.refunds[key]
        given = sum(each["amount"] for each in self.refunds.values() if each["payment"] == payment)
        if not key or given + request.json["amount"] > left:
            return 422, {"error": {"code": "not_refundable"}}
        self.refunds[key] = {"id": f"re_5d00{len(self.refunds):02}", "payment": payment, **request.json}
        return 201, self.refunds[key]


def serve(port: int, rounds: int, looks: int, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C, for ``workflow sandbox``."""
    with Sandbox(port=port) as sandbox:
        announce(f"Payments at {sandbox.url}: offline; orders {', '.join(PAYMENTS)} of {EMAIL}. Ctrl-C ends it.")
        announce(f"  export PHASEGATE_SANDBOX={sandbox.url}")
        threading.Event().wait()
