"""Whether the sandboxes of sessions answer now; a session keeps the address that it began with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflow.engine.view import View
from workflow.model.frozen import replace
from workflow.model.ports import Summary
from workflow.model.reply import ENDED, Reply


def with_sandbox(view: View, reply: Reply) -> Reply:
    """The reply with a notice of whether a sandbox answers now, where its session has one and goes on."""
    session = view.store.load(reply.session) if reply.session and reply.sandbox else None
    if session is None or session.sandbox is None or reply.status in ENDED:
        return reply
    why = view.world.listens(session.sandbox)
    told = f"The sandbox at {session.sandbox} answers."
    if why:
        advice = view.load(session.name).connection().advice("")
        told = f"The sandbox at {session.sandbox} does not answer: {why}. {view.world.surface.told(advice)}"
    return replace(reply, notices=(*reply.notices, told))


def sandboxes(view: View, found: Iterable[Summary]) -> list[dict[str, Any]]:
    """The sandboxes of these sessions, those that go on: the address, whether it answers, and the sessions' names."""
    names: dict[str, list[str]] = {}
    for each in found:
        address = _address(view, each) if each.status not in ENDED else None
        if address:
            names.setdefault(address, []).append(each.name)
    return [{"address": each, "answers": not view.world.listens(each), "sessions": names[each]} for each in names]


def _address(view: View, listed: Summary) -> str | None:
    try:
        session = view.store.load(listed.name)
    except Exception:  # whatever is wrong with one session: the list is made all the same
        return None
    return session.sandbox if session else None
