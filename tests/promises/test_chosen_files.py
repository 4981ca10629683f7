"""Which files an answer is for: those that it names. Words alone stand for one file, never for several."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import to_ready
from workflow.machine import gates

Asked = Callable[[str], list[Request]]
FILES = ("logo.png", "shop.png")
REST = {"understand": "understand.asking", "revise": "revise.applying"}


def offered(folder: Path, *names: str) -> list[dict[str, Any]]:
    """Files on disk with bytes of their own, as an agent offers them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"the bytes of {name}".encode())
    return [{"path": name, "description": f"a picture, {name}"} for name in names]


def asking(play: Player, folder: Path, phase: str = "understand", names: tuple[str, ...] = FILES) -> None:
    """Up to the question that names these files."""
    if phase == "understand":
        play.start({"words": "A poster", "references": offered(folder, *names)})
    else:
        to_ready(play)
        play.send("modify", {"words": "Warmer", "references": offered(folder, *names)}, quote="Warmer")
    assert play.reply.state == f"{phase}.consenting"


def sent(asked: Asked) -> list[str | None]:
    """The names of the files that the service got."""
    return [part.filename for each in asked("upload") for part in each.files]


@pytest.mark.rule("R32", "R33", "R35")
@pytest.mark.parametrize("phase", REST)
def test_not_the_logo_only_the_shop(play: Player, asked: Asked, tmp_path: Path, phase: str) -> None:
    """Exactly the file that is named leaves; the other is named once, as left out."""
    asking(play, tmp_path, phase)
    reply = play.send("consent", quote="Not the logo, only the shop", items=["shop.png"])
    assert (reply.state, sent(asked)) == (REST[phase], ["shop.png"])
    assert [said.id for said in play.reply.say if "logo.png" in said.text] == ["kept_back"]


@pytest.mark.rule("R33")
@pytest.mark.parametrize("phase", REST)
def test_words_alone_never_mean_several_files(play: Player, asked: Asked, tmp_path: Path, phase: str) -> None:
    """They are refused, and the refusal and `how` both say which names there are; then all of them can be named."""
    asking(play, tmp_path, phase)
    how = play.option("consent").how
    reply = play.send("consent", quote="Yes, go ahead")
    assert reply.error and reply.state == f"{phase}.consenting" and sent(asked) == []
    assert "evidence.items must name those of logo.png, shop.png" in reply.error.message
    assert "evidence.items" in reply.error.hint
    assert "evidence.items: those of logo.png, shop.png" in how and "declined" in how
    assert play.send("consent", quote="Yes, both", items=list(FILES)).state == REST[phase]
    assert sent(asked) == list(FILES)


def test_one_file_needs_no_name(play: Player, asked: Asked, tmp_path: Path) -> None:
    """A yes to one file is a yes to that file, also where it is offered by two names; nothing more is said about it."""
    asking(play, tmp_path, names=("shop.png",))
    assert play.option("consent").how == ""
    assert play.send("consent", quote="Yes").state == "understand.asking" and sent(asked) == ["shop.png"]
    (tmp_path / "same.png").write_bytes((tmp_path / "shop.png").read_bytes() + b"!")
    (tmp_path / "twin.png").write_bytes((tmp_path / "same.png").read_bytes())
    twins = [{"path": name, "description": "x"} for name in ("same.png", "twin.png")]
    play.send("answer", {"words": "More", "references": twins})
    assert play.send("consent", quote="Yes").state == "confirm.presenting" and len(sent(asked)) == 2


def test_a_declined_file_that_is_offered_again_is_asked_again(play: Player, asked: Asked, tmp_path: Path) -> None:
    """It was left out of one answer, not forbidden: a later turn that names it gets the question for it."""
    asking(play, tmp_path)
    play.send("consent", quote="Only the shop", items=["shop.png"])
    play.send("answer", {"words": "The logo after all", "references": offered(tmp_path, "logo.png")})
    assert play.reply.state == "understand.consenting"
    assert re.findall("^- “(.*?)”", play.texts()[-1], re.MULTILINE) == ["logo.png"]
    play.send("consent", quote="Yes, that one too")
    assert sent(asked) == ["shop.png", "logo.png"]


def test_a_declined_file_leaves_no_trace(play: Player, asked: Asked, sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither its name nor what the agent says that it shows reaches the service; the log says what was declined."""
    asking(play, tmp_path)
    play.send("consent", quote="Only the shop", items=["shop.png"])
    assert not any("logo" in str(each.json) for each in sandbox.requests)
    kept = (play.journal("event")[-1].body or {})["set"]["references"]
    assert [each["name"] for each in kept] == ["shop.png"]


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (("a.png", "b.png"), ["a.png", "b.png"]),
        (("one/a.png", "two/a.png", "b.png"), ["one/a.png", "two/a.png", "b.png"]),
        (("a.png", "two/a.png"), ["a.png (888b6a29)", "two/a.png"]),
        (("x/one/a.png", "x/two/a.png"), ["x/one/a.png", "x/two/a.png"]),
        (("p/x/one/a.png", "q/x/one/a.png"), None),
        (("a\n.png", "b.png"), ["a\\u{a}.png", "b.png"]),
    ],
    ids=str,
)
def test_a_name_is_that_of_the_question(
    play: Player, asked: Asked, tmp_path: Path, names: tuple[str, ...], called: list[str] | None
) -> None:
    """With the folder where names repeat, with the digest where folders do: each name means one file, and it alone."""
    asking(play, tmp_path, names=names)
    question = play.texts()[0]
    digests = re.findall(r"([0-9a-f]{8})\)$", question, re.MULTILINE)
    listed = re.search(r"those of (.*) that the person", play.option("consent").how)
    assert listed is not None and len(digests) == len(names)
    found = called or [f"x/one/a.png ({digest})" for digest in digests]
    for name in found:
        assert name in listed[1].replace("“", "").replace("”", "")
    reply = play.send("consent", quote="that one", items=[found[0]])
    assert reply.ok and [part.sha256[:8] for each in asked("upload") for part in each.files] == digests[:1]


@pytest.mark.parametrize("items", [[], ["no.png"], ["shop.png", "no.png"], ["Shop.png"], [""], ["./shop.png"]])
def test_a_name_that_nobody_was_shown_sends_nothing(
    play: Player, asked: Asked, tmp_path: Path, items: list[str]
) -> None:
    """One strange name spoils the whole answer."""
    asking(play, tmp_path)
    reply = play.send("consent", quote="yes", items=items)
    assert reply.error and sent(asked) == [] and "evidence.items" in reply.error.hint


def test_a_raised_gate_is_chosen_by_name_as_well(tmp_path: Path, sandbox: Sandbox) -> None:
    """Where only a person can answer, the agent is told nothing about names: they choose."""
    play = player(tmp_path, REFERENCE, sandbox.url, gates={"consent_given": "asked"})
    asking(play, tmp_path)
    assert "items" not in play.option("consent").how


@pytest.mark.parametrize("check", ["meant", "agreed", "without_declined", "item_names", "named_items", "open_items"])
def test_a_choice_that_cannot_be_told_sends_nothing(
    play: Player, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    """Each function that says which files are meant raises: no file leaves, and the question is open as before."""
    asking(play, tmp_path)

    def fails(*given: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(gates, check, fails)
        with pytest.raises(ZeroDivisionError):
            play.send("consent", quote="Only the shop", items=["shop.png"])
    assert sent(asked) == [] and play.engine.status(play.name).state == "understand.consenting"
    assert play.send("consent", quote="Only the shop", items=["shop.png"]).ok and sent(asked) == ["shop.png"]
