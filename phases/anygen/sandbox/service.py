"""The service itself, without its wire: what each call does, and what the sandbox remembers."""

from __future__ import annotations

import base64
import itertools
import secrets
import time
from collections.abc import Callable
from typing import Any

from .conversation import answer, continued, read_said, text_in, tokens_in
from .document import OPERATIONS, document, operations
from .picture import title_of
from .tasks import Message, Task, shown
from .wire import MAX_FILE, FilePart, Request
from .words import is_chinese

SANDBOX_KEY = "sk-sandbox-0000000000000000"

Json = dict[str, Any]

_DAY = 86_400  # links of results live 24 h
_IMAGE = "ai_designer"
_PAGE = 10  # messages of a page unless told, 100 at most
_MOST = 100


class Declined(Exception):
    """The service says no: an error text, its code if it has one, and the HTTP status it comes with."""

    def __init__(self, error: str, code: int | None = 100004001, status: int = 200) -> None:
        super().__init__(error)
        self.error, self.code, self.status = error, code, status

    @property
    def body(self) -> Json:
        """The error envelope."""
        return {"success": False, "error": self.error, **({} if self.code is None else {"code": self.code})}


class Service:
    """All that the sandbox knows; every call goes through `perform`, one at a time."""

    def __init__(self, rounds: int, looks: int) -> None:
        self.url = ""
        self.rounds = rounds
        self.looks = looks
        self.bad_keys: set[str] = set()
        self.tasks: dict[str, Task] = {}
        self._files: dict[str, FilePart] = {}
        self._logins: set[str] = set()
        self._ids = itertools.count(101)

    def perform(self, endpoint: str, request: Request, target: str, *, moves: bool = True) -> Json:
        """Do what is asked; raises `Declined`. Without ``moves`` nothing in progress gets any further."""
        if request.oversized:
            raise Declined("file size exceeds 50MB")
        if endpoint not in ("document", "verify", "login"):
            self._check_key(request.key)
        calls: dict[str, Callable[[], Json]] = {
            "document": lambda: document(self.url),
            "operations": lambda: {"operations": operations()},
            "verify": lambda: self._verify(request),
            "login": lambda: self._login(request),
            "upload": lambda: self._upload(request),
            "prepare": lambda: self._prepare(request.body),
            "create": lambda: self._create(request.body),
            "task": lambda: self._task(self.task(target), moves),
            "send": lambda: self._send(self.task(target), request.body),
            "messages": lambda: self._messages(self.task(target), request.query, moves),
        }
        body = calls[endpoint]()
        return body if endpoint == "document" else {"success": True, **body}

    def task(self, task_id: str) -> Task:
        """The task of that id; raises `Declined` with 404."""
        if task_id not in self.tasks:
            raise Declined("task not found", 100004002, 404)
        return self.tasks[task_id]

    def finish(self, prompt: str) -> None:
        """Put an image into the account that was made some time ago."""
        task = self._begin(_IMAGE, prompt, [])
        task.look(1)

    def doom_task(self, task_id: str) -> bool:
        """Let a task that is processing fail at the next look; False if there is none."""
        task = self.tasks.get(task_id)
        if task is None or task.status != "processing":
            return False
        task.doomed = True
        return True

    def doom_reply(self, task_id: str) -> bool:
        """Let the answer that is running fail at the next look; False if there is none."""
        task = self.tasks.get(task_id)
        if task is None or task.status == "processing" or task.running is None:
            return False
        task.running.doomed = True
        return True

    def _check_key(self, key: str) -> None:
        if not key:
            raise Declined("login required", 100004004, 401)
        if not self._good(key):
            raise Declined("invalid API key", 100004003, 401)

    def _good(self, key: str) -> bool:
        return (
            key.startswith("sk-") and key[3:].replace("-", "").replace("_", "").isalnum() and key not in self.bad_keys
        )

    def _verify(self, request: Request) -> Json:
        if self._good(request.key):
            return {"verified": True, "credits": "1000", "user_id": "user_sandbox", "api_key_name": "sandbox"}
        token = "ft_" + secrets.token_hex(12)
        self._logins.add(token)
        return {
            "verified": False,
            "credits": "0",
            "user_id": "",
            "auth_url": f"{self.url}/home",
            "fetch_token": token,
        }

    def _login(self, request: Request) -> Json:
        """A client without a key has sent its user to ``auth_url`` and now asks for the key."""
        if request.query.get("fetch_token") not in self._logins:
            return {"allocated": False}
        return {"allocated": True, "api_key": SANDBOX_KEY}

    def _upload(self, request: Request) -> Json:
        part = next((part for part in request.files if part.field == "file"), None)
        if part is None:
            raise Declined("file is required")
        if part.size > MAX_FILE:
            raise Declined("file size exceeds 50MB")
        token = "tk_" + secrets.token_hex(12)
        self._files[token] = part
        return {
            "file_token": token,
            "filename": request.form.get("filename") or part.filename,
            "file_size": part.size,
        }

    def _prepare(self, body: Json) -> Json:
        messages = body.get("messages")
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise Declined("messages is required")
        if body.get("operation") is not None:
            self._check_operation(body["operation"])
        said = read_said(messages, body.get("file_tokens"))
        if not said.texts:
            raise Declined("messages must contain what the user said")
        self._check_tokens(said.tokens)
        turn = answer(said, self.rounds)
        session = body.get("prepare_session_id")
        result: Json = {
            "reply": turn.reply,
            "status": "ready" if turn.prompt else "collecting",
            "messages": continued(messages, turn.reply),
            "prepare_session_id": session if isinstance(session, str) and session else "ps_" + secrets.token_hex(12),
        }
        if turn.prompt:
            result["suggested_task_params"] = {"prompt": turn.prompt, "file_tokens": said.tokens}
        return result

    def _create(self, body: Json) -> Json:
        self._check_operation(body.get("operation"))
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise Declined("prompt is required")
        tokens = list(dict.fromkeys(tokens_in(body.get("file_tokens"))))
        self._check_tokens(tokens)
        task = self._begin(body["operation"], prompt, tokens)
        return {"task_id": task.id, "task_url": self._page(task), "content_version": task.version}

    def _begin(self, operation: str, prompt: str, tokens: list[str]) -> Task:
        now = int(time.time())
        asked = Message(next(self._ids), "user", prompt, "completed", now, tokens)
        reply = Message(next(self._ids), "assistant", "", "running", now)
        task = Task("task_" + secrets.token_hex(12), operation, prompt, tokens, now, [asked, reply])
        self.tasks[task.id] = task
        return task

    def _task(self, task: Task, moves: bool) -> Json:
        if moves:
            task.look(self.looks)
        chinese = is_chinese(task.prompt)
        said = {
            "processing": ("Being made", "正在生成"),
            "completed": ("Ready", "已完成"),
            "failed": ("Failed", "生成失败"),
        }
        result: Json = {
            "task_id": task.id,
            "operation": task.operation,
            "status": task.status,
            "progress": task.progress,
            "message": said[task.status][chinese],
            "content_version": task.version,
            "created_at": task.at,
            "output": self._output(task),
        }
        if task.status == "failed":
            result["error"] = "the generation failed"
        return result

    def _send(self, task: Task, body: Json) -> Json:
        if task.status != "completed":
            raise Declined("task is not completed")
        content = text_in(body.get("content"))
        if not content.strip():
            raise Declined("content is required")
        tokens = list(dict.fromkeys(tokens_in(body.get("files")) + tokens_in(body.get("file_tokens"))))
        self._check_tokens(tokens)
        now = int(time.time())
        asked = Message(next(self._ids), "user", content, "completed", now, tokens)
        task.messages += [asked, Message(next(self._ids), "assistant", "", "running", now, answers=content)]
        return {"message": shown(asked), "status": "processing"}

    def _messages(self, task: Task, query: dict[str, str], moves: bool) -> Json:
        if moves:
            task.look_at_reply(self.looks)
            task.look(self.looks)
        limit, before = _limit(query.get("limit")), _read_cursor(query.get("cursor"))
        older = [message for message in reversed(task.messages) if before is None or message.id < before]
        page = older[:limit]
        more = len(older) > limit
        resting = task.status == "completed" and task.running is None
        return {
            "messages": [shown(message) for message in page],
            "has_more": more,
            "cursor": _cursor(page[-1].id) if more else "",
            "task_snapshot": {"status": task.status, "content_version": task.version, "can_export": resting},
        }

    def _output(self, task: Task) -> Json:
        """Always an object with every field, empty until there is something."""
        empty: Json = {
            "task_url": self._page(task),
            "file_url": "",
            "file_name": "",
            "thumbnail_url": "",
            "expires_at": 0,
            "files": [],
        }
        if task.status != "completed":
            return empty
        url, expires = f"{self._page(task)}/image.svg?v={task.version}", int(time.time()) + _DAY
        words = "".join(character if character.isalnum() else " " for character in title_of(task.prompt))
        name = "-".join(words.split()) + ".svg"
        file = {"url": url, "name": name, "expires_at": expires}
        return {
            **empty,
            "file_url": url,
            "file_name": name,
            "thumbnail_url": url,
            "expires_at": expires,
            "files": [file],
        }

    def _page(self, task: Task) -> str:
        return f"{self.url}/task/{task.id}"

    def _check_operation(self, operation: Any) -> None:
        if operation not in OPERATIONS:
            raise Declined(
                "operation not allowed" if operation else "operation is required",
                None if operation else 100004001,
            )

    def _check_tokens(self, tokens: list[str]) -> None:
        if any(token not in self._files for token in tokens):
            raise Declined("invalid file token", 100004002)


def _limit(value: str | None) -> int:
    if not value:
        return _PAGE
    if not value.isdecimal() or int(value) < 1:
        raise Declined("limit must be between 1 and 100")
    return min(int(value), _MOST)


def _cursor(message_id: int) -> str:
    return base64.urlsafe_b64encode(f"before {message_id}".encode()).decode()


def _read_cursor(value: str | None) -> int | None:
    if not value:
        return None
    try:
        return int(base64.urlsafe_b64decode(value).decode().removeprefix("before "))
    except ValueError:
        raise Declined("invalid cursor") from None
