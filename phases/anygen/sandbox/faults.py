"""Every way in which the sandbox can be asked to misbehave: when each strikes, and what it takes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

API = frozenset({"upload", "prepare", "create", "task", "send", "messages", "verify", "document"})
CALLS = API | {"page"}  # the pages and pictures of tasks; "*" leaves them alone


class Moment(Enum):
    """When a fault strikes."""

    INSTEAD = "another answer; nothing is done, unless option after is true"
    STATE = "the work itself goes wrong, and stays so"
    ANSWER = "it is done; one field of the answer is wrong"
    GARBLED = "it is done; the answer is no proper JSON"
    WIRE = "it is done; the answer does not arrive as it should"


@dataclass(frozen=True)
class Kind:
    """A fault as the table knows it: its default options say which options there are."""

    moment: Moment
    description: str
    calls: frozenset[str] = API
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Armed:
    """A fault that has been asked for; ``times`` counts answers, 0 means until cleared."""

    name: str
    on: str
    times: int
    options: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        """Its row in the table."""
        return KINDS[self.name]

    @property
    def calls(self) -> frozenset[str]:
        """The calls that it strikes."""
        return self.kind.calls & (API if self.on == "*" else {self.on})


class UnknownFault(KeyError):
    """No fault of that name."""

    def __str__(self) -> str:
        return f"unknown fault {self.args[0]!r}; there are: {', '.join(KINDS)}"


class Armoury:
    """The faults that wait for their call, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._lock = threading.Lock()

    def arm(self, name: str, on: str, times: int, options: Mapping[str, Any]) -> Armed:
        """Raises `UnknownFault`, or ValueError where it cannot strike that call or take that option."""
        if name not in KINDS:
            raise UnknownFault(name)
        kind = KINDS[name]
        if on != "*" and on not in kind.calls:
            raise ValueError(f"{name} cannot strike {on!r}; it can strike: {', '.join(sorted(kind.calls))}")
        if unknown := set(options) - set(kind.options):
            raise ValueError(f"{name} takes no option {sorted(unknown)}; it takes: {', '.join(kind.options) or 'none'}")
        if not isinstance(times, int) or times < 0:
            raise ValueError("times must be a whole number; 0 means until cleared")
        armed = Armed(name, on, times, {**kind.options, **options})
        with self._lock:
            self._armed.append(armed)
        return armed

    def clear(self) -> None:
        """Forget all that has been asked for."""
        with self._lock:
            self._armed.clear()

    def waiting(self, call: str) -> Armed | None:
        """The oldest fault that strikes this call."""
        with self._lock:
            return next((armed for armed in self._armed if call in armed.calls), None)

    def spend(self, armed: Armed) -> None:
        """Count one strike."""
        with self._lock:
            for place, other in enumerate(self._armed):
                if other is armed and armed.times:
                    self._armed[place : place + 1] = [replace(armed, times=armed.times - 1)] if armed.times > 1 else []
                    return

    def listed(self) -> list[dict[str, Any]]:
        """What waits, for the control address."""
        with self._lock:
            return [
                {"name": armed.name, "on": armed.on, "times": armed.times, **armed.options} for armed in self._armed
            ]


def _error(description: str, error: str, code: int | None, status: int, **more: Any) -> Kind:
    options = {"error": error, "code": code, "status": status, "after": False, **more}
    return Kind(Moment.INSTEAD, description, CALLS, options)


def _redirect(status: int) -> Kind:
    options = {"to": "https://elsewhere.invalid", "status": status, "after": False}
    return Kind(Moment.INSTEAD, f"{status} to the same path of another host (to)", CALLS, options)


_SPEAKING = frozenset({"prepare", "messages"})
_WHERE = {"field": "reply"}  # or "prompt", of prepare once it is ready

KINDS: dict[str, Kind] = {
    "success-false-200": _error("HTTP 200 with success:false (error, code)", "something went wrong", 100004001, 200),
    "unauthorized": _error("401 with the error envelope", "login required", 100004004, 401),
    "forbidden": _error("403 with the error envelope", "forbidden", 100004003, 403),
    "not-found": _error("404 with the error envelope", "not found", 100004002, 404),
    "rate-limited": _error(
        "429 with Retry-After (retry_after: seconds, or null)", "rate limited", 100004006, 429, retry_after=1
    ),
    "server-error": _error("500 with the error envelope", "internal error", 100005000, 500),
    "bad-gateway": Kind(Moment.INSTEAD, "502 with the HTML of a proxy", CALLS, {"status": 502, "after": False}),
    "auth-4101": _error("HTTP 200 with code 4101, as a sibling gateway refuses a key", "login required", 4101, 200),
    "credits": _error("code 100006029; verify then counts 0 credits", "insufficient credits", 100006029, 200),
    "operation-not-allowed": _error(
        "success:false, operation not allowed, no code", "operation not allowed", None, 200
    ),
    "invalid-api-key": _error("success:false, invalid API key, no code", "invalid API key", None, 200),
    "too-large": _error("success:false, the file is too large, no code", "file size exceeds 50MB", None, 200),
    "redirect-302": _redirect(302),
    "redirect-307": _redirect(307),
    "redirect-308": _redirect(308),
    "drop-before": Kind(Moment.INSTEAD, "the connection closes without an answer, nothing is done", CALLS),
    "drop-after": Kind(
        Moment.WIRE, "it is done (the task exists), then the connection closes without an answer", CALLS
    ),
    "reset-body": Kind(Moment.WIRE, "it is done, then the connection is reset in the middle of the body", CALLS),
    "slow-headers": Kind(Moment.WIRE, "the headers arrive drop by drop (seconds)", CALLS, {"seconds": 5.0}),
    "slow-body": Kind(Moment.WIRE, "the body arrives drop by drop (seconds)", CALLS, {"seconds": 5.0}),
    "huge-body": Kind(Moment.GARBLED, "a JSON body of more than 1 MiB (size in bytes)", API, {"size": 2_097_152}),
    "gzip-bomb": Kind(
        Moment.GARBLED,
        "a small gzip body that unpacks to a large one (size in bytes)",
        API,
        {"size": 33_554_432},
    ),
    "truncated-json": Kind(Moment.GARBLED, "half of the JSON"),
    "nan": Kind(Moment.GARBLED, "JSON with NaN as a number"),
    "huge-int": Kind(Moment.GARBLED, "JSON with a very long whole number (digits)", API, {"digits": 5000}),
    "duplicate-keys": Kind(Moment.GARBLED, "JSON in which every field stands twice, first with another value"),
    "deep-json": Kind(Moment.GARBLED, "JSON nested very deep (levels)", API, {"levels": 100_000}),
    "lone-surrogate": Kind(Moment.GARBLED, "JSON with half of a surrogate pair in its texts"),
    "html-200": Kind(Moment.GARBLED, "a web page with HTTP 200"),
    "empty-body": Kind(Moment.GARBLED, "HTTP 200 and no body"),
    "not-an-object": Kind(Moment.GARBLED, "a JSON list around the answer"),
    "task-failed": Kind(Moment.STATE, "the task fails", frozenset({"create", "task"})),
    "message-failed": Kind(Moment.STATE, "the answer to a modification fails", frozenset({"send", "messages"})),
    "stuck-progress": Kind(Moment.STATE, "nothing gets further at this look", frozenset({"task", "messages"})),
    "unknown-status": Kind(
        Moment.ANSWER,
        "a status that nobody knows (status)",
        frozenset({"prepare", "task", "send", "messages"}),
        {"status": "paused"},
    ),
    "ready-without-params": Kind(Moment.ANSWER, "ready, without suggested_task_params", frozenset({"prepare"})),
    "missing-reply": Kind(Moment.ANSWER, "prepare answers without a reply", frozenset({"prepare"})),
    "missing-messages": Kind(Moment.ANSWER, "prepare answers without the conversation", frozenset({"prepare"})),
    "missing-file-token": Kind(Moment.ANSWER, "success, without the file token", frozenset({"upload"})),
    "missing-task-id": Kind(Moment.ANSWER, "success, without the task id", frozenset({"create"})),
    "missing-message-id": Kind(Moment.ANSWER, "success, without the message id", frozenset({"send"})),
    "missing-output": Kind(Moment.ANSWER, "a finished task without its output", frozenset({"task"})),
    "hostile-file-name": Kind(
        Moment.ANSWER,
        "a file name that climbs out of its folder (file_name)",
        frozenset({"task"}),
        {"file_name": "../../.ssh/authorized_keys"},
    ),
    "hostile-task-url": Kind(
        Moment.ANSWER,
        "a task_url that is a script or of another host (url)",
        frozenset({"create", "task"}),
        {"url": "javascript:alert(document.domain)"},
    ),
    "terminal-escapes": Kind(
        Moment.ANSWER, "terminal escapes, bidi and zero-width characters (field)", _SPEAKING, _WHERE
    ),
    "leak-id": Kind(Moment.ANSWER, "the text contains the file token or the task's id (field)", _SPEAKING, _WHERE),
    "leak-key": Kind(Moment.ANSWER, "the text contains the caller's key (field)", _SPEAKING, _WHERE),
    "prompt-injection": Kind(Moment.ANSWER, "the text tells the agent to approve by itself (field)", _SPEAKING, _WHERE),
}

FAULTS: dict[str, str] = {name: kind.description for name, kind in KINDS.items()}
SLOW = frozenset(name for name, kind in KINDS.items() if "seconds" in kind.options)
"""Faults that take the time of the clock on the wall."""
