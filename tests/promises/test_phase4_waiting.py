"""Waiting for the image: how often it is looked for, how long, and who may act meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import change, creates, link, looks, readings, remembered, to_generating, to_ready
from workflow.cli.agent.watch import wait_for_news
from workflow.model.frozen import replace
from workflow.model.instant import iso
from workflow.model.session import Turn

FOREVER = 10_000


class WatchedClock(HandClock):
    """A clock on which the moment of each look can be read: ``at`` lists them, seconds from the start of the wait."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.at: list[float] = []
        self.begun = self.boot

    def sleep(self, seconds: float) -> None:
        """Note the looks that were made since the last pause, then let the time pass."""
        self.note()
        super().sleep(seconds)

    def note(self) -> None:
        """The looks that were made by now."""
        made = len(looks(self.sandbox)) + len(readings(self.sandbox))
        self.at += [self.boot - self.begun] * (made - len(self.at))


@pytest.fixture
def clock(sandbox: Sandbox) -> HandClock:
    """Time that passes only when the test or a watcher says so."""
    return WatchedClock(sandbox)


@pytest.mark.rule("R65", "R66", "R76")
def test_the_wait_for_an_image_is_twenty_minutes(play: Player, sandbox: Sandbox, clock: WatchedClock) -> None:
    """A task that never ends is looked at every 3 s and given up at 1200 s: late, and not marked as failed."""
    sandbox.settings(looks=FOREVER)
    to_generating(play, host="claude-code")
    wait_for_news(play.engine, play.name)
    clock.note()
    gaps = [after - before for before, after in zip(clock.at, clock.at[1:], strict=False)]
    assert min(gaps) >= 3
    assert len(clock.at) <= 400 + 1
    assert 1200 <= clock.boot - clock.begun <= 1203
    assert clock.at[-1] >= 1200  # the deadline counts only after one more look
    assert play.engine.status(play.name).state == "deliver.late"
    assert remembered(play)["task_status"] == "processing"


@pytest.mark.rule("R65", "R66")
def test_a_watch_that_begins_late_ends_in_time(play: Player, sandbox: Sandbox, clock: WatchedClock) -> None:
    """The deadline counts from the order, not from the watch; still no two looks are closer than 3 s."""
    sandbox.settings(looks=FOREVER)
    to_generating(play, host="claude-code")
    clock.pass_(1100.5)
    wait_for_news(play.engine, play.name)
    clock.note()
    gaps = [after - before for before, after in zip(clock.at, clock.at[1:], strict=False)]
    assert min(gaps) >= 3
    assert 1200 <= clock.at[-1] <= 1203
    assert play.engine.status(play.name).state == "deliver.late"


@pytest.mark.rule("R84", "R86")
def test_the_wait_for_a_change_is_eight_minutes(play: Player, sandbox: Sandbox, clock: WatchedClock) -> None:
    """A change that is never answered is given up at 480 s, and told as late: it may still arrive."""
    to_ready(play, host="claude-code")
    sandbox.settings(looks=FOREVER)
    ordered = clock.boot
    reply = change(play)
    assert reply.watch is not None
    assert reply.watch["until"] == iso(replace(clock.now(), wall=clock.wall + 480))
    assert reply.watch["ways"][0]["time_limit"] == 600
    clock.pass_(400)
    assert play.send(None).state == "revise.applying"
    wait_for_news(play.engine, play.name)
    assert 480 <= clock.boot - ordered <= 483
    assert len(readings(sandbox)) <= 80 / 3 + 2
    reply = play.send(None)
    assert (reply.state, reply.status) == ("revise.late", "waiting")
    assert play.texts() == [
        "Your changes are taking a bit longer than expected. They may still arrive, so there's no need to ask for "
        f"them again. You can check the progress here: {link(play)}"
    ]


@pytest.mark.rule("R62")
def test_the_monitor_is_given_time(play: Player) -> None:
    """The limit that is asked of the host is 1500 s for a wait of 1200 s, for every way to watch."""
    reply = to_generating(play, host="openclaw")
    assert reply.watch is not None
    background, subagent = reply.watch["ways"]
    assert background["time_limit"] >= 1500
    assert subagent["arguments"]["runTimeoutSeconds"] >= 1500


@pytest.mark.rule("R67")
def test_a_turn_never_waits(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Against a task that never ends each turn makes at most one look, and no pause."""
    sandbox.settings(looks=FOREVER)
    to_generating(play, host="openclaw")
    for event in (None, "check", None, "check"):
        before = len(looks(sandbox))
        reply = play.send(event)
        assert len(looks(sandbox)) - before == (event == "check")
        assert reply.state == "deliver.generating"
    assert clock.slept == []


@pytest.mark.parametrize(
    ("fault", "message"), [("rate-limited", "busy"), ("bad-gateway", "look_failed"), ("drop-before", "look_failed")]
)
@pytest.mark.rule("R67", "R78")
def test_a_look_that_fails_for_now_is_told_as_that(
    play: Player, sandbox: Sandbox, clock: HandClock, fault: str, message: str
) -> None:
    """The user asks while the service is away: one look, no pause, and no claim about an image that nobody saw."""
    to_generating(play, host="generic")
    sandbox.fault(fault, on="task")
    reply = play.send("check")
    assert (len(looks(sandbox)), clock.slept) == (1, [])
    assert (reply.state, reply.status, play.says()) == ("deliver.generating", "watching", [message])
    assert play.send("check").state == "deliver.generating"
    assert play.says() == ["still_generating_unwatched"]


@pytest.mark.rule("R68")
def test_others_act_while_it_is_watched(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The watcher holds the session only while it looks: between two looks a turn is taken, and goes through."""
    sandbox.settings(looks=5)
    to_generating(play, host="claude-code")
    between = []
    pause = clock.sleep

    def act(seconds: float) -> None:
        between.append(play.engine.advance(play.name, Turn("check")).state)
        between.append(play.engine.status(play.name).state)
        pause(seconds)

    clock.sleep = act  # type: ignore[method-assign]
    wait_for_news(play.engine, play.name)
    assert between[:2] == ["deliver.generating", "deliver.generating"]
    assert play.engine.status(play.name).state == "deliver.ready"
    assert len(looks(sandbox)) == 5


@pytest.mark.rule("R68")
def test_another_run_goes_on_meanwhile(play: Player, sandbox: Sandbox, tmp_path: Path, clock: HandClock) -> None:
    """A second session on the same store is played while the first one is watched."""
    sandbox.settings(looks=3)
    to_generating(play, host="claude-code")
    other = Player(play.engine, play.bundle, play.sandbox)
    begun: list[str | None] = []
    pause = clock.sleep

    def act(seconds: float) -> None:
        if not begun:
            begun.append(to_generating(other).state)
        pause(seconds)

    clock.sleep = act  # type: ignore[method-assign]
    wait_for_news(play.engine, play.name)
    assert begun == ["deliver.generating"]
    assert play.engine.status(play.name).state == "deliver.ready"
    assert len(creates(sandbox)) == 2


@pytest.mark.rule("R60")
def test_first_the_user_is_told_then_the_monitor_is_asked_for(play: Player) -> None:
    """No way to watch is given before the message of the start; the reply that asks for a monitor carries it."""
    play.start({"words": "A poster"}, host="openclaw")
    assert play.reply.watch is None
    play.send("answer", {"words": "blue"})
    assert play.reply.watch is None
    reply = play.send("approve", quote="yes")
    assert reply.watch is not None
    assert play.says() == ["started"]
    play.watch()
    kinds = [entry.kind for entry in play.journal()]
    told = next(entry for entry in play.journal("reply") if entry.body and entry.body["asked_to_watch"])
    assert told.body is not None
    assert [each["message"] for each in told.body["messages"]] == ["started"]
    assert kinds.index("intent") < told.seq - 1 < kinds.index("watching")


def test_looks_leave_no_trace(play: Player, sandbox: Sandbox) -> None:
    """Looks that find nothing new are neither turns nor entries; the first one only notes that somebody watches."""
    sandbox.settings(looks=50)
    to_generating(play, host="claude-code")
    before, revision = len(play.journal()), play.reply.revision
    for _ in range(20):
        play.engine.look(play.name)
    assert [entry.kind for entry in play.journal()[before:]] == ["watching"]
    assert play.engine.status(play.name).revision == revision
    assert len(looks(sandbox)) == 20


def test_a_fault_in_passing_does_not_end_the_watch(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Broken connections, a proxy's page and a busy service are no news for a watcher: it looks again, in 3 s."""
    to_generating(play, host="claude-code")
    for name in ("drop-before", "bad-gateway", "rate-limited", "reset-body"):
        sandbox.fault(name, on="task")
    wait_for_news(play.engine, play.name)
    assert play.engine.status(play.name).state == "deliver.ready"
    assert play.journal("failure") == []


def test_a_fault_that_lasts_ends_the_watch_and_is_told(play: Player, sandbox: Sandbox) -> None:
    """A key that is not accepted any more stops the watcher at once; the next turn says so, and `retry` looks again."""
    to_generating(play, host="claude-code")
    sandbox.fault("unauthorized", on="task")
    wait_for_news(play.engine, play.name)
    assert len(looks(sandbox)) == 1
    reply = play.send(None)
    assert (play.says(), reply.status, reply.exit_code) == (["check_key"], "waiting", 4)
    reply = play.send("retry")
    assert (reply.state, reply.status, play.says()) == ("deliver.generating", "watching", ["still_generating"])


@pytest.mark.rule("R79")
def test_nothing_of_the_result_is_fetched(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Over a whole run with a change, no request goes to the page or the picture, and no picture lands on disk."""
    to_ready(play, host="openclaw")
    change(play)
    play.watch()
    play.send(None)
    play.send("finish")
    assert {each.path.split("/")[1] for each in sandbox.requests} == {"v1"}
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".svg", ".png", ".jpg")]
