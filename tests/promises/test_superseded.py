"""A text that a later one takes the place of is not said beside it, and the same text twice is marked as a repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import check_promises
from tests.on_leave import DAY, begun
from tests.playing import HandClock, Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import CHANGE, MORE, WORDS, change, to_changed, to_generating, to_plan, to_ready
from workflow.bundle import open_bundle
from workflow.engine import hearing
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.machine import superseded
from workflow.model.reply import Said

Journey = Callable[[Player, Sandbox], object]


def lose(play: Player) -> None:
    """The last reply did not reach the user."""
    play.engine.unsay(play.reply, "the output was not written")


def marks(play: Player) -> list[tuple[str, str]]:
    """Each message of the last reply, and how it is marked."""
    return [(said.id, _mark(said)) for said in play.reply.say]


def _mark(said: Said) -> str:
    return "repeat" if said.repeat else "maybe" if said.maybe_said else ""


def to_questions(play: Player, sandbox: Sandbox) -> None:
    """Up to questions that an answer leads on from."""
    play.start({"words": WORDS})


def to_a_plan(play: Player, sandbox: Sandbox) -> None:
    """Up to the plan that waits for approval."""
    to_plan(play)


def to_a_wait(play: Player, sandbox: Sandbox) -> None:
    """Up to the image being made."""
    to_generating(play)


def to_a_long_wait(play: Player, sandbox: Sandbox) -> None:
    """The same, and it is not ready however often one looks."""
    to_generating(play)
    sandbox.settings(looks=10_000)


def to_a_look(play: Player, sandbox: Sandbox) -> None:
    """Up to a look without news."""
    to_generating(play, host="claude-code")
    play.send("check")
    assert play.says() == ["still_generating"]


def to_an_image(play: Player, sandbox: Sandbox) -> None:
    """Up to the image that is there."""
    to_ready(play)


def to_no_image(play: Player, sandbox: Sandbox) -> None:
    """Up to an image that was not made."""
    sandbox.fault("task-failed", on="create")
    to_generating(play)
    play.watch()
    play.send(None)
    assert play.says() == ["generation_failed"]


def to_a_change(play: Player, sandbox: Sandbox) -> None:
    """Up to a change that is being made."""
    to_ready(play)
    change(play)


def to_a_long_change(play: Player, sandbox: Sandbox) -> None:
    """The same, and it is not made however often one looks."""
    to_a_change(play, sandbox)
    sandbox.settings(looks=10_000)


def to_a_made_change(play: Player, sandbox: Sandbox) -> None:
    """Up to a change that was made."""
    to_changed(play)


def to_the_end(play: Player, sandbox: Sandbox) -> None:
    """Up to the end after an image."""
    to_ready(play)
    play.send("finish")


def outcome(play: Player, sandbox: Sandbox) -> None:
    """The service is done meanwhile; the user hears of it."""
    play.watch()
    play.send(None, seen=None)


def sending(event: str, **given: str) -> Journey:
    """The user goes on, and the turn shows nothing of what has arrived."""
    return lambda play, sandbox: play.send(event, given, seen=None, turn_id="mine")


LEFT: dict[str, tuple[Journey, str, Journey, list[str]]] = {
    "a look without news, then the outcome": (to_a_look, "still_generating", outcome, ["ready"]),
    "the start of a wait, then its outcome": (to_a_wait, "started_unwatched", outcome, ["ready"]),
    "a change, then its outcome": (to_a_change, "applying_unwatched", outcome, ["changed_with_reply"]),
    "questions that were answered": (to_questions, "questions", sending("answer", words=MORE), ["plan"]),
    "a plan that was adjusted": (to_a_plan, "plan", sending("adjust", words="in red"), ["plan"]),
    "a plan that was called off": (to_a_plan, "plan", sending("cancel"), ["cancelled"]),
    "an image that nobody wants changed": (to_an_image, "ready", sending("finish"), ["goodbye"]),
    "a failure that is tried again": (to_no_image, "generation_failed", sending("again"), ["same.again", "plan"]),
}
"""Where a reply was lost → how it came there, what it said, what happens then, and what is said of that."""


@pytest.mark.parametrize("case", LEFT)
def test_what_was_said_of_a_place_that_is_left_is_not_offered_again(play: Player, sandbox: Sandbox, case: str) -> None:
    """The reply was lost; the conversation or the service went on, and its texts would be wrong or twice by now."""
    there, lost, on, said = LEFT[case]
    there(play, sandbox)
    assert play.says() == [lost]
    before = play.texts()
    lose(play)
    on(play, sandbox)
    assert play.reply.error is None
    assert marks(play) == [(each, "") for each in said]
    assert play.texts() != before
    again = play.send(None)
    assert not any(each.text in before for each in again.say)
    assert prove(play.engine, play.name).holds
    assert [each.what for each in replay(play.engine, play.name).differences] == []
    check_promises(play, sandbox)


def test_a_lost_text_of_where_it_still_stands_is_offered_again(play: Player) -> None:
    """Nothing took its place."""
    to_plan(play)
    lose(play)
    play.send(None)
    assert marks(play) == [("plan", "maybe")]


def test_a_lost_answer_to_a_look_gives_way_to_the_next(play: Player) -> None:
    """One answer, marked as perhaps heard, and not the same one twice."""
    to_ready(play)
    play.send("check")
    assert marks(play) == [("still_ready", "")]
    lose(play)
    play.send("check", seen=None)
    assert marks(play) == [("still_ready", "maybe")]


def test_a_text_of_a_wait_is_not_said_beside_its_outcome_for_the_first_time(
    play: Player, sandbox: Sandbox, clock: HandClock
) -> None:
    """The wait was given up while nobody talked; by the time they do, the image is there."""
    to_a_long_wait(play, sandbox)
    clock.pass_(1300)
    play.engine.check_due(play.name)
    assert (play.engine.stored(play.name).state, hearing.unsaid(play.engine.stored(play.name))) == (
        "deliver.late",
        {"late"},
    )
    sandbox.settings(looks=1)
    play.send("check")
    assert marks(play) == [("ready", "")]
    play.send(None)
    assert play.reply.say == ()


def test_a_missed_monitor_is_not_told_beside_the_outcome(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The monitor never came, and the image is there at the first look of the conversation."""
    to_generating(play, host="claude-code")
    clock.pass_(120)
    sandbox.settings(looks=1)
    play.send("check")
    assert marks(play) == [("ready", "")]


REPEATED: dict[str, tuple[Journey, str]] = {
    "asking": (to_questions, "not_ordered"),
    "plan": (to_a_plan, "not_ordered"),
    "generating": (to_a_long_wait, "still_generating"),
    "ready": (to_an_image, "still_ready"),
    "no image": (to_no_image, "nothing_made"),
    "applying": (to_a_long_change, "still_applying"),
    "changed": (to_a_made_change, "still_ready"),
    "over": (to_the_end, "still_ready"),
}
"""Where the user asks again → how it came there, and how the answer's name begins."""


@pytest.mark.parametrize("case", REPEATED)
def test_the_same_answer_again_is_marked(play: Player, sandbox: Sandbox, case: str) -> None:
    """The first is new; the others say the same, and say so, until something else happens."""
    there, answer = REPEATED[case]
    there(play, sandbox)
    told = []
    for _ in range(3):
        play.send("check")
        assert [each.id.startswith(answer) for each in play.reply.say] == [True]
        told.append(marks(play)[0][1])
    assert told == ["", "repeat", "repeat"]
    assert prove(play.engine, play.name).holds


def test_a_call_that_fails_again_says_the_same_marked(play: Player, sandbox: Sandbox) -> None:
    """The user asked for another try: that it failed again is nothing new, in words that they know."""
    sandbox.fault("server-error", on="prepare", times=99)
    play.start({"words": WORDS})
    assert marks(play) == [("plan_failed", "")]
    play.send("retry")
    assert marks(play) == [("plan_failed", "repeat")]
    play.send("note", {"words": MORE, "for": "answer"})
    assert marks(play) == []
    play.send("retry")
    assert marks(play) == [("plan_failed", "repeat")]


def test_a_late_look_again_is_marked_although_the_state_was_left(
    play: Player, sandbox: Sandbox, clock: HandClock
) -> None:
    """Each look leads through a state of its own and back."""
    to_a_long_wait(play, sandbox)
    clock.pass_(1300)
    play.send("check")
    told = [marks(play)]
    for _ in range(3):
        play.send("check")
        told.append(marks(play))
    assert [each[0][1] for each in told] == ["", "", "repeat", "repeat"]


def test_a_question_that_is_put_anew_is_no_repeat(play: Player, sandbox: Sandbox) -> None:
    """The same plan once more, after the image failed: it wants an answer of its own."""
    to_no_image(play, sandbox)
    play.send("again")
    assert marks(play) == [("same.again", ""), ("plan", "")]


def test_other_words_in_between_begin_anew(play: Player) -> None:
    """After a change the image is ready in another sense, and the answer is new."""
    to_ready(play)
    play.send("check")
    change(play, CHANGE)
    play.watch()
    play.send(None)
    play.send("check")
    assert marks(play) == [("still_ready", "")]


def test_every_state_of_a_wait_is_known() -> None:
    """Those that watch, and those where a look is made again for the same outcomes; no outcome and no end."""
    definition = open_bundle(REFERENCE).definition
    assert superseded.waiting(definition) == {
        *("understand.unfinished", "deliver.generating", "deliver.late", "deliver.waiting"),
        *("revise.applying", "revise.late", "revise.waiting"),
    }
    assert "ready" not in superseded.of_waits(definition) and "late" in superseded.of_waits(definition)


def test_what_only_time_has_led_away_from_is_offered_again(tmp_path: Path) -> None:
    """Nobody has answered what was said there: it is told, then what came of the silence."""
    with begun(tmp_path) as (play, _, clock):
        said = play.says()
        lose(play)
        clock.pass_(4 * DAY)
        play.send(None)
        assert marks(play) == [*((each, "maybe") for each in said), ("ask_director", "")]
