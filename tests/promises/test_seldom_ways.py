"""Ways that a run goes seldom: files that are not taken, and looks late, in vain or at a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.test_steps import drive


@pytest.mark.rule("R33", "R43")
@pytest.mark.parametrize("phase", ["understand", "revise"])
@pytest.mark.parametrize(("fault", "said"), [("not-found", "not_accepted"), ("too-large", "too_large")])
def test_a_file_that_is_not_taken_can_be_left_out(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, phase: str, fault: str, said: str
) -> None:
    """The user hears why and is asked anew; without the file the run goes on."""
    drive(play, sandbox, clock, tmp_path, f"{phase}.consenting")
    sandbox.fault(fault, on="upload")
    reply = play.send("consent", quote="yes, send it")
    assert (reply.state, play.says()) == (f"{phase}.consenting", [said, "consent"])
    assert play.send("decline").state in ("understand.asking", "revise.applying")


@pytest.mark.rule("R33")
@pytest.mark.parametrize("phase", ["understand", "revise"])
def test_one_of_two_files_is_left_out(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, phase: str
) -> None:
    """Consent to one file sends that one; the other is declined: named once, as left out, and in no question."""
    drive(play, sandbox, clock, tmp_path, "deliver.ready" if phase == "revise" else "understand.asking")
    (tmp_path / "one.png").write_bytes(b"one")
    (tmp_path / "two.png").write_bytes(b"two")
    files = [{"path": name, "description": "a colour"} for name in ("one.png", "two.png")]
    play.send("modify" if phase == "revise" else "answer", {"words": "Warmer", "references": files}, quote="Warmer")
    before = sum(each.path.endswith("/upload") for each in sandbox.requests)
    assert play.send("consent", quote="the first", items=["one.png"]).state != f"{phase}.consenting"
    assert sum(each.path.endswith("/upload") for each in sandbox.requests) - before == 1
    assert [said.id for said in play.reply.say if "two.png" in said.text] == ["kept_back"]


@pytest.mark.rule("R75", "R76")
@pytest.mark.parametrize(
    ("fault", "state"), [("task-failed", "deliver.no_image"), ("not-found", "deliver.gone"), (None, "deliver.waiting")]
)
def test_a_late_look_at_an_image(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, fault: str | None, state: str
) -> None:
    """After the time is over it is looked at when the user asks: it failed, cannot be seen, or is not there yet."""
    sandbox.settings(looks=999)
    drive(play, sandbox, clock, tmp_path, "deliver.late")
    if fault:
        sandbox.fault(fault, on="task")
    assert play.send("check").state == state


@pytest.mark.rule("R86")
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("message-failed", "revise.unchanged"),
        ("not-found", "revise.gone"),
        ("server-error", "revise.late"),
        (None, "revise.changed"),
    ],
)
def test_a_late_look_at_a_change(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, fault: str | None, state: str
) -> None:
    """The same for a change, which may have been made meanwhile."""
    drive(play, sandbox, clock, tmp_path, "revise.applying")
    sandbox.settings(looks=999)
    clock.pass_(481)
    assert play.send(None).state == "revise.late"
    sandbox.settings(looks=1)
    if fault:
        sandbox.fault(fault, on="messages", times=9 if fault == "server-error" else 1)
    assert play.send("check").state == state


@pytest.mark.rule("R86")
@pytest.mark.parametrize(
    ("fault", "state"),
    [("not-found", "revise.missing"), ("server-error", "revise.missing"), (None, "revise.unchanged")],
)
def test_an_image_that_was_gone_is_looked_for_again(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, fault: str | None, state: str
) -> None:
    """Its change was refused because it was gone: it is still gone, nobody can say, or it is back."""
    drive(play, sandbox, clock, tmp_path, "deliver.ready")
    sandbox.fault("not-found", on="send")
    assert play.send("modify", {"words": "Warmer"}, quote="Warmer").state == "revise.missing"
    if fault:
        sandbox.fault(fault, on="task", times=9)
    assert play.send("check").state == state


@pytest.mark.rule("R86")
@pytest.mark.parametrize("watched", [True, False])
def test_a_note_on_the_result_is_always_told(play: Player, sandbox: Sandbox, watched: bool) -> None:
    """What the service says of a change is told, whoever watches."""
    play.start({"words": "A poster for a jazz night"}, host="claude-code" if watched else "generic")
    play.send("answer", {"words": "Blue and gold"})
    play.send("approve", quote="Yes, go ahead")
    play.watch()
    play.send(None)
    play.send("modify", {"words": "Darker"}, quote="Darker")
    if watched:
        play.watch()
        play.send(None)
    else:
        while play.reply.state == "revise.applying":
            play.send("check")
    assert play.says() == ["changed_with_reply"]
    assert str(play.engine.data(play.name)["change_reply"]) in play.texts()[0]
