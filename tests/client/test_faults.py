"""What the service can do to a call, and every fault found in existing clients of the AnyGen API, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.config import Config
from phases.anygen.download import save
from phases.anygen.errors import check_answer
from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from phases.create import create
from phases.deliver import look
from phases.revise import read_answer, send
from tests.client.conftest import Bench, Clock, Run
from tests.client.test_actions import finished, plan
from workflow import ActionError, ApiError, BadResponse, InDoubt, Response, UsageError, visible


def caught(bench: Bench, fault: str, **options: Any) -> ActionError:
    """The error of a look that meets this fault."""
    bench.sandbox.fault(fault, on="task", **options)
    with pytest.raises(ActionError) as raised:
        bench.client.task("task_1")
    return raised.value


@pytest.mark.rule("R90")
@pytest.mark.parametrize(
    ("fault", "options", "kind"),
    [
        ("unauthorized", {}, "credentials"),
        ("forbidden", {}, "credentials"),
        ("auth-4101", {}, "credentials"),
        ("invalid-api-key", {}, "credentials"),
        ("invalid-api-key", {"status": 401, "code": 100004001}, "credentials"),
        ("unauthorized", {"error": "token is invalid", "code": None}, "credentials"),
        ("unauthorized", {"error": "token is invalid", "code": 100004001}, "credentials"),
        ("credits", {"status": 402, "error": "Payment Required", "code": None}, "credits"),
        ("success-false-200", {"error": "please login", "code": None}, "credentials"),
        ("success-false-200", {"error": "?", "code": "100004003"}, "credentials"),
        ("operation-not-allowed", {}, "not_allowed"),
        ("operation-not-allowed", {"status": 403, "code": 100004003}, "not_allowed"),
        ("credits", {}, "credits"),
        ("too-large", {}, "too_large"),
        ("too-large", {"status": 400, "code": 100004001}, "too_large"),
        ("not-found", {}, "gone"),
        ("success-false-200", {"code": 100004002}, "gone"),
        ("success-false-200", {}, "invalid"),
        ("success-false-200", {"error": "prompt is required", "code": None}, "invalid"),
        ("rate-limited", {}, "rate_limited"),
        ("success-false-200", {"code": 100004012}, "rate_limited"),
    ],
)
def test_refusals_have_their_class(bench: Bench, fault: str, options: dict[str, Any], kind: str) -> None:
    """By code and status, then by the service's phrases; alike with HTTP 200 and without."""
    error = caught(bench, fault, **options)
    assert error.kind == kind and error.request_id
    assert error.definite is (kind != "rate_limited") and error.transient is (kind == "rate_limited")


@pytest.mark.rule("R90")
@pytest.mark.parametrize(
    ("fault", "options", "kind"),
    [
        ("auth-4101", {}, "credentials"),
        ("invalid-api-key", {}, "credentials"),
        ("unauthorized", {"status": 200}, "credentials"),
        ("forbidden", {"status": 200}, "credentials"),
        ("operation-not-allowed", {}, "not_allowed"),
        ("credits", {}, "credits"),
        ("too-large", {}, "too_large"),
        ("success-false-200", {"code": 100004012}, "rate_limited"),
        ("success-false-200", {"code": None, "error": "prompt is required"}, "invalid"),
        ("success-false-200", {"code": None, "error": "Insufficient credits."}, "credits"),
    ],
)
def test_a_refusal_of_the_table_is_definite_with_http_200(
    bench: Bench, fault: str, options: dict[str, Any], kind: str
) -> None:
    """Of a paid call, too: the service says by a code or a phrase of its own that it did not do it."""
    bench.sandbox.fault(fault, on="create", **options)
    with pytest.raises(ApiError) as raised:
        bench.client.create("A poster", [])
    assert (raised.value.kind, raised.value.definite) == (kind, True)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"error": "the author is unknown", "code": None}, "upstream"),
        ({"error": "upstream request timeout", "code": None}, "upstream"),
        ({"error": "timeout: operation not allowed to finish", "code": None}, "not_allowed"),
        ({"error": "must be retried", "code": None}, "invalid"),
        ({"code": 100007001}, "upstream"),
        ({"code": 100005000}, "upstream"),
        ({"status": 500}, "upstream"),
        ({"status": 503, "error": "invalid api key", "code": 4101}, "upstream"),
    ],
)
def test_an_unknown_text_in_the_envelope_is_doubt(bench: Bench, options: dict[str, Any], kind: str) -> None:
    """A layer in front writes it as well as the service: words decide what is told, never whether it was done."""
    bench.sandbox.fault("success-false-200", on="create", **options)
    with pytest.raises(BadResponse) as raised:
        bench.client.create("A poster", [])
    assert (raised.value.kind, raised.value.definite, raised.value.transient) == (kind, False, False)


def test_what_may_be_repeated_and_when(bench: Bench) -> None:
    """A gateway's faults pass by; Retry-After is seconds or a date."""
    assert caught(bench, "rate-limited", retry_after=7).retry_after == 7
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < (caught(bench, "rate-limited", retry_after=later).retry_after or 0) <= 91
    assert caught(bench, "rate-limited", retry_after="soon").retry_after is None
    assert caught(bench, "server-error", status=503).transient
    assert caught(bench, "server-error").transient


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 425, 429, 500, 502, 503, 504, 522])
@pytest.mark.parametrize("body", [b"<html>", b"", b"{}", b'{"message": "Forbidden"}', b'{"success": true}', b"[1]"])
def test_a_page_of_any_status_is_never_definite(status: int, body: bytes) -> None:
    """What is not in the service's own form was written by anybody: a firewall's 403 is no bad key."""
    with pytest.raises(BadResponse) as raised:
        check_answer("once", Response(status, {}, body, "r"))
    assert raised.value.request_id == "r" and not raised.value.definite
    assert raised.value.kind == {413: "too_large", 429: "rate_limited"}.get(status, "upstream")


@pytest.mark.parametrize(
    ("status", "body"), [(502, {}), (504, {"message": "timeout"}), (500, {"code": 500}), (400, {})]
)
def test_what_leaves_it_open_is_not_definite(status: int, body: dict[str, Any]) -> None:
    """A gateway that gave up does not know what was done, however it says so."""
    with pytest.raises(BadResponse) as raised:
        check_answer("repeatable", Response(status, {}, json.dumps(body).encode(), None))
    assert not raised.value.definite and raised.value.transient is (status > 500)


def test_a_bad_gateway_may_be_asked_again(bench: Bench) -> None:
    """A read is repeated; a paid call would be in doubt."""
    error = caught(bench, "bad-gateway")
    assert isinstance(error, BadResponse) and error.transient and not error.definite


@pytest.mark.parametrize(
    "fault",
    ["huge-body", "gzip-bomb", "truncated-json", "nan", "huge-int", "duplicate-keys", "deep-json",
     "lone-surrogate", "html-200", "empty-body", "not-an-object"],
)  # fmt: skip
def test_hostile_answers_of_a_paid_call_leave_it_in_doubt(bench: Bench, fault: str) -> None:
    """Whatever came back, the task may be there: no traceback, and nothing definite."""
    bench.data["prompt"] = "A poster"
    bench.sandbox.fault(fault, on="create")
    with pytest.raises(BadResponse) as raised:
        bench.do(create)
    assert not raised.value.definite and not raised.value.transient


@pytest.mark.rule("R55")
def test_a_task_without_an_id_is_in_doubt(bench: Bench) -> None:
    """It says that it was done, and does not say what."""
    bench.data["prompt"] = "A poster"
    bench.sandbox.fault("missing-task-id", on="create")
    with pytest.raises(InDoubt):
        bench.do(create)


def test_text_of_the_service_is_short_and_harmless_in_errors(bench: Bench) -> None:
    """Control and format characters are made visible; the key and long texts do not get through."""
    error = caught(bench, "success-false-200", error=f"\x1b[2J\u202e{SANDBOX_KEY}" + "x" * 1000)
    assert "\\u{1b}[2J\\u{202e}" in error.message and "\x1b" not in error.message
    assert SANDBOX_KEY not in error.message and len(error.message) < 300
    assert visible("a\tb\n你　好") == "a\\u{9}b\\u{a}你　好"


@pytest.mark.rule("R8")
@pytest.mark.parametrize("status", [302, 307, 308])
def test_fault_body_with_key_resent_on_redirect(bench: Bench, status: int) -> None:
    """No redirect is followed on any call, so that nothing reaches the other host."""
    with Sandbox() as other:
        for on in ("upload", "prepare", "create", "task", "send", "messages"):
            bench.sandbox.fault(f"redirect-{status}", on=on, to=other.url)
        client = bench.client
        calls: list[Callable[[], object]] = [
            lambda: client.upload("a", b"a"), lambda: client.prepare([], [], None, {}),
            lambda: client.create("p", []), lambda: client.task("t"), lambda: client.send("t", "w", []),
            lambda: client.messages("t"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(BadResponse):
                call()
        assert len(bench.sandbox.requests) == 6 and other.requests == []


@pytest.mark.rule("R82")
def test_fault_success_false_taken_for_sent(bench: Bench) -> None:
    """A message that was refused is not sent; one without an id may have been."""
    finished(bench)
    bench.data |= {"words": "Darker", "references": []}
    bench.sandbox.fault("success-false-200", on="send")
    with pytest.raises(ApiError):
        bench.do(send)
    bench.sandbox.fault("missing-message-id", on="send")
    with pytest.raises(InDoubt):
        bench.do(send)
    assert bench.data["message_id"] is None


def test_fault_polling_a_404(bench: Bench, run: Run, clock: Clock) -> None:
    """A task that is not there ends the wait at once, in the look and in the command."""
    bench.data["task_id"] = "task_gone"
    bench.do(look)
    assert bench.data["task_status"] == "gone"
    assert isinstance(run("poll", "--task-id", "task_gone").exception, ApiError)
    assert len(bench.sandbox.requests) == 2 and clock.naps == []


@pytest.mark.rule("R85")
def test_fault_waiting_on_after_a_failed_reply(bench: Bench, run: Run, clock: Clock) -> None:
    """A failed answer ends the wait, as a failure, and is not passed off as done."""
    finished(bench)
    bench.data |= {"words": "Darker", "references": []}
    bench.sandbox.fault("message-failed", on="send")
    bench.do(send)
    bench.do(read_answer)
    assert bench.data["change_status"] == "failed" and bench.data["change_reply"] == ""
    result = run("get-messages", "--task-id", bench.data["task_id"], "--wait")
    assert isinstance(result.exception, ActionError) and "Status: failed" in result.stdout
    assert result.exception.type == "service" and clock.naps == []


@pytest.mark.rule("R85")
def test_fault_waiting_without_since_id(bench: Bench, run: Run, clock: Clock) -> None:
    """The answer to the message before is not the answer to the latest."""
    finished(bench)
    bench.sandbox.settings(looks=3)
    task = bench.data["task_id"]
    for words in ("Darker", "Brighter"):
        assert "Message ID: " in run("send-message", "--task-id", task, "-m", words).stdout
        result = run("get-messages", "--task-id", task, "--wait")
        assert f"[REPLY] Done: “{words}”" in result.stdout
    assert clock.naps and set(clock.naps) == {3.0}


def test_fault_duplicate_file_tokens(bench: Bench, run: Run, tmp_path: Path) -> None:
    """A token that is given again on a later turn is introduced once all the same."""
    token, saved = bench.client.upload("a.png", b"a"), str(tmp_path / "talk.json")
    run("prepare", "-m", "one", "--file-token", token, "--file-token", token, "--save", saved)
    run("prepare", "-m", "two", "--file-token", token, "--input", saved)
    run("create", "-p", "A poster", "--file-token", token, "--file-token", token)
    for request in bench.asked("POST", "/prepare"):
        assert request.body["file_tokens"] == [token] and str(request.body["messages"]).count(token) == 1
    assert bench.asked("POST", "/tasks")[0].body["file_tokens"] == [token]


@pytest.mark.parametrize("fault", ["drop-after", "reset-body", "missing-task-id", "bad-gateway"])
def test_fault_a_lost_create_answer_as_a_plain_error(bench: Bench, run: Run, fault: str) -> None:
    """It is in doubt, says so, and advises against a second try; nothing is repeated by itself."""
    bench.sandbox.fault(fault, on="create", times=0)
    result = run("create", "-p", "A poster")
    assert isinstance(result.exception, InDoubt) and "before you repeat it" in result.exception.hint
    assert len(bench.sandbox.requests) == 1
    plan(bench, "one", "two")
    with pytest.raises(ActionError) as raised:
        bench.do(create)
    assert not raised.value.definite and len(bench.asked("POST", "/tasks")) == 2


@pytest.mark.rule("R8")
def test_fault_a_redirect_saved_as_the_image(bench: Bench, run: Run, tmp_path: Path) -> None:
    """A download that is sent elsewhere writes nothing and goes nowhere."""
    finished(bench)
    with Sandbox() as other:
        bench.sandbox.fault("redirect-302", on="page", to=other.url)
        result = run("poll", "--task-id", bench.data["task_id"], "--output", str(tmp_path))
        assert isinstance(result.exception, BadResponse) and other.requests == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.rule("R14")
def test_fault_a_file_name_that_climbs(bench: Bench, run: Run, tmp_path: Path) -> None:
    """Only the base name counts, in the folder that was chosen, as a new file; and the key stays at home."""
    finished(bench)
    bench.sandbox.fault("hostile-file-name", on="task", times=0)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    result = run("poll", "--task-id", bench.data["task_id"], "--output", str(folder))
    assert f"[RESULT] {folder / 'authorized_keys'}" in result.stdout
    assert (folder / "authorized_keys").read_bytes().startswith(b"<svg")
    link = f"{bench.data['task_url']}/image.svg"
    for name, wanted in {"/etc/x": "x", "..\\y": "y", "..": "image", ".bashrc": "bashrc"}.items():
        assert save(link, name, folder) == folder / wanted
    with pytest.raises(UsageError):
        save(link, "a/..", folder)
    found = {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*") if each.is_file()}
    assert found == {"a/b/authorized_keys", "a/b/x", "a/b/y", "a/b/image", "a/b/bashrc"}
    assert "authorization" not in bench.sandbox.requests[-1].headers


@pytest.mark.rule("R5", "R11")
def test_fault_a_key_file_open_at_first_and_a_key_echoed(run: Run) -> None:
    """The mode is 600 from the first instant, and no output holds the key or its beginning."""
    results = [run("config", "set", "api_key", stdin="sk-secret-0123456789\n"), run("config", "get")]
    results += [
        run("config", "get", "api_key"),
        run("config", "path"),
        run("config", "set", "api_key", "sk-secret-1"),
    ]
    assert Config(Path.home()).path.stat().st_mode & 0o777 == 0o600
    assert "set (from ~/.config/anygen/config.json)" in results[1].stdout
    assert not any("sk-sec" in each.output + str(each.exception) for each in results)


@pytest.mark.rule("R6")
def test_fault_other_clients_settings_lost(run: Run) -> None:
    """Whatever else is in the file survives that a key is set and deleted."""
    path = Config(Path.home()).path
    path.parent.mkdir(parents=True)
    others = {"zeta": [1, {"x": None}], "default_language": "zh-CN", "api_key": "sk-old-000000000000"}
    path.write_text(json.dumps(others), encoding="utf-8")
    run("config", "set", "api_key", stdin="sk-new-000000000000")
    assert json.loads(path.read_text(encoding="utf-8")) == {**others, "api_key": "sk-new-000000000000"}
    run("config", "delete", "api_key")
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "zeta": [1, {"x": None}],
        "default_language": "zh-CN",
    }
    assert [each for each in Path.home().rglob("*") if each.is_file()] == [path]
