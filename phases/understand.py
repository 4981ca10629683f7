"""Phase 1: the person's files, and the conversation that ends in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow import PASSES, Call, Done, Facts, Verdict, action, because, guard

from .anygen.client import Client


@guard(reads=["task_url"])
def link_given(facts: Facts) -> Verdict:
    """The person came with the link of an image that is there already."""
    return PASSES if facts.data.get("task_url") else because("no link of an image was given")


@guard(reads=["references"])
def files_usable(facts: Facts) -> Verdict:
    """Every file that is offered is described by the agent itself (R31)."""
    given = facts.input.get("references")
    offered = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
    bare = [_name(each) for each in offered if not str(each.get("description") or "").strip()]
    if not bare:
        return PASSES
    return because(f"describe what {', '.join(bare)} shows, in words of your own ('description' is empty)")


@guard(reads=["references", "uploads"])
def files_pending(facts: Facts) -> Verdict:
    """Some file of this round has no token yet; the same bytes need none twice (R32)."""
    uploads = facts.data.get("uploads") or {}
    pending = [each for each in facts.data.get("references") or [] if each["sha256"] not in uploads]
    return PASSES if pending else because("no file waits to be uploaded")


@guard(reads=["included"])
def files_included(facts: Facts) -> Verdict:
    """Some file of this conversation goes along with what is created, and has to be named where that is asked."""
    return PASSES if facts.data.get("included") else because("no file goes along")


@action(effect="repeatable", sets=["uploads"])
def upload(call: Call) -> Done:
    """Send exactly the bytes that were consented to, and keep their token by their digest (R35, R44)."""
    assert call.item is not None, "upload is bound to the gate that asks file by file"
    uploads = dict(call.data.get("uploads") or {})
    digest = call.item["sha256"]
    if digest not in uploads:
        uploads[digest] = Client(call.service, call.base_url).upload(call.item["name"], call.read())
    return Done({"uploads": uploads})


@action(effect="repeatable", sets=["reply", "prompt", "request", "conversation", "plan", "prepare_id", "included"])
def prepare(call: Call) -> Done:
    """Say what the person said last, after all that was said before (R38).

    It is built from what is recorded, and recorded only with its answer: a repeat says nothing twice.
    """
    data = call.data
    before: Mapping[str, Any] = data.get("conversation") or {}
    used = sent_files(data)
    known = list(before.get("tokens") or [])
    fresh = [token for token in used if token not in known]
    described = [text for descriptions in used.values() for text in descriptions]
    said = [{"text": data["words"], "by": "user"}, *({"text": text, "by": "agent"} for text in described)]
    texts = [{"type": "text", "text": each["text"]} for each in said]
    introduced = [{"type": "file", "file_token": token} for token in fresh]
    message = {"role": "user", "content": [*texts, *introduced]}
    tokens = known + fresh
    params = before.get("params") or {}
    answer = Client(call.service, call.base_url).prepare(
        [*(before.get("messages") or []), message], tokens, data.get("prepare_id"), params
    )
    return Done(
        {
            "reply": answer.reply,
            "prompt": answer.plan["prompt"] if answer.plan else "",
            "request": [*(data.get("request") or []), *said],
            "plan": answer.plan,
            "prepare_id": answer.prepare_id,
            "included": included(data),
            "conversation": {
                "messages": answer.messages,
                "tokens": tokens,
                "params": answer.plan or params,
            },
        }
    )


def sent_files(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Token → descriptions of this round's files that were uploaded; a declined one leaves no trace."""
    uploads = data.get("uploads") or {}
    used: dict[str, list[str]] = {}
    for each in data.get("references") or []:
        if each["sha256"] in uploads:
            descriptions = used.setdefault(uploads[each["sha256"]], [])
            descriptions += [text for text in [each["description"]] if text not in descriptions]
    return used


def included(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The files whose tokens go along from now on: those of before, and this round's, each under all its names."""
    uploads = data.get("uploads") or {}
    known = [*(data.get("included") or []), *(data.get("references") or [])]
    named = [{key: each.get(key) for key in _SHOWN} for each in known if each["sha256"] in uploads]
    return [each for number, each in enumerate(named) if each not in named[:number]]


_SHOWN = ("name", "folder", "sha256", "size")
"""What a person is shown of a file; where it lies is of no use once it was sent."""


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or str(item.get("path", "")).rpartition("/")[2])
