"""Tasks and their messages: how they get on with every look, and what they say when they are done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .picture import title_of
from .words import effects_of, is_chinese, shortened


@dataclass
class Message:
    """A message of a task; ``looked`` counts the looks at it while it runs."""

    id: int
    role: str
    content: str
    status: str
    at: int
    tokens: list[str] = field(default_factory=list)
    answers: str = ""
    looked: int = 0
    doomed: bool = False


@dataclass
class Task:
    """A task; ``looked`` counts the looks at it while it is processing."""

    id: str
    operation: str
    prompt: str
    tokens: list[str]
    at: int
    messages: list[Message]
    status: str = "processing"
    progress: int = 0
    looked: int = 0
    version: int = 1
    doomed: bool = False

    @property
    def running(self) -> Message | None:
        """The oldest message that is still being answered."""
        return next((message for message in self.messages if message.status == "running"), None)

    @property
    def changes(self) -> list[str]:
        """The modifications that have been made, oldest first."""
        return [message.answers for message in self.messages if message.answers and message.status == "completed"]

    def look(self, looks: int) -> None:
        """Get a step further with the picture, if it is being made; after ``looks`` steps it is done."""
        if self.status != "processing":
            return
        self.looked += 1
        self.progress = min(100, 100 * self.looked // looks)
        reply = self.messages[1]
        if self.doomed:
            self.status, reply.status, reply.content = "failed", "failed", _apology(self.prompt)
        elif self.looked >= looks:
            self.status, reply.status, reply.content = "completed", "completed", _delivery(self.prompt)

    def look_at_reply(self, looks: int) -> None:
        """Get a step further with the oldest modification that has not been answered."""
        reply = self.running
        if reply is None or self.status == "processing":
            return
        reply.looked += 1
        if reply.doomed:
            reply.status, reply.content = "failed", _apology(reply.answers)
        elif reply.looked >= looks:
            reply.status, reply.content = "completed", _account(reply.answers)
            self.version += 1


def shown(message: Message) -> dict[str, Any]:
    """The message as it goes over the wire: content is a text, the id a number."""
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "created_at": message.at,
        "files": [{"file_token": token} for token in message.tokens],
    }


def _delivery(prompt: str) -> str:
    title = title_of(prompt)
    return f"“{title}”已生成，可以查看和下载。" if is_chinese(prompt) else f"“{title}” is ready to view and download."


def _apology(text: str) -> str:
    return "抱歉，这次没有成功。" if is_chinese(text) else "Sorry, this did not work out."


def _account(change: str) -> str:
    """What was changed, as far as the drawing shows it."""
    chinese = is_chinese(change)
    seen = [effect.chinese if chinese else effect.english for effect in effects_of(change)]
    short = shortened(change, 160)
    if chinese:
        return f"已完成：“{short}”。" + ("，".join(seen) + "。" if seen else "")
    return f"Done: “{short}”." + (f" You will see that {', and '.join(seen)}." if seen else "")
