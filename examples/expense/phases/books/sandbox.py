"""The books' offline twin: it stores and totals reports, keeps what people decided, and pays once per key."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple

from workflow.twin import Call, Loopback, Sent

KEY = "books-sandbox-key"
FAULTS = {
    "server-error": "HTTP 500, nothing is done",
    "drop-before": "the connection closes without an answer, nothing is done",
    "drop-after": "it is done, then the connection closes without an answer",
}
TODAY = date(2026, 11, 30)
"""The books' own day: reports in scenarios are written for it."""
MOST_LINES, DAYS = 50, 90
CATEGORIES = ("travel", "meals", "equipment", "other")
_LINE = re.compile(r"(\d{4}-\d\d-\d\d); *(\w+); *(\d+(?:\.\d\d)?); *(\S.*)")


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    json: dict[str, Any]


class Sandbox(Loopback):
    """The books on the loopback interface; ``payments`` are those that were made, by idempotency key."""

    FAULTS = FAULTS
    SLOW: ClassVar[Sequence[str]] = ()
    PAID: ClassVar[Sequence[str]] = ("POST /v1/payments",)

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port)
        self.requests: list[Request] = []
        self.payments: dict[str, dict[str, Any]] = {}
        self.rejections: dict[str, dict[str, str]] = {}
        self.decline = False
        self._reports = self._versions = 0
        self._armed: list[tuple[str, str]] = []

    def respond(self, call: Call) -> Sent | None:
        """As :meth:`answer` has it; what is not JSON is answered by nobody."""
        body = json.loads(call.content) if call.content else {}
        status, said = self.answer(Request(call.method, call.path, call.headers, body))
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
        if call == "POST /v1/reports":
            return self._stored(request.json)
        if match := re.fullmatch(r"PUT /v1/reports/([^/]+)/versions/(\d+)/rejection", call):
            rejected = self.rejections.setdefault(match[1], {})
            rejected[match[2]] = str(request.json["reason"])
            return 200, {"count": len(rejected)}
        if re.fullmatch(r"PUT /v1/reports/[^/]+/versions/\d+/approval", call):
            return 200, {"told": f"on {TODAY.day} {TODAY:%B %Y} by the {request.json['by']}"}
        if call == "POST /v1/payments":
            if self.decline:
                return 402, {"error": {"code": "declined"}}
            key = request.headers.get("idempotency-key", "")
            self.payments.setdefault(key, {"id": f"pay_{len(self.payments):04}", **request.json})
            return 201, self.payments[key]
        if match := re.fullmatch(r"GET /v1/reports/([^/]+)/payment", call):
            found = [each for each in self.payments.values() if each["report"] == match[1]]
            return (200, found[0]) if found else (404, {"error": {"code": "not_found"}})
        return 404, {"error": {"code": "not_found"}}

    def _stored(self, sent: dict[str, Any]) -> tuple[int, Any]:
        """A report keeps its number when it is handed in again; what cannot be read is not stored."""
        lines = [each.strip() for each in str(sent["lines"]).splitlines() if each.strip()]
        problems = [told for number, line in enumerate(lines, 1) if (told := _problem(number, line))]
        if not lines or len(lines) > MOST_LINES:
            problems = [f"A report has 1 to {MOST_LINES} lines; this one has {len(lines)}."]
        self._reports += not sent.get("replaces")
        self._versions += 1
        known = {"id": sent.get("replaces") or f"R-{self._reports + 1000}", "version": self._versions}
        if problems:
            return 200, {"state": "refused", "problems": "\n".join(problems), "listing": "-", "total": 0, **known}
        parts = [_LINE.fullmatch(line) for line in lines]
        rows = [f"{at}. {part[1]} {part[2]} {part[3]} EUR: {part[4]}" for at, part in enumerate(parts, 1) if part]
        total = round(sum(float(part[3]) for part in parts if part), 2)
        listing = "\n".join([f"Report {known['id']}", *rows, f"Total: {total:.2f} EUR"])
        total = int(total) if total.is_integer() else total
        return 200, {"state": "stored", "problems": "-", "listing": listing, "total": total, **known}


def _problem(number: int, line: str) -> str:
    """Why the books do not take a line; empty if they do."""
    part = _LINE.fullmatch(line)
    if part is None or part[2] not in CATEGORIES or not float(part[3]):
        return f"Line {number} is not `date; {'|'.join(CATEGORIES)}; amount; note`."
    try:
        day = date.fromisoformat(part[1])
    except ValueError:
        return f"Line {number}: {part[1]} is not a day."
    if day > TODAY:
        return f"Line {number}: {part[1]} lies in the future."
    return f"Line {number}: {part[1]} is more than {DAYS} days ago." if TODAY - day > timedelta(DAYS) else ""


def serve(port: int, rounds: int, looks: int, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C, for ``workflow sandbox``."""
    with Sandbox(port=port) as sandbox:
        announce(f"Books at {sandbox.url}: offline; today is {TODAY}. Ctrl-C ends it.")
        announce(f"  export PHASEGATE_SANDBOX={sandbox.url}")
        threading.Event().wait()
