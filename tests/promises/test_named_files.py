"""A question about files says which: no two different files are asked about in the same words, none goes unnamed."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import Player, player
from tests.promises.conftest import REFERENCE
from workflow.local.files import named_folder

Asked = Callable[[str], list[Request]]
FILES = {
    "holiday/photo.png": b"A" * 100,
    "private/photo.png": b"SECRET" * 1000,
    "private/same size.png": b"B" * 100,
    "photo.png": b"A" * 101,
    "other/holiday/photo.png": b"A" * 100,
}


def given(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    """A file on disk, as an agent offers it: by its whole path, described alike."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return {"path": name, "description": "the holiday photo"}


@pytest.mark.rule("R33")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_no_two_files_are_asked_about_in_the_same_words(tmp_path: Path, sandbox: Sandbox, language: str) -> None:
    """Whatever differs, the name, the folder that was given or the bytes, the question does."""
    questions = []
    for name, content in FILES.items():
        play = player(tmp_path, REFERENCE, sandbox.url)
        play.start({"words": "x", "references": [given(tmp_path, name, content)]}, language=language)
        questions.append(play.texts()[0])
    assert all(one != other for one, other in combinations(questions, 2))


@pytest.mark.rule("R17", "R33")
@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("photo.png", ""),
        ("./photo.png", ""),
        ("holiday/photo.png", "holiday"),
        ("./clients//acme/photo.png", "clients/acme"),
        ("home/ann/clients/acme/photo.png", "clients/acme"),
        ("/home/ann/pictures/holiday/photo.png", "holiday"),
        ("/photo.png", ""),
        ("~/pictures/photo.png", "pictures"),
        ("~/photo.png", ""),
        ("../elsewhere/photo.png", "elsewhere"),
        ("a/../../photo.png", ""),
        (f"/var/lib/phasegate/files/{'0f' * 32}/photo.png", ""),
    ],
)
def test_a_folder_is_shown_as_it_was_given_and_never_a_whole_path(path: str, folder: str) -> None:
    """Of a path of the whole machine only the last folder, and of a broker's own folder nothing."""
    assert named_folder(path) == folder


def test_a_name_is_not_believed_that_the_agent_sends(play: Player, tmp_path: Path) -> None:
    """The folder, the size and the digest are read, not taken over."""
    lie = {"name": "safe.png", "folder": "safe", "size": 1, "sha256": "00" * 32}
    play.start({"words": "x", "references": [{**given(tmp_path, "private/photo.png", b"SECRET"), **lie}]})
    assert "- “photo.png” (“private”, 6 B, 0917b13a)" in play.texts()[0] and "safe" not in play.texts()[0]


@pytest.mark.rule("R32", "R33")
@pytest.mark.parametrize("named", ["a.png", "b.png"])
def test_a_file_is_shown_by_each_of_its_names_and_sent_once(
    play: Player, asked: Asked, tmp_path: Path, named: str
) -> None:
    """An answer that names either is an answer for the bytes; other files are declined."""
    twins = [given(tmp_path, name, b"the same") for name in ("a.png", "b.png")]
    play.start({"words": "x", "references": [*twins, given(tmp_path, "c.png", b"another")]})
    assert re.findall("^- “(.*?)”", play.texts()[0], re.MULTILINE) == ["a.png", "b.png", "c.png"]
    reply = play.send("consent", quote="that one", items=[named])
    assert reply.state == "understand.asking"
    assert [part.sha256[:8] for each in asked("upload") for part in each.files] == ["fa0487f2"]


def test_one_name_of_two_files_answers_for_neither(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The same name twice, with other bytes: the folder says which."""
    files = [given(tmp_path, f"{folder}/a.png", folder.encode()) for folder in ("one", "two")]
    play.start({"words": "x", "references": files})
    assert len(set(re.findall("^- .*$", play.texts()[0], re.MULTILINE))) == 2
    reply = play.send("consent", quote="that one", items=["a.png"])
    assert reply.error and "more than one file: “one/a.png”, “two/a.png”" in reply.error.message
    assert sandbox.requests == []
    assert play.send("consent", quote="that one", items=["two/a.png"]).state == "understand.asking"
    assert sandbox.requests[0].files[0].sha256 == sha256(b"two").hexdigest()


@pytest.mark.rule("R42", "R52")
@pytest.mark.parametrize(
    ("language", "told"), [("en", "my own description of what each one shows"), ("zh-CN", "我对每个文件内容的描述")]
)
def test_whose_words_describe_the_files_is_told(
    play: Player, asked: Asked, tmp_path: Path, language: str, told: str
) -> None:
    """Where "just create it" would send a description, the message says whose it is, and sends only what it frames."""
    file = {**given(tmp_path, "a.png", b"one"), "description": "A cat on a sofa"}
    play.start({"words": "A poster", "references": [file]}, language=language)
    play.send("consent", quote="yes")
    (said,) = play.reply.say
    before, after = said.text.split("A poster\n\nA cat on a sofa")
    assert told in after and told not in before
    play.send("create_now", quote="just create it")
    assert asked("create")[0].json["prompt"] == "A poster\n\nA cat on a sofa"


@pytest.mark.rule("R46", "R50", "R53")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_plan_names_the_files_that_go_along(play: Player, asked: Asked, tmp_path: Path, language: str) -> None:
    """Those of every round that were sent, wherever the order of an image is asked; no declined one, none twice."""
    play.start({"words": "x", "references": [given(tmp_path, "a.png", b"one")]}, language=language)
    play.send("consent", quote="yes")
    assert play.says() == ["questions_with_files"] and "- “a.png” (3 B, " in play.texts()[0]
    play.send("answer", {"words": "y", "references": [given(tmp_path, "no.png", b"not this")]})
    play.send("decline")
    assert (play.reply.state, play.says()) == ("confirm.presenting", ["not_uploaded", "plan_with_files"])
    again = [given(tmp_path, "a.png", b"one"), given(tmp_path, "deep/b.png", b"two"), given(tmp_path, "c.png", b"one")]
    play.send("adjust", {"words": "z", "references": again})
    play.send("consent", quote="yes", items=["deep/b.png"])
    assert (play.reply.state, play.says()) == ("confirm.presenting", ["plan_with_files"])
    assert re.findall("^- “(.*?)”", play.texts()[0], re.MULTILINE) == ["a.png", "b.png", "c.png"]
    assert len(asked("upload")) == 2 and str(tmp_path) not in play.texts()[0]
    play.send("approve", quote="yes")
    (order,) = asked("create")
    assert len(order.json["file_tokens"]) == 2


@pytest.mark.rule("R46")
def test_a_plan_without_files_names_none(play: Player, tmp_path: Path) -> None:
    """Also where one was offered and declined."""
    play.start({"words": "x", "references": [given(tmp_path, "a.png", b"one")]})
    play.send("decline")
    assert play.says() == ["not_uploaded", "questions"] and not any("a.png" in text for text in play.texts())
