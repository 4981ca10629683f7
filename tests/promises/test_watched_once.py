"""A watch is started once per wait, and what nobody has said yet is never marked as heard."""

from __future__ import annotations

import json

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS
from tests.playing import Player
from workflow.machine.hosts import PATIENCE
from workflow.model.reply import Reply


def waiting(play: Player, host: str = "claude-code") -> Reply:
    """The reply with which a wait begins."""
    play.start({"words": WORDS}, host=host)
    play.send("answer", {"words": "Warm"})
    reply = play.send("approve", quote="Yes, go ahead")
    assert reply.status == "watching"
    return reply


def offered(reply: Reply) -> tuple[bool, bool]:
    """Whether a reply asks for a watch, and whether it says that there is one."""
    assert reply.watch is not None
    return bool(reply.watch.get("ways")), bool(reply.watch.get("watched"))


def test_a_wait_asks_for_one_watcher(play: Player, sandbox: Sandbox) -> None:
    """The first reply has the ways; looks, status and other turns say that it is watched."""
    assert offered(waiting(play)) == (True, False)
    sandbox.settings(looks=50)
    for _ in range(3):
        assert offered(play.send("check")) == (False, True)
        assert offered(play.engine.status(play.name)) == (False, True)
        assert offered(play.send(None, seen=play.reply.seen)) == (False, True)
    play.engine.look(play.name)
    assert offered(play.send("check")) == (False, True)


@pytest.mark.parametrize("host", ["generic"])
def test_where_nobody_can_watch_nothing_claims_it(play: Player, sandbox: Sandbox, host: str) -> None:
    """No way, and no word of a watcher."""
    assert offered(waiting(play, host)) == (False, False)
    sandbox.settings(looks=50)
    assert offered(play.send("check")) == (False, False)


def test_a_watcher_that_never_came_is_not_claimed(play: Player, sandbox: Sandbox) -> None:
    """After its minute nobody watches, and replies say nothing else."""
    waiting(play)
    sandbox.settings(looks=50)
    play.engine.world.clock.pass_(PATIENCE + 1)  # type: ignore[attr-defined]
    assert offered(play.send("check")) == (False, False)


def test_a_watch_whose_reply_was_lost_is_asked_for_again(play: Player, sandbox: Sandbox) -> None:
    """The reply with the ways did not arrive: the next one has them."""
    play.start({"words": WORDS}, host="claude-code")
    play.send("answer", {"words": "Warm"})
    before = play.reply.seen
    play.send("approve", quote="Yes, go ahead")
    sandbox.settings(looks=50)
    assert offered(play.send("check", seen=before, revision=None)) == (True, False)
    assert offered(play.send("check")) == (False, True)


def test_each_wait_has_a_watcher_of_its_own(play: Player) -> None:
    """The wait for a change asks for one again."""
    waiting(play)
    while not play.engine.look(play.name).moved:
        pass
    play.send(None)
    play.send("modify", {"words": "Make it blue"}, quote="Make it blue")
    assert offered(play.reply) == (True, False)


def test_status_marks_news_as_unsaid_until_a_turn_has_said_it(play: Player) -> None:
    """Shown by status, as by the end of a watch: first as unsaid, then as said."""
    waiting(play)
    while not play.engine.look(play.name).moved:
        pass
    (said,) = play.engine.status(play.name).say
    assert (said.id, said.unsaid, said.repeat, said.maybe_said) == ("ready", True, False, False)
    assert "ready" in [each.id for each in play.send(None).say]
    play.send(None, seen=play.reply.seen)
    (said,) = play.engine.status(play.name).say
    assert (said.id, said.unsaid, said.repeat) == ("ready", False, True)


def test_unsaid_is_left_out_where_it_does_not_hold(play: Player) -> None:
    """A reply that says a message does not mark it."""
    reply = waiting(play)
    assert "unsaid" not in json.dumps(reply.as_json())
