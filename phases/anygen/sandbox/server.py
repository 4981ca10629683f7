"""The sandbox as it is started and asked to misbehave: routing, recording, striking, control."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any

from .conversation import read_said
from .damage import altered, garbled, instead
from .faults import FAULTS, SLOW, Armed, Armoury, Moment
from .listener import Listener
from .page import PAGE_POLICY, PICTURE_POLICY, key_page, missing_page, task_page
from .picture import draw
from .service import SANDBOX_KEY, Declined, Service
from .wire import Answer, Request, encode

_KEPT = 20_000  # recorded requests
_LOCAL = r"(?:127\.0\.0\.1|localhost)(?::\d+)?"
_HTML = "text/html; charset=utf-8"
_ROUTES = (  # method, path, the call that faults know, endpoint
    ("GET", r"/v1/openapi/document", "document", "document"),
    ("GET", r"/v1/openapi/tasks/operations", "document", "operations"),
    ("GET", r"/v1/openapi/key/verify", "verify", "verify"),
    ("GET", r"/v1/openapi/key/get", "verify", "login"),
    ("POST", r"/v1/openapi/files/upload", "upload", "upload"),
    ("POST", r"/v1/openapi/tasks/prepare", "prepare", "prepare"),
    ("POST", r"/v1/openapi/tasks", "create", "create"),
    ("GET", r"/v1/openapi/tasks/([^/]+)", "task", "task"),
    ("POST", r"/v1/openapi/tasks/([^/]+)/messages", "send", "send"),
    ("GET", r"/v1/openapi/tasks/([^/]+)/messages", "messages", "messages"),
    ("GET", r"/task/([^/]+)", "page", "page"),
    ("GET", r"/task/([^/]+)/image\.svg", "page", "picture"),
    ("GET", r"/home", "page", "home"),
)


class Sandbox:
    """An offline twin of the service on the loopback interface.

    ``rounds`` is the number of prepare calls until ready, ``looks`` the number of GETs until work is done, and
    ``earlier`` the number of finished images that are in the account from before.
    """

    FAULTS = FAULTS
    SLOW = SLOW
    PAID = ("POST /v1/openapi/tasks", "POST /v1/openapi/tasks/*/messages")

    def __init__(self, *, port: int = 0, rounds: int = 2, looks: int = 3, earlier: int = 0) -> None:
        self._port = port
        self._service = Service(rounds=1, looks=1)
        self._armoury = Armoury()
        self._lock = threading.RLock()
        self._recorded: deque[Request] = deque(maxlen=_KEPT)
        self._server: Listener | None = None
        self.settings(rounds=rounds, looks=looks)
        for number in range(1, earlier + 1):
            self._service.finish(f"An image of before, number {number}")

    @property
    def url(self) -> str:
        """Its address, ``http://127.0.0.1:PORT``; the same after a stop and a new start."""
        if not self._service.url:
            raise RuntimeError("the sandbox has not been started")
        return self._service.url

    @property
    def requests(self) -> list[Request]:
        """Every request so far, oldest first, without those to the control address."""
        with self._lock:
            return list(self._recorded)

    @property
    def found(self) -> list[str]:
        """The pages of all tasks, oldest first: what a person would find in their account."""
        with self._lock:
            return [f"{self.url}/task/{task}" for task in self._service.tasks]

    def start(self) -> Sandbox:
        """Listen, on a thread of its own; raises OSError where the port is taken."""
        if self._server is None:
            self._server = Listener(self._port, self._answer)
            self._port = self._server.server_address[1]
            self._service.url = f"http://127.0.0.1:{self._port}"
            self._server.listen()
        return self

    def stop(self) -> None:
        """Close every connection and wait for its thread; what was stored is kept."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fault(self, name: str, *, on: str = "*", times: int = 1, **options: Any) -> None:
        """Let ``times`` answers of that call go wrong (0: until cleared); raises KeyError or ValueError."""
        self._armoury.arm(name, on, times, options)

    def clear(self) -> None:
        """Forget all faults that have been asked for."""
        self._armoury.clear()

    def refuse(self, key: str) -> None:
        """Treat this key as invalid from now on."""
        self._service.bad_keys.add(key)

    def settings(self, *, rounds: int | None = None, looks: int | None = None) -> None:
        """Change how long things take; raises ValueError below 1."""
        for name, value in (("rounds", rounds), ("looks", looks)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number from 1")
        with self._lock:
            self._service.rounds = rounds or self._service.rounds
            self._service.looks = looks or self._service.looks

    def _answer(self, request: Request, problem: str) -> Answer:
        """The answer to any request; ``problem`` says why its body could not be read."""
        if request.path.startswith("/__sandbox__/"):
            return self._control(request, problem)
        with self._lock:
            self._recorded.append(request)
            found = _route(request)
            if found is None:
                return _declined(Declined("not found", 100004002, 404))
            call, endpoint, target = found
            armed = self._armoury.waiting(call)
            if armed is None:
                return self._plain(endpoint, request, target, problem)
            return self._struck(armed, call, endpoint, request, target, problem)

    def _control(self, request: Request, problem: str) -> Answer:
        """The control address, for tests in other processes; a page of another site cannot reach it."""
        try:
            local = re.fullmatch(_LOCAL, request.headers.get("host", "")) and "origin" not in request.headers
            if problem or not local:
                raise ValueError(problem or "the control address answers this machine alone")
            return Answer(encode({"success": True, **self._controlled(request)}))
        except (KeyError, ValueError, TypeError) as error:
            return Answer(encode({"success": False, "error": str(error)}), 400)

    def _controlled(self, request: Request) -> dict[str, Any]:
        wish = (request.method, request.path.removeprefix("/__sandbox__/").rstrip("/"))
        if wish == ("POST", "faults"):
            self.fault(**request.body)
        elif wish == ("DELETE", "faults"):
            self.clear()
        elif wish == ("POST", "settings"):
            self.settings(**request.body)
        elif wish == ("GET", "requests"):
            return {"requests": [_listed(item) for item in self.requests]}
        elif wish != ("GET", "faults"):
            raise ValueError("there are: faults (GET, POST, DELETE), requests (GET), settings (POST)")
        return {"faults": FAULTS, "armed": self._armoury.listed()}

    def _struck(self, armed: Armed, call: str, endpoint: str, request: Request, target: str, problem: str) -> Answer:
        """Answer with the fault; where it has nothing to strike yet, it waits and the answer is right."""
        name, options, moment = armed.name, armed.options, armed.kind.moment
        if moment is Moment.INSTEAD:
            self._armoury.spend(armed)
            if options.get("after"):
                self._plain(endpoint, request, target, problem)
            return instead(name, call, request.path, options)
        if moment is Moment.WIRE:
            self._armoury.spend(armed)
            manner = {"drop-after": "drop", "reset-body": "reset"}.get(name, name)
            plain = self._plain(endpoint, request, target, problem)
            return replace(plain, manner=manner, seconds=float(options.get("seconds", 0)))
        try:
            body = self._strike_work(armed, endpoint, request, target)
        except Declined as error:
            return _declined(error)
        if moment is Moment.STATE:
            return Answer(encode(body))
        if moment is Moment.GARBLED:
            self._armoury.spend(armed)
            return garbled(name, body, options)
        wrong = altered(name, call, body, options, key=request.key, ids=self._ids(request, target, body))
        if wrong is not None:
            self._armoury.spend(armed)
        return Answer(encode(body if wrong is None else wrong))

    def _strike_work(self, armed: Armed, endpoint: str, request: Request, target: str) -> dict[str, Any]:
        """Perform the call; faults of the work strike what there is before it, or what it has begun."""
        service, name = self._service, armed.name
        moves = name != "stuck-progress"
        dooms = {"task-failed": service.doom_task, "message-failed": service.doom_reply}
        struck = not moves
        if name in dooms and target and endpoint != "send":
            struck = dooms[name](target)
        body = service.perform(endpoint, request, target, moves=moves)
        if name in dooms and endpoint in ("create", "send"):
            struck = dooms[name](body.get("task_id", target))
        if struck:
            self._armoury.spend(armed)
        return body

    def _plain(self, endpoint: str, request: Request, target: str, problem: str) -> Answer:
        if endpoint in ("page", "picture", "home"):
            return self._page(endpoint, target)
        try:
            if problem:
                raise Declined(problem, status=400)
            return Answer(encode(self._service.perform(endpoint, request, target)))
        except Declined as error:
            return _declined(error)

    def _page(self, endpoint: str, target: str) -> Answer:
        """Pages look at a task without moving it."""
        policy = {"Content-Security-Policy": PICTURE_POLICY if endpoint == "picture" else PAGE_POLICY}
        task = self._service.tasks.get(target)
        if endpoint == "home":
            return Answer(key_page(SANDBOX_KEY).encode(), 200, _HTML, policy)
        if task is None or (endpoint == "picture" and task.status != "completed"):
            return Answer(missing_page().encode(), 404, _HTML, policy)
        if endpoint == "picture":
            drawing = draw(task.prompt, task.changes).encode()
            return Answer(drawing, 200, "image/svg+xml; charset=utf-8", policy)
        status = "changing" if task.status == "completed" and task.running else task.status
        picture = f"/task/{task.id}/image.svg?v={task.version}"
        page = task_page(task.prompt, status, task.progress, picture, task.changes)
        return Answer(page.encode(), 200, _HTML, policy)

    def _ids(self, request: Request, target: str, body: Mapping[str, Any]) -> list[str]:
        """The ids that a careless reply could give away."""
        if target:
            return [target]
        tokens = read_said(request.body.get("messages", []), request.body.get("file_tokens")).tokens
        return tokens or [str(body.get("prepare_session_id"))]


def _route(request: Request) -> tuple[str, str, str] | None:
    """The call, the endpoint and the task id of a request."""
    for method, pattern, call, endpoint in _ROUTES:
        match = re.fullmatch(pattern, request.path.rstrip("/")) if method == request.method else None
        if match:
            return call, endpoint, "".join(match.groups())
    return None


def _listed(request: Request) -> dict[str, Any]:
    return {**asdict(request), "files": [part._asdict() for part in request.files]}


def _declined(error: Declined) -> Answer:
    return Answer(encode(error.body), error.status)
