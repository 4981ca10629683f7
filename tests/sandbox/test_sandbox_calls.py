"""The calls of the service: every one, in every form in which real clients make it."""

from __future__ import annotations

import hashlib
import threading
import xml.etree.ElementTree as Xml
from typing import Any

import pytest
import requests

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox

from .conftest import ROOT, Client

MAX = 52_428_800


@pytest.mark.parametrize("prefix", ["Bearer ", ""])
def test_every_style_of_key_is_accepted(sandbox: Sandbox, prefix: str) -> None:
    """The key may come in the header, the JSON, the form or the query, with or without Bearer."""
    url, key = sandbox.url + ROOT, prefix + SANDBOX_KEY
    body = {"messages": [{"role": "user", "content": "a logo"}]}
    with requests.Session() as bare:
        bare.trust_env = False
        answers = [
            bare.post(f"{url}/tasks/prepare", json=body, headers={"Authorization": key}),
            bare.post(f"{url}/tasks/prepare", json={**body, "auth_token": key}),
            bare.post(f"{url}/files/upload", files={"file": ("a", b"1")}, data={"auth_token": key}),
            bare.get(f"{url}/tasks/operations", params={"auth_token": key}),
        ]
        refused = bare.post(f"{url}/tasks/prepare", json=body)
        strange = bare.get(f"{url}/tasks/x", headers={"Authorization": "Basic bmV0cmM="})
    assert [answer.json()["success"] for answer in answers] == [True] * 4
    assert (refused.status_code, refused.json()["code"]) == (401, 100004004)
    assert (strange.status_code, strange.json()["error"]) == (401, "invalid API key")
    assert {"x-request-id", "x-tt-logid"} <= set(refused.headers)


def test_verify_counts_credits_or_leads_to_a_key(sandbox: Sandbox, client: Client) -> None:
    """Credits are text; without a good key there is a way to get one, which ends with the sandbox's key."""
    assert client.get("/key/verify") == {
        **{"success": True, "verified": True, "credits": "1000"},
        **{"user_id": "user_sandbox", "api_key_name": "sandbox"},
    }
    sandbox.refuse("sk-bad")
    start = client.get("/key/verify", headers={"Authorization": "sk-bad"})
    assert not start["verified"]
    assert SANDBOX_KEY in requests.get(start["auth_url"], timeout=10).text
    got = client.get("/key/get", params={"fetch_token": start["fetch_token"]})
    assert (got["allocated"], got["api_key"]) == (True, SANDBOX_KEY)
    assert not client.get("/key/get", params={"fetch_token": "ft_guessed"})["allocated"]


def test_a_client_can_be_driven_by_the_discovery_document(client: Client) -> None:
    """A whole run in which every path and parameter comes from the document."""
    document = client.get("/document")
    task = document["resources"]["task"]
    message, upload = task["resources"]["message"], document["resources"]["file"]["methods"]["upload"]
    methods = [*task["methods"].values(), *message["methods"].values(), upload]
    assert {method["id"] for method in methods} == {
        *("task.operations", "task.prepare", "task.create", "task.get"),
        *("task.message.send", "task.message.list", "file.upload"),
    }
    assert upload["parameters"]["file"]["type"] == "binary"
    assert "request" not in upload

    def run(method: dict[str, Any], body: Any = None, **params: str) -> dict[str, Any]:
        path = method["path"]
        for name, parameter in method["parameters"].items():
            path = path.replace(f":{name}", params[name]) if parameter["location"] == "path" else path
        for name, schema in method.get("request", {}).get("properties", {}).items():
            assert name in body or not schema.get("required")
        answer: dict[str, Any] = client.call(method["httpMethod"], path, json=body).json()
        assert answer["success"] is True
        assert set(method["response"]["properties"]) & set(answer)
        return answer

    assert "ai_designer" in [item["operation"] for item in run(task["methods"]["operations"])["operations"]]
    created = run(task["methods"]["create"], {"operation": "ai_designer", "prompt": "a cat"})
    while run(task["methods"]["get"], task_id=created["task_id"])["status"] != "completed":
        pass
    run(message["methods"]["send"], {"content": "darker"}, task_id=created["task_id"])
    assert run(message["methods"]["list"], task_id=created["task_id"])["messages"][0]["status"] == "running"


def test_uploads_are_kept_as_digest_and_size(sandbox: Sandbox, client: Client) -> None:
    """The recorder knows digest and size, the answer a token nobody can guess."""
    answer = client.upload(b"pixels", "été.png")
    assert (answer["filename"], answer["file_size"]) == ("été.png", 6)
    assert answer["file_token"].startswith("tk_") and answer["file_token"] != client.upload()["file_token"]
    part = sandbox.requests[0].files[0]
    assert part == ("file", "été.png", hashlib.sha256(b"pixels").hexdigest(), 6)
    assert client.post("/files/upload", {})["error"] == "file is required"


def test_the_limit_of_an_upload_is_exact(client: Client) -> None:
    """52,428,800 bytes pass, one more does not."""
    content = bytes(MAX + 1)
    assert client.upload(content[:MAX])["success"]
    assert client.upload(content) == {"success": False, "error": "file size exceeds 50MB", "code": 100004001}


def test_prepare_understands_every_form_of_message(client: Client) -> None:
    """Text, parts and {text} mean the same, and content never comes back as an object."""
    token = client.upload()["file_token"]
    forms: list[Any] = [
        "a poster for a fair",
        {"text": "a poster for a fair"},
        [{"type": "text", "text": "a poster for a fair"}, {"type": "file", "file_token": token}],
    ]
    for form in forms:
        body = {"messages": [{"role": "user", "content": form}], "file_tokens": [token, token]}
        answer = client.post("/tasks/prepare", {**body, "operation": "ai_designer", "extra": {"a": 1}})
        assert answer["status"] == "collecting" and "poster for “a fair”" in answer["reply"]
        assert "suggested_task_params" not in answer
        assert all(isinstance(message["content"], str | list) for message in answer["messages"])
        assert answer["messages"][-1]["role"] == "assistant" and len(answer["messages"]) == 2
    body["messages"].append({"role": "user", "content": "blue", "files": [{"file_token": token}]})
    assert client.post("/tasks/prepare", body)["suggested_task_params"]["file_tokens"] == [token]


def test_prepare_asks_only_what_is_open_and_nothing_twice(sandbox: Sandbox, client: Client) -> None:
    """What was told is not asked, and the questions of a later round are others."""
    sandbox.settings(rounds=3)
    first = client.prepare("A retro poster for a jazz night, deep blue, titled “Harbour Jazz”")
    second = client.prepare("A retro poster for a jazz night, deep blue, titled “Harbour Jazz”", "A3 print")
    asked = [line[3:] for line in (first["reply"] + "\n" + second["reply"]).splitlines() if line[:1].isdigit()]
    assert len(asked) == len(set(asked)) >= 2
    assert not any(word in question for question in asked for word in ("colours", "style", "words"))
    assert "where" in first["reply"].lower() and "where" not in second["reply"].lower()
    assert first["prepare_session_id"].startswith("ps_")
    assert client.prepare("a logo", prepare_session_id="ps_mine")["prepare_session_id"] == "ps_mine"


def test_the_plan_holds_every_word_and_follows_changes(client: Client) -> None:
    """The plan has the user's texts word for word; a later change makes a new plan at once."""
    texts = ["A banner for our <summer> sale", "orange, for the website\nno clutter"]
    plan = client.prepare(*texts)["suggested_task_params"]["prompt"]
    assert all(text in plan for text in texts) and plan.startswith("# Banner:") and plan.count("\n\n## ") >= 7
    changed = client.prepare(*texts, "make it green instead")
    prompt = changed["suggested_task_params"]["prompt"]
    assert changed["status"] == "ready" and "make it green instead" in changed["reply"]
    assert prompt != plan and "make it green instead" in prompt and "## Colour and mood\ngreen" in prompt


def test_a_chinese_request_is_answered_in_chinese(sandbox: Sandbox, client: Client) -> None:
    """Questions, plan, page and the answer to a change are in Chinese."""
    asked = client.prepare("请帮我设计一张关于春节庙会的海报")
    assert "海报" in asked["reply"] and "色调" in asked["reply"] and "Which" not in asked["reply"]
    plan = client.prepare("请帮我设计一张关于春节庙会的海报", "红色，竖版")["suggested_task_params"]["prompt"]
    assert plan.startswith("# 海报：春节庙会") and "## 色彩与氛围\n红色" in plan
    sandbox.settings(looks=1)
    task = client.finished(plan)
    client.post(f"/tasks/{task}/messages", {"content": "把背景调暗"})
    assert client.get(f"/tasks/{task}/messages")["messages"][0]["content"] == "已完成：“把背景调暗”。背景更暗了。"
    assert 'lang="zh-CN"' in client.call("GET", f"/task/{task}").text


def test_rounds_and_looks_can_be_one(client: Client) -> None:
    """Ready on the first call, completed on the first look."""
    with Sandbox(rounds=1, looks=1) as quick:
        quickly = Client(quick, client.session)
        assert quickly.prepare("a cat")["status"] == "ready"
        assert quickly.get(f"/tasks/{quickly.create()}")["progress"] == 100
    with pytest.raises(ValueError, match="looks"):
        Sandbox(looks=0)


def test_create_takes_known_operations_and_ignores_what_was_dropped(client: Client) -> None:
    """ai_designer with all the old fields passes; dashes, chat, no prompt and unknown tokens do not."""
    good = {
        "operation": "ai_designer",
        "prompt": "a cat",
        "language": "en-US",
        "files": [{"file_data": "AA=="}],
    }
    answer = client.post("/tasks", good)
    assert answer["success"] and answer["task_url"].endswith(f"/task/{answer['task_id']}")
    assert isinstance(answer["content_version"], int)
    for operation in ("ai-designer", "chat", "image", ["ai_designer"]):
        assert client.post("/tasks", {**good, "operation": operation})["error"] == "operation not allowed"
    assert client.post("/tasks", {**good, "operation": ""})["error"] == "operation is required"
    assert client.post("/tasks", {**good, "prompt": " "})["error"] == "prompt is required"
    assert client.post("/tasks", {**good, "file_tokens": ["tk_x"]})["error"] == "invalid file token"
    assert client.post("/tasks", {**good, "operation": "slide"})["success"]


def test_a_task_moves_with_every_look(client: Client) -> None:
    """Progress grows look by look; output is an object with every field from the beginning."""
    task = client.create()
    seen = [client.get(f"/tasks/{task}") for _ in range(4)]
    assert [look["progress"] for look in seen] == [33, 66, 100, 100]
    assert [look["status"] for look in seen] == ["processing", "processing", "completed", "completed"]
    assert set(seen[0]["output"]) == set(seen[3]["output"]) and seen[0]["output"]["files"] == []
    output = seen[3]["output"]
    assert output["files"][0]["url"] == output["file_url"] and output["file_name"] == "Jazz-night.svg"
    assert requests.get(output["file_url"], timeout=10).headers["Content-Type"].startswith("image/svg+xml")
    missing = client.call("GET", f"{ROOT}/tasks/task_none")
    assert (missing.status_code, missing.json()["code"]) == (404, 100004002)


def test_a_modification_is_answered_after_some_looks(client: Client) -> None:
    """Only a completed task takes one; the placeholder runs at once, then comes the answer."""
    unfinished = client.create()
    assert client.post(f"/tasks/{unfinished}/messages", {"content": "x"})["error"] == "task is not completed"
    task, token = client.finished(), client.upload()["file_token"]
    sent = client.post(f"/tasks/{task}/messages", {"content": "Make it darker", "file_tokens": [token]})
    assert sent["status"] == "processing" and isinstance(sent["message"]["id"], int)
    assert client.post(f"/tasks/{task}/messages", {"content": "x", "files": [{"file_token": "tk_x"}]})["error"]
    pages = [client.get(f"/tasks/{task}/messages") for _ in range(3)]
    newest = [page["messages"][0] for page in pages]
    assert [(item["status"], bool(item["content"])) for item in newest[:2]] == [("running", False)] * 2
    assert newest[2]["status"] == "completed" and "darker" in newest[2]["content"]
    assert newest[2]["id"] > sent["message"]["id"]
    assert pages[0]["task_snapshot"] == {"status": "completed", "content_version": 1, "can_export": False}
    assert pages[2]["task_snapshot"] == {"status": "completed", "content_version": 2, "can_export": True}
    assert pages[2]["messages"][-1]["content"] == "# Poster: Jazz night"


def test_messages_are_paged_newest_first_without_loss(client: Client) -> None:
    """Ten unless told, a hundred at most; the cursor leads through all of them once."""
    task = client.finished()
    for number in range(55):
        client.post(f"/tasks/{task}/messages", {"content": f"change {number}"})
    assert len(client.get(f"/tasks/{task}/messages")["messages"]) == 10
    first = client.get(f"/tasks/{task}/messages", params={"limit": 999})
    assert len(first["messages"]) == 100 and first["has_more"]
    rest = client.get(f"/tasks/{task}/messages", params={"limit": 100, "cursor": first["cursor"]})
    ids = [message["id"] for message in first["messages"] + rest["messages"]]
    assert len(ids) == 112 and ids == sorted(set(ids), reverse=True)
    assert (rest["has_more"], rest["cursor"]) == (False, "")
    assert client.get(f"/tasks/{task}/messages", params={"cursor": "?"})["error"] == "invalid cursor"
    assert not client.get(f"/tasks/{task}/messages", params={"limit": "0"})["success"]


def test_the_page_shows_the_picture_and_fetches_nothing(client: Client) -> None:
    """The page moves nothing, escapes what people wrote and allows no other source; changes are visible."""
    task = client.create("# Poster: <script>alert(1)</script>\n\nred & gold \x00\ud83d")
    page = client.call("GET", f"/task/{task}")
    assert "progress" in page.text and client.call("GET", f"/task/{task}/image.svg").status_code == 404
    assert "default-src 'none'" in page.headers["Content-Security-Policy"] and "<script" not in page.text
    assert client.get(f"/tasks/{task}")["progress"] == 33
    client.get(f"/tasks/{task}"), client.get(f"/tasks/{task}")
    before = client.call("GET", f"/task/{task}/image.svg").content
    assert before == client.call("GET", f"/task/{task}/image.svg").content
    client.post(f"/tasks/{task}/messages", {"content": "Add a blue <logo> in the top-left corner"})
    for _ in range(3):
        client.get(f"/tasks/{task}/messages")
    after = client.call("GET", f"/task/{task}/image.svg").content
    root = Xml.fromstring(after)
    texts = "".join(root.itertext())
    assert "Add a blue <logo>" in texts and b'id="logo"' in after and b"hsl(216" in after and b"hsl(216" not in before
    assert "&lt;logo&gt;" in client.call("GET", f"/task/{task}").text
    assert client.call("GET", "/task/task_none").status_code == 404


def test_everything_is_recorded_and_everything_ends(client: Client) -> None:
    """Requests are kept with their headers; a stop leaves no thread, and a new start the same address."""
    sandbox = client.sandbox
    client.get("/tasks/x", params={"limit": "5"})
    request = sandbox.requests[-1]
    assert (request.method, request.path, request.query) == ("GET", f"{ROOT}/tasks/x", {"limit": "5"})
    assert request.headers["authorization"] == f"Bearer {SANDBOX_KEY}" and request.at > 0
    task, url = client.create(), sandbox.url
    sandbox.stop()
    sandbox.stop()
    others = set(threading.enumerate())  # such as the sandbox of another test
    sandbox.start()
    own = set(threading.enumerate()) - others
    sandbox.stop()
    assert own and not [thread for thread in own if thread.is_alive()]
    assert sandbox.start().url == url and client.get(f"/tasks/{task}")["success"]


def test_bad_requests_get_json(client: Client) -> None:
    """No JSON, deep JSON, chunks, unknown paths and methods: always an answer that can be read."""
    broken = client.call("POST", f"{ROOT}/tasks", data=b"{")
    assert (broken.status_code, broken.json()["error"]) == (400, "the request body is not valid JSON")
    assert client.call("POST", f"{ROOT}/tasks", data=b"[" * 100_000).status_code == 400
    assert client.call("POST", f"{ROOT}/tasks", json=[1]).json()["error"] == "operation is required"
    chunks = iter([b'{"operation": "ai_designer", ', b'"prompt": "a cat"}'])
    assert client.call("POST", f"{ROOT}/tasks/", data=chunks).json()["success"]
    assert client.call("GET", "/v2").json()["code"] == 100004002
    assert client.call("PUT", f"{ROOT}/tasks").status_code == 404
    assert client.call("BREW", "/").json()["success"] is False
