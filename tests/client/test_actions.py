"""The five phases' actions and guards against the sandbox: what is sent, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from phases.anygen.client import MAX_FILE, normalise_operation
from phases.confirm import plan_ready
from phases.create import adopt, create, ordered
from phases.deliver import look, task_completed, task_failed, task_running
from phases.revise import change_done, change_failed, find_sent, read_answer, send, was_sent
from phases.understand import files_pending, files_usable, prepare, upload
from tests.client.conftest import Bench
from workflow import ActionError, ApiError, BadResponse, UsageError, Verdict

Json = dict[str, Any]
Judge = Callable[..., Verdict]
Offer = Callable[..., Json]


def plan(bench: Bench, *rounds: str) -> None:
    """Say one thing after the other."""
    for words in rounds:
        bench.data |= {
            "words": words,
            "references": bench.data.get("references", []) if words == rounds[0] else [],
        }
        bench.do(prepare)


def finished(bench: Bench) -> None:
    """A plan, its task, and one look at the finished image."""
    plan(bench, "A poster for a jazz night", "Blue, modern, with the date")
    bench.do(create)
    bench.do(look)
    assert bench.data["task_status"] == "completed"


@pytest.mark.rule("R10", "R38", "R49")
def test_every_round_sends_the_whole_conversation_in_the_same_session(bench: Bench) -> None:
    """History, session and last parameters go along; the key is in the header and nowhere else."""
    plan(bench, "A poster for a jazz night", "Blue,\r\nmodern  ", "Make it green")
    first, second, third = (each.body for each in bench.asked("POST", "/prepare"))
    assert first["messages"] == [{"role": "user", "content": [{"type": "text", "text": "A poster for a jazz night"}]}]
    assert "prepare_session_id" not in first and "base_suggested_task_params" not in first
    assert second["messages"][0] == first["messages"][0]
    assert [each["role"] for each in third["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert second["messages"][-1]["content"] == [{"type": "text", "text": "Blue,\r\nmodern  "}]
    assert third["prepare_session_id"] == second["prepare_session_id"] == bench.data["prepare_id"]
    assert third["base_suggested_task_params"]["prompt"] != bench.data["prompt"]
    assert all(each.headers["authorization"].startswith("Bearer sk-") for each in bench.sandbox.requests)
    assert not any("auth_token" in str(each.json) + str(each.query) for each in bench.sandbox.requests)


def test_a_repeated_prepare_says_nothing_twice(bench: Bench) -> None:
    """A round whose answer was lost leaves no trace in the next attempt."""
    bench.data |= {"words": "A poster"}
    bench.sandbox.fault("drop-after", on="prepare")
    with pytest.raises(ActionError):
        bench.do(prepare)
    bench.do(prepare)
    first, second = bench.asked("POST", "/prepare")
    assert first.body == second.body


@pytest.mark.rule("R35", "R36", "R37")
def test_files_are_introduced_once_and_described(bench: Bench, offer: Offer) -> None:
    """The token is in file_tokens on every turn and a part of one message; a declined file is nowhere."""
    used, declined = offer("a.png", b"a", "a red boat"), offer("b.png", b"b", "a secret map")
    bench.data |= {"words": "A poster", "references": [used, declined]}
    token = bench.do(upload, used, b"a").data["uploads"][used["sha256"]]
    plan(bench, "A poster", "Blue", "Green")
    assert bench.asked("POST", "/upload")[0].files[0].sha256 == used["sha256"]
    for number, request in enumerate(bench.asked("POST", "/prepare")):
        parts = [part for each in request.body["messages"] for part in each["content"]]
        assert request.body["file_tokens"] == [token]
        assert [part["file_token"] for part in parts if part["type"] == "file"] == [token]
        assert [part["text"] for part in parts if part["type"] == "text"][:2] == ["A poster", "a red boat"], number
        assert "map" not in str(request.body)


@pytest.mark.rule("R32", "R44")
def test_the_same_bytes_are_uploaded_and_introduced_once(bench: Bench, offer: Offer, judge: Judge) -> None:
    """Under another name and in a later round, too, the token is used again."""
    first, again = offer("a.png", b"a", "a boat"), offer("b.png", b"a", "the same boat")
    for number, reference in enumerate((first, again)):
        bench.data |= {"words": f"round {number}", "references": [reference]}
        assert judge(files_pending, bench.data).passes is (number == 0)
        bench.do(upload, reference, b"a")
        bench.do(prepare)
    assert len(bench.asked("POST", "/upload")) == 1
    last = bench.asked("POST", "/prepare")[-1].body
    assert str(last["messages"]).count("tk_") == len(last["file_tokens"]) == 1
    assert [part["text"] for part in last["messages"][-1]["content"]] == ["round 1", "the same boat"]


@pytest.mark.rule("R43")
def test_a_file_above_50_mb_never_leaves(bench: Bench) -> None:
    """52,428,800 bytes go, one more does not; the service's own refusal means the same."""
    assert bench.client.upload("ok.png", bytes(MAX_FILE)).startswith("tk_")
    with pytest.raises(ActionError) as raised:
        bench.client.upload("big.png", bytes(MAX_FILE + 1))
    assert raised.value.kind == "too_large" and len(bench.sandbox.requests) == 1
    bench.sandbox.fault("too-large", on="upload")
    with pytest.raises(ApiError) as refused:
        bench.client.upload("big.png", b"x")
    assert refused.value.kind == "too_large"


@pytest.mark.rule("R40")
def test_only_ready_with_a_prompt_is_a_plan(bench: Bench, judge: Judge) -> None:
    """Ready without parameters, and a status that nobody knows, leave everything as it was: still asking."""
    for fault in ("ready-without-params", "unknown-status"):
        bench.data = {"words": "one"}
        bench.do(prepare)
        bench.data["words"] = "two"
        bench.sandbox.fault(fault, on="prepare")
        bench.do(prepare)
        assert bench.data["plan"] == {} and not judge(plan_ready, bench.data).passes
        assert bench.data["prompt"] == "" and ordered(bench.data) == "one\n\ntwo"
    bench.do(prepare)
    assert judge(plan_ready, bench.data).passes
    assert bench.data["prompt"] == bench.data["plan"]["prompt"]
    assert not judge(plan_ready, {"plan": {"prompt": " "}}).passes


def test_answers_of_prepare_that_cannot_be_used(bench: Bench) -> None:
    """No reply while asking is no answer; no conversation means the one that was sent."""
    bench.data |= {"words": "A poster"}
    bench.sandbox.fault("missing-reply", on="prepare")
    with pytest.raises(BadResponse):
        bench.do(prepare)
    bench.sandbox.fault("missing-messages", on="prepare")
    bench.do(prepare)
    assert [each["role"] for each in bench.data["conversation"]["messages"]] == ["user"]


@pytest.mark.rule("R51", "R52", "R53")
def test_create_sends_the_prompt_byte_for_byte_with_the_same_files(bench: Bench, offer: Offer) -> None:
    """Whatever the service says of files in its parameters, those of the conversation go, each once."""
    reference = offer("a.png", b"a", "a boat")
    bench.data |= {"words": "A poster", "references": [reference]}
    bench.do(upload, reference, b"a")
    plan(bench, "A poster\n ", "Blue ")
    bench.data["plan"] = {**bench.data["plan"], "file_tokens": ["tk_other"]}
    bench.do(create)
    sent = bench.asked("POST", "/tasks")[0].body
    assert sent == {
        "operation": "ai_designer",
        "prompt": bench.data["prompt"],
        "file_tokens": list(bench.data["uploads"].values()),
    }
    assert bench.data["task_status"] == "processing" and bench.data["message_id"] is None


def test_the_operation_is_normalised_or_refused() -> None:
    """The old spelling is understood; anything else is a mistake of the caller."""
    assert {normalise_operation(each) for each in ("ai-designer", "ai_designer")} == {"ai_designer"}
    for other in ("chat", "slide", "AI_DESIGNER", ""):
        with pytest.raises(UsageError):
            normalise_operation(other)


@pytest.mark.rule("R54")
@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_prompt_never_leaves(bench: Bench, prompt: str) -> None:
    """It is refused here, and definitely nothing was begun."""
    bench.data |= {"prompt": prompt}
    with pytest.raises(ActionError) as raised:
        bench.do(create)
    assert raised.value.kind == "invalid" and raised.value.definite and not bench.sandbox.requests


@pytest.mark.rule("R55")
def test_task_and_link_are_kept(bench: Bench) -> None:
    """Later looks are at that task, through the link that was given."""
    finished(bench)
    assert bench.data["task_url"] == f"{bench.sandbox.url}/task/{bench.data['task_id']}"
    assert bench.sandbox.requests[-1].path.endswith(f"/tasks/{bench.data['task_id']}")


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://elsewhere.invalid/task/x", "{base}/task/x)](y", "{base}/a b",
     "{base}@e.invalid/", "{base}/" + "a" * 2100, "http://x.127.0.0.1/", "//127.0.0.1/x", "{base}/\u202egnp"],
)  # fmt: skip
def test_a_link_that_leads_elsewhere_is_replaced(bench: Bench, url: str) -> None:
    """Only a plain link to the service's own host is shown to anyone."""
    plan(bench, "one", "two")
    for on in ("create", "task"):
        bench.sandbox.fault("hostile-task-url", on=on, url=url.replace("{base}", bench.sandbox.url))
    bench.do(create)
    page = f"{bench.sandbox.url}/task/{bench.data['task_id']}"
    assert bench.data["task_url"] == page
    bench.do(look)
    assert bench.data["task_url"] == page


def test_links_to_parts_of_the_host_are_the_services_own(bench: Bench) -> None:
    """A subdomain is, a host that merely ends alike is not; a page must be exactly on the host."""
    client = type(bench.client)(bench.service, "https://www.anygen.io")
    assert client.owns("https://cdn.www.anygen.io/x.png?a=b") and client.owns("https://www.anygen.io:443/task/a")
    assert not any(map(client.owns, ["https://wwww.anygen.io/", "http://www.anygen.io/", "https://www.anygen.io:8/"]))
    assert client.task_of("https://www.anygen.io/task/task_1/?x=1#y") == "task_1"
    others = [
        "https://cdn.www.anygen.io/task/a",
        "https://www.anygen.io/task/..",
        "https://www.anygen.io/x/task/a",
    ]
    assert not any(map(client.task_of, others))


def test_a_found_task_is_adopted_if_it_is_a_new_image(bench: Bench) -> None:
    """A link of elsewhere, of nothing, or of the task from before is invalid."""
    finished(bench)
    link = bench.data["task_url"]
    for wrong in (link, "https://elsewhere.invalid/task/a", f"{bench.sandbox.url}/task/none", ""):
        bench.data["task_url"] = wrong
        with pytest.raises(ApiError) as raised:
            bench.do(adopt)
        assert raised.value.kind == "invalid"
    known = bench.data.pop("task_id")
    bench.data["task_url"] = link
    bench.do(adopt)
    assert (bench.data["task_id"], bench.data["task_status"]) == (known, "completed")


def test_a_look_says_how_far_it_is(bench: Bench, judge: Judge) -> None:
    """Progress from 0 to 100; a status that nobody knows is no end."""
    bench.sandbox.settings(looks=4)
    plan(bench, "one", "two")
    bench.do(create)
    assert bench.do(look).progress == 25
    bench.sandbox.fault("unknown-status", on="task", status="done?")
    bench.do(look)
    assert bench.data["task_status"] == "processing" and judge(task_running, bench.data).passes
    bench.sandbox.fault("task-failed", on="task")
    bench.do(look)
    assert judge(task_failed, bench.data).passes and not judge(task_running, bench.data).passes
    assert not judge(task_running, {}).passes and not judge(task_completed, bench.data).passes


@pytest.mark.rule("R82")
def test_the_messages_id_is_kept(bench: Bench, offer: Offer) -> None:
    """Words byte for byte, with the files of this round; the wait goes by the id."""
    finished(bench)
    reference = offer("logo.png", b"l", "a logo")
    bench.data |= {"words": "  Add the logo\n", "references": [reference]}
    token = bench.do(upload, reference, b"l").data["uploads"][reference["sha256"]]
    bench.do(send)
    assert bench.asked("POST", "/messages")[0].body == {
        "content": "  Add the logo\n",
        "files": [{"file_token": token}],
    }
    assert isinstance(bench.data["message_id"], int) and bench.data["change_status"] == "processing"


@pytest.mark.rule("R85", "R87")
def test_the_answer_is_one_to_our_message(bench: Bench, judge: Judge) -> None:
    """The last five are read; an older answer is not ours; with ours the link is asked for anew."""
    finished(bench)
    bench.sandbox.settings(looks=2)
    bench.data |= {"words": "Darker", "references": []}
    bench.do(send)
    bench.do(read_answer)
    assert bench.data["change_status"] == "processing" and not judge(change_done, bench.data).passes
    bench.do(read_answer)
    assert judge(change_done, bench.data).passes and "Darker" in bench.data["change_reply"]
    assert [each.query for each in bench.asked("GET", "/messages")] == [{"limit": "5"}] * 2
    assert bench.sandbox.requests[-1].path.endswith(bench.data["task_id"])


@pytest.mark.rule("R85")
def test_an_answer_on_a_later_page_is_found(bench: Bench) -> None:
    """Others may have written since; the pages behind are read until our message is reached."""
    finished(bench)
    bench.data |= {"words": "Darker", "references": []}
    bench.do(send)
    for number in range(40):
        bench.client.send(bench.data["task_id"], f"Others {number}", [])
    bench.do(read_answer)
    assert "Darker" in bench.data["change_reply"]
    assert [each.query["limit"] for each in bench.asked("GET", "/messages")] == ["5", "100"]


@pytest.mark.rule("R89")
def test_paging_over_250_messages_loses_none(bench: Bench) -> None:
    """Ten unless told, a hundred at most, the latest first, none twice."""
    finished(bench)
    sent = [bench.client.send(bench.data["task_id"], f"{number}", []) for number in range(125)]
    assert len(bench.client.messages(bench.data["task_id"]).messages) == 10
    assert bench.asked("GET", "/messages")[0].query == {"limit": "10"}
    found = [each.id for each in bench.client.newer(bench.data["task_id"], 0, first=100, pages=10)]
    assert len(found) == len(set(found)) == 252 and set(sent) <= set(found)
    assert found == sorted(found, reverse=True)


def test_a_message_in_doubt_is_looked_for(bench: Bench, judge: Judge) -> None:
    """Ours is the person's words, newer than what we sent before; the order of the image itself is not."""
    finished(bench)
    bench.data |= {"words": "Darker", "references": []}
    bench.do(find_sent)
    assert bench.data["change_status"] == "unknown" and not judge(was_sent, bench.data).passes
    bench.sandbox.fault("drop-after", on="send")
    with pytest.raises(ActionError) as raised:
        bench.do(send)
    assert not raised.value.definite
    bench.do(find_sent)
    assert judge(was_sent, bench.data).passes
    found = bench.data["message_id"]
    bench.do(find_sent)
    assert (bench.data["message_id"], bench.data["change_status"]) == (found, "unknown")
    bench.data |= {"message_id": None, "words": bench.data["prompt"]}
    bench.do(find_sent)
    assert bench.data["change_status"] == "unknown"


@pytest.mark.rule("R31")
def test_guards_over_what_was_given(judge: Judge, offer: Offer) -> None:
    """Every file is described; outcomes are told apart."""
    good, bare = offer("a.png", b"a", "a boat"), offer("b.png", b"b", " ")
    assert judge(files_usable, {}, {"references": [good]}).passes and judge(files_usable, {}).passes
    assert "b.png" in judge(files_usable, {}, {"references": [good, bare]}).reason
    assert not judge(files_pending, {}).passes
    assert judge(change_failed, {"change_status": "failed"}).passes and not judge(change_failed, {}).passes
