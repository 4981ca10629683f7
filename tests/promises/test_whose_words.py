"""Each piece of a message is marked as the words of whoever wrote it: the user's own are never the service's."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player
from tests.promises.journeys import CHANGE, MORE, WORDS, change, creates, to_plan
from workflow.model.reply import Said

SHOWN = "a cafe at dusk, with a red awning"


def of(said: Said, by: str) -> list[str]:
    """The pieces of a message that are marked as somebody's words."""
    return [part["text"] for part in said.parts if part.get("by") == by]


def with_a_file(play: Player, folder: Path) -> None:
    """Questions, after a file was agreed to and described by the agent."""
    (folder / "cafe.png").write_bytes(b"\x89PNG\r\n\x1a\ncafe")
    play.start({"words": WORDS, "references": [{"path": str(folder / "cafe.png"), "description": SHOWN}]})
    play.send("consent", quote="yes, upload it")
    assert play.reply.state == "understand.asking"


def test_what_the_user_has_said_so_far_is_theirs(play: Player, sandbox: Sandbox) -> None:
    """The questions are the service's; what would be ordered without a plan is the user's, word for word."""
    sandbox.settings(rounds=3)
    play.start({"words": WORDS})
    play.send("answer", {"words": MORE})
    (said,) = play.reply.say
    assert of(said, "user") == [WORDS, MORE]
    assert of(said, "service") == [str(play.engine.data(play.name)["reply"])]
    assert f"{WORDS}\n\n{MORE}" in said.text


def test_what_the_agent_wrote_of_a_file_is_the_agents(play: Player, tmp_path: Path) -> None:
    """Its description goes along with the user's words, and is neither theirs nor the service's."""
    with_a_file(play, tmp_path)
    (said,) = play.reply.say
    assert of(said, "user") == [WORDS]
    assert SHOWN in of(said, "agent")
    assert SHOWN not in "".join(of(said, "service"))


def test_the_order_is_exactly_the_pieces_as_they_were_shown(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """With nothing between them but the blank line that the question shows."""
    with_a_file(play, tmp_path)
    text = play.texts()[0]
    assert play.send("create_now", quote="just make it").error is None
    (order,) = creates(sandbox)
    assert order.json["prompt"] == f"{WORDS}\n\n{SHOWN}" and order.json["prompt"] in text


def test_the_plan_is_the_services(play: Player, sandbox: Sandbox) -> None:
    """Whatever of the user's it repeats: the service wrote it, and it is what is ordered."""
    to_plan(play)
    (said,) = play.reply.say
    assert of(said, "user") == []
    play.send("approve", quote="Yes, go ahead")
    assert [each.json["prompt"] for each in creates(sandbox)] == [of(said, "service")[1]]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_change_that_failed_shows_the_users_own_words(play: Player, sandbox: Sandbox, language: str) -> None:
    """In each language."""
    to_plan(play, language=language)
    play.send("approve", quote="Yes, go ahead")
    play.watch()
    play.send(None)
    sandbox.fault("message-failed", on="send")
    change(play)
    play.watch()
    play.send(None)
    (said,) = play.reply.say
    assert (of(said, "user"), of(said, "service")) == ([CHANGE], [])
