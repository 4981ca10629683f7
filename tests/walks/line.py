"""The service without its wire, and a store: every call of theirs can be answered, lost, refused, or be the last."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from phases.anygen.sandbox import FilePart, Request, Sandbox
from phases.anygen.sandbox.service import SANDBOX_KEY
from workflow.model.digest import sha256
from workflow.model.errors import NoAnswer, Unreachable
from workflow.model.journal import Entry
from workflow.model.ports import Held, Response, Upload
from workflow.model.session import Session
from workflow.store.memory import MemoryStore

ADDRESS = "http://127.0.0.1:9"
"""Of a service that nobody listens for; it is called in memory."""

OK, NO, DOWN, LOST, UNHEARD, UNREACHABLE = "ok", "no", "down", "lost", "unheard", "unreachable"
"""How a call ends: done; two clear refusals; done or not done, and no answer; never left."""

PASSING = (LOST, UNHEARD, UNREACHABLE)
"""What may go better a little later."""

Result = TypeVar("Result")


class Killed(BaseException):
    """The process is gone; nothing in it gets to tidy up."""


@dataclass
class Fate:
    """The death of a process, so many calls of its ports away: just before the call, or just after."""

    left: int | None = None
    after: bool = False

    def meet(self, call: Callable[[], Result]) -> Result:
        """Make the call, unless this is where the process dies."""
        if self.left is None:
            return call()
        self.left -= 1
        if self.left >= 0:
            return call()
        self.left = None
        if self.after:
            call()
        raise Killed


class MortalStore(MemoryStore):
    """A store whose writes may be the last thing that a process does."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, unless the process dies."""
        self._fate.meet(lambda: super(MortalStore, self).append(held, entries, session, status))

    def first_time(self, profile: str, occasion: str) -> bool:
        """Record an occasion, unless the process dies."""
        return self._fate.meet(lambda: super(MortalStore, self).first_time(profile, occasion))


@dataclass
class Line:
    """Calls the sandbox's service; ``script`` says how the next calls end, ``meanwhile`` is done during each."""

    sandbox: Sandbox
    fate: Fate
    script: deque[str] = field(default_factory=deque)
    meanwhile: Callable[[], None] = lambda: None

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        upload: Upload | None = None,
        timeout: float,
    ) -> Response:
        """One request, as ``ports.Service`` has it."""
        request = Request(
            method,
            path,
            {name: str(value) for name, value in (query or {}).items()},
            {"authorization": f"Bearer {SANDBOX_KEY}"},
            json,
            (FilePart(upload.field, upload.name, sha256(upload.content), len(upload.content)),) if upload else (),
            dict(upload.fields) if upload else {},
            time.time(),
        )
        self.meanwhile()
        return self.fate.meet(lambda: self._answer(request))

    def _answer(self, request: Request) -> Response:
        outcome = self.script.popleft() if self.script else OK
        if outcome == UNREACHABLE:
            raise Unreachable("no connection", transient=True)
        if outcome == UNHEARD:
            raise NoAnswer("no answer", transient=True)
        if outcome in (NO, DOWN):
            code = 100004001 if outcome == NO else 100006029
            return Response(200, {}, b'{"success": false, "error": "no", "code": %d}' % code, None)
        answer = self.sandbox._answer(request, "")
        if outcome == LOST:
            raise NoAnswer("no answer", transient=True)
        return Response(answer.status, {}, answer.content, None)


def silent_sandbox() -> Sandbox:
    """The offline twin, which listens to nobody: ready at the second prepare, done at the second look."""
    sandbox = Sandbox(rounds=2, looks=2)
    sandbox._service.url = ADDRESS
    return sandbox


def tasks(sandbox: Sandbox) -> dict[str, Any]:
    """What there is at the service, by id, oldest first."""
    return sandbox._service.tasks
