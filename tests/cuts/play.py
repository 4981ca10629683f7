"""One cell from its beginning to its end: the conversation up to the call, the cut, the recovery, the judgement."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cuts.cells import AGAIN, ALIVE, DURING, FORM, KILLED, SESSIONS, STATUS, Cell
from tests.cuts.client import NotPlayed
from tests.cuts.oracle import COUNTS, LOST, TWICE, judge, owed
from tests.cuts.stage import Stage, good, staged, until, wait
from tests.cuts.zygote import HOLD, Zygote

TIMEOUT = 1.0
"""Seconds that the client waits for the call that is cut."""


@dataclass
class Played:
    """What came of a cell: the four counts, why some are not 0, and what else is wrong."""

    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTS, 0)))
    why: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def play(cell: Cell, zygote: Zygote) -> Played:
    """Play one cell; raises :class:`NotPlayed`.

    The recovery decides what was said once and offered again; lost and twice are counted to the end.
    """
    with staged(cell, zygote) as stage:
        given = _lead_up(stage)
        before = stage.replies()
        _cut(stage, given)
        if cell.kind.reads and stage.replies() != before:
            stage.wrong.append("a tool that changes nothing claims to have said something")
        recovered, why = _after(stage, given, _recover)
        ended, more = _after(stage, given, _finish)
        counts = recovered | Counter({name: max(recovered[name], ended[name]) for name in (LOST, TWICE)})
        return Played(counts, list(dict.fromkeys([*why, *more])), stage.wrong)


def _after(
    stage: Stage, given: Mapping[str, Any], part: Callable[[Stage, Mapping[str, Any]], None]
) -> tuple[Counter[str], list[str]]:
    """What the user has been told once this part is over; after the cut nothing may go wrong."""
    try:
        part(stage, given)
    except NotPlayed as fault:
        stage.wrong.append(f"{part.__name__.strip('_')}: {fault}")
    with stage.store() as store:
        return judge(stage.read, owed(store), stage.sandbox.paid(), stage.kind.paid)


def _lead_up(stage: Stage) -> dict[str, Any]:
    """The conversation up to the call; what the call will be given."""
    kind = stage.kind
    if kind.name != "start":
        good(stage.call("workflow_start", kind.start(stage.cell.transport == "http")))
    for tool, given in kind.steps:
        good(stage.call(tool, {**_bound(stage, tool, given), **given}))
    turn = {"turn_id": "the-turn-that-is-cut"} if kind.turn else {}
    return {**_bound(stage, kind.tool, kind.given), **kind.given, **turn}


def _bound(stage: Stage, tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The session, and for an event what says which reply it answers: ``seen``, where the tool knows it."""
    if tool in ("workflow_start", "workflow_sessions"):
        return {}
    session, seen = {"session": stage.reply["session"]}, stage.reply.get("seen")
    if "event" not in given:
        return session
    if seen and "seen" in stage.client.tools[tool]:
        return {**session, "seen": seen}
    return {**session, "expect_revision": stage.reply["revision"]}


def _cut(stage: Stage, given: Mapping[str, Any]) -> None:
    """The call, and the cut: after it the server has nothing more to do."""
    cell, kind, relay = stage.cell, stage.kind, stage.relay
    before = stage.done()
    with _slow(stage) as working:
        relay.arm(kind.tool, cell.cut)
        stage.client.call(kind.tool, given, TIMEOUT, hold_form=cell.cut == FORM)
        if cell.cut == FORM:
            if "form" not in stage.client.event():
                raise NotPlayed("no form was shown")
        else:
            held, answered = working if cell.cut == DURING else relay.held, stage.client.answered
            until(lambda: held.is_set() or answered.is_set(), f"the call is not held {cell.cut} its work")
            if not held.is_set():
                raise NotPlayed(f"the client ran out of time before the call was held {cell.cut} its work")
        if cell.life == KILLED:
            stage.client.kill()
        else:
            event = stage.client.answer()
            if not event.get("timeout"):
                raise NotPlayed(f"the client did not run out of time: {event}")
        if cell.cut == DURING:
            wait(relay.given_up, "the server was not told that the client waits no more")
    relay.release()
    if cell.cut == DURING:
        until(lambda: stage.done() > before, "the turn does not come to its end")
    if cell.life != ALIVE:
        if cell.life != KILLED:
            stage.client.close()
        stage.known = None


@contextmanager
def _slow(stage: Stage) -> Iterator[threading.Event]:
    """While it lasts, what a call does takes its time, if it is to be cut there; the event says that it has begun."""
    if stage.cell.cut != DURING:
        yield threading.Event()
    elif stage.kind.request:
        stage.sandbox.slow = stage.kind.request
        yield stage.sandbox.arrived
        stage.sandbox.go.set()
    else:
        path, arrived = stage.folder / f"{HOLD}{stage.kind.function}", threading.Event()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            held = list[socket.socket]()

            def accept() -> None:
                held.append(listener.accept()[0])
                arrived.set()

            threading.Thread(target=accept, daemon=True).start()
            try:
                yield arrived
            finally:
                path.unlink()
                for each in held:
                    each.close()


def _recover(stage: Stage, given: Mapping[str, Any]) -> None:
    """The next call, and a plain turn."""
    cell = stage.cell
    if cell.next == AGAIN:
        _again(stage, given)
    elif cell.next == SESSIONS:
        stage.call("workflow_sessions", {})
        stage.settle()  # a call that was read late may only begin its session now
        listed = good(stage.call("workflow_sessions", {}))["sessions"]
        stage.reply = {"session": listed[0]["name"]} if listed else {}
    elif cell.next == STATUS:
        good(stage.call("workflow_status", {"session": stage.reply["session"]}))
    else:
        good(stage.call("workflow_advance", {"session": stage.reply["session"]}))
    stage.settle()
    if stage.reply.get("session"):
        good(stage.call("workflow_advance", {"session": stage.reply["session"]}))


def _again(stage: Stage, given: Mapping[str, Any]) -> None:
    """The same call again: a turn that was taken is answered with the reply that was recorded."""
    events = stage.taken()
    answer = stage.call(stage.kind.tool, given)
    if not answer["ok"]:
        stage.wrong.append(f"sent again: {answer['error']['message']}")
    elif stage.kind.turn and events and not answer.get("replayed"):
        stage.wrong.append("sent again: the recorded reply does not say that it is one")


def _finish(stage: Stage, given: Mapping[str, Any]) -> None:
    """Whatever was cut, the same call leads to where the conversation was to go, and no text is gone."""
    _again(stage, given)
    session = {"session": stage.reply["session"]}
    good(stage.call("workflow_advance", session))
    good(stage.call("workflow_status", session))
    shown = {said["id"] for answer in stage.read for said in answer.get("say") or ()}
    if stage.kind.says and stage.kind.says not in shown:
        stage.wrong.append(f"in the end nobody is shown {stage.kind.says}")
    if stage.sandbox.paid() < stage.kind.paid:
        stage.wrong.append("in the end nothing is paid")
    with stage.store() as store:
        if len(names := [each.name for each in store.sessions()]) > 1:
            stage.wrong.append(f"one conversation has {len(names)} sessions")
