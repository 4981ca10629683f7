"""A change whose answer was lost: looked for where the service allows it, never sent again by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import (
    CHANGE,
    again,
    change,
    link,
    on_disk,
    readings,
    remembered,
    sends,
    to_changed,
    to_ready,
)

STORED = ("drop-after", "reset-body", "truncated-json", "missing-message-id", "html-200", "empty-body")
NOT_STORED = ("drop-before", "redirect-302", "redirect-307", "redirect-308", "bad-gateway")


@pytest.mark.parametrize("fault", STORED)
@pytest.mark.rule("R82", "R85")
def test_a_change_that_arrived_is_found(play: Player, sandbox: Sandbox, fault: str) -> None:
    """The message is there: found among the messages, without asking anybody, and its own answer is waited for."""
    to_ready(play, host="openclaw")
    sandbox.fault(fault, on="send")
    reply = change(play)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.applying", "watching", 0)
    assert play.says() == ["applying"]
    assert (len(sends(sandbox)), len(readings(sandbox))) == (1, 1)
    kinds = [entry.kind for entry in play.journal()]
    assert kinds[-kinds[::-1].index("intent") - 1 :] == ["intent", "doubt", "result", "move", "reply"]
    play.watch()
    assert play.send(None).state == "revise.changed"
    assert len(sends(sandbox)) == 1


@pytest.mark.parametrize("fault", NOT_STORED)
def test_a_change_that_was_not_found_is_doubt(play: Player, sandbox: Sandbox, fault: str) -> None:
    """The message is not there, and may still come: the person is asked, and nothing is sent again."""
    to_ready(play)
    sandbox.fault(fault, on="send")
    reply = change(play)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.unsure", "in_doubt", 7)
    assert play.says() == ["unsure_sent"]
    for told in ("no clear answer came back", "it may have cost something", "I won't send them again", link(play)):
        assert told in play.texts()[0]
    assert [option.event for option in reply.next] == ["happened", "did_not_happen", "check", "cancel"]
    for event in (None, "retry", "check"):
        play.send(event)
    assert change(play).error is not None
    assert len(sends(sandbox)) == 1


@pytest.mark.rule("R82")
def test_what_happened_after_all_is_looked_for_again(play: Player, sandbox: Sandbox) -> None:
    """The person sees the change: it is looked for once more, and believed only if it is there."""
    to_ready(play)
    sandbox.fault("drop-after", on="send")
    sandbox.fault("bad-gateway", on="messages", times=3)  # the search fails, too
    reply = change(play)
    assert (reply.state, reply.status) == ("revise.unsure", "in_doubt")
    seen = len(readings(sandbox))
    reply = play.send("happened", quote="Yes, it is being worked on")
    assert (reply.state, reply.exit_code) == ("revise.applying", 0)
    assert (len(readings(sandbox)) - seen, len(sends(sandbox))) == (1, 1)
    assert remembered(play)["message_id"] is not None


def test_what_is_not_there_stays_in_doubt(play: Player, sandbox: Sandbox) -> None:
    """The person is mistaken: looked for again, not found, and still in doubt."""
    to_ready(play)
    sandbox.fault("drop-before", on="send")
    change(play)
    seen = len(readings(sandbox))
    reply = play.send("happened", quote="I think so")
    assert (reply.state, reply.status, reply.exit_code) == ("revise.unsure", "in_doubt", 7)
    assert play.says() == ["looking_for_change", "unsure_sent"]
    assert (len(readings(sandbox)) - seen, len(sends(sandbox))) == (1, 1)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_image_that_is_gone_is_no_place_to_look_for_the_change(
    play: Player, sandbox: Sandbox, language: str
) -> None:
    """The answer was lost, and so is the image: it is still doubt, told without a link, and settled by the person."""
    to_ready(play, language=language)
    url = link(play)
    sandbox.fault("drop-after", on="send")
    sandbox.fault("not-found", on="messages", times=0)
    reply = change(play)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.vanished", "in_doubt", 7)
    assert (play.says(), url in play.texts()[0]) == (["unsure_without_image"], False)
    play.send("check")
    assert [(said.id, said.repeat) for said in play.reply.say] == [("unsure_without_image", True)]
    reply = play.send("cancel")
    assert (reply.state, url in "".join(play.texts())) == ("over.change_unsure", False)
    reply = play.send("did_not_happen", quote="nothing was charged")
    assert (reply.state, reply.status) == ("revise.missing", "waiting")
    assert len(sends(sandbox)) == 1


def test_an_image_that_comes_back_is_looked_at_again(play: Player, sandbox: Sandbox) -> None:
    """Gone for one answer only: the change is found where it was."""
    to_ready(play)
    sandbox.fault("drop-after", on="send")
    sandbox.fault("not-found", on="messages")
    assert change(play).state == "revise.vanished"
    assert play.send("check").state == "revise.applying"
    assert len(sends(sandbox)) == 1


@pytest.mark.rule("R81", "R88")
def test_what_did_not_happen_is_ordered_anew(play: Player, sandbox: Sandbox) -> None:
    """The person says that nothing was started: the run goes on from the image, and a new order needs new words."""
    to_ready(play)
    sandbox.fault("drop-before", on="send")
    change(play)
    assert play.send("did_not_happen").error is not None
    reply = play.send("did_not_happen", quote="No, nothing there")
    assert (reply.state, reply.status, reply.exit_code) == ("revise.unchanged", "waiting", 0)
    assert len(sends(sandbox)) == 1
    assert play.send("modify", {"words": CHANGE}).error is not None
    assert change(play).state == "revise.applying"
    assert len(sends(sandbox)) == 2


@pytest.mark.rule("R85")
def test_an_older_change_in_the_same_words_is_not_taken_for_it(play: Player, sandbox: Sandbox) -> None:
    """The same words as the round before, and this time they did not arrive: the old message proves nothing."""
    to_changed(play)
    before = remembered(play)["message_id"]
    sandbox.fault("drop-before", on="send")
    reply = change(play)
    assert (reply.state, reply.status) == ("revise.unsure", "in_doubt")
    assert remembered(play)["message_id"] == before


def test_no_connection_is_no_doubt(play: Player, sandbox: Sandbox) -> None:
    """Nothing left: a failure, told, and a new order works once the service is back."""
    to_ready(play)
    sandbox.stop()
    reply = change(play)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.unchanged", "waiting", 0)
    assert play.says() == ["send_failed", "modification_failed"]
    assert play.journal("doubt") == []
    sandbox.start()
    assert change(play).state == "revise.applying"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("credits", "no_credits"),
        ("rate-limited", "busy"),
        ("unauthorized", "check_key"),
        ("operation-not-allowed", "ask_admin"),
    ],
)
def test_a_refusal_is_no_doubt(play: Player, sandbox: Sandbox, fault: str, message: str) -> None:
    """The service says that it did not do it: told as what it is, not looked for, not repeated."""
    to_ready(play)
    sandbox.fault(fault, on="send")
    reply = change(play)
    assert (reply.state, reply.status, reply.exit_code) == ("revise.unchanged", "waiting", 0)
    assert play.says() == [message, "modification_failed"]
    assert (len(sends(sandbox)), readings(sandbox), play.journal("doubt")) == (1, [], [])


@pytest.mark.rule("R82")
def test_doubt_of_a_change_outlives_the_process(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Another process finds the run in doubt, looks for the message once the person saw it, and waits for it."""
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_ready(begun)
    sandbox.fault("drop-after", on="send")
    sandbox.fault("drop-before", on="messages", times=3)
    assert change(begun).status == "in_doubt"
    after = again(begun, tmp_path, clock)
    assert after.send("happened", quote="It is there").state == "revise.applying"
    last = again(begun, tmp_path, clock)
    last.watch()
    assert last.send(None).state == "revise.changed"
    assert len(sends(sandbox)) == 1
