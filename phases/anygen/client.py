"""The calls of the AnyGen OpenAPI: the only place that knows its paths and envelopes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from workflow import ActionError, Effect, InDoubt, Response, Service, Upload, UsageError

from .errors import check_answer, strange

OPERATION = "ai_designer"
MAX_FILE = 52_428_800
"""Bytes: 50 MB, the service's own limit (R43)."""
MOST_MESSAGES = 100
"""Of one page; the service gives 10 unless told (R89)."""

_API = "/v1/openapi"
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_LINK = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9._~!$&*+,;=:@%/?#-]*)?")
_LONGEST_LINK = 2048
_ONE_TASK = re.compile(r"/tasks/(?!prepare$)[^/]+(?:/messages)?")
_ENDS = {
    "completed": "completed",
    **dict.fromkeys(("failed", "error", "aborted", "rejected", "expired", "timeout", "timed_out"), "failed"),
    **dict.fromkeys(("cancelled", "canceled", "deleted", "removed", "terminated", "stopped"), "cancelled"),
}
"""What the service calls an end, and which end it is."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """An answer of the service before anything is made; ``plan`` is empty until it is ready (R40)."""

    reply: str
    messages: list[Json]
    prepare_id: str | None
    plan: Json


@dataclass(frozen=True)
class Task:
    """A task as it stands: ``status`` is processing, completed, failed or cancelled, ``output`` is about its files."""

    task_id: str
    status: str
    url: str
    progress: int | None = None
    output: Json = field(default_factory=dict)
    is_image: bool = True


@dataclass(frozen=True)
class Message:
    """A message of a task; an answer in progress is ``running``."""

    id: int
    role: str
    content: str
    status: str


@dataclass(frozen=True)
class Page:
    """Messages, newest first; ``cursor`` leads to older ones, None if there are none."""

    messages: list[Message]
    cursor: str | None
    snapshot: Json


class Client:
    """One method per call; raises ``ActionError``: only a ``definite`` one means that nothing was done."""

    def __init__(self, service: Service, base_url: str) -> None:
        self._service = service
        self._base = base_url.rstrip("/")

    def upload(self, name: str, content: bytes) -> str:
        """The token of a file; one above 50 MB is refused before anything leaves (R43)."""
        if len(content) > MAX_FILE:
            raise ActionError("The file is larger than 50 MB.", "too_large", hint="Reduce the file size.")
        name = name.encode("utf-8", "replace").decode()  # a name need not be text
        file = Upload("file", name, content, {"filename": name})
        body, response = self._post("repeatable", "/files/upload", upload=file, timeout=60)
        token = body.get("file_token")
        if isinstance(token, str) and token:
            return token
        raise strange("repeatable", response, "there is no file token in it")

    def prepare(
        self,
        messages: Sequence[Json],
        tokens: Sequence[str],
        prepare_id: str | None,
        params: Mapping[str, Any],
    ) -> Prepared:
        """Send the whole conversation; ``params`` are the last ones received."""
        sent: Json = {"messages": list(messages), "file_tokens": list(tokens)}
        if prepare_id:
            sent["prepare_session_id"] = prepare_id
        if params:
            sent["base_suggested_task_params"] = dict(params)
        body, response = self._post("repeatable", "/tasks/prepare", json=sent, timeout=120)
        plan, reply, said = _plan(body), body.get("reply"), body.get("messages")
        if reply is None and plan:
            reply = ""  # a plan speaks for itself
        if not isinstance(reply, str) or not (reply.strip() or plan):
            raise strange("repeatable", response, "there is no reply in it")
        if said is None:
            said = list(messages)
        if not _is_conversation(said):
            raise strange("repeatable", response, "its conversation is not one")
        known = body.get("prepare_session_id")
        return Prepared(reply, said, known if isinstance(known, str) and known else prepare_id, plan)

    def create(self, prompt: str, tokens: Sequence[str]) -> Task:
        """Begin a task, which is paid; raises ``InDoubt`` if it was begun and cannot be told which it is."""
        if not prompt.strip():
            raise ActionError("prompt is required", "invalid")  # R54
        sent = {"operation": OPERATION, "prompt": prompt, "file_tokens": list(tokens)}
        body, response = self._post("once", "/tasks", json=sent, timeout=30)
        task_id = body.get("task_id")
        if not is_task_id(task_id):
            raise InDoubt("The task was created, but its id is missing.", request_id=response.request_id)
        return Task(task_id, "processing", self._page(task_id, body.get("task_url")))

    def task(self, task_id: str) -> Task:
        """One look at a task."""
        body, response = self._get(_path(task_id), timeout=30)
        status, progress, output = body.get("status"), body.get("progress"), body.get("output")
        if not isinstance(status, str):
            raise strange("read", response, "there is no status in it")
        output = output if isinstance(output, dict) else {}
        return Task(
            task_id,
            ended(status) or "processing",
            self._page(task_id, output.get("task_url")),
            progress if type(progress) is int and 0 <= progress <= 100 else None,
            output,
            is_image=body.get("operation") in (None, OPERATION) and body.get("task_id") in (None, task_id),
        )

    def send(self, task_id: str, words: str, tokens: Sequence[str]) -> int:
        """Ask for a change, which is paid; the id of our message (R82)."""
        sent: Json = {"content": words}
        if tokens:
            sent["files"] = [{"file_token": token} for token in tokens]
        body, response = self._post("once", f"{_path(task_id)}/messages", json=sent, timeout=30)
        message = body.get("message")
        number = message.get("id") if isinstance(message, dict) else None
        if type(number) is not int:
            raise InDoubt("The message was sent, but its id is missing.", request_id=response.request_id)
        return number

    def messages(self, task_id: str, limit: int = 10, cursor: str | None = None) -> Page:
        """A page of messages, the latest without ``cursor``."""
        query: dict[str, str | int] = {"limit": limit}
        if cursor:
            query["cursor"] = cursor
        body, response = self._get(f"{_path(task_id)}/messages", query=query, timeout=30)
        found = body.get("messages")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise strange("read", response, "there are no messages in it")
        if not all(type(each.get("id")) is int for each in found):
            raise strange("read", response, "a message in it has no id")
        following, snapshot = body.get("cursor"), body.get("task_snapshot")
        more = body.get("has_more") is True and isinstance(following, str) and following
        return Page(
            [_message(each) for each in found],
            str(following) if more else None,
            snapshot if isinstance(snapshot, dict) else {},
        )

    def newer(self, task_id: str, than: int, *, first: int, pages: int) -> Iterator[Message]:
        """Messages with an id above ``than``: a page of ``first``, then of 100, at most so many ``pages``."""
        seen: set[int] = set()
        limit, cursor = first, None
        for _ in range(pages):
            page = self.messages(task_id, limit, cursor)
            fresh = [each for each in page.messages if each.id not in seen]
            yield from (each for each in fresh if each.id > than)
            seen.update(each.id for each in fresh)
            if page.cursor is None or not fresh or min(each.id for each in fresh) <= than:
                return
            limit, cursor = MOST_MESSAGES, page.cursor

    def answer(self, task_id: str, message_id: int) -> Message | None:
        """The answer to our message (R85), None while it is worked on; the last five are read first (R87).

        Whichever message answers, it is one with a greater id. The earliest that is completed counts; only if
        there is none, one that failed: a change that was made is not undone by a later one that was not. Where a
        page does not come in time, a completed one among those before it counts.
        """
        found: list[Message] = []
        try:
            for each in self.newer(task_id, message_id, first=5, pages=20):
                if each.role == "assistant" and ended(each.status):
                    found.append(each)
        except ActionError as error:
            if not error.transient or all(each.status != "completed" for each in found):
                raise
        return min(found, key=lambda each: (each.status != "completed", each.id), default=None)

    def task_of(self, link: str) -> str | None:
        """The id of the task whose page this is, if the page is the service's own."""
        parts = urlsplit(link) if self.owns(link, exactly=True) else None
        match = re.fullmatch(r"/task/([^/]+)/?", parts.path) if parts else None
        return match[1] if match and is_task_id(match[1]) else None

    def owns(self, link: object, *, exactly: bool = False) -> bool:
        """Whether it is a plain link to the service's host (or, unless ``exactly``, a part of it)."""
        if not isinstance(link, str) or len(link) > _LONGEST_LINK or not _LINK.fullmatch(link):
            return False
        ours = urlsplit(self._base)
        try:
            theirs = urlsplit(link)
            places = [(parts.scheme, parts.port or _DEFAULTS[parts.scheme]) for parts in (ours, theirs)]
        except (ValueError, KeyError):
            return False
        host, own = theirs.hostname or "", ours.hostname or ""
        below = not exactly and ours.scheme == "https" and host.endswith(f".{own}")
        return places[0] == places[1] and (host == own or below)

    def _page(self, task_id: str, offered: object) -> str:
        """The link to a task's page: the service's, if it leads to the service, else the usual one."""
        return str(offered) if self.owns(offered) else f"{self._base}/task/{task_id}"

    def _post(
        self, effect: Effect, path: str, *, json: object = None, upload: Upload | None = None, timeout: float
    ) -> tuple[Json, Response]:
        """HTTP 200 alone never means success: a call that does something must say that it did."""
        response = self._service.call("POST", _API + path, json=json, upload=upload, timeout=timeout)
        body = check_answer(effect, response, _absent(path))
        if body.get("success") is not True:
            raise strange(effect, response, "it does not say that it was done")
        return body, response

    def _get(self, path: str, *, query: Mapping[str, str | int] | None = None, timeout: float) -> tuple[Json, Response]:
        response = self._service.call("GET", _API + path, query=query, timeout=timeout)
        return check_answer("read", response, _absent(path)), response


_DEFAULTS = {"https": 443, "http": 80}


def is_task_id(value: object) -> TypeGuard[str]:
    """Whether it can be one; nothing else gets into a path."""
    return isinstance(value, str) and _TASK_ID.fullmatch(value) is not None


def ended(status: str) -> str | None:
    """What a status of the service ends with: completed, failed or cancelled; None while it goes on."""
    return _ENDS.get(status.strip().lower())


def normalise_operation(operation: str) -> str:
    """The wire's name of the one operation (R51); raises ``UsageError`` for any other."""
    if operation.replace("-", "_") == OPERATION:
        return OPERATION
    raise UsageError(f"The operation {operation[:40]!r} is not ours.", f"It is always {OPERATION}.")


def _path(task_id: str) -> str:
    if not is_task_id(task_id):
        raise ActionError("That is no task's id.", "invalid")
    return f"/tasks/{task_id}"


def _plan(body: Mapping[str, Any]) -> Json:
    """The parameters, if they are ready: an unknown status is not, nor is ready without a prompt (R40)."""
    params = body.get("suggested_task_params")
    if body.get("status") != "ready" or not isinstance(params, dict):
        return {}
    prompt = params.get("prompt")
    return params if isinstance(prompt, str) and prompt.strip() else {}


def _absent(path: str) -> str:
    """The class of a 404: what is asked of one task fails because the task is not there."""
    return "gone" if _ONE_TASK.fullmatch(path) else "invalid"


def _is_conversation(messages: object) -> bool:
    return isinstance(messages, list) and all(
        isinstance(each, dict) and isinstance(each.get("role"), str) and isinstance(each.get("content"), (str, list))
        for each in messages
    )


def _message(raw: Mapping[str, Any]) -> Message:
    content = raw.get("content")
    if isinstance(content, list):  # parts, as prepare has them
        content = "\n".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    texts = {name: raw[name] if isinstance(raw.get(name), str) else "" for name in ("role", "status")}
    texts["status"] = ended(texts["status"]) or texts["status"]
    return Message(raw["id"], content=content if isinstance(content, str) else "", **texts)
