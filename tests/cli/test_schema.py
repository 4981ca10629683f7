"""``workflow schema``: every real reply is of the published form, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.playing import HandClock, Player, player
from workflow.author.published import names, published
from workflow.bundle.loader import read
from workflow.model.frozen import names as fields
from workflow.model.reply import EXIT_CODES, Reply
from workflow.model.session import Turn

ROOT = Path(__file__).parents[2]
CHECK = Draft202012Validator(published("reply"), format_checker=Draft202012Validator.FORMAT_CHECKER)


class Listening(Player):
    """A player that checks each reply it gets."""

    def send(self, event: str | None, *given: Any, **more: Any) -> Reply:
        """One turn, its reply as JSON against the schema."""
        return checked(super().send(event, *given, **more))


def checked(reply: Reply) -> Reply:
    """The reply, once the schema has accepted it."""
    CHECK.validate(json.loads(json.dumps(reply.as_json())))
    return reply


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Listening]:
    """A session of the packaged bundle in a host that can watch."""
    with Sandbox(rounds=2, looks=2) as sandbox:
        made = player(tmp_path, ROOT, sandbox.url, clock=HandClock())
        yield Listening(made.engine, made.bundle, made.sandbox)


def test_each_schema_of_the_list_is_printed(cli: Commands) -> None:
    """The list has every name with its `$id`, and each name is printed as one JSON object."""
    listed = cli("schema", "--json").json["schemas"]
    assert [each["name"] for each in listed] == names()
    for each in listed:
        ended = cli("schema", each["name"], "--json")
        assert (ended.code, ended.err) == (0, "")
        assert (ended.json["$id"], ended.json["title"]) == (each["id"], each["title"])


def test_an_unknown_schema_is_suggested(cli: Commands) -> None:
    """What is near is named, and where the list is; a path is no name."""
    error = cli("schema", "docto", "--json").error
    assert error["message"] == "there is no schema 'docto'; did you mean 'doctor'?"
    assert error["hint"] == "`workflow schema` lists them."
    for name in ("", "../reply", "reply.json", "turn", "\x1b[31m"):
        assert cli("schema", "--json", "--", name).error["type"] == "usage"


def test_the_list_is_a_table_for_people(cli: Commands) -> None:
    """A row each, and how one is printed."""
    lines = cli("schema").out.splitlines()
    assert lines[-1] == "`workflow schema NAME` prints one."
    assert {line.split()[0] for line in lines if line.strip()} >= set(names())


def test_the_schema_for_an_editor_has_its_names(cli: Commands) -> None:
    """Names and words are in it, and no `$id`: it is not the published one. It goes with a bundle alone."""
    schema = cli("schema", "bundle", "--names", str(ROOT), "--json").json
    assert "$id" not in schema and "defaultSnippets" in json.dumps(schema) and "errorMessage" in json.dumps(schema)
    assert cli("schema", "reply", "--names", str(ROOT), "--json").error["type"] == "usage"
    assert cli("schema", "--names", str(ROOT), "--json").error["type"] == "usage"


def test_a_schema_is_set_out_for_people(cli: Commands, terminal: None) -> None:
    """The same in lines; on one line if JSON is asked for."""
    ended = cli("schema", "reply")
    assert json.loads(ended.out) == published("reply") and len(ended.out.splitlines()) > 100
    assert len(cli("schema", "reply", "--json").out.splitlines()) == 1


def test_bundles_are_of_their_schema(cli: Commands) -> None:
    """What lint accepts the schema accepts; an unknown key it does not."""
    check = Draft202012Validator(cli("schema", "bundle", "--json").json)
    for folder in (ROOT, ROOT / "tests" / "courier"):
        document = read((folder / "workflow.yaml").read_bytes(), "workflow.yaml").document
        check.validate(document)
        assert not check.is_valid({**document, "stats": {}})
        assert not check.is_valid({key: value for key, value in document.items() if key != "start"})


def test_every_reply_of_the_whole_conversation_is_of_the_schema(play: Listening, tmp_path: Path) -> None:
    """All five phases with a file, an adjustment, two changes, a refusal, a repeat, status and a watch."""
    (tmp_path / "ref.png").write_bytes(b"\x89PNG\r\n\x1a\n picture")
    files = [{"path": "ref.png", "description": "A harbour at night"}]
    checked(play.start({"words": "A poster", "references": files}, host="openclaw", language="de"))
    assert play.reply.say[0].translate_to == "de" and play.reply.next[0].gate
    play.send("consent", quote="Yes, you may upload it", items=["ref.png"])
    play.send("answer", {"words": "Blue and gold"})
    play.send("approve", revision=play.reply.revision, seen=None)
    assert play.reply.error and play.reply.error.type == "refused"
    play.send("adjust", {"words": "Bolder"})
    seen = play.reply.seen
    play.send("approve", quote="Yes, go ahead")
    assert play.reply.status == "watching" and play.reply.watch and len(play.reply.watch["ways"]) == 2
    play.reply = checked(play.engine.advance(play.name, _turn_again(play, seen)))
    assert play.reply.replayed
    for words in ("Darker", "A logo, please"):
        checked(play.engine.status(play.name))
        play.watch()
        play.send(None)
        play.send("modify", {"words": words}, quote=words)
    play.watch()
    play.send(None)
    play.send("finish")
    assert play.reply.status == "done"
    assert {reply["state"].split(".")[0] for reply in _replies(play)} == {
        "understand",
        "confirm",
        "deliver",
        "revise",
        "over",
    }


def test_replies_without_a_session_are_of_the_schema(cli: Commands) -> None:
    """Mistakes on the command line, sessions that are not there, faults of the configuration."""
    for arguments in (("nope",), ("status",), ("status", "amber-fox"), ("advance", "A")):
        CHECK.validate(json.loads(cli(*arguments).out))
    for kind in EXIT_CODES:
        CHECK.validate({**Reply().as_json(), "ok": False, "error": {"type": kind, "message": "", "hint": ""}})


def test_a_reply_of_a_failed_call_is_of_the_schema(tmp_path: Path) -> None:
    """Trouble has a class beside its type, and `retry` among what comes next."""
    play = player(tmp_path, ROOT, None)
    reply = checked(play.start({"words": "A poster"}))
    assert reply.error and reply.error.kind == "no_key"
    assert "retry" in [option.event for option in reply.next]


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"ok": True, "error": {"type": "usage", "message": "", "hint": ""}},
        {"ok": False},
        {"status": "asleep"},
        {"receipt": "12:short"},
        {"claims": []},
        {"next": [{"event": "go", "who": "service"}]},
        {"next": [{"event": "go", "ready": True}]},
        {"say": [{"id": "plan", "text": "", "language": "en", "translate_to": None}]},
        {"say": [{"id": "plan", "text": "", "language": "en", "repeat": False}]},
        {"say": [{"id": "plan", "text": "", "language": "en", "parts": [{"text": ""}]}]},
        {"session": None},
        {"replayed": False},
        {"error": {"type": "unheard_of", "message": "", "hint": ""}, "ok": False},
        {"watch": {}},
        {"revision": True},
    ],
    ids=str,
)
def test_what_is_no_reply_is_refused(change: Mapping[str, Any]) -> None:
    """A missing, strange or contradictory part is found."""
    CHECK.validate(Reply().as_json())
    assert not CHECK.is_valid({**Reply().as_json(), **change})


def test_the_schema_names_every_field() -> None:
    """A reply has these fields and no others; one that has nothing to say has only the version and `ok`."""
    schema = published("reply")
    hidden = {"claims", "same_phase"}
    assert set(schema["properties"]) == {"v", "ok", *fields(Reply)} - hidden
    assert schema["required"] == list(Reply().as_json()) and schema["additionalProperties"] is False


def _turn_again(play: Player, seen: str | None) -> Turn:
    """The turn that was accepted last, as it would be sent by a caller that heard no answer."""
    body = play.journal("event")[-1].body
    assert body is not None
    return Turn("approve", {}, quote="Yes, go ahead", expect_revision=body["revision"] - 1, seen=seen)


def _replies(play: Player) -> list[dict[str, Any]]:
    bodies = [entry.body for entry in play.journal("reply")]
    return [body["reply"] for body in bodies if body]
