"""The books' offline twin: it stores and totals reports, keeps what people decided, and pays once per key."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from workflow.twin import Answer, Request, Twin

KEY = "books-sandbox-key"
TODAY = date(2026, 11, 30)
"""The books' own day: reports in scenarios are written for it."""
MOST_LINES, DAYS = 50, 90
CATEGORIES = ("travel", "meals", "equipment", "other")
_LINE = re.compile(r"(\d{4}-\d\d-\d\d); *(\w+); *(\d+(?:\.\d\d)?); *(\S.*)")


class Sandbox(Twin):
    """The books on the loopback interface; ``payments`` are those that were made, by idempotency key."""

    PAID: ClassVar[Sequence[str]] = ("POST /v1/payments",)

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.payments: dict[str, dict[str, Any]] = {}
        self.rejections: dict[str, dict[str, str]] = {}
        self.decline = False
        self._reports = self._versions = 0

    def answer(self, request: Request) -> Answer:
        """Status and body."""
        return self._said(request) if request.key == KEY else (401, {"error": {"code": "unauthorized"}})

    def _said(self, request: Request) -> Answer:
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

    def _stored(self, sent: dict[str, Any]) -> Answer:
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
