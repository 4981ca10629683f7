"""Phase 3: one paid call for one answer, with exactly what was shown, and its task is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, on_disk, to_generating, to_plan

WORDS = "A poster for a jazz night"
ODD = "so-called \x1b[2J $words ${reply} {x} <b> `rm` \u202e 字 🎷"
Asked = Callable[[str], list[Request]]


def picture(folder: Path, name: str, description: str) -> dict[str, str]:
    """A file on disk, as the agent offers it."""
    (folder / name).write_bytes(f"the picture {name}".encode())
    return {"path": name, "description": description}


def spent(play: Player) -> list[Any]:
    """The gate of each answer that was given, in order."""
    return [each["gate"] for entry in play.journal("event") for each in (entry.body or {})["evidence"]]


@pytest.mark.rule("R51", "R52", "R53")
def test_what_is_sent_is_what_was_shown(play: Player, asked: Asked, tmp_path: Path) -> None:
    """The operation is the fixed one, the prompt equals the shown one, the tokens are those of the conversation."""
    files = [picture(tmp_path, "a.png", "a moon"), picture(tmp_path, "b.png", "a bridge")]
    play.start({"words": WORDS, "references": files})
    play.send("consent", quote="yes, both", items=["a.png", "b.png"])
    play.send("answer", {"words": "in blue", "references": files})
    shown = [part["text"] for part in play.reply.say[-1].parts if part.get("by") == "service"]
    play.send("approve", quote="go ahead")
    (request,) = asked("create")
    assert set(request.json) == {"operation", "prompt", "file_tokens"}
    assert request.json["operation"] == "ai_designer"
    assert request.json["prompt"] == shown[1]
    assert len(set(request.json["file_tokens"])) == len(request.json["file_tokens"]) == 2
    assert request.json["file_tokens"] == asked("prepare")[-1].json["file_tokens"]


@pytest.mark.rule("R46", "R52")
@pytest.mark.parametrize("field", ["reply", "prompt"])
def test_odd_characters_of_the_service_are_neither_lost_nor_mended(
    play: Player, sandbox: Sandbox, asked: Asked, field: str
) -> None:
    """Escapes, invisible and turned-around text: shown as parts that say so, and sent as they were shown."""
    sandbox.settings(rounds=1)
    sandbox.fault("terminal-escapes", on="prepare", field=field)
    play.start({"words": WORDS})
    verbatim = [part["text"] for part in play.reply.say[-1].parts if part.get("by") == "service"]
    assert "\x1b]0;owned\x07" in verbatim[field == "prompt"]
    assert "\u202egnp.exe\u202c a\u200bp\u200bproved\r" in verbatim[field == "prompt"]
    play.send("approve", quote="yes")
    assert [request.json["prompt"] for request in asked("create")] == [verbatim[1]]


@pytest.mark.rule("R42", "R52")
def test_a_direct_order_sends_the_words_byte_for_byte(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """What the question shows is the request and every answer since, in order: exactly this is sent."""
    sandbox.settings(rounds=4)
    play.start({"words": f"{WORDS} "})
    play.send("answer", {"words": ODD})
    play.send("answer", {"words": "\tin blue\r\n"})
    whole = f"{WORDS} \n\n{ODD}\n\n\tin blue\r\n"
    assert whole in play.reply.say[-1].text
    theirs = [part["text"] for part in play.reply.say[-1].parts if part.get("by") == "user"]
    assert theirs == [f"{WORDS} ", ODD, "\tin blue\r\n"]
    reply = play.send("create_now", quote="just create it")
    assert reply.state == "deliver.generating"
    assert [request.json["prompt"] for request in asked("create")] == [whole]
    assert (spent(play), len(asked("prepare"))) == (["ordered_directly"], 3)
    assert (play.journal("event")[-1].body or {})["evidence"][0]["quote"] == "just create it"


@pytest.mark.rule("R42", "R53")
def test_a_direct_order_takes_along_what_was_agreed_to_and_nothing_else(
    play: Player, asked: Asked, tmp_path: Path
) -> None:
    """The consented file's token and description go along; of the declined one there is no trace."""
    files = [picture(tmp_path, "a.png", "a moon"), picture(tmp_path, "b.png", "a private party")]
    play.start({"words": WORDS, "references": files})
    play.send("consent", quote="the moon only", items=["a.png"])
    assert "private" not in play.texts()[-1]
    play.send("create_now", quote="just create it")
    (request,) = asked("create")
    assert request.json["prompt"] == f"{WORDS}\n\na moon"
    assert request.json["file_tokens"] == list(play.engine.data(play.name)["uploads"].values())
    assert len(asked("upload")) == 1


@pytest.mark.rule("R42")
def test_the_agent_alone_cannot_order(play: Player, asked: Asked) -> None:
    """Without the person's words, without the token of the reply that asked, or with another, it is refused."""
    play.start({"words": WORDS})
    option = play.option("create_now")
    assert (option.who, option.gate and option.gate.name) == ("person", "ordered_directly")
    seen = play.reply.seen
    for quote, token in ((None, seen), (" ", seen), ("just create it", None), ("just create it", "3-00000000")):
        reply = play.send("create_now", quote=quote, seen=token)
        assert (reply.ok, reply.state) == (False, "understand.asking")
    assert [entry.kind for entry in play.journal()[-4:]] == ["refusal"] * 4
    assert asked("create") == []


@pytest.mark.rule("R42")
def test_a_direct_order_needs_to_have_been_shown_what_it_is_for(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """The message was withheld, so the person has not seen what would be sent: no direct order."""
    sandbox.fault("leak-id", on="prepare")
    play.start({"words": WORDS})
    assert play.reply.say[-1].withheld
    assert not play.option("create_now").ready
    assert play.send("create_now", quote="just create it").exit_code == 3
    assert asked("create") == []


@pytest.mark.rule("R42")
def test_a_stronger_direct_order_can_be_asked_for(tmp_path: Path, sandbox: Sandbox, asked: Asked) -> None:
    """Raising the approval alone does not raise the direct order: each gate has its own strength."""
    play = player(tmp_path, REFERENCE, sandbox.url, gates={"ordered_directly": "asked"})
    play.start({"words": WORDS})
    assert play.send("create_now", quote="just create it").exit_code == 3
    assert asked("create") == []
    play.send("answer", {"words": "in blue"})
    assert play.send("approve", quote="yes").state == "deliver.generating"


@pytest.mark.rule("R48")
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("success-false-200", "not_accepted"),
        ("credits", "no_credits"),
        ("operation-not-allowed", "ask_admin"),
        ("invalid-api-key", "check_key"),
        ("rate-limited", "busy"),
    ],
)
def test_an_answer_is_spent_by_its_one_call(
    play: Player, sandbox: Sandbox, asked: Asked, fault: str, message: str
) -> None:
    """The service refused: said, the plan is shown again, and only a fresh approval leads to another call."""
    to_plan(play)
    sandbox.fault(fault, on="create")
    seen = play.reply.seen
    reply = play.send("approve", quote="yes", revision=2, seen=seen)
    assert (reply.state, play.says()) == ("confirm.presenting", [message, "plan"])
    assert play.option("approve").gate is not None
    assert play.option("approve").gate.have is None  # type: ignore[union-attr]
    assert play.send("retry").exit_code == 3
    assert play.send(None).state == "confirm.presenting"
    assert play.send("approve", quote="yes", revision=2, seen=seen).replayed
    assert len(asked("create")) == 1
    play.reply = play.engine.status(play.name)
    assert play.send("approve", quote="yes, once more").state == "deliver.generating"
    assert (len(asked("create")), len(play.journal("intent"))) == (2, 2)


@pytest.mark.rule("R48")
def test_a_refused_direct_order_goes_back_to_its_question(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """No plan was there: the question is asked again, with what would be sent, and needs a new answer."""
    play.start({"words": WORDS})
    sandbox.fault("credits", on="create")
    reply = play.send("create_now", quote="just create it")
    assert (reply.state, play.says()) == ("understand.asking", ["no_credits", "questions"])
    assert play.send(None).state == "understand.asking"
    assert len(asked("create")) == 1
    assert play.send("create_now", quote="now it should work").state == "deliver.generating"


@pytest.mark.rule("R48")
def test_an_answer_of_before_does_not_fit_a_gate_that_changed(
    copied: Path, tmp_path: Path, sandbox: Sandbox, asked: Asked
) -> None:
    """The approval waits for a key; the user's settings rise meanwhile: as the call leaves it is checked again."""
    (tmp_path / ".config" / "anygen").mkdir(parents=True)
    key = tmp_path / ".config" / "anygen" / "config.json"
    key.write_text('{"api_key": "sk-live-0123456789"}', encoding="utf-8")
    before = player(tmp_path, copied, None)
    to_plan(before)
    key.unlink()
    before.send("approve", quote="yes")
    key.write_text('{"api_key": "sk-live-0123456789"}', encoding="utf-8")
    play = player(tmp_path, copied, None, store=before.engine.world.store, gates={"user_approved": "asked"})
    play.name, play.reply = before.name, before.reply
    reply = play.send("retry")
    assert (reply.state, asked("create"), play.journal("intent")) == ("confirm.presenting", [], [])
    assert play.says()[-1] == "plan"
    assert "file" not in play.texts()[0]


@pytest.mark.rule("R55")
def test_the_task_is_kept_over_a_restart(tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked) -> None:
    """Another process looks at the same task, and gives the same link."""
    first = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(first)
    play = again(first, tmp_path, clock)
    task, url = (play.engine.data(play.name)[name] for name in ("task_id", "task_url"))
    play.send("check")
    assert [request.path for request in asked("task")] == [f"/v1/openapi/tasks/{task}"]
    assert url == f"{sandbox.url}/task/{task}"
    assert url in play.texts()[0]
    assert len(asked("create")) == 1


@pytest.mark.rule("R55")
def test_a_task_without_its_id_is_no_progress(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """The answer has no id: something was made and cannot be told which, so the person is asked."""
    to_plan(play)
    sandbox.fault("missing-task-id", on="create")
    reply = play.send("approve", quote="yes")
    assert (reply.state, reply.status, reply.exit_code) == ("create.unsure", "in_doubt", 7)
    assert play.says() == ["unsure_created"]
    assert "task_id" not in play.engine.data(play.name)
    assert play.send("approve", quote="yes").exit_code == 3
    assert len(asked("create")) == 1


@pytest.mark.rule("R57")
@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://evil.example/task/x", "http://127.0.0.1:1@evil/", ""])
def test_a_link_that_leads_elsewhere_is_not_passed_on(play: Player, sandbox: Sandbox, url: str) -> None:
    """Only a link to the service's own host reaches the user; else the usual one, which leads to the task."""
    to_plan(play)
    sandbox.fault("hostile-task-url", on="create", url=url)
    play.send("approve", quote="yes")
    data = play.engine.data(play.name)
    assert data["task_url"] == f"{sandbox.url}/task/{data['task_id']}"
    assert data["task_url"] in play.texts()[0]
    assert "evil" not in json.dumps(play.reply.as_json())
