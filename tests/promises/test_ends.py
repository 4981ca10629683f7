"""After the end, and before there is a session: what a user comes back for is done to the image that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.client import Client
from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import CHANGE, change, creates, link, looks, remembered, sends, to_generating, to_ready
from tests.promises.places import at, backup, like, restore, settled
from workflow.bundle import open_bundle
from workflow.history.adopt import LIVE, survey
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.model.reply import ENDED
from workflow.service.http import Http

WORDS = "My poster of yesterday"
NOT_OPENED = {"en": "I couldn't open an image with that link.", "zh-CN": "我无法通过这个链接打开图片。"}


def account(sandbox: Sandbox) -> Client:
    """Another client of the same account."""
    return Client(Http(sandbox.url, lambda: SANDBOX_KEY), sandbox.url)


def earlier(sandbox: Sandbox) -> str:
    """The link of an image that was made before any session."""
    client = account(sandbox)
    task = client.create("A poster of before", [])
    while client.task(task.task_id).status != "completed":
        pass
    return task.url


@pytest.mark.rule("R81", "R88")
@pytest.mark.parametrize("end", ["finish", "cancel"])
def test_an_ended_session_takes_changes_of_its_image(play: Player, sandbox: Sandbox, end: str) -> None:
    """Any number of ends and changes: one image is ordered, each change is a message on it, and all is proved."""
    to_ready(play)
    task = remembered(play)["task_id"]
    for number in range(2):
        assert play.send(end).status in ENDED
        assert play.engine.sessions(live=True) == []
        assert change(play, f"{CHANGE}, {number}").state == "revise.applying"
        assert [each.name for each in play.engine.sessions(live=True)] == [play.name]
        play.watch()
        assert play.send(None).state == "revise.changed"
    assert (len(creates(sandbox)), len(sends(sandbox)), remembered(play)["task_id"]) == (1, 2, task)
    assert prove(play.engine, play.name).holds
    assert replay(play.engine, play.name).differences == ()


@pytest.mark.rule("R81")
def test_the_gate_of_a_change_is_the_same_after_the_end(play: Player, sandbox: Sandbox) -> None:
    """No quote, another one, or no token: nothing is sent, and the session stays over."""
    to_ready(play)
    play.send("finish")
    for reply in (
        play.send("modify", {"words": CHANGE}),
        play.send("modify", {"words": CHANGE}, quote="yes"),
        play.send("modify", {"words": CHANGE}, quote=CHANGE, seen=None),
    ):
        assert (reply.ok, reply.state, reply.status) == (False, "over.finished", "done")
    assert sends(sandbox) == []


@pytest.mark.parametrize(("event", "state"), [("cancel", "over.image_running"), (None, "deliver.generating")])
def test_what_was_paid_for_can_be_asked_for(play: Player, sandbox: Sandbox, event: str | None, state: str) -> None:
    """Stopped while it is being made or not: one look on request finds the image."""
    sandbox.settings(looks=1)
    to_generating(play)
    if event:
        play.send(event)
    assert play.reply.state == state
    reply = play.send("check")
    says = ["taken_up", "ready"] if event else ["ready"]
    assert (reply.state, play.says(), len(looks(sandbox)), len(creates(sandbox))) == ("deliver.ready", says, 1, 1)


@pytest.mark.parametrize(
    "state", [name for name, state in open_bundle(REFERENCE).definition.states.items() if state.say]
)
def test_is_it_done_is_an_event_wherever_somebody_may_ask(state: str) -> None:
    """Every state that waits, watches or ends takes `check`."""
    definition = open_bundle(REFERENCE).definition
    assert "check" in {event.name for event in definition.offers(definition.states[state])}


@pytest.mark.rule("R80", "R81")
def test_a_link_opens_a_session_without_an_order(play: Player, sandbox: Sandbox) -> None:
    """The image is read and told, changed in the user's words, and never made anew."""
    url = earlier(sandbox)
    before = len(creates(sandbox))
    reply = play.start({"words": WORDS, "task_url": url})
    assert (reply.state, play.says(), link(play)) == ("deliver.ready", ["ready"], url)
    assert not play.engine.stored(play.name).evidence and play.journal("intent") == []
    for event in ("approve", "create_now", "adjust", "answer"):
        assert not play.send(event, {"words": "x"} if event in ("adjust", "answer") else {}, quote="yes").ok
    change(play)
    play.watch()
    assert play.send(None).state == "revise.changed"
    assert (len(creates(sandbox)), len(sends(sandbox))) == (before, 1)
    assert prove(play.engine, play.name).holds


@pytest.mark.parametrize("language", NOT_OPENED)
@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/task/{id}",
        "{base}/task/task_unknown",
        "{base}/home",
        "{base}/task/{id}/image.svg",
        "{base}/task/..%2f{id}",
        "{base}.example/task/{id}",
    ],
)
def test_a_bad_link_is_told_with_a_way_on(play: Player, sandbox: Sandbox, url: str, language: str) -> None:
    """In the user's language; the right link opens the image after that, and so would a new plan."""
    good = earlier(sandbox)
    bad = url.format(base=sandbox.url, id=good.rpartition("/")[2])
    posts = len(creates(sandbox))
    reply = play.start({"words": WORDS, "task_url": bad}, language=language)
    assert (reply.state, play.says()) == ("understand.unopened", ["not_accepted", "not_opened"])
    assert play.texts()[1].startswith(NOT_OPENED[language])
    assert {"open", "answer", "cancel"} <= {option.event for option in reply.next if option.ready}
    assert play.send("open", {"task_url": good}).state == "deliver.ready"
    assert len(creates(sandbox)) == posts


def test_a_link_to_something_else_is_no_image(play: Player, sandbox: Sandbox) -> None:
    """A presentation of the same account cannot be taken for an image."""
    task = sandbox._service._begin("slide", "A deck", [])
    task.look(1)
    reply = play.start({"words": WORDS, "task_url": f"{sandbox.url}/task/{task.id}"})
    assert reply.state == "understand.unopened"


def test_a_text_that_is_no_link_is_refused_with_what_is_missing(play: Player) -> None:
    """Nothing is kept of such a start; the refusal says what a link is."""
    reply = play.start({"words": WORDS, "task_url": "anygen.io/task/task_1"})
    assert reply.error is not None and "must be a full link" in reply.error.message
    assert play.engine.sessions() == []


def test_a_link_without_a_key_waits_for_the_key(tmp_path: Path) -> None:
    """The session stands before the read, tells how to go on, and can be stopped."""
    play = player(tmp_path, REFERENCE, None)
    reply = play.start({"words": WORDS, "task_url": "https://www.anygen.io/task/task_1"})
    assert (reply.state, play.says()) == ("understand.opening", ["needs_key"])
    assert {option.event for option in reply.next} == {"retry", "cancel"}
    assert play.send("cancel").state == "over.cancelled"


@pytest.mark.parametrize("fault", ["server-error", "bad-gateway", "html-200"])
def test_an_odd_answer_to_a_link_is_tried_again(play: Player, sandbox: Sandbox, fault: str) -> None:
    """The read is repeated; where it fails for good, `retry` opens the image later."""
    url = earlier(sandbox)
    sandbox.fault(fault, on="messages", times=0)
    reply = play.start({"words": WORDS, "task_url": url})
    assert (reply.state, reply.status) == ("understand.opening", "waiting")
    sandbox.clear()
    assert play.send("retry").state == "deliver.ready"


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_a_link_to_an_image_that_is_not_there_yet_or_failed(play: Player, sandbox: Sandbox, status: str) -> None:
    """One that is being made is waited for; one that failed is told as such, and nothing is ordered without a plan."""
    client = account(sandbox)
    sandbox.settings(looks=9)
    task = client.create("A poster of before", [])
    if status == "failed":
        sandbox._service.doom_task(task.task_id)
    reply = play.start({"words": WORDS, "task_url": task.url})
    if status == "failed":
        assert reply.state == "understand.failed"
        assert play.send("again").error is not None
        assert play.send("answer", {"words": "Another"}).state == "understand.asking"
    else:
        assert (reply.state, play.says()) == ("understand.unfinished", ["still_generating_unwatched"])
        assert play.send("check").state == "understand.unfinished"
        sandbox.settings(looks=1)
        assert play.send("check").state == "deliver.ready"
    assert len(creates(sandbox)) == 1


@pytest.mark.rule("R81", "R82")
def test_an_old_message_is_not_taken_for_a_lost_change(play: Player, sandbox: Sandbox) -> None:
    """The same words were sent to the image before the session opened it: a lost change is not found in them."""
    url = earlier(sandbox)
    client, task = account(sandbox), url.rpartition("/")[2]
    client.send(task, CHANGE, [])
    while client.answer(task, 0) is None:
        pass
    play.start({"words": WORDS, "task_url": url})
    sandbox.fault("drop-before", on="send")
    assert change(play).state == "revise.unsure"
    assert play.send("did_not_happen", quote="no, it is not there").state == "revise.unchanged"
    assert change(play).state == "revise.applying"


@pytest.mark.parametrize("outcome", ["happened", "did_not_happen"])
def test_an_adopted_store_settles_ended_sessions_that_can_go_on(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, outcome: str
) -> None:
    """In the backup the session was over, and a change was paid for since: a person settles that before another one."""
    play = at(tmp_path, sandbox, clock)
    to_ready(play)
    play.send("finish")
    file = backup(play, tmp_path / "copy.db")
    change(play)
    restore(file, tmp_path / "state")
    restored = like(play, tmp_path, sandbox, clock)
    restored.reply = restored.engine.status(restored.name)
    assert change(restored).error is not None and len(sends(sandbox)) == 1
    assert [line.stands for line in survey(restored.engine).lines] == [LIVE]
    settled(restored, outcome)  # type: ignore[arg-type]  # as the table has it
    reply = restored.send(None)
    if outcome == "happened":
        assert (reply.state, reply.status) == ("over.cancelled", "cancelled")
        assert not change(restored).ok and len(sends(sandbox)) == 1
        return
    assert (restored.send("retry").state, len(sends(sandbox))) == ("revise.unchanged", 1)  # the old yes is void
    assert (change(restored).state, len(sends(sandbox))) == ("revise.applying", 2)


GONE = {"task_gone", "change_lost"}
"""Guards that find the service without the image."""


def test_no_end_gives_the_link_of_an_image_that_is_gone() -> None:
    """Wherever the service is found without it, whatever the user then says to stop leads to words without a link."""
    bundle = open_bundle(REFERENCE)
    machine = bundle.definition
    tables = [
        then for state in machine.states.values() for then in (state.then, state.watch and state.watch.then) if then
    ]
    lost = {target for then in tables for guard, target in then.cases if guard in GONE}
    lost |= {
        to
        for state in machine.states.values()
        for name, to in (state.failed.cases if state.failed else ())
        if name == "gone"
    }
    assert lost == {"understand.unopened", "deliver.gone", "revise.gone", "revise.missing", "revise.vanished"}
    ends = {
        (name, to) for name in lost for to in machine.moves(machine.states[name]).values() if machine.states[to].end
    }
    assert {name for name, _ in ends} == lost
    for name, to in ends:
        state = machine.states[to]
        said = {target for choice in (state.say, state.answers) if choice for target in choice.targets}
        for language, texts in bundle.prompts.items():
            assert not [each for each in said if "task_url" in texts[each]], (name, to, language)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("event", ["finish", "cancel"])
def test_an_image_that_was_deleted_is_not_linked_to(play: Player, sandbox: Sandbox, event: str, language: str) -> None:
    """It is gone while a change is made of it: the goodbye gives no link, and nothing can be changed any more."""
    to_ready(play, language=language)
    url = link(play)
    sandbox.fault("not-found", on="messages")
    change(play)
    play.watch()
    assert play.send(None).state == "revise.gone"
    reply = play.send(event)
    assert reply.status in ENDED and url not in "".join(play.texts())
    assert [option.event for option in reply.next] == ["check"]
    assert url not in "".join(said.text for said in play.send("check").say)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_change_of_an_image_that_is_not_there_any_more(play: Player, sandbox: Sandbox, language: str) -> None:
    """Nothing was sent: the user hears why, no goodbye links to it, and a look finds it where it is there after all."""
    to_ready(play, language=language)
    url, file = link(play), open_bundle(REFERENCE).prompts[language]
    sandbox.fault("not-found", on="send")
    assert (change(play).state, play.says()) == ("revise.missing", ["not_there", "change_without_image"])
    assert play.texts()[1] == file["change_without_image"].replace("${task_url}", url).strip()
    sandbox.fault("not-found", on="task", times=2)
    for _ in range(2):
        assert (play.send("check").state, play.says()) == ("revise.missing", ["change_without_image"])
    assert play.send("check").state == "revise.unchanged" and CHANGE in "".join(play.texts())
    sandbox.fault("not-found", on="send")
    repeated = play.send("repeat", quote="again")
    assert repeated.state == "revise.missing" and len(sends(sandbox)) == 2
    assert play.send("finish").state == "over.without" and url not in "".join(play.texts())


def test_a_check_that_leaves_an_end_says_so() -> None:
    """A `cancel` that is taken back is answered before anything else is said."""
    machine = open_bundle(REFERENCE).definition
    left = {name for name, state in machine.states.items() if state.end and "check" in state.on}
    assert left == {"over.image_running", "over.change_running", "over.change_unsure"}
    assert {name for name in left if "check" in machine.states[name].acknowledge} == left


@pytest.mark.parametrize(("language", "text"), [("en", "picked this up again"), ("zh-CN", "继续跟进")])
def test_a_cancel_that_is_taken_back_is_answered(play: Player, sandbox: Sandbox, language: str, text: str) -> None:
    """First that it goes on, then how far it is; once more, only that."""
    sandbox.settings(looks=9)
    to_generating(play, language=language)
    play.send("cancel")
    play.send("check")
    assert play.says() == ["taken_up", "still_generating_unwatched"] and text in play.texts()[0]
    play.send("check")
    assert play.says() == ["still_generating_unwatched"]
