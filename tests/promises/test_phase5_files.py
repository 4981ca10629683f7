"""A change with a file of its own: the file needs its own consent, and goes with this change only."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import Player
from tests.promises.journeys import CHANGE, change, remembered, sends, to_ready

LOGO = b"\x89PNG\r\n\x1a\n a logo"


@pytest.fixture
def logo(tmp_path: Path) -> list[dict[str, str]]:
    """A reference as the agent offers it."""
    (tmp_path / "logo.png").write_bytes(LOGO)
    return [{"path": "logo.png", "description": "The club's logo, a white cat on black"}]


def uploads(sandbox: Sandbox) -> list[Request]:
    """The files that left."""
    return [each for each in sandbox.requests if each.path.endswith("/files/upload")]


@pytest.mark.rule("R33", "R88")
def test_a_file_of_a_change_waits_for_consent(play: Player, sandbox: Sandbox, logo: list[dict[str, str]]) -> None:
    """Nothing leaves, neither file nor change, until the person agrees to the upload; then both do, in that order."""
    to_ready(play)
    reply = change(play, references=logo)
    assert (reply.state, reply.status, play.says()) == ("revise.consenting", "waiting", ["consent"])
    assert "logo.png" in play.texts()[0]
    assert (uploads(sandbox), sends(sandbox)) == ([], [])
    reply = play.send("consent", quote="Yes, use it")
    assert reply.state == "revise.applying"
    assert [part.size for each in uploads(sandbox) for part in each.files] == [len(LOGO)]
    (token,) = remembered(play)["uploads"].values()
    assert [each.json for each in sends(sandbox)] == [{"content": CHANGE, "files": [{"file_token": token}]}]
    play.watch()
    assert play.send(None).state == "revise.changed"


@pytest.mark.rule("R33")
def test_a_declined_file_leaves_no_trace(play: Player, sandbox: Sandbox, logo: list[dict[str, str]]) -> None:
    """The person keeps the file to themselves: the change goes without it."""
    to_ready(play)
    change(play, references=logo)
    assert play.send("decline").state == "revise.applying"
    assert play.says()[0] == "not_uploaded"
    assert uploads(sandbox) == []
    assert [each.json for each in sends(sandbox)] == [{"content": CHANGE}]


@pytest.mark.rule("R33")
def test_a_file_that_changed_after_consent_stays(
    play: Player, sandbox: Sandbox, tmp_path: Path, logo: list[dict[str, str]]
) -> None:
    """One byte more between the question and the answer: nothing is uploaded or sent, and it is asked for anew."""
    to_ready(play)
    change(play, references=logo)
    (tmp_path / "logo.png").write_bytes(LOGO + b"!")
    reply = play.send("consent", quote="Yes, use it")
    assert (reply.state, play.says()) == ("revise.consenting", ["changed_since", "consent"])
    assert (uploads(sandbox), sends(sandbox)) == ([], [])
    assert play.send("consent", quote="Yes, that one").state == "revise.applying"
    assert [part.size for each in uploads(sandbox) for part in each.files] == [len(LOGO) + 1]


@pytest.mark.rule("R32", "R44")
def test_the_same_file_in_a_later_change_is_not_uploaded_again(
    play: Player, sandbox: Sandbox, tmp_path: Path, logo: list[dict[str, str]]
) -> None:
    """Its token is used again, under another name too; a round without files sends none."""
    to_ready(play)
    change(play, references=logo)
    play.send("consent", quote="Yes")
    play.watch()
    play.send(None)
    change(play, "Bold lettering")
    play.watch()
    play.send(None)
    (tmp_path / "cat.png").write_bytes(LOGO)
    again = [{"path": "cat.png", "description": "The same logo"}]
    assert change(play, "Put the logo back", references=again).state == "revise.applying"
    (token,) = remembered(play)["uploads"].values()
    assert len(uploads(sandbox)) == 1
    files = [each.json.get("files") for each in sends(sandbox)]
    assert files == [[{"file_token": token}], None, [{"file_token": token}]]
