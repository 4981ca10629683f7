"""Phase 3: the image is ordered, once; or found, where the answer to the order was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow import ApiError, Call, Done, action, joined

from .anygen.client import Client, Task


@action(effect="once", sets=["task_id", "task_url", "task_status", "message_id"])
def create(call: Call) -> Done:
    """Order exactly what was shown (R52), with the files of its conversation (R53)."""
    conversation = call.data.get("conversation") or {}
    tokens = list(dict.fromkeys(conversation.get("tokens") or []))
    task = Client(call.service, call.base_url).create(ordered(call.data), tokens)
    return _taken(task, None)  # nothing has been said about it yet: no message of it is ours


def ordered(data: Mapping[str, Any]) -> str:
    """What an order says: the prompt of the plan, or without a plan what was said so far, as the question shows it."""
    return str(data.get("prompt") or joined(data.get("request") or []))


@action(effect="read", sets=["task_id", "task_url", "task_status", "message_id"])
def adopt(call: Call) -> Done:
    """Take the task whose link the person has; anything but an image of the service's that is new, is ``invalid``.

    Its latest message is noted: a change that is looked for later is newer.
    """
    client = Client(call.service, call.base_url)
    task_id = client.task_of(call.data.get("task_url") or "")
    if task_id is None:
        raise ApiError("That is no link to an image of the service's.", "invalid")
    if task_id == call.data.get("task_id"):
        raise ApiError("That is the image from before, and no other.", "invalid")
    try:
        latest = client.messages(task_id, limit=1).messages
        task = client.task(task_id)
    except ApiError as error:
        raise ApiError(error.message, "invalid" if error.kind == "gone" else error.kind, status=error.status) from None
    if not task.is_image:
        raise ApiError("That link leads to something that is no image.", "invalid")
    return _taken(task, max((each.id for each in latest), default=None))


def _taken(task: Task, message_id: int | None) -> Done:
    return Done({"task_id": task.task_id, "task_url": task.url, "task_status": task.status, "message_id": message_id})
