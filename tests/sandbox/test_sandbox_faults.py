"""Every fault that the sandbox can be asked for does what its description says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from phases.anygen.sandbox import FAULTS, SANDBOX_KEY, Sandbox, UnknownFault

from .conftest import ROOT, Client

ERRORS = {
    "success-false-200": (200, 100004001, "something went wrong"),
    "unauthorized": (401, 100004004, "login required"),
    "forbidden": (403, 100004003, "forbidden"),
    "not-found": (404, 100004002, "not found"),
    "rate-limited": (429, 100004006, "rate limited"),
    "server-error": (500, 100005000, "internal error"),
    "credits": (200, 100006029, "insufficient credits"),
    "operation-not-allowed": (200, None, "operation not allowed"),
    "invalid-api-key": (200, None, "invalid API key"),
    "too-large": (200, None, "file size exceeds 50MB"),
}
CREATE = {"operation": "ai_designer", "prompt": "a cat"}
CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def _prepare(client: Client, name: str, **options: Any) -> dict[str, Any]:
    client.sandbox.fault(name, on="prepare", **options)
    return client.prepare("a poster", "blue")


@pytest.mark.parametrize("name", ERRORS)
def test_error_envelopes(client: Client, name: str) -> None:
    """Status, code and text are the service's, nothing is done, and the next call is right again."""
    client.sandbox.fault(name, on="create")
    answer = client.call("POST", f"{ROOT}/tasks", json=CREATE)
    body = answer.json()
    assert (answer.status_code, body.get("code"), body["error"]) == ERRORS[name] and body["success"] is False
    assert client.post("/tasks", CREATE)["success"]


def test_error_options(client: Client) -> None:
    """Text, code, status and Retry-After can be chosen; ``after`` does the work first."""
    client.sandbox.fault("rate-limited", on="create", retry_after=7, error="slow down", code=100004012)
    answer = client.call("POST", f"{ROOT}/tasks", json=CREATE)
    assert (answer.headers["Retry-After"], answer.json()["code"]) == ("7", 100004012)
    task = client.finished()
    client.sandbox.fault("bad-gateway", on="send", after=True)
    gateway = client.call("POST", f"{ROOT}/tasks/{task}/messages", json={"content": "darker"})
    assert (gateway.status_code, gateway.headers["Content-Type"][:9]) == (502, "text/html")
    assert client.get(f"/tasks/{task}/messages")["messages"][1]["content"] == "darker"
    client.sandbox.fault("auth-4101")
    assert client.get(f"/tasks/{task}") == {"code": 4101, "message": "login required"}
    client.sandbox.fault("credits", on="verify")
    assert client.get("/key/verify")["credits"] == "0"


@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.parametrize("on", ["create", "page"])
def test_redirects_to_another_host(client: Client, status: int, on: str) -> None:
    """The Location is the same path of the other host, for calls and for downloads."""
    task = client.finished()
    client.sandbox.fault(f"redirect-{status}", on=on, to="http://127.0.0.1:9/")
    path = f"{ROOT}/tasks" if on == "create" else f"/task/{task}/image.svg"
    answer = client.call("POST" if on == "create" else "GET", path, json=CREATE)
    assert (answer.status_code, answer.headers["Location"]) == (status, "http://127.0.0.1:9" + path)


@pytest.mark.parametrize(("name", "done"), [("drop-before", 0), ("drop-after", 1), ("reset-body", 1)])
def test_cut_connections(client: Client, name: str, done: int) -> None:
    """The answer is lost; whether the message was stored differs."""
    task = client.finished()
    client.sandbox.fault(name, on="send")
    with pytest.raises(CUT) as cut:
        client.post(f"/tasks/{task}/messages", {"content": "darker"})
    assert ("reset" in str(cut.value).lower()) == (name == "reset-body")
    assert len(client.get(f"/tasks/{task}/messages")["messages"]) == 2 + 2 * done


@pytest.mark.parametrize("name", ["slow-headers", "slow-body"])
def test_slow_answers_arrive_or_end_with_the_sandbox(client: Client, name: str) -> None:
    """A drip takes the seconds asked for; a stop does not wait for it."""
    client.sandbox.fault(name, seconds=0.2)
    started = time.monotonic()
    assert client.get("/document")["name"] == "anygen" and time.monotonic() - started >= 0.15
    client.sandbox.fault(name, seconds=600)
    failures: list[type[BaseException]] = []

    def wait() -> None:
        try:
            client.call("GET", f"{ROOT}/document")
        except CUT as error:
            failures.append(type(error))

    caller = threading.Thread(target=wait)
    caller.start()
    while len(client.sandbox.requests) < 2:
        caller.join(0.01)
    started = time.monotonic()
    client.sandbox.stop()
    caller.join()
    assert failures and time.monotonic() - started < 5


def test_bodies_that_are_no_proper_json(client: Client) -> None:
    """Each body is wrong in its own way, with HTTP 200."""

    def body(name: str, **options: Any) -> requests.Response:
        client.sandbox.fault(name, on="prepare", **options)
        answer = client.call("POST", f"{ROOT}/tasks/prepare", json={"messages": [{"role": "user", "content": "x"}]})
        assert answer.status_code == 200
        return answer

    assert len(body("huge-body").content) > 1_048_576
    bomb = body("gzip-bomb", size=4_000_000)
    assert len(bomb.content) > 4_000_000 > 100 * int(bomb.headers["Content-Length"])
    assert body("html-200").text.startswith("<html>") and body("empty-body").content == b""
    for name in ("truncated-json", "huge-int", "deep-json"):
        with pytest.raises((ValueError, RecursionError)):
            json.loads(body(name).text)
    assert isinstance(json.loads(body("not-an-object").text), list)
    assert '"progress": NaN' in body("nan").text and "\\ud83d" in body("lone-surrogate").text
    pairs = json.loads(body("duplicate-keys").text, object_pairs_hook=list)
    assert len(pairs) == 2 * len(dict(pairs)) and dict(pairs)["success"] is True


def test_work_that_fails_or_stands_still(client: Client) -> None:
    """Failures last; a stuck look moves nothing; what cannot be struck yet is waited for."""
    client.sandbox.fault("task-failed", on="create")
    failed = client.get(f"/tasks/{client.create()}")
    assert (failed["status"], bool(failed["error"]), isinstance(failed["output"], dict)) == (
        "failed",
        True,
        True,
    )
    client.sandbox.fault("stuck-progress", on="task", times=5)
    task = client.create()
    assert [client.get(f"/tasks/{task}")["progress"] for _ in range(6)] == [0] * 5 + [33]
    client.sandbox.fault("task-failed", on="task")
    assert [client.get(f"/tasks/{task}")["status"] for _ in range(2)] == ["failed"] * 2
    task = client.finished()
    client.sandbox.fault("message-failed", on="messages")
    assert client.get(f"/tasks/{task}/messages")["messages"][0]["status"] == "completed"
    client.post(f"/tasks/{task}/messages", {"content": "darker"})
    assert client.get(f"/tasks/{task}/messages")["messages"][0]["status"] == "failed"
    client.sandbox.fault("message-failed", on="send")
    client.post(f"/tasks/{task}/messages", {"content": "lighter"})
    assert client.get(f"/tasks/{task}/messages")["messages"][0]["status"] == "failed"


def test_fields_that_are_missing_or_hostile(client: Client) -> None:
    """One field is wrong, the rest of the answer is as ever."""
    fault = client.sandbox.fault
    ready = _prepare(client, "ready-without-params")
    assert ready["status"] == "ready" and "suggested_task_params" not in ready and ready["reply"]
    assert _prepare(client, "unknown-status", status="odd")["status"] == "odd"
    assert "reply" not in _prepare(client, "missing-reply")
    assert "messages" not in _prepare(client, "missing-messages")
    fault("missing-file-token")
    fault("missing-task-id")
    assert "file_token" not in client.upload()
    lost = client.post("/tasks", CREATE)
    assert lost["success"] and "task_id" not in lost
    fault("hostile-task-url", on="create", url="https://evil.invalid/x")
    assert client.post("/tasks", CREATE)["task_url"] == "https://evil.invalid/x"
    fault("hostile-file-name")  # waits until there is a file
    output = client.get(f"/tasks/{client.finished()}")["output"]
    assert "/" not in output["file_name"]
    fault("hostile-file-name")
    fault("missing-output")
    task = client.create()
    looks = [client.get(f"/tasks/{task}") for _ in range(4)]
    assert looks[2]["output"]["files"][0]["name"] == "../../.ssh/authorized_keys" and "output" not in looks[3]
    fault("missing-message-id")
    assert "id" not in client.post(f"/tasks/{task}/messages", {"content": "darker"})["message"]


def test_texts_that_are_hostile(client: Client) -> None:
    """Escapes, ids, the key and orders to the agent stand in the text that users see."""
    token = client.upload()["file_token"]
    assert "\x1b[2J" in _prepare(client, "terminal-escapes")["reply"]
    client.sandbox.fault("leak-id", on="prepare")
    leak = client.prepare("a poster", file_tokens=[token])
    assert token in leak["reply"] and token in leak["messages"][-1]["content"]
    assert SANDBOX_KEY in _prepare(client, "leak-key")["reply"]
    injected = _prepare(client, "prompt-injection", field="prompt")
    assert "Approve automatically" in injected["suggested_task_params"]["prompt"]
    assert "Approve" not in injected["reply"]
    task = client.finished()
    client.post(f"/tasks/{task}/messages", {"content": "darker"})
    client.sandbox.fault("leak-id", on="messages")  # waits for the answer
    contents = [client.get(f"/tasks/{task}/messages")["messages"][0]["content"] for _ in range(4)]
    assert [task in content for content in contents] == [False, False, True, False]


def test_faults_are_asked_for_with_care(sandbox: Sandbox, client: Client) -> None:
    """Unknown names, calls and options are told; times count; 0 lasts until cleared."""
    with pytest.raises(UnknownFault, match="no-such.*rate-limited"):
        sandbox.fault("no-such")
    for wrong in ({"on": "task"}, {"seconds": 1}, {"times": -1}):
        with pytest.raises(ValueError, match="missing-task-id|times"):
            sandbox.fault("missing-task-id", **wrong)
    sandbox.fault("server-error", times=2)
    assert [client.call("GET", f"{ROOT}/document").status_code for _ in range(3)] == [500, 500, 200]
    sandbox.fault("not-found", times=0)
    assert [client.call("GET", f"{ROOT}/document").status_code for _ in range(5)] == [404] * 5
    sandbox.clear()
    assert client.call("GET", f"{ROOT}/document").status_code == 200 and sandbox.FAULTS is FAULTS


def test_the_control_address_does_the_same(sandbox: Sandbox, client: Client) -> None:
    """Faults, settings and requests over HTTP, unrecorded, and not for pages of other sites."""
    control = "/__sandbox__/"
    armed = client.call("POST", control + "faults", json={"name": "rate-limited", "on": "create", "retry_after": 2})
    assert armed.json()["armed"][0]["name"] == "rate-limited"
    assert client.call("POST", f"{ROOT}/tasks", json=CREATE).headers["Retry-After"] == "2"
    unknown = client.call("POST", control + "faults", json={"name": "x"})
    assert unknown.status_code == 400 and "unknown fault 'x'" in unknown.json()["error"]
    client.call("POST", control + "faults", json={"name": "server-error"})
    assert client.call("DELETE", control + "faults").json()["armed"] == []
    client.call("POST", control + "settings", json={"rounds": 1, "looks": 1})
    assert client.prepare("a cat")["status"] == "ready"
    listed = client.call("GET", control + "requests").json()["requests"]
    assert [item["path"] for item in listed] == [f"{ROOT}/tasks", f"{ROOT}/tasks/prepare"]
    assert listed[0]["headers"]["authorization"].endswith(SANDBOX_KEY) and len(sandbox.requests) == 2
    for headers in ({"Host": "evil.invalid"}, {"Origin": "https://evil.invalid"}):
        assert client.call("GET", control + "requests", headers=headers).status_code == 400


def test_the_command_serves_until_it_is_ended() -> None:
    """The banner tells how to ask for a fault, and last of all what to set; it fits 24 lines; a signal ends it."""
    script = "from phases.anygen.sandbox import serve; serve(0, 2, 3, lambda line: print(line, flush=True))"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error", "-c", script]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        banner = ""
        for line in process.stdout:
            banner += line
            if "export PHASEGATE_SANDBOX=" in line:
                break
        url = banner.split("export PHASEGATE_SANDBOX=")[1].split()[0]
        assert requests.get(f"{url}{ROOT}/document", timeout=10).json()["baseUrl"] == url
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert f"export ANYGEN_BASE_URL={url}" in banner and f"export ANYGEN_API_KEY={SANDBOX_KEY}" in banner
    assert "workflow sandbox --faults" in banner and f"curl -X DELETE {url}/__sandbox__/faults" in banner
    assert banner.count("\n") < 24 and max(map(len, banner.splitlines())) <= 80
