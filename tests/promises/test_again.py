"""`again` asks about the same image once more: nothing is repeated without an approval of its own."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import check_promises
from tests.playing import Player
from tests.promises.journeys import WORDS, creates, remembered, to_plan
from workflow.history.proof import prove
from workflow.history.replay import replay


@pytest.fixture
def failed(play: Player, sandbox: Sandbox) -> Player:
    """A session whose image has failed at the service, and the person was told."""
    to_plan(play)
    sandbox.fault("task-failed", on="create")
    play.send("approve", quote="Yes, go ahead")
    play.watch()
    assert play.send(None).state == "deliver.no_image"
    return play


def test_the_same_plan_is_asked_about_again(failed: Player, sandbox: Sandbox) -> None:
    """It says so, shows the same plan, and asks the service nothing."""
    before, requests = remembered(failed), len(sandbox.requests)
    reply = failed.send("again")
    assert (reply.error, reply.state, failed.says()) == (None, "confirm.presenting", ["same.again", "plan"])
    assert "Nothing has changed" in failed.texts()[0] and str(before["prompt"]) in failed.texts()[1]
    assert (remembered(failed), len(sandbox.requests)) == (before, requests)


def test_it_is_ordered_after_a_fresh_approval_under_another_name(failed: Player, sandbox: Sandbox) -> None:
    """The same prompt and files; the ledger knows it as another call, and the first approval stays spent."""
    failed.send("again")
    assert failed.send("approve", quote="ok, once more").state == "deliver.generating"
    first, second = creates(sandbox)
    assert first.json == second.json
    calls = [entry.body["call"] for entry in failed.journal("intent") if entry.body]
    assert len(set(calls)) == len(calls) == 2
    check_promises(failed, sandbox)
    assert prove(failed.engine, failed.name).holds
    assert [each.what for each in replay(failed.engine, failed.name).differences] == []


def test_an_approval_of_before_opens_nothing(failed: Player, sandbox: Sandbox) -> None:
    """Neither the token of the reply that the person has answered already, nor one of before it was asked again."""
    told = failed.reply.seen
    failed.send("again")
    for seen in (told, None):
        reply = failed.send("approve", quote="Yes, go ahead", seen=seen)
        assert reply.error is not None
    assert len(creates(sandbox)) == 1


def test_what_was_ordered_directly_is_asked_about_as_it_was(play: Player, sandbox: Sandbox) -> None:
    """Without a plan, the questions of the service come again, and the person may order directly once more."""
    play.start({"words": WORDS})
    sandbox.fault("task-failed", on="create")
    play.send("create_now", quote="just create it")
    play.watch()
    play.send(None)
    play.send("again")
    assert (play.reply.state, play.says()) == ("understand.asking", ["same.again", "questions"])
    assert play.send("create_now", quote="just create it").state == "deliver.generating"
    first, second = creates(sandbox)
    assert first.json == second.json


def test_it_is_possible_after_a_failed_image_alone(play: Player, sandbox: Sandbox) -> None:
    """Before, and once there is an image, it is refused with the way on."""
    to_plan(play)
    reply = play.send("again")
    assert reply.error is not None and "'again' is not possible in confirm.presenting" in reply.error.message
    play.send("approve", quote="Yes")
    play.watch()
    play.send(None)
    reply = play.send("again")
    assert reply.error is not None and (reply.state, len(creates(sandbox))) == ("deliver.ready", 1)


@pytest.mark.parametrize(("language", "told"), [("zh-CN", "再试一次"), ("fr", "try that again")])
def test_it_says_so_in_the_persons_language(play: Player, sandbox: Sandbox, language: str, told: str) -> None:
    """In English and Chinese; otherwise the agent translates it."""
    to_plan(play, language=language)
    sandbox.fault("task-failed", on="create")
    play.send("approve", quote="好的", translation="plan" if language == "fr" else None)
    play.watch()
    play.send(None)
    play.send("again")
    assert told in play.texts()[0]
    assert play.reply.say[0].translate_to == ("fr" if language == "fr" else None)
