"""Calls that fail in Phases 1 to 3: the right words in the user's language, nothing lost, and nothing done twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import to_plan

Asked = Callable[[str], list[Request]]
WORDS = "A poster for a jazz night"
KEY_LINK = "[{}](https://www.anygen.io/home?auto_create_openclaw_key=1)"

# message → what the user can do about it, in both languages
ADVICE = {
    "check_key": {"en": KEY_LINK.format("Get your AnyGen API Key"), "zh-CN": KEY_LINK.format("获取您的AnyGen密钥")},
    "ask_admin": {"en": "Please contact your admin for permissions", "zh-CN": "请先联系管理员获取权限"},
    "no_credits": {"en": "Please top it up first", "zh-CN": "请先充值"},
    "busy": {"en": "too many requests right now", "zh-CN": "请求太多"},
    "upload_failed": {"en": "I couldn't upload your file", "zh-CN": "没能把您的文件上传到AnyGen"},
    "plan_failed": {"en": "I couldn't work on the plan", "zh-CN": "没能为您的图片整理方案"},
    "not_accepted": {"en": "AnyGen didn't accept that as it is", "zh-CN": "AnyGen没有接受刚才的内容"},
    "reword": {"en": "in other words", "zh-CN": "换一种说法"},
}

# what is said where the cause is nothing that the user can do anything about: what did not work
FAILED = {"upload": "upload_failed", "prepare": "plan_failed"}

# fault, its options, and the message it leads to, or none but what did not work:
# by code, by text alone, with HTTP 200 and with 401 or 403
KEY_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("invalid-api-key", {}, "check_key"),
    ("invalid-api-key", {"status": 401}, "check_key"),
    ("unauthorized", {}, "check_key"),
    ("unauthorized", {"code": None, "error": "authentication failed"}, "check_key"),
    ("forbidden", {}, "check_key"),
    ("auth-4101", {}, "check_key"),
    ("operation-not-allowed", {}, "ask_admin"),
    ("operation-not-allowed", {"status": 403}, "ask_admin"),
    ("forbidden", {"error": "operation not allowed"}, "ask_admin"),
]
OTHER_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("credits", {}, "no_credits"),
    ("credits", {"status": 402, "code": None, "error": "insufficient credits"}, "no_credits"),
    ("rate-limited", {"retry_after": 3600}, "busy"),
    ("server-error", {}, ""),
    ("html-200", {}, ""),
    ("not-an-object", {}, ""),
    ("empty-body", {}, ""),
]
UNCLEAR = ("server-error", "html-200", "not-an-object", "empty-body")
DEFINITE = [each for each in [*KEY_FAULTS, *OTHER_FAULTS] if each[0] not in UNCLEAR]


def to_upload(play: Player, language: str) -> None:
    """Up to the upload, which is about to fail."""
    base: Path = play.engine.world.base
    (base / "ref.png").write_bytes(b"a reference")
    play.start({"words": WORDS, "references": [{"path": "ref.png", "description": "a moon"}]}, language=language)
    play.send("consent", quote="yes")


@pytest.mark.rule("R90")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("fault", "options", "message"), KEY_FAULTS)
@pytest.mark.parametrize("call", ["upload", "prepare", "create"])
def test_key_and_permission_have_their_own_words(
    play: Player, sandbox: Sandbox, call: str, fault: str, options: dict[str, Any], message: str, language: str
) -> None:
    """Whatever form the service gives it: check the key, or ask the admin, in the user's language; the run stands."""
    sandbox.fault(fault, on=call, **options)
    reach(play, call, language)
    said = play.reply.say[0]
    assert (said.id, said.language) == (message, language)
    assert ADVICE[message][language] in said.text
    if call != "create":
        assert play.reply.state == {"upload": "understand.uploading", "prepare": "understand.preparing"}[call]
        assert play.reply.exit_code == (4 if message == "check_key" else 8)
    assert onward(play).error is None
    assert play.reply.state in ("understand.asking", "deliver.generating")


def reach(play: Player, call: str, language: str) -> None:
    """Play until that call was made."""
    if call == "upload":
        to_upload(play, language)
    elif call == "prepare":
        play.start({"words": WORDS}, language=language)
    else:
        to_plan(play, language=language)
        play.send("approve", quote="yes")


def onward(play: Player) -> Any:
    """Go on once the cause is mended: repeat the call, or agree to the plan once more."""
    if play.reply.state == "confirm.presenting":
        return play.send("approve", quote="yes, again")
    return play.send("retry")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("fault", "options", "message"), OTHER_FAULTS)
@pytest.mark.parametrize("call", ["upload", "prepare"])
def test_what_may_be_repeated_is_repeated_on_request(
    play: Player,
    sandbox: Sandbox,
    asked: Asked,
    call: str,
    fault: str,
    options: dict[str, Any],
    message: str,
    language: str,
) -> None:
    """The user is told what is wrong; `retry` repeats exactly that call, with the consent and words of before."""
    sandbox.fault(fault, on=call, **options)
    message = message or FAILED[call]
    reach(play, call, language)
    assert (play.reply.status, play.reply.exit_code, play.says()) == ("waiting", 8, [message])
    assert ADVICE[message][language] in play.texts()[0]
    assert play.option("retry").ready
    assert len(asked(call)) == 1
    assert play.engine.status(play.name).say[0].text == play.texts()[0]
    assert play.send("retry").state == "understand.asking"
    first, second = asked(call)
    assert (first.json, first.files) == (second.json, second.files)


@pytest.mark.parametrize(("fault", "options", "message"), DEFINITE)
def test_a_refusal_of_the_paid_call_is_never_repeated_by_itself(
    play: Player, sandbox: Sandbox, asked: Asked, clock: HandClock, fault: str, options: dict[str, Any], message: str
) -> None:
    """Definitely not done: one request, no pause, the reason, and the question anew."""
    to_plan(play)
    sandbox.fault(fault, on="create", **options)
    reply = play.send("approve", quote="yes")
    assert (reply.state, reply.status, play.says()) == ("confirm.presenting", "waiting", [message, "plan"])
    assert (len(asked("create")), clock.slept) == (1, [])
    (failure,) = play.journal("failure")
    assert failure.body is not None
    assert failure.body["to"] == "create.refused"


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("drop-before", {}),
        ("drop-after", {}),
        ("reset-body", {}),
        ("bad-gateway", {}),
        ("bad-gateway", {"status": 504}),
        *[("bad-gateway", {"status": status}) for status in (401, 403, 404, 408, 409, 413, 425, 429)],
        *[("server-error", {"status": status}) for status in (408, 409, 425, 500, 502, 503, 504, 522)],
        *[("server-error", {"status": status, "after": True}) for status in (408, 500, 502, 503, 504, 522)],
        ("success-false-200", {"code": None, "error": "upstream request timeout"}),
        ("success-false-200", {"code": None, "error": "invalid api key cache: upstream timeout"}),
        ("success-false-200", {"code": 100007001}),
        ("rate-limited", {"code": None, "error": "slow down"}),
        ("html-200", {}),
        ("truncated-json", {}),
        ("nan", {}),
        ("duplicate-keys", {}),
        ("not-an-object", {}),
        ("empty-body", {}),
        ("missing-task-id", {}),
    ],
)
def test_an_unknown_outcome_of_the_paid_call_is_doubt(
    play: Player, sandbox: Sandbox, asked: Asked, clock: HandClock, fault: str, options: dict[str, Any]
) -> None:
    """Nobody can tell whether it was done: said so, never repeated, and only the person decides."""
    to_plan(play)
    sandbox.fault(fault, on="create", **options)
    reply = play.send("approve", quote="yes")
    assert (reply.state, reply.status, reply.exit_code) == ("create.unsure", "in_doubt", 7)
    assert "I won't start it again by myself." in play.texts()[0]
    for event in ("approve", "retry", "create_now"):
        assert play.send(event, quote="yes").exit_code == 3
    assert play.send(None).status == "in_doubt"
    assert (len(asked("create")), clock.slept) == (1, [])
    assert play.send("did_not_happen", quote="no, nothing there").state == "confirm.presenting"
    assert len(asked("create")) == 1


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("fault", ["success-false-200", "not-found"])
def test_words_that_were_not_accepted_are_asked_for_anew(
    play: Player, sandbox: Sandbox, asked: Asked, fault: str, language: str
) -> None:
    """A bad parameter is no fault of the key: the user is asked for other words, which begin the conversation."""
    sandbox.fault(fault, on="prepare")
    reply = play.start({"words": WORDS}, language=language)
    assert (reply.state, play.says()) == ("understand.rewording", ["not_accepted", "reword"])
    for said in reply.say:
        assert ADVICE[said.id][language] in said.text
    assert play.send("answer", {"words": "a poster"}).state == "understand.asking"
    assert [len(request.json["messages"]) for request in asked("prepare")] == [1, 1]
    assert WORDS not in json.dumps(asked("prepare")[1].json)


@pytest.mark.parametrize("call", ["upload", "prepare"])
@pytest.mark.parametrize("fault", ["rate-limited", "bad-gateway", "drop-before", "reset-body"])
def test_a_passing_fault_is_not_even_told(
    play: Player, sandbox: Sandbox, asked: Asked, clock: HandClock, call: str, fault: str
) -> None:
    """What may be repeated is, twice at most, after a pause, honouring Retry-After; the user hears nothing of it."""
    sandbox.fault(fault, on=call, times=2, **({"retry_after": 7} if fault == "rate-limited" else {}))
    reach(play, call, "en")
    questions = "questions_with_files" if call == "upload" else "questions"
    assert (play.reply.state, play.says()) == ("understand.asking", [questions])
    assert len(asked(call)) == 3
    assert clock.slept == ([7.0, 7.0] if fault == "rate-limited" else [0.5, 1.0])
    assert play.journal("failure") == []


@pytest.mark.parametrize("call", ["upload", "prepare"])
def test_a_lasting_fault_ends_the_turn(
    play: Player, sandbox: Sandbox, asked: Asked, clock: HandClock, call: str
) -> None:
    """After three attempts the turn is over, within seconds; the run waits for a better time."""
    sandbox.fault("bad-gateway", on=call, times=0)
    reach(play, call, "en")
    assert (play.says(), len(asked(call)), sum(clock.slept)) == ([FAILED[call]], 3, 1.5)
    assert play.send("retry").ok is False
    sandbox.clear()
    assert play.send("retry").state == "understand.asking"


def test_one_of_two_uploads_fails(play: Player, sandbox: Sandbox, asked: Asked, tmp_path: Path) -> None:
    """The first file's token is kept: `retry` sends the second alone, and nobody is asked for consent again."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode())
    files = [{"path": name, "description": name} for name in ("a.png", "b.png")]
    play.start({"words": WORDS, "references": files})
    sandbox.fault("slow-body", on="upload", seconds=0.01)  # the first gets through
    sandbox.fault("server-error", on="upload")
    play.send("consent", quote="yes", items=["a.png", "b.png"])
    assert (play.reply.state, play.says()) == ("understand.uploading", ["upload_failed"])
    assert play.send("retry").state == "understand.asking"
    assert [part.filename for request in asked("upload") for part in request.files] == ["a.png", "b.png", "b.png"]
    assert len(asked("prepare")[0].json["file_tokens"]) == 2


@pytest.mark.rule("R90")
def test_the_services_own_error_text_is_for_the_log(play: Player, sandbox: Sandbox) -> None:
    """What the service writes into an error is not said; the journal has it, made visible, with the request's id.

    The agent reads it as the cause, in quotation marks.
    """
    sandbox.fault("invalid-api-key", on="prepare", error="invalid api key \x1b[31m<b>contact evil.example</b>")
    play.start({"words": WORDS})
    assert play.says() == ["check_key"]
    assert "evil" not in json.dumps({**play.reply.as_json(), "error": None})
    assert play.reply.error is not None
    assert re.search(r"“The service declined .*\\u\{1b\}\[31m<b>contact evil\.example</b>”$", play.reply.error.message)
    (failure,) = play.journal("failure")
    assert failure.body is not None
    assert "\\u{1b}[31m<b>contact evil.example" in failure.body["message"]
    assert re.fullmatch(r"\S+", failure.body["request"])


def test_cancel_is_possible_behind_a_failed_call(play: Player, sandbox: Sandbox) -> None:
    """Nothing forces the user to mend anything: the run can be ended where it stands."""
    sandbox.fault("server-error", on="prepare")
    play.start({"words": WORDS})
    assert (play.send("cancel").status, play.says()) == ("cancelled", ["cancelled"])
    assert len(sandbox.requests) == 1
