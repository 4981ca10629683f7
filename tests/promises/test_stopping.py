"""Stop means stop: what ends the work is decided before the work continues, and nobody is shut out by a slow call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from phases.anygen.sandbox.service import Declined
from tests.conduct import CHANGE, GIVEN, begin, check_promises, tasks_of
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE as BUNDLE
from tests.promises.journeys import to_generating, to_plan, to_ready
from tests.promises.test_killed import DyingStore, Killed
from workflow.bundle import open_bundle
from workflow.model.errors import SessionBusy
from workflow.model.journal import fold
from workflow.model.session import Session, Turn
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore

DEFINITION = open_bundle(BUNDLE).definition
EVENTS = (None, *(name for name in DEFINITION.events if name != "start"), "retry")


def journey(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    """Through every state of the reference bundle that makes a call."""
    begin(play, folder)
    play.send("consent", quote="yes, send it")
    sandbox.settings(looks=99)
    task = sandbox._service._begin("ai_designer", "An image", [])
    play.send("open", {"task_url": f"{sandbox.url}/task/{task.id}"})
    sandbox._service.doom_task(task.id)
    play.send("check")
    sandbox.settings(looks=2)
    play.send("answer", {"words": "Warm colours"})
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="yes, go ahead")
    sandbox.settings(looks=99)
    play.send("found", {"task_url": f"{sandbox.url}/task/{tasks_of(sandbox)[-1]}"}, quote="this one")
    clock.pass_(1200)
    play.send(None)
    sandbox.settings(looks=1)
    play.send("check")
    sandbox.fault("not-found", on="send")
    play.send("modify", {"words": CHANGE}, quote=CHANGE)
    play.send("check")
    (folder / "more.png").write_bytes(b"more brass")
    sandbox.fault("drop-after", on="send")
    more = {"words": CHANGE, "references": [{"path": "more.png", "description": "more"}]}
    play.send("modify", more, quote=CHANGE)
    sandbox.settings(looks=99)
    play.send("consent", quote="yes")
    clock.pass_(480)
    play.send(None)
    play.send("check")
    play.send("finish")


def copy_of(store: MemoryStore) -> MemoryStore:
    """Another store with the same sessions, held by nobody."""
    other = MemoryStore()
    for name in ("_summaries", "_snapshots", "_turns", "_starts", "_definitions", "_occasions"):
        setattr(other, name, copy(getattr(store, name)))
    other._journals = {name: list(rows) for name, rows in store._journals.items()}
    return other


def unfinished(session: Session) -> bool:
    """Whether its work was cut short."""
    return DEFINITION.states[session.state].works and session.trouble is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_ends_the_work_is_decided_first(tmp_path: Path, after: bool) -> None:
    """Every event × every state that a crash leaves unfinished, the process dying on either side of each write.

    What is possible anywhere is decided at once: nothing is sent, and only an open intent is settled before.
    Everything else is decided where the finished work leads.
    """
    met = set[str]()
    for write in range(1, 200):
        store, clock = DyingStore(), HandClock()
        store.die_at, store.after = write, after
        with Sandbox(rounds=2, looks=2) as sandbox:
            play = player(tmp_path, BUNDLE, sandbox.url, store=store, clock=clock)
            try:
                journey(play, sandbox, clock, tmp_path)
            except Killed:
                pass
            else:
                break
            for known in store.sessions():
                left = store.load(known.name)
                assert left is not None
                if unfinished(left) or left.intent:
                    met.add(left.state)
                    for event in EVENTS:
                        _stop_or_continue(copy_of(store), left, event, sandbox, clock, tmp_path)
    assert met == {name for name, state in DEFINITION.states.items() if state.works and state.do}


def _stop_or_continue(
    store: MemoryStore, left: Session, event: str | None, sandbox: Sandbox, clock: HandClock, folder: Path
) -> None:
    play = player(folder, BUNDLE, sandbox.url, store=store, clock=clock)
    given = {**GIVEN, "found": {"input": {"task_url": f"{sandbox.url}/task/x"}, "quote": "this"}}.get(event or "", {})
    requests = len(sandbox.requests)
    turn = Turn(event, given.get("input") or {}, quote=given.get("quote"), expect_revision=left.revision)
    try:
        play.engine.advance(left.name, turn)
    finally:
        stops = event in DEFINITION.on
        session: Session | None = None
        decided = 0
        for entry in store.entries(left.name):
            before, session = session, fold(session, entry)
            if entry.seq > left.seq and entry.kind in ("event", "refusal") and entry.body:
                assert before is not None
                decided += 1
                assert stops or not unfinished(before), (left.state, event)
        assert decided == (event is not None), (left.state, event)
    if not stops:
        return
    assert len(sandbox.requests) == requests, (left.state, event, "it sent something first")
    kinds = [entry.kind for entry in store.entries(left.name) if entry.seq > left.seq]
    assert kinds == ["doubt"] * bool(left.intent) + ["event", "reply"], (left.state, kinds)
    now = store.load(left.name)
    resting = DEFINITION.states[left.state].doubt if left.intent else left.state
    assert now is not None and resting is not None
    assert (now.state, now.intent) == (DEFINITION.moves(DEFINITION.states[resting])["cancel"], None)
    assert now.doubt == (left.intent.action if left.intent else left.doubt)


def test_a_stop_that_is_refused_sends_nothing_either(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Quoting an old revision, it is refused as stale; the work rests until somebody continues it."""
    store = play.engine.world.store
    begin(play, tmp_path)
    with stuck_in(sandbox, "upload") as stuck, ThreadPoolExecutor(1) as pool:
        turn = pool.submit(play.send, "consent", quote="yes")
        assert stuck.arrived.wait(10)
        copied = player(tmp_path, BUNDLE, sandbox.url, store=copy_of(store))  # type: ignore[arg-type]
        stuck.go.set()
        turn.result(10)
    requests = len(sandbox.requests)
    copied.name, copied.reply = play.name, copied.engine.status(play.name)
    assert (copied.reply.state, [each.event for each in copied.reply.next]) == ("understand.uploading", ["cancel"])
    reply = copied.send("cancel", revision=1)
    assert reply.error is not None and reply.error.type == "stale"
    assert (reply.state, len(sandbox.requests)) == ("understand.uploading", requests)
    assert copied.send("cancel").state == "over.cancelled"
    assert len(sandbox.requests) == requests


def test_a_stop_after_the_deadline_looks_no_more(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The wait is over and nobody has looked: the person stops, and no last look is made first."""
    sandbox.settings(looks=99)
    to_generating(play)
    clock.pass_(1200)
    requests = len(sandbox.requests)
    assert play.send("cancel").state == "over.image_running"
    assert len(sandbox.requests) == requests


class Stuck:
    """A call of the service that has arrived and is not answered before it may ``go``."""

    def __init__(self) -> None:
        self.arrived, self.go = threading.Event(), threading.Event()
        self.declines = False


@contextmanager
def stuck_in(sandbox: Sandbox, call: str) -> Iterator[Stuck]:
    """The first call of this name arrives, and is answered when the block says so, or ends."""
    stuck, perform = Stuck(), sandbox._service.perform

    def slow(endpoint: str, *args: Any, **options: Any) -> Any:
        if endpoint == call and not stuck.arrived.is_set():
            stuck.arrived.set()
            assert stuck.go.wait(30)
            if stuck.declines:
                raise Declined("prompt is required", status=400)
        return perform(endpoint, *args, **options)

    sandbox._service.perform = slow  # type: ignore[method-assign]
    try:
        yield stuck
    finally:
        stuck.go.set()


def _to_consent(play: Player, sandbox: Sandbox, folder: Path) -> None:
    begin(play, folder)


def _to_change_in_doubt(play: Player, sandbox: Sandbox, folder: Path) -> None:
    to_ready(play)
    sandbox.fault("drop-after", on="send")


def _to_order_in_doubt(play: Player, sandbox: Sandbox, folder: Path) -> None:
    sandbox.fault("drop-after", on="create")
    to_generating(play)


def _to_change(play: Player, sandbox: Sandbox, folder: Path) -> None:
    to_ready(play)
    play.send("modify", {"words": CHANGE}, quote=CHANGE)


def _found(play: Player, sandbox: Sandbox) -> object:
    link = f"{sandbox.url}/task/{tasks_of(sandbox)[0]}"
    return play.send("found", {"task_url": link}, quote="this one")


Reach = Callable[[Player, Sandbox, Path], object]
Act = Callable[[Player, Sandbox], object]
SLOW: dict[str, tuple[Reach, Act, str]] = {
    "upload": (_to_consent, lambda play, _: play.send("consent", quote="yes"), "upload"),
    "prepare": (lambda play, *_: to_plan(play), lambda play, _: play.send("adjust", {"words": "Larger"}), "prepare"),
    "adopt": (_to_order_in_doubt, _found, "task"),
    "find_sent": (
        _to_change_in_doubt,
        lambda play, _: play.send("modify", {"words": CHANGE}, quote=CHANGE),
        "messages",
    ),
    "look": (lambda play, *_: to_generating(play), lambda play, _: play.engine.look(play.name), "task"),
    "check": (lambda play, *_: to_generating(play), lambda play, _: play.send("check"), "task"),
    "read_answer": (_to_change, lambda play, _: play.engine.look(play.name), "messages"),
}
"""What is out while the person says stop: how it comes to that, and the call of the service."""
STOPPED = {
    "adopt": "over.image_unsure",
    "find_sent": "over.change_unsure",
    **dict.fromkeys(("look", "check"), "over.image_running"),
    "read_answer": "over.change_running",
}
"""Where the run ends then, if not where nothing has been made."""


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "sqlite"])
@pytest.mark.parametrize("slow", SLOW)
def test_a_person_stops_while_a_call_is_out(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, slow: str, disk: bool
) -> None:
    """Whatever is out but a paid call: the stop is taken at once, and what comes back later counts for nothing."""
    store = SqliteStore(tmp_path / "kept") if disk else MemoryStore()
    play, person = (player(tmp_path, BUNDLE, sandbox.url, store=store, clock=clock) for _ in range(2))
    reach, act, call = SLOW[slow]
    reach(play, sandbox, tmp_path)
    person.name, requests = play.name, len(sandbox.requests)
    with stuck_in(sandbox, call) as stuck, ThreadPoolExecutor(1) as pool:
        working: Future[object] = pool.submit(act, play, sandbox)
        assert stuck.arrived.wait(10)
        assert person.send("cancel", revision=None).state == STOPPED.get(slow, "over.cancelled")
        stopped = person.journal()
        stuck.go.set()
        working.result(10)
    assert len(sandbox.requests) == requests + (
        2 if slow in ("find_sent", "adopt") else 1
    )  # up to the one that was out
    assert [each for each in play.journal() if each.seq > stopped[-1].seq and each.kind not in _SAID] == []
    session = store.load(play.name)
    assert session is not None and session.state == STOPPED.get(slow, "over.cancelled") and not session.owed
    check_promises(play, sandbox)
    store.close()


_SAID = ("reply", "confirm")


def test_work_that_is_out_is_not_done_twice(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """While the plan is being asked for, another turn is busy and names who is at work; it asks for no second one."""
    store = MemoryStore()
    play, other = (player(tmp_path, BUNDLE, sandbox.url, store=store, clock=clock) for _ in range(2))
    to_plan(play)
    other.name, requests = play.name, len(sandbox.requests)
    with stuck_in(sandbox, "prepare") as stuck, ThreadPoolExecutor(2) as pool:
        working = pool.submit(play.send, "adjust", {"words": "Larger"})
        assert stuck.arrived.wait(10)
        with pytest.raises(SessionBusy, match=r"in use by another turn: process \d+"):
            other.send(None)
        status = other.engine.status(play.name)
        assert status.status == "working" and any("at work on it: process" in each for each in status.notices)
        waiting = pool.submit(other.engine.advance, play.name, Turn(), wait=20)
        stuck.go.set()
        assert working.result(10).state == waiting.result(10).state == "confirm.presenting"
    assert len(sandbox.requests) == requests + 1
    check_promises(play, sandbox)


def test_words_in_between_do_not_lose_a_result(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """What is confirmed as said while a call is out moves nothing, so the call's result is kept."""
    play = player(tmp_path, BUNDLE, sandbox.url, clock=clock)
    play.heard = False
    to_generating(play)
    play.watch()
    reply = play.send(None)
    with stuck_in(sandbox, "messages") as stuck, ThreadPoolExecutor(1) as pool:
        play.send("modify", {"words": CHANGE}, quote=CHANGE)
        looking = pool.submit(play.engine.look, play.name)
        assert stuck.arrived.wait(10)
        play.engine.confirm(reply)
        stuck.go.set()
        looking.result(10)
    assert [each.kind for each in play.journal()][-1] != "doubt"
    play.watch()
    assert play.send(None).state == "revise.changed"
    check_promises(play, sandbox)
