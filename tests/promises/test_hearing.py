"""What a reply said and nobody may have heard is offered again; what a turn shows to have been heard is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.playing import Player
from tests.promises.journeys import to_generating, to_ready
from workflow.model.reply import Reply
from workflow.model.session import Turn


def begun(play: Player) -> Reply:
    """The first reply: its questions are said, and no turn has shown yet that they arrived."""
    return play.start({"words": "A poster for a jazz night"})


def ids(reply: Reply) -> list[tuple[str, bool]]:
    """Each message of a reply, and whether it is marked as maybe said."""
    return [(said.id, said.maybe_said) for said in reply.say]


def turn(play: Player, **what: object) -> Reply:
    """One turn that is not confirmed by anything but what it says itself."""
    return play.engine.advance(play.name, Turn(**what))  # type: ignore[arg-type]


def test_a_reply_that_could_not_be_written_is_offered_again(play: Player) -> None:
    """Once, marked; and taking it back twice, or after a later reply, does nothing."""
    lost = begun(play)
    play.engine.unsay(lost, "the disk is full")
    play.engine.unsay(lost, "the disk is full")
    assert len(play.journal("unsaid")) == 1
    again = turn(play)
    assert ids(again) == [("questions", True)]
    play.engine.unsay(lost, "too late")
    assert len(play.journal("unsaid")) == 1
    play.engine.confirm(again)
    assert ids(turn(play, seen=again.seen)) == []


HEARD: dict[str, tuple[Callable[[Reply], dict[str, object]], bool]] = {
    "the token of that reply": (lambda last: {"seen": last.seen}, True),
    "an older token": (lambda last: {"seen": "1-00000000"}, False),
    "no token": (lambda last: {"seen": "none at all"}, False),
    "a connection, without a token": (lambda last: {"remote": True}, False),
    "a connection, with that token": (lambda last: {"seen": last.seen, "remote": True}, True),
    "nothing, from this machine": (lambda last: {}, True),
    "a connection, with an older token": (lambda last: {"seen": "1-00000000", "remote": True}, False),
}


@pytest.mark.parametrize("what", HEARD)
@pytest.mark.parametrize("event", [None, "check"])
def test_what_the_next_turn_shows(play: Player, what: str, event: str | None) -> None:
    """With an event that leads nowhere or without one: what was said is offered again unless the turn shows that it
    arrived.
    """
    to_generating(play)
    (started,) = play.says()
    made, heard = HEARD[what]
    before = play.engine.stored(play.name)
    assert [each.message for each in before.unheard] == [started]
    again = ids(turn(play, event=event, **made(play.reply)))
    assert ((started, True) in again, (started, False) in again) == (not heard, False)


def test_a_client_that_names_no_reply_is_told_twice_at_most(play: Player) -> None:
    """New, then marked as maybe said; after that it is taken for heard."""
    to_ready(play)
    turn(play, event="praised", seen=play.reply.seen)
    play.send("modify", {"words": "Larger letters"}, quote="Larger letters")
    play.watch()
    told = [[said.maybe_said for said in turn(play, remote=True).say] for _ in range(4)]
    assert told[0][-1] is False and told[1] and all(told[1]) and told[2:] == [[], []]


@pytest.mark.parametrize("strength", ["relayed", "asked", "proven"])
def test_a_token_that_comes_with_an_answer_settles_news_of_any_strength(play: Player, strength: str) -> None:
    """Where a form takes the answer too: the news that the reply told is not told again with the next message."""
    to_generating(play)
    play.watch()
    news = turn(play, seen=play.reply.seen, remote=True)
    assert ids(news) == [("ready", False)]
    words = {"input": {"words": "Larger letters"}, "quote": "Larger letters", "strength": strength}
    told = ids(turn(play, event="modify", seen=news.seen, remote=True, **words))
    assert "ready" not in dict(told)


def test_a_token_settles_what_was_said_before_it(play: Player) -> None:
    """In the turn's own entry: nothing else is written, and nothing is offered again afterwards."""
    first = begun(play)
    entries = len(play.journal())
    turn(play, event="nonsense", seen=first.seen)
    (kind,) = [entry.kind for entry in play.journal()[entries:]]
    assert kind == "refusal"
    session = play.engine.world.store.load(play.name)
    assert session is not None and session.unheard == ()
    assert ("questions", True) not in ids(turn(play, remote=True))


def test_a_plain_conversation_costs_no_entry_more(play: Player) -> None:
    """Each turn is its events, moves, calls and one reply; that a reply was heard stands in the next turn's event."""
    begun(play)
    play.send("answer", {"words": "Warm"})
    play.send("adjust", {"words": "Bluer"})
    play.send("approve", quote="yes, go ahead")
    kinds = {entry.kind for entry in play.journal()}
    assert kinds.isdisjoint({"confirm", "unsaid"})
    turns = [entry for entry in play.journal("event") if (entry.body or {})["event"] != "start"]
    assert all((entry.body or {}).get("seen") for entry in turns)


def test_a_status_shows_what_may_not_have_been_heard_as_such(play: Player) -> None:
    """Until a turn names the reply, it is no repeat but maybe said."""
    first = begun(play)
    shown = play.engine.status(play.name).say
    assert [(said.id, said.repeat, said.maybe_said) for said in shown] == [("questions", False, True)]
    turn(play, event="nonsense", seen=first.seen)
    shown = play.engine.status(play.name).say
    assert [(said.id, said.repeat, said.maybe_said) for said in shown] == [("questions", True, False)]


def test_an_open_question_is_said_until_a_turn_names_it(play: Player) -> None:
    """Refusals and eventless turns put it again, marked, and no longer once it was seen."""
    begun(play)
    play.send("answer", {"words": "Warm"})
    plan = play.reply
    assert ids(turn(play)) == [("plan", True)]
    assert ids(turn(play, event="aprove")) == [("plan", True)]
    assert ids(turn(play, event="aprove", seen=plan.seen)) == []
    assert ids(turn(play)) == []
