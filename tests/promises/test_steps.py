"""No step is skipped, reordered or improvised, wherever the run stands (R1), and the latest bundle holds (R2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from workflow.bundle import open_bundle
from workflow.machine.definition import OURS
from workflow.model.errors import BundleChanged, BundleError

WORDS = {"words": "A poster for a jazz night"}
CHANGE = {"words": "make it darker"}

# Where each event leads from each place where the run waits: written out, not read from the bundle.
LEADS: dict[str, dict[str, str]] = {
    "understand.unopened": {"open": "understand.unopened", "answer": "understand.asking"},
    "understand.unfinished": {
        "check": "understand.unfinished",
        "open": "understand.unopened",
        "answer": "understand.asking",
    },
    "understand.failed": {"open": "understand.unopened", "answer": "understand.asking"},
    "understand.consenting": {"consent": "understand.asking", "decline": "understand.asking"},
    "understand.asking": {
        "answer": "confirm.presenting",
        "create_now": "deliver.generating",
        "open": "understand.unopened",
    },
    "understand.rewording": {"answer": "understand.asking", "open": "understand.unopened"},
    "confirm.presenting": {
        "approve": "deliver.generating",
        "adjust": "confirm.presenting",
        "open": "understand.unopened",
    },
    "create.unsure": {
        "found": "deliver.generating",
        "did_not_happen": "confirm.presenting",
        "cancel": "over.image_unsure",
    },
    "deliver.generating": {"cancel": "over.image_running"},
    "deliver.late": {"check": "deliver.ready", "finish": "over.image_running", "cancel": "over.image_running"},
    "deliver.waiting": {"check": "deliver.waiting", "finish": "over.image_running", "cancel": "over.image_running"},
    "deliver.ready": {"modify": "revise.applying", "finish": "over.finished", "cancel": "over.stopped"},
    "deliver.no_image": {"again": "confirm.presenting", "adjust": "confirm.presenting", "finish": "over.without"},
    "deliver.gone": {
        "check": "deliver.waiting",
        "again": "confirm.presenting",
        "adjust": "confirm.presenting",
        "finish": "over.without",
    },
    "revise.consenting": {"consent": "revise.applying", "decline": "revise.applying", "cancel": "over.stopped"},
    "revise.unsure": {
        "happened": "revise.unsure",
        "did_not_happen": "revise.unchanged",
        "check": "revise.unsure",
        "cancel": "over.change_unsure",
    },
    "revise.vanished": {
        "happened": "revise.gone",
        "did_not_happen": "revise.missing",
        "check": "revise.unsure",
        "cancel": "over.change_unsure",
    },
    "revise.applying": {"cancel": "over.change_running"},
    "revise.late": {"check": "revise.changed", "finish": "over.change_running", "cancel": "over.change_running"},
    "revise.waiting": {"check": "revise.waiting", "finish": "over.change_running", "cancel": "over.change_running"},
    "revise.changed": {"modify": "revise.applying", "finish": "over.finished", "cancel": "over.stopped"},
    "revise.unchanged": {
        "repeat": "revise.applying",
        "modify": "revise.applying",
        "finish": "over.finished",
        "cancel": "over.stopped",
    },
    "revise.gone": {"check": "revise.waiting", "finish": "over.without", "cancel": "over.cancelled"},
    "revise.missing": {"check": "revise.unchanged", "finish": "over.without", "cancel": "over.cancelled"},
    "over.cancelled": {},
    "over.without": {},
    "over.image_unsure": {"found": "deliver.generating", "did_not_happen": "confirm.presenting"},
    "over.image_running": {"check": "deliver.waiting"},
    "over.finished": {"modify": "revise.applying"},
    "over.stopped": {"modify": "revise.applying"},
    "over.change_unsure": {"happened": "revise.unsure", "did_not_happen": "revise.unchanged", "check": "revise.unsure"},
    "over.change_running": {"check": "revise.waiting"},
    "understand.preparing": {"retry": "understand.asking"},  # behind a call that failed
}
for place, moves in LEADS.items():
    if place != "understand.preparing":
        moves.setdefault("check", place)  # "is it done?" has an answer wherever somebody may ask
    if not place.startswith("over."):
        moves.setdefault("cancel", "over.cancelled")

SERVICE = ("task_completed", "task_failed", "task_gone", "change_done", "change_failed", "change_lost", "late")
MEANINGLESS = ("confirm", "create", "upload", "understand.asking", "then", "approve ", "")


def drive(play: Player, sandbox: Sandbox, clock: HandClock, folder: Path, state: str) -> None:
    """Bring the run to ``state``, through the flow that a person would take."""
    getattr(Drive(play, sandbox, clock, folder), state.replace(".", "_"))()
    assert play.reply.state == state, play.reply


class Drive:
    """One way to each state where a run can wait."""

    def __init__(self, play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
        self.play, self.sandbox, self.clock = play, sandbox, clock
        (folder / "ref.png").write_bytes(b"\x89PNG a reference")
        self.files = {"references": [{"path": "ref.png", "description": "a saxophone in blue light"}]}

    def understand_unopened(self) -> None:
        self.play.start({**WORDS, "task_url": f"{self.sandbox.url}/task/task_0"})

    def understand_unfinished(self) -> None:
        self.sandbox.settings(looks=99)
        task = self.sandbox._service._begin("ai_designer", "An image", [])
        self.play.start({**WORDS, "task_url": f"{self.sandbox.url}/task/{task.id}"})

    def understand_failed(self) -> None:
        task = self.sandbox._service._begin("ai_designer", "An image", [])
        self.sandbox._service.doom_task(task.id)
        self.play.start({**WORDS, "task_url": f"{self.sandbox.url}/task/{task.id}"})

    def understand_consenting(self) -> None:
        self.play.start({**WORDS, **self.files})

    def understand_asking(self) -> None:
        self.play.start(WORDS)

    def understand_preparing(self) -> None:
        self.sandbox.fault("server-error", on="prepare")
        self.play.start(WORDS)

    def understand_rewording(self) -> None:
        self.sandbox.fault("success-false-200", on="prepare")
        self.play.start(WORDS)

    def confirm_presenting(self) -> None:
        self.play.start(WORDS)
        self.play.send("answer", {"words": "in blue"})

    def create_unsure(self) -> None:
        self.sandbox.settings(looks=99)
        self.confirm_presenting()
        self.sandbox.fault("drop-after", on="create")
        self.play.send("approve", quote="yes")

    def deliver_generating(self) -> None:
        self.confirm_presenting()
        self.play.send("approve", quote="yes")

    def deliver_late(self) -> None:
        self.deliver_generating()
        self.clock.pass_(1201)
        self.play.send(None)

    def deliver_waiting(self) -> None:
        self.sandbox.settings(looks=99)
        self.deliver_late()
        self.play.send("check")

    def deliver_ready(self) -> None:
        self.deliver_generating()
        self.play.watch()
        self.play.send(None)

    def deliver_no_image(self) -> None:
        self.sandbox.fault("task-failed", on="create")
        self.deliver_ready()

    def deliver_gone(self) -> None:
        self.sandbox.fault("not-found", on="task")
        self.deliver_generating()
        self.play.send("check")

    def revise_gone(self) -> None:
        self.sandbox.fault("not-found", on="messages")
        self.revise_applying()
        self.play.send("check")

    def revise_missing(self) -> None:
        self.deliver_ready()
        self.sandbox.fault("not-found", on="send")
        self.play.send("modify", CHANGE, quote=CHANGE["words"])

    def revise_consenting(self) -> None:
        self.deliver_ready()
        self.play.send("modify", {**CHANGE, **self.files}, quote=CHANGE["words"])

    def revise_unsure(self) -> None:
        self.deliver_ready()
        self.sandbox.fault("drop-before", on="send")
        self.play.send("modify", CHANGE, quote=CHANGE["words"])

    def revise_vanished(self) -> None:
        self.sandbox.fault("not-found", on="messages")
        self.revise_unsure()

    def revise_applying(self) -> None:
        self.deliver_ready()
        self.play.send("modify", CHANGE, quote=CHANGE["words"])

    def revise_late(self) -> None:
        self.revise_applying()
        self.clock.pass_(481)
        self.play.send(None)

    def revise_waiting(self) -> None:
        self.sandbox.fault("stuck-progress", on="messages", times=0)
        self.revise_late()
        self.play.send("check")

    def revise_changed(self) -> None:
        self.revise_applying()
        self.play.watch()
        self.play.send(None)

    def revise_unchanged(self) -> None:
        self.sandbox.fault("message-failed", on="send")
        self.revise_changed()

    def over_finished(self) -> None:
        self.deliver_ready()
        self.play.send("finish")

    def over_stopped(self) -> None:
        self.deliver_ready()
        self.play.send("cancel")

    def over_without(self) -> None:
        self.deliver_no_image()
        self.play.send("finish")

    def over_image_unsure(self) -> None:
        self.create_unsure()
        self.play.send("cancel")

    def over_image_running(self) -> None:
        self.sandbox.settings(looks=99)
        self.deliver_generating()
        self.play.send("cancel")

    def over_change_unsure(self) -> None:
        self.revise_unsure()
        self.play.send("cancel")

    def over_change_running(self) -> None:
        self.sandbox.fault("stuck-progress", on="messages", times=0)
        self.revise_applying()
        self.play.send("cancel")

    def over_cancelled(self) -> None:
        self.understand_asking()
        self.play.send("cancel")


def turn_of(event: str, sandbox: Sandbox) -> tuple[dict[str, Any], str]:
    """Everything that the event could ask for, so that only the step itself can be what is wrong with it."""
    inputs: dict[str, dict[str, Any]] = {
        "start": WORDS,
        "answer": {"words": "in blue"},
        "adjust": {"words": "in red"},
        "modify": CHANGE,
        "asked_for_more": {"category": "slides"},
    }
    if event in ("found", "open"):
        created = [*sandbox._service.tasks, "task_0"]  # what the person sees in their account
        return {"task_url": f"{sandbox.url}/task/{created[0]}"}, "here it is"
    return inputs.get(event, {}), str(inputs.get(event, {}).get("words", "yes, please"))


@pytest.mark.rule("R1")
@pytest.mark.parametrize("state", LEADS)
def test_only_declared_steps_are_taken(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, state: str
) -> None:
    """From every state every other event, the service's own included, is refused, logged, and asks nothing."""
    drive(play, sandbox, clock, tmp_path, state)
    events = {*open_bundle(REFERENCE).definition.events, *OURS, *SERVICE, *MEANINGLESS}
    before, revision, seen = play.engine.data(play.name), play.reply.revision, len(sandbox.requests)
    for event in sorted(events - set(LEADS[state])):
        given, quote = turn_of(event, sandbox)
        reply = play.send(event, given, quote=quote)
        assert (reply.ok, reply.exit_code, reply.state, reply.revision) == (False, 3, state, revision), event
        assert reply.error is not None
        assert reply.error.type == "refused"
        assert event[:64] in reply.error.message
        assert reply.error.hint
        last = play.journal()[-1]
        assert (last.kind, last.body and last.body["given"]["event"]) == ("refusal", event)
    assert play.engine.data(play.name) == before
    assert len(sandbox.requests) == seen


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("understand.asking", "1 Understand requirements"),
        ("confirm.presenting", "2 Confirm with user (mandatory)"),
        ("create.unsure", "3 Create task"),
        ("deliver.ready", "4 Monitor and deliver result"),
        ("revise.changed", "5 Multi-turn conversation (modify completed images)"),
        ("over.finished", "Over"),
    ],
)
def test_each_phase_has_its_number_and_title(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, state: str, phase: str
) -> None:
    """As the source numbers and names it, so that whoever wrote the procedure recognises it."""
    drive(play, sandbox, clock, tmp_path, state if state != "over.finished" else "deliver.ready")
    if state == "over.finished":
        play.send("finish")
    assert play.engine.status(play.name).phase == phase


@pytest.mark.rule("R1")
@pytest.mark.parametrize(("state", "event"), [(state, event) for state, moves in LEADS.items() for event in moves])
def test_every_declared_step_leads_where_it_should(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, state: str, event: str
) -> None:
    """What is declared is offered by the reply, and leads to its place and no other."""
    drive(play, sandbox, clock, tmp_path, state)
    assert {each.event for each in play.reply.next} == set(LEADS[state])
    given, quote = turn_of(event, sandbox)
    reply = play.send(event, given, quote=quote)
    assert (reply.error, reply.state) == (None, LEADS[state][event])


@pytest.mark.rule("R1")
def test_every_place_to_wait_is_tried() -> None:
    """The table above knows each state in which a run of the reference bundle can rest, and no other event."""
    definition = open_bundle(REFERENCE).definition
    resting = {name for name, state in definition.states.items() if not state.works}
    assert resting == set(LEADS) - {"understand.preparing"}
    assert {event for moves in LEADS.values() for event in moves} == {*definition.events, *OURS} - {
        "start",
        "praised",
        "asked_for_more",
        "note",  # moves nothing, wherever it is sent
    }


@pytest.mark.rule("R1")
def test_a_misspelt_step_names_the_near_one(play: Player) -> None:
    """An unknown event is refused with the event that was probably meant, and with what is possible."""
    play.start(WORDS)
    reply = play.send("anser", {"words": "in blue"})
    assert reply.error is not None
    assert "did you mean 'answer'?" in reply.error.message
    assert reply.error.hint == "Possible now: answer, open, create_now, check, cancel."


@pytest.mark.rule("R2")
def test_a_changed_bundle_is_followed_and_said(copied: Path, tmp_path: Path) -> None:
    """A prompt that was edited mid-run is the one that is said next; the journal names both digests."""
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": "sk-live-0123456789"})
    old = play.start(WORDS)
    pinned = open_bundle(copied).digest
    edited = copied / "prompts" / "en" / "plan.md"
    edited.write_text(edited.read_text(encoding="utf-8").replace("design plan", "revised plan"), encoding="utf-8")
    reply = play.send("answer", {"words": "in blue"})
    assert old.notices == ()
    assert any("bundle has changed" in notice for notice in reply.notices)
    assert "Here is the revised plan:" in play.texts()[0]
    (noticed,) = play.journal("bundle")
    assert noticed.body is not None
    assert (noticed.body["from"], noticed.body["bundle"]) == (pinned, open_bundle(copied).digest)
    assert pinned != open_bundle(copied).digest
    assert noticed.seq < play.journal("event")[-1].seq
    assert play.send(None).notices == ()


@pytest.mark.rule("R2")
@pytest.mark.parametrize("how", ["the state is gone", "the data is unknown", "it is no YAML", "it is gone"])
def test_a_bundle_that_no_longer_fits_stops_the_run(copied: Path, tmp_path: Path, sandbox: Sandbox, how: str) -> None:
    """Where the run cannot follow, it stops before anything is done; with the bundle put back it goes on."""
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": "sk-live-0123456789"})
    play.start(WORDS)
    seen, entries = len(sandbox.requests), len(play.journal())
    yaml = copied / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    if how == "the state is gone":
        changed = text.replace("understand.asking", "understand.inquiring").replace("    asking:\n", "    inquiring:\n")
        yaml.write_text(changed, encoding="utf-8")
    elif how == "the data is unknown":
        yaml.write_text(text.replace("words", "speech"), encoding="utf-8")
        for path in (copied / "phases").glob("*.py"):
            path.write_text(path.read_text(encoding="utf-8").replace('"words"', '"speech"'), encoding="utf-8")
        for path in (copied / "prompts").glob("*/*.md"):
            path.write_text(path.read_text(encoding="utf-8").replace("${words}", "${speech}"), encoding="utf-8")
    elif how == "it is no YAML":
        yaml.write_text(text + "\n\t- [", encoding="utf-8")
    else:
        yaml.unlink()
    with pytest.raises(BundleChanged if how.startswith("the ") else BundleError) as caught:
        play.send("answer", {"words": "in blue"})
    assert caught.value.type == "bundle"
    assert caught.value.message
    assert len(sandbox.requests) == seen
    for path in (*(copied / "phases").glob("*.py"), *(copied / "prompts").glob("*/*.md")):
        path.write_bytes((REFERENCE / path.relative_to(copied)).read_bytes())
    yaml.write_text(text, encoding="utf-8")
    assert len(play.journal()) == entries
    assert play.send("answer", {"words": "in blue"}).state == "confirm.presenting"
