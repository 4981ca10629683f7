"""The least that a gate takes: the bundle's, raised by the user's configuration and never lowered (decision 042)."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player, player

ROOT = Path(__file__).parents[2]


def planned(play: Player) -> Player:
    """A session whose plan waits for the person."""
    play.start({"words": "A poster for a jazz night"})
    play.send("answer", {"words": "Blue and gold"})
    return play


@pytest.mark.parametrize("needs", ["asked", "proven"])
def test_a_raised_gate_says_what_it_needs_and_how_it_is_given(tmp_path: Path, sandbox: Sandbox, needs: str) -> None:
    """The agent learns before it tries that nothing it can send is enough, and whom to ask for what."""
    play = planned(player(tmp_path, ROOT, sandbox.url, gates={"user_approved": needs}))
    option = play.option("approve")
    assert option.gate is not None and (option.gate.needs, option.ready) == (needs, True)
    assert f"Ask the person to answer with `workflow-admin approve {play.name}`" in option.how
    assert f"`workflow advance {play.name}`" in option.how and "quote" not in option.how
    assert ("passphrase" in option.how) == (needs == "proven") and "by a form" not in option.how
    reply = play.send("approve", quote="yes")
    assert reply.error is not None and f"it needs '{needs}'" in reply.error.message
    assert f"`workflow-admin approve {play.name}`" in reply.error.hint and "evidence.quote" not in reply.error.hint


def test_a_gate_that_is_not_raised_says_what_it_always_did(tmp_path: Path, sandbox: Sandbox) -> None:
    """The agent's report is enough there, and no command for people is named."""
    play = planned(player(tmp_path, ROOT, sandbox.url, gates={"consent_given": "proven"}))
    option = play.option("approve")
    assert (option.gate and option.gate.needs, option.how) == ("relayed", "")
    reply = play.send("approve", quote=" ")
    assert reply.error is not None and "workflow-admin" not in reply.error.hint


def test_less_than_the_bundle_asks_is_noticed_and_changes_nothing(
    tmp_path: Path, copied: Path, sandbox: Sandbox
) -> None:
    """The user is told when a session begins that the gate stays as it is."""
    file = copied / "workflow.yaml"
    text = file.read_text(encoding="utf-8")
    asked = text.replace("prompt, uploads], covers: [R45", "prompt, uploads], strength: asked, covers: [R45")
    assert asked != text
    file.write_text(asked, encoding="utf-8")
    play = player(tmp_path, copied, None, gates={"user_approved": "relayed"}, environ={"ANYGEN_API_KEY": "sk-test-key"})
    reply = play.start({"words": "A poster for a jazz night"})
    assert "The configuration cannot lower 'user_approved' to 'relayed'; it takes 'asked' and more." in reply.notices
    if reply.state != "confirm.presenting":
        play.send("answer", {"words": "Blue and gold"})
    option = play.option("approve")
    assert option.gate is not None and option.gate.needs == "asked"
    refused = play.send("approve", quote="yes")
    assert refused.error is not None and refused.error.type == "refused"
