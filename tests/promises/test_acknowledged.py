"""An answer that leads back to something known is acknowledged first: the user hears what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import change, to_plan, to_ready
from tests.promises.test_chosen_files import FILES, asking
from workflow.bundle import open_bundle
from workflow.history.proof import prove
from workflow.history.replay import replay

ENDING = {"cancel", "finish"}
"""Events whose message is that of the end itself; and `check` asks for one."""
ANSWERS = {
    ("understand.consenting", "consent"): {"kept_back"},
    ("understand.consenting", "decline"): {"not_uploaded"},
    ("understand.asking", "create_now"): set(),
    ("confirm.presenting", "approve"): set(),
    ("create.unsure", "did_not_happen"): {"nothing_ordered"},
    ("deliver.no_image", "again"): set(),
    ("deliver.gone", "again"): set(),
    ("revise.consenting", "consent"): {"kept_back"},
    ("revise.consenting", "decline"): {"not_uploaded"},
    ("revise.unchanged", "repeat"): set(),
    ("revise.unsure", "happened"): {"looking_for_change"},
    ("revise.unsure", "did_not_happen"): {"no_change_started"},
    ("revise.vanished", "happened"): set(),
    ("revise.vanished", "did_not_happen"): set(),
    ("over.image_unsure", "did_not_happen"): {"nothing_ordered"},
    ("over.change_unsure", "happened"): {"looking_for_change"},
    ("over.change_unsure", "did_not_happen"): {"no_change_started"},
}
"""Each answer without words of its own → what is said first; nothing where it leads to something new, or by `again`."""


def test_each_answer_has_its_word() -> None:
    """An answer that is added to the bundle gets its row; one in the user's words is answered by what they lead to."""
    definition = open_bundle(REFERENCE).definition
    found = {
        (state.name, event): set(state.acknowledge[event].targets if event in state.acknowledge else ())
        for state in definition.states.values()
        if not state.works and not state.watch
        for event in state.on
        if not definition.events[event].input and event not in {*ENDING, "check"}
    }
    assert found == ANSWERS


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("phase", ["understand", "revise"])
def test_what_was_left_out_is_named(play: Player, tmp_path: Path, phase: str, language: str) -> None:
    """First by name, then the conversation goes on; once is enough, and nothing of it is said of a yes to all."""
    asking(play, tmp_path, phase)
    play.send("consent", quote="Not the logo, only the shop", items=["shop.png"], language=language)
    assert play.says()[0] == "kept_back" and play.says().count("kept_back") == 1
    assert "logo.png" in play.texts()[0] and "shop.png" not in play.texts()[0]
    assert prove(play.engine, play.name).holds
    assert [each.what for each in replay(play.engine, play.name).differences] == []


def test_a_later_yes_to_all_leaves_nothing_out(play: Player, tmp_path: Path) -> None:
    """What was left out before is not told again."""
    asking(play, tmp_path)
    play.send("consent", quote="only the shop", items=["shop.png"])
    files = [{"path": name, "description": "a picture"} for name in FILES]
    play.send("answer", {"words": "Now with the logo", "references": files})
    assert play.reply.state == "understand.consenting"
    play.send("consent", quote="yes")
    assert "kept_back" not in play.says()


@pytest.mark.parametrize("phase", ["understand", "revise"])
def test_no_upload_is_acknowledged(play: Player, tmp_path: Path, phase: str) -> None:
    """A no to all of them is heard before the next question."""
    asking(play, tmp_path, phase)
    play.send("decline")
    assert play.says()[0] == "not_uploaded" and len(play.says()) > 1


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_order_that_was_not_made(play: Player, sandbox: Sandbox, cancelled: bool) -> None:
    """Nothing was ordered, the user hears first; then the plan is asked about as it was."""
    to_plan(play)
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="Yes, go ahead")
    if cancelled:
        play.send("cancel")
    play.send("did_not_happen", quote="I looked and don't see any task")
    assert (play.reply.state, play.says()) == ("confirm.presenting", ["nothing_ordered", "plan"])
    assert "nothing was ordered" in play.texts()[0]


@pytest.mark.parametrize(
    ("outcome", "first"), [("did_not_happen", "no_change_started"), ("happened", "looking_for_change")]
)
def test_a_change_in_doubt(play: Player, sandbox: Sandbox, outcome: str, first: str) -> None:
    """Whatever the user has seen, it is heard before the session looks, or asks again."""
    to_ready(play)
    sandbox.fault("drop-before", on="send")
    change(play)
    assert play.reply.state == "revise.unsure"
    play.send(outcome, quote="I have looked")
    assert play.says()[0] == first and len(play.says()) == 2
