"""Cancelling: possible wherever the session waits, final, and honest about what goes on at the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import change, creates, link, sends, to_changed, to_generating, to_plan, to_ready
from tests.promises.test_stopping import journey, unfinished
from workflow.model.journal import fold
from workflow.model.session import Session, Turn
from workflow.store.memory import MemoryStore

STOPPED = "All right, I'll leave it there. Nothing more will be done unless you ask for it."
KEPT = STOPPED + " You'll find your image here: {url}"
GOES_ON = (
    "All right, I'll leave it there. What was already started can't be called off, so AnyGen will finish it. You can "
    "see how it turns out here: {url}"
)
UNSURE = (
    "All right, I'll leave it there. What you last approved may still have been started at AnyGen, and may "
    "have cost something. I can't see that from here; your AnyGen account will show it."
)

Reach = Callable[[Player, Sandbox, HandClock, Path], object]


def _reference(folder: Path) -> list[dict[str, str]]:
    (folder / "ref.png").write_bytes(b"a picture")
    return [{"path": "ref.png", "description": "A saxophone"}]


def _late(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    sandbox.settings(looks=99)
    to_generating(play)
    clock.pass_(1200)
    play.send(None)


def _no_image(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    sandbox.fault("task-failed", on="create")
    to_generating(play)
    play.watch()
    play.send(None)


def _after_no_image(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    _no_image(play, sandbox, clock, folder)
    play.send("adjust", {"words": "Simpler"})


def _unsure_created(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    sandbox.fault("drop-after", on="create")
    to_generating(play)


def _checking_a_link(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    _unsure_created(play, sandbox, clock, folder)
    sandbox.fault("server-error", on="messages", times=3)
    play.send("found", {"task_url": f"{sandbox.url}/task/task_1"}, quote="this one")


def _settled(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    _unsure_created(play, sandbox, clock, folder)
    play.send("did_not_happen", quote="Nothing there")


def _consenting(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    play.start({"words": "A poster", "references": _reference(folder)})


def _consenting_to_change(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    to_ready(play)
    change(play, references=_reference(folder))


def _applying(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    to_ready(play)
    change(play)


def _applying_found(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    to_ready(play)
    sandbox.fault("drop-after", on="send")
    change(play)


def _change_late(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    _applying(play, sandbox, clock, folder)
    sandbox.settings(looks=99)
    clock.pass_(480)
    play.send(None)


def _unsure_sent(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    to_ready(play)
    sandbox.fault("drop-before", on="send")
    change(play)


def _unchanged(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    sandbox.fault("message-failed", on="send")
    _applying(play, sandbox, clock, folder)
    play.watch()
    play.send(None)


@pytest.mark.parametrize(
    ("reach", "state", "end", "text"),
    [
        (lambda play, *_: play.start({"words": "A poster"}), "understand.asking", "over.cancelled", STOPPED),
        (_consenting, "understand.consenting", "over.cancelled", STOPPED),
        (lambda play, *_: to_plan(play), "confirm.presenting", "over.cancelled", STOPPED),
        (lambda play, *_: to_generating(play), "deliver.generating", "over.image_running", GOES_ON),
        (_late, "deliver.late", "over.image_running", GOES_ON),
        (lambda play, *_: to_ready(play), "deliver.ready", "over.stopped", KEPT),
        (_no_image, "deliver.no_image", "over.cancelled", STOPPED),
        (_after_no_image, "confirm.presenting", "over.cancelled", STOPPED),
        (_unsure_created, "create.unsure", "over.image_unsure", UNSURE),
        (_checking_a_link, "create.adopting", "over.image_unsure", UNSURE),
        (_settled, "confirm.presenting", "over.cancelled", STOPPED),
        (_consenting_to_change, "revise.consenting", "over.stopped", KEPT),
        (_applying, "revise.applying", "over.change_running", GOES_ON),
        (_applying_found, "revise.applying", "over.change_running", GOES_ON),
        (_change_late, "revise.late", "over.change_running", GOES_ON),
        (_unsure_sent, "revise.unsure", "over.change_unsure", UNSURE),
        (lambda play, *_: to_changed(play), "revise.changed", "over.stopped", KEPT),
        (_unchanged, "revise.unchanged", "over.stopped", KEPT),
    ],
)
def test_cancelling_is_honest(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, reach: Reach, state: str, end: str, text: str
) -> None:
    """From every place: the run ends, the text says what goes on or may go on, and no request is made any more.

    What may be wanted later is taken later: a change of what is there, a look at what goes on, an outcome in doubt.
    """
    reach(play, sandbox, clock, tmp_path)
    assert play.reply.state == state
    seen = len(sandbox.requests)
    reply = play.send("cancel")
    assert (reply.state, reply.status) == (end, "cancelled")
    assert {option.event for option in reply.next} == TAKEN[end]
    assert play.texts() == [text.format(url=link(play)) if "{url}" in text else text]
    for event in {None, "retry", "approve", "adjust", "answer", "cancel", "finish"} - TAKEN[end]:
        assert play.send(event, {"words": "x"} if event in ("adjust", "answer") else {}, quote="yes").state == end
    assert play.engine.look(play.name).moved
    assert len(sandbox.requests) == seen
    assert [each.name for each in play.engine.sessions(live=True)] == []


TAKEN = {
    "over.cancelled": {"check"},
    "over.image_running": {"check"},
    "over.change_running": {"check"},
    "over.stopped": {"check", "modify"},
    "over.image_unsure": {"check", "found", "did_not_happen"},
    "over.change_unsure": {"check", "happened", "did_not_happen"},
}
"""End → the events that it takes."""


CUT_SHORT = {
    "understand.starting": "over.cancelled",
    "understand.receiving": "over.cancelled",
    "understand.uploading": "over.cancelled",
    "understand.preparing": "over.cancelled",
    "understand.opening": "over.cancelled",
    "understand.looking": "over.cancelled",
    "create.creating": "over.cancelled",
    "create.adopting": "over.image_unsure",
    "deliver.looking": "over.image_running",
    "revise.receiving": "over.stopped",
    "revise.reopening": "over.cancelled",
    "revise.uploading": "over.stopped",
    "revise.sending": "over.stopped",
    "revise.searching": "over.change_unsure",
    "revise.looking": "over.change_running",
}
"""Working state → the end that `cancel` leads to when a process died in it, or a guard of its raised."""


def test_cancelling_work_that_was_cut_short(play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path) -> None:
    """The journal ends in a working state, and nothing is open: the end says what is true there."""
    journey(play, sandbox, clock, tmp_path)
    entries = list(play.engine.world.store.entries(play.name))
    session: Session | None = None
    ends = dict[str, str | None]()
    for count, entry in enumerate(entries, 1):
        session = fold(session, entry)
        if unfinished(session) and session.intent is None and session.state not in ends:
            left = MemoryStore()
            with left.hold(play.name) as held:
                left.append(held, entries[:count], session, "live")
            later = player(tmp_path, REFERENCE, sandbox.url, store=left, clock=clock)
            turn = Turn("cancel", {}, expect_revision=session.revision)
            ends[session.state] = later.engine.advance(play.name, turn).state
    assert ends == CUT_SHORT


def test_cancelling_in_doubt_is_no_settlement(play: Player, sandbox: Sandbox) -> None:
    """The run is over and the doubt stays on record; the call was made once."""
    sandbox.fault("drop-after", on="create")
    to_generating(play)
    play.send("cancel")
    (event,) = [entry for entry in play.journal("event") if entry.body and entry.body["event"] == "cancel"]
    assert event.body is not None
    assert not event.body["settles"]
    assert (len(creates(sandbox)), len(play.journal("doubt"))) == (1, 1)


def test_cancelling_while_a_key_is_missing(tmp_path: Path) -> None:
    """A run that stands without a key can be given up; nothing has left, to the service or anywhere."""
    play = player(tmp_path, REFERENCE, None)
    reply = play.start({"words": "A poster"})
    assert (play.says(), reply.exit_code) == (["needs_key"], 4)
    reply = play.send("cancel")
    assert (reply.status, play.texts(), reply.error) == ("cancelled", [STOPPED], None)


def test_a_watcher_finds_a_cancelled_run_over(play: Player, sandbox: Sandbox) -> None:
    """The user gives up while it is watched: the watcher sees it at its next look, says nothing and looks no more."""
    sandbox.settings(looks=99)
    to_generating(play, host="openclaw-subagent")
    assert not play.engine.look(play.name).moved
    play.send("cancel")
    seen = len(sandbox.requests)
    assert play.engine.look(play.name).moved
    assert play.engine.speak_as_watcher(play.name).say == ()
    assert (len(sandbox.requests), sends(sandbox)) == (seen, [])
