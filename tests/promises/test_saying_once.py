"""What happened outside the conversation is told once, whoever tells it (R77), and never in a wrong promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, change, link, on_disk, to_generating, to_ready
from tests.promises.test_phase4_messages import READY, STARTED_UNWATCHED
from workflow.engine.run import Run
from workflow.model.reply import Reply


def speak(play: Player, *, heard: bool = True) -> Reply:
    """The watcher says what it has to say; if it was heard, it says so."""
    reply = play.engine.speak_as_watcher(play.name)
    if heard:
        play.engine.confirm(reply)
    return reply


def ids(reply: Reply) -> list[str]:
    """The messages of a reply."""
    return [said.id for said in reply.say]


def tellings(play: Player, message: str) -> list[str]:
    """Who told a message, telling by telling, as the journal has it."""
    return [
        entry.body["by"]
        for entry in play.journal("reply")
        if entry.body
        for each in entry.body["messages"]
        if each["message"] == message
    ]


@pytest.mark.rule("R77")
def test_the_watcher_first(play: Player) -> None:
    """The watcher tells it; the conversation says nothing more of it, however often it asks."""
    to_generating(play, host="openclaw-subagent")
    play.watch()
    assert ids(speak(play)) == ["ready"]
    for event in (None, None, "finish"):
        play.send(event)
        assert "ready" not in play.says()
    assert tellings(play, "ready") == ["watcher"]


@pytest.mark.rule("R77")
def test_the_conversation_first(play: Player) -> None:
    """The next turn tells it; the watcher that comes after has nothing left to say, nor has a second one."""
    to_generating(play, host="openclaw")
    play.watch()
    play.send(None)
    assert play.says() == ["ready"]
    assert ids(speak(play)) == []
    assert ids(speak(play)) == []
    assert tellings(play, "ready") == ["main"]


@pytest.mark.rule("R77")
def test_two_watchers(play: Player, sandbox: Sandbox) -> None:
    """Two watchers of one run: one finds it and one tells it; the other sees that it is over and says nothing."""
    to_generating(play, host="openclaw-subagent")
    assert not play.engine.look(play.name).moved
    assert play.engine.look(play.name).moved
    assert play.engine.look(play.name).moved  # the second watcher: the run has moved on
    told = [ids(speak(play, heard=False)), ids(speak(play, heard=False))]
    assert told == [["ready"], []]
    assert tellings(play, "ready") == ["watcher"]


@pytest.mark.rule("R77")
def test_a_turn_that_brings_something_else_tells_it_too(play: Player) -> None:
    """The user speaks first: what is new is said with the answer, once, even where the turn is refused."""
    to_generating(play, host="openclaw")
    play.watch()
    reply = play.send("approve", quote="go", revision=play.engine.status(play.name).revision)
    assert reply.error is not None
    assert play.says() == ["ready"]
    play.send(None)
    assert play.says() == []


@pytest.mark.rule("R77")
def test_death_between_claim_and_confirmation(play: Player) -> None:
    """The watcher dies as it speaks: nobody knows whether it was heard, so the next turn offers it, marked, once."""
    to_generating(play, host="openclaw-subagent")
    play.watch()
    assert ids(speak(play, heard=False)) == ["ready"]
    play.send(None)
    (said,) = play.reply.say
    assert (said.id, said.maybe_said) == ("ready", True)
    play.send(None)
    assert play.reply.say == ()
    assert ids(speak(play)) == []


@pytest.mark.rule("R77")
def test_a_reply_that_was_not_heard_is_offered_again(play: Player) -> None:
    """The same for the conversation: an answer that never got out is offered by the next turn, and marked."""
    to_generating(play, host="openclaw")
    play.watch()
    play.heard = False
    first = play.send(None)
    assert [(said.id, said.maybe_said) for said in first.say] == [("ready", False)]
    assert ids(speak(play, heard=False)) == []  # claimed by the conversation: not the watcher's to say
    play.heard = True
    second = play.send(None)
    assert [(said.id, said.maybe_said) for said in second.say] == [("ready", True)]
    assert play.send(None).say == ()


@pytest.mark.rule("R77")
def test_it_is_told_once_over_processes(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Watcher, speaker and conversation are processes of their own on one store: still told once."""
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun, host="openclaw-subagent")
    watcher = again(begun, tmp_path, clock)
    watcher.watch()
    assert ids(speak(again(begun, tmp_path, clock))) == ["ready"]
    after = again(begun, tmp_path, clock)
    assert after.send(None).say == ()
    assert tellings(after, "ready") == ["watcher"]


@pytest.mark.rule("R77")
def test_a_claim_outlives_its_process(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Claimed and never confirmed, then another process: offered as perhaps said, and confirmed for good."""
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun, host="openclaw-subagent")
    begun.watch()
    speak(begun, heard=False)
    after = again(begun, tmp_path, clock)
    assert [(said.id, said.maybe_said) for said in after.send(None).say] == [("ready", True)]
    assert again(begun, tmp_path, clock).send(None).say == ()


@pytest.mark.rule("R77")
def test_showing_it_again_is_no_second_saying(play: Player) -> None:
    """Status and resume show the resting message, marked as a repeat; the journal knows of one telling."""
    to_ready(play, host="openclaw")
    for reply in (play.engine.status(play.name), play.engine.resume(play.name)):
        assert [(said.id, said.repeat) for said in reply.say] == [("ready", True)]
    assert tellings(play, "ready") == ["main"]


@pytest.mark.rule("R59", "R78")
def test_a_monitor_that_never_came(play: Player, clock: HandClock) -> None:
    """Asked for and not seen for 60 s: the next turn takes the promise back with the fallback text, once."""
    to_generating(play, host="openclaw")
    assert play.says() == ["started"]
    clock.pass_(60)
    assert play.send(None).say == ()
    clock.pass_(1)
    reply = play.send(None)
    assert play.texts() == [STARTED_UNWATCHED["en"].format(url=link(play))]
    assert reply.watch is not None
    assert reply.watch["ways"] == []
    clock.pass_(61)
    assert play.send(None).say == ()


@pytest.mark.rule("R59", "R61")
def test_a_monitor_that_came_is_believed(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """One look of a watcher within the minute, and the promise stands, however long the next look takes."""
    sandbox.settings(looks=50)
    to_generating(play, host="openclaw")
    clock.pass_(59)
    play.engine.look(play.name)
    clock.pass_(300)
    reply = play.send(None)
    assert play.says() == []
    assert reply.watch is not None and reply.watch["watched"]


@pytest.mark.rule("R59", "R72")
def test_a_monitor_that_comes_late_is_no_absence(play: Player, clock: HandClock) -> None:
    """A watcher whose first look comes after a minute does not report itself missing: it says the image is ready."""
    to_generating(play, host="openclaw-subagent")
    clock.pass_(90)
    play.watch()
    assert [said.text for said in speak(play).say] == [READY["en"].format(url=link(play))]
    play.send(None)
    assert play.says() == []
    assert tellings(play, "started_unwatched") == []


@pytest.mark.rule("R83", "R87")
def test_a_missed_monitor_of_a_change(play: Player, clock: HandClock) -> None:
    """The same for a change: the fallback once, and then its note is told with the result, as nobody else tells it."""
    to_ready(play, host="openclaw")
    change(play)
    assert play.says() == ["applying"]
    clock.pass_(61)
    play.send(None)
    assert play.says() == ["applying_unwatched"]
    play.send("check")
    play.send("check")
    assert play.says() == ["changed_with_reply"]


@pytest.mark.rule("R91")
def test_a_watcher_does_not_say_what_was_the_conversations(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that died before its recommendation was written down is as never sent: said once, when it is repeated."""
    play = on_disk(tmp_path, sandbox, clock, REFERENCE, settings={"recommendations": True})
    to_generating(play, host="openclaw-subagent")

    def dies(self: Run, kind: str, body: object) -> None:
        if kind == "reply":
            raise KeyboardInterrupt
        note(self, kind, body)  # type: ignore[arg-type]

    note = Run.note
    monkeypatch.setattr(Run, "note", dies)
    with pytest.raises(KeyboardInterrupt):
        play.send("praised")
    monkeypatch.setattr(Run, "note", note)
    play.watch()
    assert ids(speak(play)) == ["ready"]
    play.send(None)
    assert play.says() == ["recommend_first"]
    play.send("praised")
    assert play.says() == ["recommend_praised"]


@pytest.mark.rule("R77")
def test_a_turn_that_is_sent_again_is_heard_the_second_time(play: Player) -> None:
    """The reply with the news was lost on its way; the turn is repeated and heard: it is not offered a third time."""
    to_generating(play, host="openclaw")
    play.watch()
    play.heard = False
    before = play.engine.status(play.name)
    play.send("modify", {"words": "darker"}, quote="darker", revision=before.revision, seen=before.seen)
    assert play.says() == ["ready", "applying"]
    play.heard = True
    reply = play.send("modify", {"words": "darker"}, quote="darker", revision=before.revision, seen=before.seen)
    assert (reply.replayed, play.says()) == (True, ["ready", "applying"])
    assert play.send(None).say == ()
    entries = len(play.journal())
    play.send("modify", {"words": "darker"}, quote="darker", revision=before.revision, seen=before.seen)
    assert len(play.journal()) == entries  # nothing is left to confirm
