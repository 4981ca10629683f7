"""The way of a sensible agent and an honest person through the reference bundle, and what must hold on any way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import SANDBOX_KEY, Request, Sandbox
from tests.playing import Player
from workflow.model.journal import Entry, fold, verify
from workflow.model.reply import Reply
from workflow.store import ENDED

WORDS = "A poster for a jazz night"
REFERENCE = {"path": "ref.png", "description": "warm brass"}
CHANGE = "Make it blue"
ANSWERS = {
    "understand.consenting": "consent",
    "understand.asking": "answer",
    "understand.rewording": "answer",
    "confirm.presenting": "approve",
    "deliver.generating": "check",
    "deliver.late": "check",
    "deliver.waiting": "check",
    "deliver.ready": "modify",
    "deliver.no_image": "adjust",
    "deliver.gone": "check",
    "revise.consenting": "consent",
    "revise.applying": "check",
    "revise.late": "check",
    "revise.waiting": "check",
    "revise.changed": "finish",
    "revise.unchanged": "modify",
    "revise.gone": "check",
    "revise.missing": "check",
    "revise.unsure": "did_not_happen",
    "revise.vanished": "did_not_happen",
    "over.change_unsure": "did_not_happen",
    "understand.unfinished": "check",
    "understand.failed": "answer",
    "understand.unopened": "answer",
}
"""State → what is usually answered there."""

GIVEN: dict[str, dict[str, Any]] = {
    "answer": {"input": {"words": "Warm colours"}},
    "adjust": {"input": {"words": "Larger letters"}},
    "modify": {"input": {"words": CHANGE}, "quote": CHANGE},
    "consent": {"quote": "yes, send it"},
    "approve": {"quote": "yes, go ahead"},
    "did_not_happen": {"quote": "no, there is nothing"},
}
"""Event → what usually comes with it."""

ASKING = ("plan", "questions")
"""Messages that ask for the order of an image, with or without files."""
_ID = re.compile(r"(?:task|tk|ps)_[0-9a-f]{8,}", re.IGNORECASE)


def begin(play: Player, folder: Path, **options: Any) -> Reply:
    """Start with a reference file in ``folder``."""
    (folder / REFERENCE["path"]).write_bytes(b"a picture of brass")
    return play.start({"words": WORDS, "references": [REFERENCE]}, **options)


def answer(play: Player, event: str) -> Reply:
    """Send an event with what usually comes with it."""
    return play.send(event, **GIVEN.get(event, {}))


def reach(play: Player, state: str, sandbox: Sandbox | None = None) -> Reply:
    """Go the usual way until the run rests in ``state``."""
    for _ in range(40):
        if play.reply.state == state:
            return play.reply
        answer(play, usual(play, sandbox))
    raise AssertionError(f"{state} was not reached; the run rests in {play.reply.state}")


def finish(play: Player, sandbox: Sandbox) -> Reply:
    """Go on to an end, whatever the run waits for; what an end leaves in doubt is settled as well."""
    for _ in range(40):
        if play.reply.state in ("create.unsure", "over.image_unsure"):
            _look_in_the_account(play, sandbox)
        elif play.reply.status in ENDED and play.reply.state != "over.change_unsure":
            return play.reply
        else:
            answer(play, usual(play, sandbox))
        assert play.reply.ok or play.reply.error and play.reply.error.type != "refused", play.reply
    raise AssertionError(f"the end was not reached; the run rests in {play.reply.state}")


def usual(play: Player, sandbox: Sandbox | None = None) -> str:
    """What a sensible agent sends now; every event is one that the reply offers as ready."""
    ready = {option.event for option in play.reply.next if option.ready}
    if "retry" in ready:
        return "retry"
    wanted = ANSWERS[play.reply.state or ""]
    if wanted == "approve" and wanted not in ready:
        wanted = "adjust"  # a plan that was not shown cannot be approved
    assert wanted in ready, f"{wanted} is not offered in {play.reply.state}: {sorted(ready)}"
    return wanted


def usual_turn(state: str) -> tuple[str, dict[str, Any]]:
    """The usual event of a state, with what comes with it."""
    event = ANSWERS[state]
    return event, GIVEN.get(event, {})


def tasks_of(sandbox: Sandbox) -> list[str]:
    """What the person would see in their account: the ids of their images."""
    return list(sandbox._service.tasks)


def waiting_faults(sandbox: Sandbox) -> list[str]:
    """The faults that were asked for and have not struck yet."""
    return [each["name"] for each in sandbox._armoury.listed()]


def calls(sandbox: Sandbox, method: str, pattern: str, since: int = 0) -> list[Request]:
    """The recorded requests of a kind; ``pattern`` is the whole path below /v1/openapi."""
    return [
        each
        for each in sandbox.requests[since:]
        if each.method == method and re.fullmatch("/v1/openapi" + pattern, each.path)
    ]


def check_promises(play: Player, sandbox: Sandbox, since: int = 0) -> None:
    """What holds after any turns: the chain, the snapshot, one approval per paid call, consent, clean texts."""
    entries = list(verify(play.engine.world.store.entries(play.name)))
    folded = None
    for entry in entries:
        folded = fold(folded, entry)
    assert folded == play.engine.world.store.load(play.name)
    check_paid(entries, calls(sandbox, "POST", "/tasks", since))
    check_sent(entries, calls(sandbox, "POST", "/tasks/[^/]+/messages", since))
    check_uploads(entries, calls(sandbox, "POST", "/files/upload", since))
    url = str(play.engine.data(play.name).get("task_url") or "")
    for text in said_texts(entries):
        assert not _ID.search(_without_links(text, sandbox)), text
        assert SANDBOX_KEY[:10] not in text
    assert not url or re.fullmatch(rf"{sandbox.url}/task/[\w-]+", url)


def check_paid(entries: list[Entry], created: list[Request]) -> None:
    """Each order of an image has an approval of its own, which was given to exactly the prompt that was sent."""
    shown, approved, prompts = "", None, []
    for entry in entries:
        body = entry.body or {}
        for evidence in body.get("evidence", ()) if entry.kind == "event" else ():
            if evidence["gate"] in ("user_approved", "ordered_directly"):
                assert evidence["quote"].strip()
                approved = shown
        if entry.kind == "reply":
            asking = [said for said in body["reply"]["say"] if said["id"].removesuffix("_with_files") in ASKING]
            if asking:
                shown = "" if asking[-1].get("withheld") else asking[-1]["text"]
        if entry.kind == "intent" and body["action"] == "create":
            assert approved, f"the image of entry {entry.seq} was ordered without an approval of its own"
            prompts.append(approved)
            approved = None
        if entry.kind == "failure" and body["action"] == "create" and body.get("kept"):  # nothing has left
            approved = prompts.pop()
    assert len(created) <= len(prompts)
    if len(created) == len(prompts):
        assert all(request.json["prompt"] in text for request, text in zip(created, prompts, strict=True))


def check_sent(entries: list[Entry], sent: list[Request]) -> None:
    """Each change has an order of its own, in the person's words, which are what was sent."""
    ordered, last, words = None, None, []
    for entry in entries:
        body = entry.body or {}
        if entry.kind == "event" and any(each["gate"] == "change_ordered" for each in body["evidence"]):
            ordered = body["given"]["input"]["words"]
        if entry.kind == "event" and any(each["gate"] == "change_repeated" for each in body["evidence"]):
            ordered = last
        if entry.kind == "intent" and body["action"] == "send":
            assert ordered, f"the change of entry {entry.seq} was sent without an order of its own"
            words.append(ordered)
            last, ordered = ordered, None
        if entry.kind == "failure" and body["action"] == "send" and body.get("kept"):
            ordered = words.pop()
    assert len(sent) <= len(words)
    if len(sent) == len(words):
        assert [request.json["content"] for request in sent] == words


def check_uploads(entries: list[Entry], uploaded: list[Request]) -> None:
    """Nothing was uploaded that was not consented to before, byte for byte."""
    consented: set[str] = set()
    for entry in entries:
        body = entry.body or {}
        if entry.kind == "event":
            consented |= {each["item"] for each in body["evidence"] if each["gate"] == "consent_given"}
        if entry.kind == "result" and body["action"] == "upload":
            assert body["item"] in consented
    assert {part.sha256 for request in uploaded for part in request.files} <= consented


def said_texts(entries: list[Entry]) -> Iterator[str]:
    """Everything that was ever said to the user."""
    for entry in entries:
        if entry.kind == "reply" and entry.body:
            yield from (said["text"] for said in entry.body["reply"]["say"])


def before(call: str) -> tuple[str, Callable[[Player], Reply]]:
    """Where a call is about to leave: the state, and the turn that lets it leave."""
    state, event = _BEFORE[call]
    return state, lambda play: answer(play, event)


_BEFORE = {
    "upload": ("understand.consenting", "consent"),
    "prepare": ("understand.asking", "answer"),
    "create": ("confirm.presenting", "approve"),
    "task": ("deliver.generating", "check"),
    "send": ("deliver.ready", "modify"),
    "messages": ("revise.applying", "check"),
}


def _look_in_the_account(play: Player, sandbox: Sandbox) -> None:
    """The person looks for the image in doubt, and says truthfully what is there."""
    known = play.engine.data(play.name).get("task_id")
    found = [task for task in tasks_of(sandbox) if task != known]
    if found:
        play.send("found", {"task_url": f"{sandbox.url}/task/{found[-1]}"}, quote="it is here")
    else:
        answer(play, "did_not_happen")


def _without_links(text: str, sandbox: Sandbox) -> str:
    """The text without whole links to pages of tasks, which may hold their ids."""
    return re.sub(rf"{sandbox.url}/task/task_[0-9a-f]{{24}}(?![0-9a-zA-Z_-])", "", text)
