"""Doubt: a paid call whose outcome is unknown is told, never repeated, and ended by the person alone (promise 2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import (
    again,
    creates,
    link,
    looks,
    on_disk,
    remembered,
    to_generating,
    to_plan,
)
from workflow.service.http import Http

LOST = (  # the image was ordered, or may have been, and the answer is no answer
    *("drop-after", "reset-body", "truncated-json", "missing-task-id", "html-200", "empty-body", "not-an-object"),
    *("nan", "duplicate-keys", "gzip-bomb", "redirect-307", "bad-gateway", "drop-before", "server-error"),
)
REFUSED = {  # the service certainly did not do it
    "success-false-200": "not_accepted",
    "unauthorized": "check_key",
    "forbidden": "check_key",
    "not-found": "not_accepted",
    "rate-limited": "busy",
    "credits": "no_credits",
    "operation-not-allowed": "ask_admin",
    "invalid-api-key": "check_key",
}


@pytest.fixture
def lost(play: Player, sandbox: Sandbox) -> Player:
    """A session whose image was ordered, and whose answer was lost; it is not done yet when its link is read."""
    sandbox.settings(looks=3)
    sandbox.fault("drop-after", on="create")
    to_generating(play)
    return play


def found_by_the_person(sandbox: Sandbox) -> str:
    """The link of the image whose answer was lost: the only one there is."""
    (task,) = sandbox._service.tasks  # the sandbox's own memory, which stands for the account's page
    return f"{sandbox.url}/task/{task}"


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.rule("R55")
def test_a_lost_answer_is_doubt(play: Player, sandbox: Sandbox, fault: str) -> None:
    """Whatever becomes of the answer: one call, exit code 7, the person is told that nobody knows, and what to do."""
    sandbox.fault(fault, on="create")
    reply = to_generating(play)
    assert (reply.state, reply.status, reply.exit_code) == ("create.unsure", "in_doubt", 7)
    assert len(creates(sandbox)) == 1
    assert play.says() == ["unsure_created"]
    for told in ("no clear answer came back", "it may have cost something", "I won't start it again by myself"):
        assert told in play.texts()[0]
    assert [option.event for option in reply.next] == ["found", "did_not_happen", "check", "cancel"]
    assert [entry.kind for entry in play.journal()[-4:]] == ["event", "intent", "doubt", "reply"]


ORDER = "task = Client(call.service, call.base_url).create(ordered(call.data), tokens)"
SURER = f"""try:
        {ORDER}
    except Exception:
        raise ApiError("It was certainly not done.") from None"""


@pytest.mark.parametrize("fault", ["drop-after", "html-200", "bad-gateway", "server-error"])
def test_a_bundles_code_cannot_be_surer_than_the_answer(
    copied: Path, tmp_path: Path, sandbox: Sandbox, fault: str
) -> None:
    """It swears that nothing was done; what came back does not say so, and the run is in doubt."""
    code = copied / "phases" / "create.py"
    assert code.read_text(encoding="utf-8").count(ORDER) == 1
    code.write_text(code.read_text(encoding="utf-8").replace(ORDER, SURER), encoding="utf-8")
    play = player(tmp_path, copied, sandbox.url)
    sandbox.fault(fault, on="create")
    assert to_generating(play).state == "create.unsure"
    assert len(creates(sandbox)) == 1


def test_what_a_paid_call_does_not_declare_to_set_is_no_result(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Its code gives a datum that nobody expects of it: the call was made, nothing is set, and the person is asked."""
    code = copied / "phases" / "create.py"
    text = code.read_text(encoding="utf-8")
    assert text.count('"message_id": message_id}') == 1
    more = '"message_id": message_id, "prompt": "another"}'
    code.write_text(text.replace('"message_id": message_id}', more), encoding="utf-8")
    play = player(tmp_path, copied, sandbox.url)
    assert to_generating(play).state == "create.unsure"
    assert len(creates(sandbox)) == 1
    data = play.engine.data(play.name)
    assert data["prompt"] != "another" and not data.get("task_id")


@pytest.mark.parametrize("fault", REFUSED)
def test_a_refusal_is_no_doubt(play: Player, sandbox: Sandbox, fault: str) -> None:
    """The service says that it did not do it: told as what it is, and the plan waits for a new approval."""
    sandbox.fault(fault, on="create")
    reply = to_generating(play)
    assert (reply.state, reply.status, reply.exit_code) == ("confirm.presenting", "waiting", 0)
    assert play.says() == [REFUSED[fault], "plan"]
    assert (len(creates(sandbox)), play.journal("doubt")) == (1, [])
    gate = play.option("approve").gate
    assert gate is not None
    assert gate.have is None


def test_no_connection_is_no_doubt(play: Player, sandbox: Sandbox) -> None:
    """Nothing left, so nothing was ordered: a failure, and once the service is back the plan can be approved again."""
    to_plan(play)
    sandbox.stop()
    reply = play.send("approve", quote="Yes")
    assert (reply.state, reply.status, play.says()) == ("confirm.presenting", "waiting", ["order_failed", "plan"])
    assert play.journal("doubt") == []
    sandbox.start()
    assert play.send("approve", quote=None).error is not None
    assert creates(sandbox) == []
    assert play.send("approve", quote="Yes, again").state == "deliver.generating"
    assert len(creates(sandbox)) == 1


@pytest.mark.rule("R48")
def test_nothing_repeats_a_call_in_doubt(lost: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Turns without an event, old approvals, retries, looks and days: one call was made, and one stays."""
    for event, more in (
        (None, {}),
        ("retry", {}),
        ("check", {}),
        ("approve", {"quote": "Yes, go ahead"}),
        ("create_now", {"quote": "just make it"}),
        ("happened", {"quote": "it did"}),
    ):
        reply = lost.send(event, **more)  # type: ignore[arg-type]
        assert (reply.state, reply.status) == ("create.unsure", "in_doubt")
        clock.pass_(86_400)
    assert lost.engine.resume(lost.name).status == "in_doubt"
    assert lost.engine.look(lost.name).moved  # a watcher has nothing to wait for
    assert (len(creates(sandbox)), len(lost.journal("intent"))) == (1, 1)


@pytest.mark.rule("R48")
def test_the_turn_that_led_into_doubt_is_not_done_twice(play: Player, sandbox: Sandbox) -> None:
    """The agent sends its approval again: the recorded reply, exit code and all, and no second call."""
    sandbox.fault("drop-after", on="create")
    to_plan(play)
    plan = play.reply
    first = play.send("approve", quote="Yes")
    second = play.send("approve", quote="Yes", revision=plan.revision, seen=plan.seen)
    assert second.replayed
    assert (second.exit_code, second.say) == (7, first.say)
    assert len(creates(sandbox)) == 1


@pytest.mark.rule("R55", "R81")
def test_the_image_that_the_person_found_is_taken(lost: Player, sandbox: Sandbox) -> None:
    """The true link: looked at once, kept, and from there on it is the run's own image, changes included."""
    url = found_by_the_person(sandbox)
    reply = lost.send("found", {"task_url": url}, quote="Here it is")
    assert (reply.state, reply.status, reply.exit_code) == ("deliver.generating", "watching", 0)
    assert (link(lost), len(looks(sandbox))) == (url, 1)
    assert lost.says() == ["started_unwatched"]
    lost.watch()
    assert lost.send(None).state == "deliver.ready"
    lost.send("modify", {"words": "darker"}, quote="darker")
    lost.watch()
    assert lost.send(None).state == "revise.changed"
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize(
    ("fault", "state", "message"),
    [(None, "deliver.ready", "ready"), ("task-failed", "deliver.no_image", "generation_failed")],
)
def test_an_image_that_is_done_when_it_is_found(
    lost: Player, sandbox: Sandbox, fault: str | None, state: str, message: str
) -> None:
    """It went on meanwhile: the run goes straight to what became of it."""
    sandbox.settings(looks=2)
    if fault:
        sandbox.fault(fault, on="task")
    reply = lost.send("found", {"task_url": found_by_the_person(sandbox)}, quote="Here it is")
    assert (reply.state, lost.says(), reply.exit_code) == (state, [message], 0)


@pytest.mark.parametrize(
    "url",
    [
        "{base}/task/task_000000000000000000000000",
        "{base}/task/",
        "{base}/",
        "{base}/task/../v1/openapi/document",
        "{base}/v1/openapi/tasks/{task}",
        "{base}/task/{task}/image.svg",
        "https://www.anygen.io/task/{task}",
        "https://elsewhere.invalid/task/{task}",
        "http://127.0.0.1:9/task/{task}",
        "http://user:word@127.0.0.1/task/{task}",
    ],
)
def test_a_link_that_is_not_it_is_refused(lost: Player, sandbox: Sandbox, url: str) -> None:
    """An unknown or foreign link is not believed: told, still in doubt, nothing kept as the image, nothing ordered."""
    task = found_by_the_person(sandbox).rpartition("/")[2]
    seen = len(sandbox.requests)
    given = url.format(base=sandbox.url, task=task)
    reply = lost.send("found", {"task_url": given}, quote="Here it is")
    assert (reply.state, reply.status, reply.exit_code) == ("create.unsure", "in_doubt", 7)
    assert lost.says() == ["not_accepted", "unsure_created"]
    assert remembered(lost).get("task_id") is None
    assert len(sandbox.requests) - seen <= 1
    assert len(creates(sandbox)) == 1
    reply = lost.send("found", {"task_url": found_by_the_person(sandbox)}, quote="Sorry, this one")
    assert reply.state == "deliver.generating"


def test_what_is_no_image_is_not_taken_for_one(lost: Player, sandbox: Sandbox) -> None:
    """The account holds other things as well: the link to a document does not end the doubt about an image."""
    order = {"operation": "doc", "prompt": "A report"}
    answer = Http(sandbox.url, lambda: SANDBOX_KEY).call("POST", "/v1/openapi/tasks", json=order, timeout=5)
    reply = lost.send("found", {"task_url": answer.json()["task_url"]}, quote="Here it is")
    assert (reply.state, reply.status, lost.says()) == (
        "create.unsure",
        "in_doubt",
        ["not_accepted", "unsure_created"],
    )


def test_a_link_that_cannot_be_looked_at_now_ends_nothing(lost: Player, sandbox: Sandbox) -> None:
    """The service is gone as the link is checked: told, still in doubt, and `retry` checks it once it is back."""
    url = found_by_the_person(sandbox)
    sandbox.stop()
    reply = lost.send("found", {"task_url": url}, quote="Here it is")
    assert (reply.status, reply.exit_code, lost.says()) == ("in_doubt", 8, ["open_failed"])
    sandbox.start()
    assert lost.send("retry").state == "deliver.generating"
    assert len(creates(sandbox)) == 1


def test_an_image_that_failed_before_is_not_taken_for_the_new_one(play: Player, sandbox: Sandbox) -> None:
    """The first image failed, the second is in doubt: the link of the first one does not end the doubt."""
    sandbox.fault("task-failed", on="create")
    to_generating(play)
    play.watch()
    play.send(None)
    old = link(play)
    play.send("adjust", {"words": "Simpler, please"})
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="Yes")
    reply = play.send("found", {"task_url": old}, quote="This one?")
    assert (reply.state, reply.status) == ("create.unsure", "in_doubt")
    assert len(creates(sandbox)) == 2


def test_only_the_person_ends_a_doubt(lost: Player, sandbox: Sandbox) -> None:
    """Without the person's words neither answer is taken."""
    url = found_by_the_person(sandbox)
    for event, given in (("found", {"task_url": url}), ("did_not_happen", {})):
        reply = lost.send(event, given)
        assert reply.error is not None
        assert (reply.exit_code, reply.state, reply.status) == (3, "create.unsure", "in_doubt")
        assert lost.option(event).who == "person"


@pytest.mark.rule("R48", "R50")
def test_what_did_not_happen_needs_a_fresh_approval(lost: Player, sandbox: Sandbox) -> None:
    """The call spent its approval: the plan is shown again, and only new words of the person order the image."""
    reply = lost.send("did_not_happen", quote="There is nothing in my account")
    assert (reply.state, reply.status, reply.exit_code) == ("confirm.presenting", "waiting", 0)
    assert lost.says() == ["nothing_ordered", "plan"]
    gate = lost.option("approve").gate
    assert gate is not None
    assert gate.have is None
    assert lost.send("approve").error is not None
    assert len(creates(sandbox)) == 1
    assert lost.send("approve", quote="Yes, once more").state == "deliver.generating"
    assert len(creates(sandbox)) == 2


@pytest.mark.rule("R42")
def test_a_direct_order_in_doubt(play: Player, sandbox: Sandbox) -> None:
    """Without a plan it goes back to the questions, and the next order needs its own words as well."""
    play.start({"words": "A poster"})
    sandbox.fault("drop-after", on="create")
    assert play.send("create_now", quote="Just make it").status == "in_doubt"
    reply = play.send("did_not_happen", quote="No, nothing")
    assert (reply.state, play.says()) == ("understand.asking", ["nothing_ordered", "questions"])
    assert play.send("create_now").error is not None
    assert len(creates(sandbox)) == 1


@pytest.mark.rule("R55", "R82")
def test_doubt_outlives_the_process(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Another process, another day: still in doubt, still one call, and the person's link still ends it."""
    sandbox.settings(looks=3)
    sandbox.fault("drop-after", on="create")
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun)
    clock.pass_(86_400)
    after = again(begun, tmp_path, clock)
    assert after.reply.status == "in_doubt"
    assert after.send(None).exit_code == 7
    reply = after.send("found", {"task_url": found_by_the_person(sandbox)}, quote="Here")
    assert reply.state == "deliver.generating"
    assert again(begun, tmp_path, clock).reply.state == "deliver.generating"
    assert len(creates(sandbox)) == 1
