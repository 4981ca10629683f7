"""Phase 5: changes to an image that is there, any number of rounds on the same task."""

from __future__ import annotations

from contextlib import suppress

from workflow import PASSES, ActionError, ApiError, Call, Done, Facts, Verdict, action, because, guard

from .anygen.client import Client
from .create import ordered
from .understand import sent_files


@action(effect="once", sets=["message_id", "change_status", "change_reply"])
def send(call: Call) -> Done:
    """Order a change in the person's own words, byte for byte, with this round's files."""
    data = call.data
    client = Client(call.service, call.base_url)
    message_id = client.send(data["task_id"], data["words"], list(sent_files(data)))
    return Done({"message_id": message_id, "change_status": "processing", "change_reply": ""})


@action(effect="read", sets=["message_id", "change_status"])
def find_sent(call: Call) -> Done:
    """Look for a message that may not have arrived: the person's words, newer than our last one."""
    data = call.data
    before = data.get("message_id")
    newer = Client(call.service, call.base_url).newer(data["task_id"], before or 0, first=100, pages=10)
    try:
        messages = list(newer)
    except ApiError as error:
        if error.kind != "gone":
            raise
        return Done({"change_status": "gone"})
    words = data["words"].strip()  # a service may keep them without the blanks around
    found = sorted(each.id for each in messages if each.role == "user" and each.content.strip() == words)
    if before is None and words == ordered(data).strip():
        found = found[1:]  # the first is the order of the image itself, in the same words
    if not found:
        return Done({"change_status": "unknown"})
    return Done({"message_id": found[-1], "change_status": "sent"})


@action(effect="read", sets=["change_status", "change_reply", "task_url"])
def read_answer(call: Call) -> Done:
    """Whether our change was answered (R85); once it is done, the link is asked for anew."""
    data = call.data
    client = Client(call.service, call.base_url)
    try:
        answer = client.answer(data["task_id"], data.get("message_id") or 0)
    except ApiError as error:
        if error.kind != "gone":
            raise
        return Done({"change_status": "gone"})
    if answer is None:
        return Done({"change_status": "processing"})
    if answer.status != "completed":
        return Done({"change_status": "failed"})
    done = {"change_status": "completed", "change_reply": answer.content}
    with suppress(ActionError):  # the change is there, whatever happens to this look: the known link leads to it
        done["task_url"] = client.task(data["task_id"]).url
    return Done(done)


@guard(reads=["change_status"])
def was_sent(facts: Facts) -> Verdict:
    """The message of the person's words was found."""
    return PASSES if facts.data.get("change_status") == "sent" else because("the message was not found")


@guard(reads=["change_status"])
def change_done(facts: Facts) -> Verdict:
    """The change was made."""
    return PASSES if facts.data.get("change_status") == "completed" else because("the change is not done")


@guard(reads=["change_status"])
def change_failed(facts: Facts) -> Verdict:
    """The service could not make the change."""
    return PASSES if facts.data.get("change_status") == "failed" else because("the change has not failed")


@guard(reads=["change_status"])
def change_lost(facts: Facts) -> Verdict:
    """The service does not have the image that was to be changed."""
    return PASSES if facts.data.get("change_status") == "gone" else because("the service has the image")


@guard(reads=["change_reply"])
def change_explained(facts: Facts) -> Verdict:
    """The service said something about the change, to be passed on (R87)."""
    said = str(facts.data.get("change_reply") or "").strip()
    return PASSES if said else because("the service said nothing about it")
