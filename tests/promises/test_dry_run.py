"""A dry run decides and shows the request that would leave; it keeps nothing, sends nothing, uses nothing up."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.playing import HandClock, Player, player
from workflow.engine.blotting import ID
from workflow.engine.preview import KEY, preview
from workflow.history import audit
from workflow.model.digest import sha256
from workflow.model.session import Turn

ROOT = Path(__file__).parents[2]


@pytest.fixture
def planned(play: Player, sandbox: Sandbox, tmp_path: Path) -> Player:
    """A plan with a reference waits for approval."""
    (tmp_path / "ref.png").write_bytes(b"a picture")
    sandbox.settings(rounds=1)
    play.start({"words": "A poster", "references": [{"path": "ref.png", "description": "warm"}]})
    play.send("consent", quote="yes")
    assert play.reply.state == "confirm.presenting"
    return play


def test_a_paid_turn_is_shown_and_not_taken(planned: Player, sandbox: Sandbox) -> None:
    """The very request that the approval would send, without key and tokens; afterwards all is as it was."""
    seen, before = len(sandbox.requests), planned.journal()
    found = preview(planned.engine, planned.name, Turn("approve", quote="yes", seen=planned.reply.seen))
    assert (found.refused, found.evidence) == (None, ("user_approved",))
    assert found.states == ("confirm.presenting", "create.creating")
    assert found.request is not None
    assert (found.request["method"], found.request["url"]) == ("POST", f"{sandbox.url}/v1/openapi/tasks")
    assert found.request["headers"] == {"Authorization": f"Bearer {KEY}"}
    assert found.request["json"]["file_tokens"] == [ID]
    assert found.request["json"]["prompt"] == planned.engine.data(planned.name)["prompt"]
    assert SANDBOX_KEY not in str(found.as_json())
    assert (len(sandbox.requests), planned.journal()) == (seen, before)
    assert planned.send("approve", quote="yes").state == "deliver.generating"


def test_guards_are_shown_with_their_reasons(planned: Player) -> None:
    """Each verdict on the way, and what would be sent of a file: its name and digest."""
    adjust = Turn("adjust", {"words": "Bluer"}, expect_revision=2)
    found = preview(planned.engine, planned.name, adjust)
    assert found.verdicts["files_usable"] is True
    assert "no file waits" in found.verdicts["files_pending"]
    assert found.states[-1] == "understand.preparing"


def test_a_file_is_shown_by_its_digest(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The upload that consent would lead to."""
    (tmp_path / "ref.png").write_bytes(b"a picture")
    play.start({"words": "A poster", "references": [{"path": "ref.png", "description": "warm"}]})
    found = preview(play.engine, play.name, Turn("consent", quote="yes", seen=play.reply.seen))
    assert found.request is not None
    assert found.request["file"] == {"name": "ref.png", "size": 9, "sha256": sha256(b"a picture")}
    assert sandbox.requests == []


def test_a_refusal_is_shown_and_not_recorded(planned: Player) -> None:
    """Without the person's words: the reason and the way out, and no entry."""
    before = planned.journal()
    found = preview(planned.engine, planned.name, Turn("approve", seen=planned.reply.seen))
    assert found.refused is not None and "own words" in found.refused.message
    assert found.request is None and planned.journal() == before


def test_a_missing_key_is_shown_as_the_trouble_it_would_be(copied: Path, tmp_path: Path, clock: HandClock) -> None:
    """Nothing would leave; the dry run says so."""
    play = player(tmp_path, copied, None, clock=clock, environ={"ANYGEN_API_KEY": "sk-some-key-for-now-0001"})
    play.start({"words": "A poster"})
    without = player(tmp_path, copied, None, store=play.engine.world.store, clock=clock)
    found = preview(without.engine, play.name, Turn("answer", {"words": "Bluer"}))
    assert (found.trouble, found.request) == ("no_key", None)
    assert audit.verify(play.engine, play.name).entries == len(play.journal())
