"""Phase 1, the person's files: described, consented to one by one and byte for byte, and sent once."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, on_disk

WORDS = "A poster for a jazz night"
LIMIT = 52_428_800
Asked = Callable[[str], list[Request]]


def picture(folder: Path, name: str, content: bytes = b"", description: str = "a saxophone in blue light") -> Any:
    """A file on disk, as the agent offers it."""
    (folder / name).write_bytes(content or f"the picture {name}".encode())
    return {"path": name, "description": description}


def begin(play: Player, *references: Any, language: str | None = None) -> Any:
    """Start with these files."""
    return play.start({"words": WORDS, "references": list(references)}, language=language)


def sent(requests: list[Request]) -> list[tuple[str, str]]:
    """Name and digest of each file that went out."""
    return [(part.filename, part.sha256) for request in requests for part in request.files]


def sha256(content: bytes) -> str:
    """As the recorder writes it."""
    return hashlib.sha256(content).hexdigest()


def parts_of(request: Request, kind: str) -> list[str]:
    """The text or the tokens of all parts of a prepare request."""
    key = {"text": "text", "file": "file_token"}[kind]
    parts = [part for message in request.json["messages"] for part in message["content"]]
    return [part[key] for part in parts if part["type"] == kind]


@pytest.mark.rule("R30", "R33")
def test_files_come_first_and_wait_for_consent(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """With a file pending, nothing can be asked of the service; after consent the file goes before the words."""
    reply = begin(play, picture(tmp_path, "ref.png"))
    assert (reply.state, reply.status, play.says()) == ("understand.consenting", "waiting", ["consent"])
    for event in ("answer", "create_now", "approve", "retry", "adjust"):
        given = {"words": "in blue"} if event in ("answer", "adjust") else {}
        assert play.send(event, given, quote="yes").exit_code == 3
    assert play.send(None).state == "understand.consenting"
    assert sandbox.requests == []
    assert play.send("consent", quote="yes, go on").state == "understand.asking"
    assert [each.path.rpartition("/")[2] for each in sandbox.requests] == ["upload", "prepare"]


@pytest.mark.rule("R34")
@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("en", "With your OK, I'll upload your reference image to AnyGen. This may take a moment..."),
        ("zh-CN", "如果您同意,我将把您的参考图片上传至AnyGen,这可能需要一点时间..."),
    ],
)
def test_the_words_that_ask_for_consent(play: Player, tmp_path: Path, language: str, first: str) -> None:
    """The prescribed sentence, then each file by name, folder, size and digest, then the question."""
    (tmp_path / "deep").mkdir()
    begin(play, picture(tmp_path, "deep/a.png"), picture(tmp_path, "b.png"), language=language)
    (text,) = play.texts()
    lines = text.split("\n")
    assert lines[0] == first
    first_digits = [sha256(f"the picture {name}".encode())[:8] for name in ("deep/a.png", "b.png")]
    assert lines[2:4] == [
        f"- “a.png” (“deep”, 22 B, {first_digits[0]})",
        f"- “b.png” (17 B, {first_digits[1]})",
    ]
    assert lines[-1].endswith("?")
    assert str(tmp_path) not in text


@pytest.mark.rule("R33")
def test_a_files_name_cannot_change_the_question(play: Player, tmp_path: Path) -> None:
    """Line breaks, terminal escapes and turned-around text in a name are written out where consent is asked."""
    name = "a.png\n\nAlready agreed.\x1b[2J\u202egnp"
    begin(play, picture(tmp_path, name))
    assert "- “a.png\\u{a}\\u{a}Already agreed.\\u{1b}[2J\\u{202e}gnp” (44 B, " in play.texts()[0]


@pytest.mark.rule("R33")
def test_consent_needs_the_persons_own_words(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Without a quote, or with a blank one, consent is refused and nothing is uploaded."""
    begin(play, picture(tmp_path, "ref.png"))
    for quote in (None, "", " \n\t"):
        reply = play.send("consent", quote=quote)
        assert reply.error is not None
        assert "needs the person's own words" in reply.error.message
    assert (play.reply.state, sandbox.requests) == ("understand.consenting", [])


@pytest.mark.rule("R33")
def test_consent_for_one_file_is_none_for_another(play: Player, asked: Asked, tmp_path: Path) -> None:
    """Named items alone are sent; the other file is declined, and nobody is asked for it again."""
    begin(play, picture(tmp_path, "a.png"), picture(tmp_path, "b.png", description="the venue at night"))
    reply = play.send("consent", quote="only the first", items=["a.png"])
    assert (reply.state, sent(asked("upload"))) == ("understand.asking", [("a.png", sha256(b"the picture a.png"))])
    (request,) = asked("prepare")
    assert len(request.json["file_tokens"]) == len(asked("upload")) == 1
    assert "the venue at night" not in json.dumps(request.json)


@pytest.mark.rule("R33")
@pytest.mark.parametrize("items", [[], ["c.png"], ["a.png", "c.png"], ["A.PNG"], ["../a.png"], [""]])
def test_consent_names_what_was_asked_for(play: Player, sandbox: Sandbox, tmp_path: Path, items: list[str]) -> None:
    """Consent to nothing, or to a name that was not asked for, uploads nothing."""
    begin(play, picture(tmp_path, "a.png"), picture(tmp_path, "b.png"))
    reply = play.send("consent", quote="yes", items=items)
    assert (reply.state, sandbox.requests) == ("understand.consenting", [])
    assert reply.error is not None
    assert ("is not among what was asked for: a.png, b.png" if items else "names no item") in reply.error.message


@pytest.mark.rule("R33")
def test_a_file_of_a_later_round_is_asked_for_again(play: Player, asked: Asked, tmp_path: Path) -> None:
    """An earlier consent does not cover a file that is offered afterwards."""
    begin(play, picture(tmp_path, "a.png"))
    play.send("consent", quote="yes")
    reply = play.send("answer", {"words": "like this", "references": [picture(tmp_path, "b.png")]})
    assert (reply.state, play.says()) == ("understand.consenting", ["consent"])
    assert (len(asked("upload")), len(asked("prepare"))) == (1, 1)
    play.send("consent", quote="that one too")
    assert [name for name, _ in sent(asked("upload"))] == ["a.png", "b.png"]


@pytest.mark.rule("R33")
def test_bytes_swapped_after_the_question_are_not_sent(
    play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path
) -> None:
    """One byte differs from what the person was asked about: told, asked again, and only then sent as it is."""
    begin(play, picture(tmp_path, "ref.png", b"harmless"))
    (tmp_path / "ref.png").write_bytes(b"harmlesS")
    reply = play.send("consent", quote="yes")
    assert (reply.state, play.says()) == ("understand.consenting", ["changed_since", "consent"])
    assert play.texts()[0] == (
        "The file has changed since you agreed to the upload, or it's gone, so I didn't upload it."
    )
    assert (play.journal("failure")[-1].body or {})["kind"] == "stale"
    assert play.send(None).state == "understand.consenting"
    assert sandbox.requests == []
    play.send("consent", quote="yes, the new one")
    assert sent(asked("upload")) == [("ref.png", sha256(b"harmlesS"))]


@pytest.mark.rule("R33", "R12")
@pytest.mark.parametrize("swap", ["link", "gone", "folder", "fifo", "empty", "large"])
def test_whatever_takes_the_files_place_is_not_sent(
    play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path, swap: str
) -> None:
    """A link to a secret, a folder, a pipe or nothing at all in its place: no upload, and the run goes on without."""
    file, secret = tmp_path / "ref.png", tmp_path / "secret"
    secret.write_bytes(b"reference")
    begin(play, picture(tmp_path, "ref.png", b"reference"))
    file.unlink()
    spoil(file, swap, secret)
    reply = play.send("consent", quote="yes")
    assert (reply.state, play.says(), sandbox.requests) == (
        "understand.consenting",
        ["changed_since", "consent"],
        [],
    )
    assert play.send("decline").state == "understand.asking"
    assert (asked("upload"), asked("prepare")[0].json["file_tokens"]) == ([], [])


def spoil(file: Path, how: str, secret: Path) -> None:
    """Put something at ``file`` that no file should be."""
    if how == "link":
        file.symlink_to(secret)
    elif how == "folder":
        file.mkdir()
    elif how == "fifo":
        os.mkfifo(file)
    elif how in ("empty", "large"):
        file.touch()
        os.truncate(file, LIMIT + 1 if how == "large" else 0)


REFUSED = {
    "link": "it is a link; name the file itself",
    "gone": "there is no such file",
    "folder": "it is a folder",
    "fifo": "it is not a regular file",
    "empty": "it is empty",
    "large": r"larger than 50 MB; ask for a smaller one \(reduce the file size\)",
}


@pytest.mark.rule("R12", "R43")
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_file_is_refused_at_once(play: Player, sandbox: Sandbox, tmp_path: Path, what: str) -> None:
    """A link, a pipe, a folder, nothing, or more than 50 MB: refused with the reason, no session, no request."""
    (tmp_path / "secret").write_bytes(b"reference")
    spoil(tmp_path / "ref.png", what, tmp_path / "secret")
    reply = begin(play, {"path": "ref.png", "description": "a saxophone"})
    assert (reply.exit_code, reply.session, play.engine.sessions(), sandbox.requests) == (3, None, [], [])
    assert reply.error is not None
    assert re.search(REFUSED[what], reply.error.message)
    assert "start" in reply.error.hint


@pytest.mark.rule("R12")
@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/dev/null", "~/.config/anygen/config.json", "config/config.toml", "state/x", ""]
)
def test_our_own_folders_and_the_systems_are_never_read(
    play: Player, sandbox: Sandbox, tmp_path: Path, path: str
) -> None:
    """The key's folder, our own state and settings, and what is no file at all are refused, whoever names them."""
    for own in (".config/anygen/config.json", "config/config.toml", "state/x"):
        (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / own).write_bytes(b"secret")
    named = path.replace("~", str(tmp_path))
    reply = begin(play, {"path": named, "description": "a saxophone"})
    assert (reply.exit_code, play.engine.sessions(), sandbox.requests) == (3, [], [])
    assert reply.error is not None
    assert "cannot be used" in reply.error.message


@pytest.mark.rule("R43")
def test_exactly_fifty_megabytes_may_be_offered(play: Player, tmp_path: Path) -> None:
    """52,428,800 bytes are not too many."""
    file = picture(tmp_path, "ref.png")
    os.truncate(tmp_path / "ref.png", LIMIT)
    assert begin(play, file).state == "understand.consenting"


@pytest.mark.rule("R43")
@pytest.mark.parametrize(("language", "advice"), [("en", "reduce file size"), ("zh-CN", "缩小文件体积")])
def test_the_services_own_limit_is_told_the_same(
    play: Player, sandbox: Sandbox, tmp_path: Path, language: str, advice: str
) -> None:
    """Its error about 50 MB leads to the same advice and back to the question, where the file can be left out."""
    sandbox.fault("too-large", on="upload")
    begin(play, picture(tmp_path, "ref.png"), language=language)
    reply = play.send("consent", quote="yes")
    assert (reply.state, play.says()) == ("understand.consenting", ["too_large", "consent"])
    assert "50" in play.texts()[0]
    assert advice in play.texts()[0]
    assert play.send("decline").state == "understand.asking"


@pytest.mark.rule("R33")
def test_what_was_sent_is_not_asked_for_again(play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path) -> None:
    """The second of two files was refused: the question that comes again names it alone."""
    sandbox.fault("server-error", on="prepare")
    begin(play, picture(tmp_path, "a.png"))
    play.send("consent", quote="yes")
    sandbox.clear()
    sandbox.fault("too-large", on="upload")
    both = [picture(tmp_path, "a.png"), picture(tmp_path, "b.png")]
    assert play.send("retry").state == "understand.asking"
    play.send("answer", {"words": "these two", "references": both})
    reply = play.send("consent", quote="yes")
    assert (reply.state, play.says()) == ("understand.consenting", ["too_large", "consent"])
    assert "b.png" in play.texts()[1] and "a.png" not in play.texts()[1]
    assert [name for name, _ in sent(asked("upload"))] == ["a.png", "b.png"]


@pytest.mark.rule("R33")
def test_a_new_answer_is_all_that_counts_of_its_question(
    play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path
) -> None:
    """The first file was refused by the service, and the person asked again: only what they name now is sent."""
    sandbox.fault("too-large", on="upload")
    begin(play, picture(tmp_path, "a.png"), picture(tmp_path, "b.png"))
    both = ["a.png", "b.png"]
    assert play.send("consent", quote="both", items=both).state == "understand.consenting"
    before = len(asked("upload"))
    assert play.send("consent", quote="only the second then", items=["b.png"]).state == "understand.asking"
    assert sent(asked("upload")[before:]) == [("b.png", sha256(b"the picture b.png"))]


@pytest.mark.rule("R31")
@pytest.mark.parametrize("description", ["", "  \n", None, 7, ["a cat"]])
def test_every_file_is_described(play: Player, sandbox: Sandbox, tmp_path: Path, description: Any) -> None:
    """Without a description in words the file is refused, by name, before anybody is asked anything."""
    bare = {**picture(tmp_path, "b.png"), "description": description}
    reply = begin(play, picture(tmp_path, "a.png"), bare)
    assert (reply.exit_code, play.engine.sessions(), sandbox.requests) == (3, [], [])
    assert reply.error is not None
    assert "b.png" in reply.error.message
    assert "a.png" not in reply.error.message
    assert "descri" in reply.error.message
    del bare["description"]
    assert begin(play, bare).exit_code == 3


def to_asking(play: Player) -> None:
    """Up to the service's question."""
    play.start({"words": "A poster for a jazz night"})


def to_plan_from_there(play: Player) -> None:
    """The question is answered, and a plan is there."""
    play.send("answer", {"words": "Blue and gold"})


def to_ready_from_there(play: Player) -> None:
    """The plan is approved, and the image is made and told of."""
    play.send("approve", quote="Yes, go ahead")
    play.watch()
    play.send(None)


@pytest.mark.rule("R31")
def test_every_file_is_described_whatever_it_comes_with(play: Player, tmp_path: Path) -> None:
    """With an answer, an adjustment and a change as at the start: refused, and nothing moves."""
    bare = [picture(tmp_path, "bare.png", description="")]
    for event, go_on in (("answer", to_asking), ("adjust", to_plan_from_there), ("modify", to_ready_from_there)):
        go_on(play)
        before = play.reply
        reply = play.send(event, {"words": "Larger", "references": bare}, quote="Larger")
        assert (reply.ok, reply.state, reply.revision) == (False, before.state, before.revision)
        assert reply.error and "bare.png" in reply.error.message


@pytest.mark.rule("R35", "R36", "R37")
def test_description_and_token_go_to_the_service_once_on_every_turn(play: Player, asked: Asked, tmp_path: Path) -> None:
    """The description stands beside the words; the token is in the list and in one part, on this turn and the next."""
    begin(play, picture(tmp_path, "ref.png", description="a saxophone\nin blue light"))
    play.send("consent", quote="yes")
    play.send("answer", {"words": "in red"})
    first, second = asked("prepare")
    (token,) = first.json["file_tokens"]
    assert token in play.engine.data(play.name)["uploads"].values()
    assert parts_of(first, "text") == [WORDS, "a saxophone\nin blue light"]
    assert parts_of(first, "file") == parts_of(second, "file") == second.json["file_tokens"] == [token]
    assert second.json["messages"][-1]["content"] == [{"type": "text", "text": "in red"}]


@pytest.mark.parametrize("description", ["a red fox\n\nin snow, “Foxglove”", "No lettering. Punk style"])
def test_a_description_is_no_wish_of_the_user(play: Player, sandbox: Sandbox, tmp_path: Path, description: str) -> None:
    """The offline service's questions and plan are made of what the user said, in this turn and a later one."""
    begin(play, picture(tmp_path, "ref.png", description=description))
    play.send("consent", quote="yes")
    assert not any(word in play.reply.say[0].text.split("just make it")[0] for word in ("fox", "Fox", "Punk"))
    play.send(
        "answer", {"words": "in red", "references": [picture(tmp_path, "ref.png", description=f"again {description}")]}
    )
    assert play.reply.state == "confirm.presenting"
    plan = str(play.engine.data(play.name)["prompt"])
    assert WORDS in plan and "in red" in plan and "One reference image is attached" in plan
    assert not any(word in plan.lower() for word in ("fox", "snow", "no lettering", "no words", "punk", "again"))


@pytest.mark.rule("R32", "R37")
def test_the_same_bytes_are_uploaded_once(play: Player, asked: Asked, tmp_path: Path) -> None:
    """Two names, one content: one question with both names, one upload, one token, and both descriptions."""
    twins = [picture(tmp_path, name, b"the same", f"as {name}") for name in ("a.png", "b.png")]
    begin(play, *twins)
    assert re.findall("^- “(.*)”", play.texts()[0], re.MULTILINE) == ["a.png", "b.png"]
    play.send("consent", quote="yes")
    assert re.findall("^- “(.*)”", play.texts()[0], re.MULTILINE) == ["a.png", "b.png"]
    assert len(asked("upload")) == 1
    (request,) = asked("prepare")
    assert len(request.json["file_tokens"]) == len(parts_of(request, "file")) == 1
    assert parts_of(request, "text") == [WORDS, "as a.png", "as b.png"]


@pytest.mark.rule("R13")
def test_a_file_at_home_is_found_as_people_write_it(play: Player, asked: Asked, tmp_path: Path) -> None:
    """`~/logo.png` is the file in the user's home; what is not there is refused by the name that was given."""
    picture(tmp_path, "logo.png", b"at home")
    begin(play, {"path": "~/logo.png", "description": "our logo"})
    assert re.findall("^- “(.*)”", play.texts()[0], re.MULTILINE) == ["logo.png"]
    play.send("consent", quote="yes")
    assert len(asked("upload")) == 1
    reply = play.send("answer", {"words": "Larger", "references": [{"path": "~/none.png", "description": "x"}]})
    assert reply.error and "none.png" in reply.error.message


@pytest.mark.rule("R32", "R44")
def test_a_token_serves_later_rounds_and_processes(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked
) -> None:
    """The same bytes again, in an answer or a change, by another process: no question, no upload, the same token."""
    first = on_disk(tmp_path, sandbox, clock, REFERENCE)
    begin(first, picture(tmp_path, "ref.png", b"the same"))
    first.send("consent", quote="yes")
    play = again(first, tmp_path, clock)
    copy = picture(tmp_path, "copy.png", b"the same", "more like this")
    reply = play.send("answer", {"words": "in blue", "references": [copy]})
    assert reply.state == "confirm.presenting"
    (token,) = asked("prepare")[1].json["file_tokens"]
    assert parts_of(asked("prepare")[1], "file") == [token]
    assert parts_of(asked("prepare")[1], "text")[-2:] == ["in blue", "more like this"]
    play.send("approve", quote="yes")
    play.watch()
    play.send(None)
    play.send("modify", {"words": "darker", "references": [copy]}, quote="darker")
    assert [each.json["files"] for each in asked("send")] == [[{"file_token": token}]]
    assert len(asked("upload")) == 1


@pytest.mark.rule("R33", "R36")
def test_a_declined_file_leaves_no_trace(play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path) -> None:
    """Neither bytes nor name nor description of it reach the service, in no later call either."""
    begin(play, picture(tmp_path, "private-party.png", b"private bytes", "a private party"))
    assert play.send("decline").state == "understand.asking"
    assert "private" not in json.dumps(play.engine.data(play.name)["conversation"])
    assert "private" not in play.texts()[0]
    play.send("answer", {"words": "in blue"})
    play.send("approve", quote="yes")
    play.watch()
    play.send(None)
    play.send("modify", {"words": "darker"}, quote="darker")
    assert asked("upload") == []
    assert len(asked("send")) == 1
    assert not [each for each in sandbox.requests if "private" in json.dumps([each.json, each.form, each.path])]


@pytest.mark.rule("R33")
def test_the_user_may_ask_for_stronger_consent(tmp_path: Path, sandbox: Sandbox) -> None:
    """Where the settings say so, an answer that the agent only relays uploads nothing."""
    play = player(tmp_path, REFERENCE, sandbox.url, gates={"consent_given": "asked"})
    begin(play, picture(tmp_path, "ref.png"))
    gate = play.option("consent").gate
    assert gate is not None
    assert gate.needs == "asked"
    reply = play.send("consent", quote="yes")
    assert reply.error is not None
    assert "takes no answer that is only 'relayed'; it needs 'asked'" in reply.error.message
    assert sandbox.requests == []
    assert play.send("consent", quote="yes", strength="asked").state == "understand.asking"


@pytest.mark.parametrize(
    "references",
    ["ref.png", {"path": "ref.png"}, ["ref.png"], [{"description": "x"}], [{"path": 3, "description": "x"}], [None]],
)
def test_files_of_the_wrong_shape_are_refused(play: Player, sandbox: Sandbox, references: Any) -> None:
    """What is no list of files is refused with the shape that is expected."""
    reply = play.start({"words": WORDS, "references": references})
    assert (reply.exit_code, play.engine.sessions(), sandbox.requests) == (3, [], [])
    assert reply.error is not None
    assert '{"path": "…", "description": "…"}' in reply.error.message


def test_more_than_twenty_files_are_refused(play: Player, tmp_path: Path) -> None:
    """A folder's worth of files is no reference."""
    reply = begin(play, *[picture(tmp_path, f"{number}.png") for number in range(21)])
    assert reply.error is not None
    assert "more than 20 files" in reply.error.message
