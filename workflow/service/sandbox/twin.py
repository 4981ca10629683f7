"""A sandbox to build on: the record of requests and the faults; a bundle adds the answers.

A bundle imports it by itself, ``from workflow.twin import Twin``: no turn pays for a web server.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

from workflow.service.sandbox.loopback import Call, Loopback, Sent

Answer = tuple[int, Mapping[str, Any]]
"""Status, and the JSON of the body."""


class Request(NamedTuple):
    """One recorded request: ``json`` is None where the body is something else, ``headers`` have names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    json: Any
    key: str
    headers: Mapping[str, str] = MappingProxyType({})


class _Armed:
    """A fault that waits for its call; ``times`` counts down, 0 means until cleared."""

    def __init__(self, name: str, on: str, times: int) -> None:
        self.name, self.on, self.times = name, on, times


class Twin(Loopback):
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
        super().__init__(port)
        self.rounds, self.looks = rounds, looks
        self.requests: list[Request] = []
        self._armed: list[_Armed] = []
        self._lock = threading.RLock()

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """What the service says, one request at a time."""

    def respond(self, call: Call) -> Sent | None:
        """As :meth:`take` has it."""
        key = call.headers.get("authorization", "").removeprefix("Bearer ")
        query, content = dict(parse_qsl(call.query)), _read(call.content)
        return self.take(Request(call.method, call.path, query, content, key, call.headers))

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

    def take(self, request: Request) -> Sent | None:
        """Record a request and answer it, as the oldest fault that fits will have it; None: no answer at all."""
        with self._lock:
            self.requests.append(request)
            fault = self._strike(f"{request.method} {request.path}")
            if fault in _INSTEAD:
                status, kind, text = _INSTEAD[fault]
                more = {"Location": f"https://elsewhere.invalid{request.path}"} if status == 307 else {}
                return Sent(status, text, {"Content-Type": kind, "Retry-After": "1", **more})
            if fault == "drop-before":
                return None
            status, body = self.answer(request)
        if fault == "drop-after":
            return None
        content = json.dumps(body, ensure_ascii=False).encode()
        content = content[: len(content) // 2] if fault == "truncated-json" else content
        return Sent(status, content, {"Content-Type": _JSON})

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


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
