"""A service's offline twin, from the table of answers in a bundle's YAML: calls are matched, counted and answered."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

from workflow.machine.definition import Definition
from workflow.model.frozen import Noun
from workflow.service.sandbox.loopback import Call, Loopback, Sent

FAULTS = {
    "server-error": "HTTP 500, nothing is done",
    "bad-gateway": "HTTP 502 with a web page, nothing is done",
    "rate-limited": "HTTP 429 with Retry-After: 1, nothing is done",
    "unauthorized": "HTTP 401, nothing is done",
    "not-found": "HTTP 404, nothing is done",
    "drop-before": "the connection closes without an answer, nothing is done",
    "drop-after": "it is done, then the connection closes without an answer",
    "redirect-302": "302 to another host, nothing is done",
    "html-200": "it is done; the answer is a web page",
    "empty-object": "it is done; the answer is an object without fields",
}

_SEGMENT = re.compile(r"\{[^{}/]*\}")
_DONE = ("drop-after", "html-200", "empty-object")
_LOCAL = r"(?:127\.0\.0\.1|localhost)(?::\d+)?"
_CONTROL = "/__sandbox__/"


class Seen(NamedTuple):
    """A request as it came; ``json`` is its body, None if it had none."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any


class Said(Noun):
    """An answer; status 0 closes the connection without one."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = {}


class Answers(Loopback):
    """Answers for the service on the loopback interface; which answer it is depends on the calls before it."""

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS
    SLOW: ClassVar[Collection[str]] = ()
    """None of the faults takes real time."""

    def __init__(self, definition: Definition, *, port: int = 0) -> None:
        super().__init__(port)
        service = definition.service
        paid = [each for each in definition.actions.values() if each.effect == "once"]
        self.PAID = [f"{each.method} {_SEGMENT.sub('*', each.path)}" for each in paid]
        """The declared calls that cost something, with ``*`` for any part."""
        self.requests: list[Seen] = []
        self._answers: dict[str, list[Any]] = {
            call: given if isinstance(given, list) else [given] for call, given in service.answers.items()
        }
        self._key = (service.key_header.lower(), f"{service.key_scheme} {service.sandbox_key}".strip())
        self._given: dict[tuple[str, bool], int] = {}
        self._made: set[str] = set()
        self._armed: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()

    def respond(self, call: Call) -> Sent | None:
        """The answer to a request whose body is JSON, or nothing."""
        try:
            body = json.loads(call.content) if call.content else None
        except ValueError:
            said = _json(400, {"error": "the body is not JSON"})
        else:
            said = self.answer(Seen(call.method, call.path, dict(parse_qsl(call.query)), call.headers, body))
        if not said.status:
            return None
        return Sent(said.status, said.content, {"Content-Type": "application/json", **said.headers})

    def fault(self, name: str, *, on: str = "*", times: int = 1, **options: Any) -> None:
        """Let ``times`` answers go wrong; raises ValueError for what it does not know.

        ``on`` is a call as the table writes it, or ``METHOD /path`` with ``*`` for any part.
        """
        if options:
            raise ValueError(f"the fault {name!r} takes no {', '.join(options)}")
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")
        if "*" not in on and on not in self._answers and self._call(*on.partition(" ")[::2]) is None:
            raise ValueError(f"no such call: {on!r}; there are: {', '.join(self._answers)}")
        if not isinstance(times, int) or times < 1:
            raise ValueError("times must be a whole number from 1")
        with self._lock:
            self._armed += [(name, on, times)]

    def clear(self) -> None:
        """Forget all faults that have been asked for."""
        with self._lock:
            self._armed = []

    def answer(self, request: Seen) -> Said:
        """What is said to a request; those to the control address are not counted."""
        if request.path.startswith(_CONTROL):
            return self._controlled(request)
        with self._lock:
            self.requests.append(request)
            call = self._call(request.method, request.path)
            fault = self._strike(call, f"{request.method} {request.path}") if call else None
            if fault and fault not in _DONE:
                return _struck(fault)
            if request.headers.get(self._key[0]) != self._key[1]:
                return _json(401, {"error": "this is not the sandbox's key"})
            if call is None:
                return _json(404, {"error": "the sandbox has no answer for this call"})
            said = self._next(call)
            self._made.add(call)
            return _struck(fault) if fault else said

    def _call(self, method: str, path: str) -> str | None:
        """The key of the first answer that fits: in its path, ``{…}`` stands for any one segment."""
        for call in self._answers:
            known, _, pattern = call.partition(" ")
            if known == method and re.fullmatch(re.sub(r"\\\{[^{}/]*\\\}", "[^/]+", re.escape(pattern)), path):
                return call
        return None

    def _next(self, call: str) -> Said:
        """The next answer of a call; those that wait for another call go first once it was made."""
        freed = [each for each in self._answers[call] if each.get("after") in self._made]
        listed = freed or [each for each in self._answers[call] if not each.get("after")]
        count = self._given.get((call, bool(freed)), 0)
        self._given[call, bool(freed)] = count + 1
        answer = listed[min(count, len(listed) - 1)]
        return _json(answer.get("status", 200), answer.get("body"))

    def _strike(self, call: str, made: str) -> str | None:
        """The oldest fault that strikes this call; each strike counts."""
        for place, (name, on, times) in enumerate(self._armed):
            if on == call or fnmatchcase(made, on):
                self._armed[place : place + 1] = [(name, on, times - 1)] if times > 1 else []
                return name
        return None

    def _controlled(self, request: Seen) -> Said:
        """The control address, for people and tests in other processes; a page of another site cannot reach it."""
        wish = (request.method, request.path.removeprefix(_CONTROL).rstrip("/"))
        try:
            if not re.fullmatch(_LOCAL, request.headers.get("host", "")) or "origin" in request.headers:
                raise ValueError("the control address answers this machine alone")
            if wish == ("POST", "faults"):
                self.fault(**request.json)
            elif wish == ("DELETE", "faults"):
                self.clear()
            elif wish == ("GET", "requests"):
                return _json(200, {"requests": [each._asdict() for each in self.requests]})
            elif wish != ("GET", "faults"):
                raise ValueError("there are: faults (GET, POST, DELETE), requests (GET)")
        except (ValueError, TypeError) as error:
            return _json(400, {"error": str(error)})
        armed = [{"name": name, "on": on, "times": times} for name, on, times in self._armed]
        return _json(200, {"faults": FAULTS, "armed": armed})


def serve(definition: Definition, port: int, announce: Callable[[str], None]) -> None:
    """Serve the twin, from the main thread, until Ctrl-C or SIGTERM; what to set goes to ``announce``."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Answers(definition, port=port) as twin:
        announce(f"A sandbox at {twin.url}: offline, nothing costs anything. Ctrl-C ends it.")
        announce(f"  curl {twin.url}{_CONTROL}requests")
        announce(f'  curl {twin.url}{_CONTROL}faults -d \'{{"name": "drop-after", "on": "*"}}\'')
        announce(f"  export PHASEGATE_SANDBOX={twin.url}")
        threading.Event().wait()


def _struck(fault: str) -> Said:
    match fault:
        case "server-error":
            return _json(500, {"error": "internal error"})
        case "bad-gateway" | "html-200":
            return Said(502 if fault == "bad-gateway" else 200, b"<html>Sorry.</html>", {"Content-Type": "text/html"})
        case "rate-limited":
            return Said(429, b"{}", {"Retry-After": "1"})
        case "unauthorized":
            return _json(401, {"error": "unauthorized"})
        case "not-found":
            return _json(404, {"error": "not found"})
        case "redirect-302":
            return Said(302, b"", {"Location": "https://elsewhere.invalid/"})
        case "empty-object":
            return _json(200, {})
        case _:
            return Said(0)


def _json(status: int, body: Any) -> Said:
    return Said(status, b"" if body is None else json.dumps(body, ensure_ascii=False).encode())
