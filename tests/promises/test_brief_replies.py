"""A reply says once per state what may come: a caller that has shown to know it gets names, any other gets it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import to_generating, to_plan, to_ready
from workflow.engine import Engine
from workflow.model.frozen import replace
from workflow.model.reply import GateState, Option, Reply
from workflow.model.session import Turn
from workflow.model.surface import RELAY

WAYS = {"confirm.presenting": to_plan, "deliver.generating": to_generating, "deliver.ready": to_ready}
NAMES = {"event", "ready"}


def told(reply: Reply, before: Reply | None = None) -> list[dict[str, Any]]:
    """What may come next, as it is printed, without what it means; completed by what a reply ``before`` has told."""
    printed = Reply.from_json(reply.as_json()).completed(before)
    return [{name: each[name] for name in each if name != "when"} for each in printed.as_json().get("next", [])]


def meanings(reply: Reply) -> set[str]:
    """The events whose meaning a reply tells."""
    return {each["event"] for each in reply.as_json().get("next", []) if "when" in each}


def everything(play: Player) -> list[dict[str, Any]]:
    """All that `status` tells of what may come."""
    reply = play.engine.status(play.name)
    assert not reply.brief and {"input", "gate"} & {name for option in told(reply) for name in option} or reply.watch
    return told(reply)


@pytest.mark.parametrize("state", WAYS)
def test_a_turn_that_stays_is_answered_with_names(play: Player, state: str) -> None:
    """A refusal after `seen` of the same state names the events alone; without `seen`, everything is given."""
    whole = WAYS[state](play)
    known = [option.event for option in whole.next if option.known]
    assert whole.state == state and not whole.brief
    shown = [each for each in told(whole) if each["event"] not in known]
    assert shown == [each for each in everything(play) if each["event"] not in known] != [] or known == [
        "check",
        "cancel",
    ]
    refused = play.send("happened", quote="It did")
    assert refused.error and refused.brief
    assert told(refused) == [{name: each[name] for name in each if name in NAMES} for each in everything(play)]
    status = play.engine.status(play.name)
    completed = Reply.from_json(refused.as_json()).completed(Reply.from_json(status.as_json()))
    assert completed.as_json()["next"] == status.as_json()["next"] and completed.phase == status.phase
    again = play.send("happened", quote="It did", seen=None)
    assert again.error and not again.brief and told(again) == everything(play)


def test_a_state_that_is_entered_again_is_told_whole(play: Player) -> None:
    """An adjustment leads back to the same state with another plan: all that may come is told."""
    before = to_plan(play)
    reply = play.send("adjust", {"words": "Bolder"})
    assert reply.state == "confirm.presenting" and not reply.brief
    assert [set(each) - {"who"} for each in told(reply)] == [{"event"}, {"event", "gate"}, *[{"event"}] * 3]
    assert set(reply.as_json()["next"][1]["gate"]) == {"until"} and "phase" not in reply.as_json()
    whole = Reply.from_json(reply.as_json()).completed(Reply.from_json(before.as_json()))
    assert whole.phase == before.phase
    assert told(whole)[1:] == everything(play)[1:] and told(whole)[0]["event"] == "open"  # told by the first questions


def test_what_an_event_means_is_told_once(play: Player) -> None:
    """A turn that names a reply is not told again what that one offered; any other turn is, and so does `status`."""
    begun = play.start({"words": "A poster"})
    before = {option.event for option in begun.next}
    assert meanings(begun) == before >= {"answer", "cancel"}
    play.send("answer", {"words": "Blue"})
    offered = {option.event for option in play.reply.next}
    assert meanings(play.reply) == offered - before >= {"approve", "adjust"}
    assert meanings(play.engine.status(play.name)) == offered
    play.send("adjust", {"words": "Bolder"}, seen=None)
    assert meanings(play.reply) == offered
    play.send("adjust", {"words": "Bolder still"}, language="de")
    assert meanings(play.reply) == offered


def test_an_old_token_shows_nothing(play: Player) -> None:
    """A turn that names a reply of another state, or another plan, gets everything."""
    play.start({"words": "A poster"})
    old = play.reply.seen
    play.send("answer", {"words": "Blue"})
    reply = play.send("approve", quote="Yes, go ahead", seen=old)
    assert reply.error and reply.error.type == "stale" and not reply.brief and told(reply) == everything(play)


def test_a_question_that_is_put_again_is_whole(play: Player, clock: HandClock) -> None:
    """Once its term is over, the question comes with its gate and the new end of its term."""
    to_plan(play)
    clock.pass_(8 * 24 * 3600)
    reply = play.send("approve", quote="Yes, go ahead")
    assert reply.error and reply.say and not reply.brief
    assert play.option("approve").gate.until > "2027-01-23"  # type: ignore[union-attr, operator]


def test_after_a_failed_call_everything_is_told(play: Player, sandbox: Sandbox) -> None:
    """`retry` is explained with each reply, whatever the turn has named."""
    to_plan(play)
    sandbox.fault("rate-limited", on="prepare", times=9)
    failed = play.send("adjust", {"words": "Bolder"})
    again = play.send("retry")
    for reply in (failed, again):
        assert not reply.brief and "how" in told(reply)[0]


def test_how_to_watch_is_told_once(play: Player, sandbox: Sandbox) -> None:
    """The brief comes with the reply that begins the wait; from then on only that somebody watches, and until when."""
    sandbox.settings(looks=99)
    begun = to_generating(play, host="openclaw")
    assert len(begun.as_json()["watch"]["ways"]) == 2
    for reply in (play.send("check"), play.engine.status(play.name), play.send("check", seen=None)):
        assert reply.state == begun.state and set(reply.as_json()["watch"]) == {"until", "watched"}


def test_nothing_is_assumed_after_news(play: Player) -> None:
    """The service has moved the session meanwhile: the new state is told whole, whatever the turn has named."""
    to_generating(play)
    seen = play.reply.seen
    play.watch()
    reply = play.send(None, seen=seen)
    assert reply.state == "deliver.ready" and not reply.brief and told(reply) == everything(play)


def test_a_repeat_is_answered_as_the_turn_was(play: Player, sandbox: Sandbox) -> None:
    """The recorded reply has exactly what was told then, be it brief or not."""
    sandbox.settings(looks=99)
    to_generating(play, host="openclaw")
    whole = Turn("check", {}, turn_id="a")
    brief = Turn("check", {}, turn_id="b", seen=play.engine.advance(play.name, whole).seen)
    first = [play.engine.advance(play.name, brief), play.engine.advance(play.name, whole)]
    second = [play.engine.advance(play.name, brief), play.engine.advance(play.name, whole)]
    assert [each.brief for each in second] == [True, False] and all(each.replayed for each in second)
    for once, again in zip(first, second, strict=True):
        assert again.as_json() == once.as_json() | {"replayed": True}


def test_a_repeat_on_another_surface_is_told_whole(play: Player, sandbox: Sandbox) -> None:
    """A brief reply that another surface gave is given here with all that may come, and with its phase."""
    sandbox.settings(looks=99)
    begun = to_generating(play)
    turn = Turn("check", {}, turn_id="a", seen=begun.seen)
    first = play.engine.advance(play.name, turn)
    here = play.engine.advance(play.name, turn)
    elsewhere = Engine(replace(play.engine.world, surface=RELAY)).advance(play.name, turn)
    assert first.brief and here.brief and here.as_json().get("phase") is None
    assert elsewhere.replayed and not elsewhere.brief and elsewhere.phase == begun.phase
    assert [set(each) - NAMES for each in told(elsewhere)] == [set(each) - NAMES for each in everything(play)]


def test_a_wish_that_is_asked_about_is_told_whole(play: Player) -> None:
    """With its question everything is told, and so it is once that question is gone."""
    before = Reply.from_json(to_ready(play).as_json())
    wish = {"words": "Make the sky purple", "for": "modify"}
    for given in (wish, {**wish, "drop": True}):
        reply = play.send("note", given)
        assert reply.error is None and not reply.brief and told(reply, before) == everything(play)
    assert play.send("happened").brief


def test_a_refused_start_has_nothing_to_name(play: Player, tmp_path: Path) -> None:
    """Without a session there is an error and nothing else."""
    reply = play.start({"words": ""})
    assert set(reply.as_json()) == {"v", "ok", "error"}


def test_who_is_awaited_is_never_left_out() -> None:
    """A caller that was told of an event is told its gate's name and needs no more; what can change, each time."""
    gate = GateState("board_ok", "proven", by="the board", since="2027-01-15", given=0, least=2, decline="reject")
    whole, brief = (Option("approve", "person", gate, known=known) for known in (False, True))
    now = {"by": "the board", "since": "2027-01-15", "given": 0, "least": 2, "decline": "reject"}
    assert brief.as_json()["gate"] == now
    assert whole.as_json()["gate"] == {"name": "board_ok", "needs": "proven", **now}
    assert Option.from_json(brief.as_json()).completed(Option.from_json(whole.as_json())).gate == gate
