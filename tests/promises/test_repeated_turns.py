"""The same turn twice, two turns at once, and turns that were meant for an earlier state of things."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.conduct import CHANGE, WORDS, answer, begin, check_promises, reach
from tests.playing import HandClock, Player, player
from workflow.model.errors import SessionBusy, UsageError
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore

Asked = Callable[[str], list[Request]]
BUNDLE = Path(__file__).parents[2]

STEPS: list[tuple[str, str, dict[str, Any]]] = [
    ("understand.consenting", "consent", {"quote": "yes"}),
    ("understand.asking", "answer", {"input": {"words": "Warm"}}),
    ("understand.asking", "create_now", {"quote": "just make it"}),
    ("confirm.presenting", "approve", {"quote": "yes"}),
    ("confirm.presenting", "adjust", {"input": {"words": "Larger"}}),
    ("deliver.generating", "check", {}),
    ("deliver.ready", "modify", {"input": {"words": CHANGE}, "quote": CHANGE}),
    ("deliver.ready", "finish", {}),
    ("revise.applying", "check", {}),
    ("confirm.presenting", "cancel", {}),
]
IDS = [f"{event}-{state}" for state, event, _ in STEPS]


def other(play: Player, folder: Path, clock: HandClock) -> Player:
    """Another process on the same store and session."""
    again = player(folder, BUNDLE, play.sandbox, store=play.engine.world.store, clock=clock)
    again.name, again.reply = play.name, play.reply
    return again


@pytest.mark.parametrize("by_id", [True, False], ids=["turn_id", "revision"])
@pytest.mark.parametrize(("state", "event", "given"), STEPS, ids=IDS)
def test_the_same_turn_again_gets_the_recorded_reply(
    play: Player,
    sandbox: Sandbox,
    clock: HandClock,
    tmp_path: Path,
    state: str,
    event: str,
    given: dict[str, Any],
    by_id: bool,
) -> None:
    """In another process, a day later: word for word the same reply, marked as replayed; nothing sent or noted."""
    begin(play, tmp_path)
    reach(play, state)
    revision = play.reply.revision
    how: dict[str, Any] = {"turn_id": "t-1"} if by_id else {"revision": revision}
    how["seen"] = play.reply.seen
    first = play.send(event, **given, **how)
    assert first.ok and first.revision == (revision or 0) + 1
    requests, entries = len(sandbox.requests), len(play.journal())
    clock.pass_(86_400 if first.watch is None else 30)
    again = other(play, tmp_path, clock)
    for _ in range(2):
        reply = again.send(event, **given, **how)
        assert reply.replayed
        assert reply.as_json() == first.as_json() | {"replayed": True}
    assert (len(sandbox.requests), len(play.journal())) == (requests, entries)
    check_promises(play, sandbox)


def test_the_same_start_again_is_the_same_session(play: Player, sandbox: Sandbox) -> None:
    """A start whose answer was lost is sent again: one session, one request, the recorded reply."""
    first = play.start({"words": WORDS}, turn_id="first")
    again = play.start({"words": WORDS}, turn_id="first")
    assert again.replayed and again.session == first.session
    assert again.as_json() == first.as_json() | {"replayed": True}
    assert (len(play.engine.sessions()), len(sandbox.requests)) == (1, 1)
    play.start({"words": WORDS})
    assert len(play.engine.sessions()) == 2  # without an identity, it is another start


@pytest.mark.parametrize(
    "changed",
    [
        {"input": {"words": "Larger still"}},
        {"input": {"words": "Larger"}, "quote": "and quick"},
        {"event": "cancel"},
        {"event": "approve", "quote": "yes"},
        {"event": "nonsense"},
    ],
)
def test_a_turns_id_is_taken_for_no_other_turn(play: Player, sandbox: Sandbox, changed: dict[str, Any]) -> None:
    """The same id with other content is the caller's fault: said, nothing done, nothing noted."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    play.send("adjust", {"words": "Larger"}, turn_id="t")
    before, requests = play.engine.world.store.load(play.name), len(sandbox.requests)
    given = {"event": "adjust", "input": {}, **changed}
    with pytest.raises(UsageError, match="'t' was used for another turn"):
        play.send(given["event"], given["input"], quote=given.get("quote"), turn_id="t")
    assert play.engine.world.store.load(play.name) == before
    assert len(sandbox.requests) == requests


def test_a_starts_id_is_taken_for_no_other_start(play: Player, sandbox: Sandbox) -> None:
    """Other words under the id of a start that was accepted: said, and no second session."""
    play.start({"words": WORDS}, turn_id="s")
    with pytest.raises(UsageError, match="'s' was used for another turn"):
        play.start({"words": "A logo"}, turn_id="s")
    assert (len(play.engine.sessions()), len(sandbox.requests)) == (1, 1)


def test_one_id_is_free_in_every_session(play: Player) -> None:
    """Two agents that number their turns alike do not meet."""
    for _ in range(2):
        play.start({"words": WORDS})
        assert play.send("answer", {"words": "Warm"}, turn_id="1").state == "confirm.presenting"
        assert not play.reply.replayed


@pytest.mark.parametrize("event", ["approve", "adjust", "cancel"])
def test_a_turn_for_an_older_revision_is_stale(play: Player, asked: Asked, event: str) -> None:
    """What was decided about an earlier plan is refused as such; the reply shows what there is now."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    play.send("adjust", {"words": "Larger"})
    given = {"words": "Smaller"} if event == "adjust" else {}
    for revision in (2, 1, 0, 99):
        reply = play.send(event, given, quote="yes", revision=revision)
        assert reply.error is not None
        assert (reply.error.type, reply.exit_code, reply.state) == ("stale", 6, "confirm.presenting")
        assert f"meant for revision {revision}, and the run is at revision 3" in reply.error.message
        assert "quote its revision" in reply.error.hint
    assert (reply.revision, asked("create"), len(asked("prepare"))) == (3, [], 3)
    assert {(entry.body or {})["type"] for entry in play.journal("refusal")} == {"stale"}


@pytest.mark.parametrize(
    ("state", "event", "given"), [step for step in STEPS if step[1] in ("approve", "create_now", "modify")]
)
def test_what_can_lead_to_a_paid_call_says_which_turn_it_is(
    play: Player, sandbox: Sandbox, tmp_path: Path, state: str, event: str, given: dict[str, Any]
) -> None:
    """Without the token of the reply that it answers: refused with what to send; with it, it goes."""
    begin(play, tmp_path)
    reach(play, state)
    requests, revision = len(sandbox.requests), play.reply.revision
    reply = play.send(event, **given, revision=None, seen=None)
    assert reply.error is not None and reply.exit_code == 3
    assert "`seen` is required" in reply.error.message and "export the skill" not in reply.error.message
    assert "`seen` of the reply" in reply.error.hint
    reply = play.send(event, **given, revision=revision, seen=None)
    assert reply.error is not None and "export the skill again" in reply.error.message
    assert (len(sandbox.requests), play.engine.status(play.name).state) == (requests, state)
    assert play.send(event, **given).ok


def test_refusals_are_always_decided_afresh(play: Player) -> None:
    """A refused turn is no turn: sent again it is judged by how things are then, whatever its id."""
    play.start({"words": WORDS})
    for _ in range(2):
        reply = play.send("approve", quote="yes", turn_id="a")
        assert reply.error is not None and not reply.replayed
    assert len(play.journal("refusal")) == 2
    play.send("answer", {"words": "Warm"}, turn_id="b")
    assert play.send("approve", quote="yes", turn_id="a").state == "deliver.generating"
    assert play.send("approve", quote="yes", turn_id="a").replayed


def test_while_a_turn_runs_the_session_is_busy(
    play: Player, sandbox: Sandbox, tmp_path: Path, clock: HandClock
) -> None:
    """The paid call is on its way: its repeat and any other turn are told so; once it is done, it is replayed."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    arrived, go = threading.Event(), threading.Event()
    perform = sandbox._service.perform

    def slow(endpoint: str, *args: Any, **options: Any) -> Any:
        if endpoint == "create":
            arrived.set()
            assert go.wait(10)
        return perform(endpoint, *args, **options)

    sandbox._service.perform = slow  # type: ignore[method-assign]
    second = other(play, tmp_path, clock)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(play.send, "approve", quote="yes", turn_id="t")
        assert arrived.wait(10)
        try:
            for event, turn_id in (("approve", "t"), ("approve", "u"), ("cancel", "v"), (None, None)):
                with pytest.raises(SessionBusy, match="in use by another turn"):
                    second.send(event, quote="yes", turn_id=turn_id)
            assert second.engine.status(play.name).status == "working"  # looking needs no hold
        finally:
            go.set()
        first = running.result(10)
    assert first.state == "deliver.generating"
    again = second.send("approve", quote="yes", turn_id="t")
    assert again.replayed and again.say == first.say
    assert sum(each.path.endswith("/tasks") for each in sandbox.requests) == 1


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "sqlite"])
def test_a_held_session_is_busy_and_unharmed(tmp_path: Path, sandbox: Sandbox, clock: HandClock, disk: bool) -> None:
    """Held by another: nothing is done and nothing sent; freed, the same turn goes through."""
    store = SqliteStore(tmp_path / "kept") if disk else MemoryStore()
    play = player(tmp_path, BUNDLE, sandbox.url, store=store, clock=clock)
    play.start({"words": WORDS})
    before, requests = store.load(play.name), len(sandbox.requests)
    with store.hold(play.name):
        for turn in (lambda: play.send("answer", {"words": "Warm"}), lambda: play.engine.look(play.name)):
            with pytest.raises(SessionBusy, match=f"session {play.name} is in use"):
                turn()
        assert play.engine.status(play.name).state == "understand.asking"
    assert (store.load(play.name), len(sandbox.requests)) == (before, requests)
    assert play.send("answer", {"words": "Warm"}).state == "confirm.presenting"


@pytest.mark.parametrize("identity", ["same turn_id", "own turn_id", "revision"])
@pytest.mark.parametrize("disk", [False, True], ids=["memory", "sqlite"])
@pytest.mark.rule("R48")
def test_thirty_approvals_at_once_are_one_order(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked, disk: bool, identity: str
) -> None:
    """Thirty callers approve the same plan at the same moment: one image is ordered, the others are told why not."""
    store = SqliteStore(tmp_path / "kept") if disk else MemoryStore()
    play = player(tmp_path, BUNDLE, sandbox.url, store=store, clock=clock)
    play.start({"words": WORDS})
    plan = play.send("answer", {"words": "Warm"})
    barrier = threading.Barrier(30)

    def approve(number: int) -> Reply | SessionBusy:
        turn_id = {"same turn_id": "t", "own turn_id": f"t{number}"}.get(identity)
        turn = Turn("approve", quote="yes", turn_id=turn_id, expect_revision=plan.revision, seen=plan.seen)
        barrier.wait(10)
        try:
            return play.engine.advance(play.name, turn)
        except SessionBusy as busy:
            return busy

    with ThreadPoolExecutor(30) as pool:
        results = list(pool.map(approve, range(30)))
    assert len(asked("create")) == 1
    replies = [each for each in results if isinstance(each, Reply)]
    done = [each for each in replies if each.ok and not each.replayed]
    assert [each.state for each in done] == ["deliver.generating"]
    refused = [each for each in replies if not each.ok]
    assert not refused or identity == "own turn_id"
    assert all(each.error and "is not possible in deliver.generating" in each.error.message for each in refused)
    check_promises(play, sandbox)


def test_one_revision_serves_one_turn(play: Player, asked: Asked, tmp_path: Path) -> None:
    """Approve and adjust, both meant for the same plan: the first counts, the second is stale."""
    play.start({"words": WORDS})
    revision = play.send("answer", {"words": "Warm"}).revision
    assert answer(play, "adjust").ok
    late = play.send("approve", quote="yes", revision=revision)
    assert late.error is not None and late.error.type == "stale"
    assert asked("create") == []
