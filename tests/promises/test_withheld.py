"""A message that would leak is not said, its plain variant is; what was not shown cannot be agreed to."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS, answer, begin, check_promises, finish, reach, said_texts, usual
from tests.playing import Player, player
from workflow.machine import leaks
from workflow.machine.messages import Part
from workflow.model.errors import UsageError
from workflow.store.sqlite import SqliteStore

KEY = "sk-ag-7Qz81xPt7Wm44RnVd"
ROOT = Path(__file__).parents[2]
PROMPTS = ROOT / "prompts"


def plain(name: str, language: str = "en") -> str:
    """What is said in the place of a message."""
    return (PROMPTS / language / f"{name}.plain.md").read_text(encoding="utf-8").removesuffix("\n")


@pytest.mark.parametrize("field", ["reply", "prompt"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_plan_that_leaks_is_not_shown_and_cannot_be_approved(
    play: Player, sandbox: Sandbox, language: str, field: str
) -> None:
    """The plain text instead, no approval of what nobody saw, an entry that says so; a clean plan works again."""
    play.start({"words": WORDS}, language=language)
    sandbox.fault("leak-id", on="prepare", field=field)
    reply = play.send("answer", {"words": "Warm"})
    leaked = play.engine.data(play.name)["prepare_id"]
    assert (reply.state, play.says(), reply.say[0].withheld) == ("confirm.presenting", ["plan"], True)
    assert play.texts() == [plain("plan", language)]
    assert leaked in str(play.engine.data(play.name)[field])
    assert leaked not in json.dumps(reply.as_json())
    assert reply.notices == ("The message 'plan' was withheld: it held an internal id.",)
    assert (play.journal("reply")[-1].body or {})["messages"][0]["withheld"] == ["an internal id"]
    assert not play.option("approve").ready
    refused = play.send("approve", quote="yes, go ahead")
    assert refused.error is not None and refused.exit_code == 3
    assert "has not been shown" in refused.error.message
    assert "adjust" in refused.error.hint and "approve" not in refused.error.hint
    assert not any(each.path.endswith("/tasks") for each in sandbox.requests)
    play.send("adjust", {"words": "Without that, please"})
    assert (play.says(), play.reply.say[0].withheld) == (["plan"], False)
    assert play.send("approve", quote="yes").state == "deliver.generating"
    check_promises(play, sandbox)


def test_questions_that_leak_allow_no_direct_order(play: Player, sandbox: Sandbox) -> None:
    """“Just make it” agrees to a prompt that was shown; one that was withheld is none, an answer goes on."""
    sandbox.fault("leak-id", on="prepare")
    play.start({"words": WORDS})
    assert play.texts() == [plain("questions")]
    assert play.send("create_now", quote="just make it").error is not None
    assert sum(each.path.endswith("/tasks") for each in sandbox.requests) == 0
    assert play.send("answer", {"words": "Warm"}).state == "confirm.presenting"


def test_a_result_whose_note_leaks_is_told_without_it(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The change is told of, with its link, and the run goes on; the note with the task's id is left out."""
    begin(play, tmp_path)
    reach(play, "revise.applying")
    sandbox.fault("leak-id", on="messages")
    answer(play, "check")
    reply = answer(play, "check")
    data = play.engine.data(play.name)
    assert (reply.state, reply.say[0].withheld) == ("revise.changed", True)
    assert play.texts() == [plain("changed_with_reply").replace("${task_url}", data["task_url"])]
    assert data["task_id"] in data["change_reply"]
    finish(play, sandbox)
    check_promises(play, sandbox)


def test_showing_a_withheld_message_again_shows_the_plain_one(play: Player, sandbox: Sandbox) -> None:
    """Status, resume and another language bring nothing to light, and open nothing."""
    sandbox.settings(rounds=1)
    sandbox.fault("leak-id", on="prepare")
    play.start({"words": WORDS})
    leaked = play.engine.data(play.name)["prepare_id"]
    for reply in (play.engine.status(play.name), play.engine.resume(play.name), play.send(None, language="zh-CN")):
        assert reply.say[0].withheld
        assert leaked not in json.dumps(reply.as_json())
        assert not next(option for option in reply.next if option.event == "approve").ready
    assert play.texts() == [plain("plan", "zh-CN")]
    assert play.send("approve", quote="yes").error is not None


def test_a_note_of_the_users_with_an_id_is_withheld_too(play: Player, tmp_path: Path, sandbox: Sandbox) -> None:
    """An id in what the user typed is an id in a message: the plain variant, whoever wrote it."""
    recommending = player(tmp_path, ROOT, sandbox.url, settings={"recommendations": True})
    begin(recommending, tmp_path)
    reach(recommending, "deliver.ready")
    task = recommending.engine.data(recommending.name)["task_id"]
    recommending.send("asked_for_more", {"category": f"slides {task.upper()}"})
    assert recommending.texts() == [plain("recommend_suite")]


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, KeyError])
@pytest.mark.parametrize(
    "check",
    [
        *("machine.leaks.find", "machine.leaks.Forms", "machine.leaks.fragments", "machine.leaks._patterns"),
        "machine.leaks.secrets_of",
    ],
)
def test_a_check_that_fails_withholds_the_message_and_stops_nothing(
    play: Player, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, check: str, error: type[Exception]
) -> None:
    """It raises here: nothing of the message is said, nothing can be agreed to, and cancelling works as ever."""

    def fails(*_: object, **__: object) -> None:
        raise error

    play.start({"words": WORDS})
    monkeypatch.setattr(f"workflow.{check}", fails)
    monkeypatch.setattr("workflow.engine.intake.redact", lambda text, _: text)  # its own check, for which see below
    reply = play.send("answer", {"words": "Warm"})
    assert (reply.error, play.texts(), reply.say[0].withheld) == (None, ["…"], True)
    assert reply.notices == ("The message 'plan' was withheld: it held something that cannot be checked.",)
    assert play.send("approve", quote="yes, go ahead").error is not None
    assert not any(each.path.endswith("/tasks") for each in sandbox.requests)
    assert play.engine.status(play.name).say[0].text == "…"
    assert [each.name for each in play.engine.sessions()] == [play.name]
    assert (play.send("cancel").error, play.reply.status) == (None, "cancelled")


@pytest.mark.parametrize("check", ["readings", "folded", "squeezed", "Forms.__init__", "Fragments.stand_in"])
def test_a_check_for_the_key_that_fails_refuses_words_and_no_cancellation(
    play: Player, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    """It raises here: words are not recorded, since they could hold the key, and nothing else is stopped."""

    def fails(*_: object, **__: object) -> None:
        raise ValueError

    play.start({"words": WORDS})
    seq = len(play.journal())
    monkeypatch.setattr(f"workflow.machine.fragments.{check}", fails)
    with pytest.raises(UsageError, match="holds the service's key, or a code"):
        play.send("answer", {"words": "Warm"})
    assert len(play.journal()) == seq
    assert (play.send("cancel").error, play.reply.status) == (None, "cancelled")


def test_where_only_the_message_cannot_be_checked_its_plain_variant_is_said(
    play: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check raises for the text of the service, not for our own."""
    found = leaks.find

    def fails(parts: Sequence[Part], secrets: leaks.Secrets) -> list[str]:
        if any(part.by == "service" for part in parts):
            raise ValueError
        return found(parts, secrets)

    monkeypatch.setattr("workflow.machine.leaks.find", fails)
    reply = play.start({"words": WORDS})
    assert (play.texts(), reply.say[0].withheld) == ([plain("questions")], True)


@pytest.mark.parametrize(
    "words", ["&#" + "1" * 5_000 + ";", "&#x" + "f" * 5_000 + ";", "%" + "25" * 2_000, "\ufdfa" * 9_000]
)
def test_no_words_wedge_a_session_or_the_list_of_any(play: Player, words: str) -> None:
    """Whatever the user writes, the session goes on, is listed, and can be cancelled; or the turn is refused."""
    play.start({"words": WORDS})
    with contextlib.suppress(UsageError):
        play.send("answer", {"words": f"Warm {words}"})
    assert play.engine.status(play.name).error is None
    assert [each.name for each in play.engine.sessions()] == [play.name]
    assert (play.send("cancel").error, play.reply.status) == (None, "cancelled")


@pytest.mark.rule("R11")
@pytest.mark.parametrize(
    ("name", "call", "options"),
    [
        ("leak-key", "prepare", {"field": "reply"}),
        ("leak-key", "prepare", {"field": "prompt"}),
        ("leak-key", "messages", {}),
        *(("invalid-api-key", call, {"error": f"invalid API key {KEY}"}) for call in ("upload", "create", "task")),
        ("success-false-200", "prepare", {"error": f"the key {KEY[:10]}… has no access"}),
        ("server-error", "send", {"error": f"Bearer {KEY}"}),
        ("unauthorized", "create", {"error": base64.b64encode(f":{KEY}".encode()).decode()}),
        ("redirect-307", "create", {"to": f"https://elsewhere.invalid/{KEY}"}),
        ("hostile-task-url", "create", {"url": f"https://elsewhere.invalid/{KEY}"}),
        ("hostile-file-name", "task", {"file_name": KEY}),
        ("unknown-status", "prepare", {"status": KEY}),
        ("drop-after", "create", {}),
        ("html-200", "create", {}),
    ],
)
def test_the_key_is_in_no_reply_no_entry_and_no_file(
    copied: Path, tmp_path: Path, sandbox: Sandbox, name: str, call: str, options: dict[str, Any]
) -> None:
    """A service that gives the key away: neither it nor its first ten characters are said, recorded or stored."""
    play = player(tmp_path, copied, None, store=SqliteStore(tmp_path / "kept"), environ={"ANYGEN_API_KEY": KEY})
    sandbox.fault(name, on=call, **options)
    begin(play, tmp_path)
    replies = [play.reply]
    for _ in range(30):
        if play.reply.state in ("over.finished", "create.unsure", "revise.unsure"):
            break
        replies.append(answer(play, usual(play)))
    assert all(each.headers["authorization"] == f"Bearer {KEY}" for each in sandbox.requests)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    journal = json.dumps([[entry.kind, entry.body] for entry in play.journal()], default=dict)
    texts = json.dumps([reply.as_json() for reply in replies])
    assert play.name.encode() in stored
    for part in (KEY, KEY[:10]):
        assert part not in texts and part not in journal and part.encode() not in stored
    assert base64.b64encode(f":{KEY}".encode()).decode()[4:] not in journal
    assert not any(KEY[:10] in text for text in said_texts(play.journal()))


@pytest.mark.rule("R11")
@pytest.mark.parametrize("form", [KEY[:10], f"{KEY[:12]}…", base64.b64encode(f":{KEY}".encode()).decode()])
def test_a_piece_of_the_key_in_a_reply_is_not_recorded(
    copied: Path, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A service that hints at the key, or spells it otherwise: what is shown, and what is kept, is without it."""
    monkeypatch.setattr("phases.anygen.sandbox.damage._ESCAPES", f"(key {form})")
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": KEY})
    sandbox.fault("terminal-escapes", on="prepare")
    play.start({"words": WORDS})
    assert "[key]" in play.engine.data(play.name)["reply"]
    assert "[key]" in play.texts()[0]
    kept = json.dumps([entry.body for entry in play.journal()], default=dict)
    assert form not in kept and KEY[:10] not in kept
    assert form not in json.dumps(play.reply.as_json())


@pytest.mark.rule("R11", "R15")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leak-key", {}),
        ("invalid-api-key", {"error": f"invalid API key {KEY}"}),
        ("redirect-308", {"to": f"http://x.invalid/{KEY}"}),
    ],
)
def test_the_key_is_in_no_output_of_the_command(
    copied: Path, tmp_path: Path, sandbox: Sandbox, name: str, options: dict[str, Any]
) -> None:
    """A real process: stdout is one reply, and the key is neither in it, nor on stderr, nor in the store."""
    sandbox.fault(name, on="prepare", **options)
    environ = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
        **{"HOME": str(tmp_path), "ANYGEN_API_KEY": KEY, "PHASEGATE_STATE": str(tmp_path / "state")},
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "workflow", "start", "--bundle", str(copied), "--json", "--input", "-"],
        input=json.dumps({"input": {"words": WORDS}}).encode(),
        capture_output=True,
        env=environ,
        cwd=tmp_path,
        timeout=30,
    )
    reply = json.loads(ended.stdout)
    assert reply["session"]
    assert len(sandbox.requests) == 1
    written = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    for output in (ended.stdout, ended.stderr, written):
        assert KEY.encode() not in output and KEY[:10].encode() not in output
    assert b"Traceback" not in ended.stderr
    assert not any(label in said["text"] for said in reply["say"] for label in ("Task ID:", "[REPLY]", "Status:"))
