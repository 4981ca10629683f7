"""What a log proves: each paid call and each upload by an answer that fits, and each message clean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import CHANGE, answer, begin, finish, reach, waiting_faults
from tests.playing import Player, player
from tests.tampering import written_anew
from workflow.history import audit, proof
from workflow.model.errors import JournalTampered
from workflow.model.journal import Entry
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
Body = dict[str, Any]


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox) -> Player:
    """A session in files that is about to start."""
    return player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"))


def proved(play: Player) -> dict[str, list[str]]:
    """What was called → by which answers; every claim holds."""
    found = proof.prove(play.engine, play.name)
    assert found.holds and not any(claim.why for claim in found.claims)
    return {claim.text: [f"{each.source}: {each.quote}" for each in claim.by] for claim in found.claims}


def first_fault(play: Player) -> str:
    """The first claim that does not hold, and why."""
    found = proof.prove(play.engine, play.name)
    claim = next(claim for claim in found.claims if not claim.holds)
    return f"{claim.text}: {claim.why}"


def test_a_whole_run_is_proved(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The upload by a consent, the order by an approval, the change by the person's words; each is quoted."""
    begin(play, tmp_path)
    finish(play, sandbox)
    calls = proved(play)
    upload, create, send = calls
    assert (
        upload.startswith("'upload' was called in the sandbox with the file ") and "consent_given" in calls[upload][0]
    )
    assert create == "'create' was called in the sandbox" and calls[create][0].endswith(": yes, go ahead")
    assert send == "'send' was called in the sandbox" and calls[send][0].endswith(f": {CHANGE}")
    found = proof.prove(play.engine, play.name)
    said = sum(len((each.body or {})["reply"]["say"]) for each in play.journal("reply"))
    assert (found.messages, found.withheld, found.receipt) == (said, 0, play.reply.receipt)


@pytest.mark.parametrize("fault", ["drop-after", "html-200", "success-false-200", "drop-before", "redirect-307"])
@pytest.mark.parametrize("call", ["upload", "create", "send"])
def test_a_run_through_faults_is_proved(play: Player, sandbox: Sandbox, tmp_path: Path, fault: str, call: str) -> None:
    """What failed, was repeated or was in doubt had its answer as well."""
    begin(play, tmp_path)
    sandbox.fault(fault, on=call)
    finish(play, sandbox)
    assert waiting_faults(sandbox) == []
    assert proved(play)


def test_every_paid_call_needs_an_answer_of_its_own(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Two orders of an image have two approvals, named by their entries."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    sandbox.fault("drop-after", on="create")
    answer(play, "approve")
    answer(play, "did_not_happen")
    answer(play, "approve")
    found = proof.prove(play.engine, play.name)
    created = [claim for claim in found.claims if claim.text.startswith("'create'")]
    assert found.holds and len(created) == 2 and created[0].by != created[1].by


def no_evidence(entry: Entry, body: Body) -> None:
    """An approval without the answer."""
    if body.get("event") == "approve":
        body["evidence"] = []


def no_words(entry: Entry, body: Body) -> None:
    """An approval without words."""
    for each in body.get("evidence", []) if body.get("event") == "approve" else []:
        each["quote"] = " "


def another_plan(entry: Entry, body: Body) -> None:
    """A plan that was changed after it was approved, as it was made."""
    if entry.kind == "result" and "prompt" in body["set"]:
        body["set"]["prompt"] += " In gold."


def another_question(entry: Entry, body: Body) -> None:
    """A question that was put in other words than it is said to have been."""
    for each in body["reply"]["say"] if entry.kind == "reply" else []:
        if each["id"] == "plan_with_files":
            each["text"] = "Shall I?"
            del each["parts"]


def other_pieces(entry: Entry, body: Body) -> None:
    """Pieces of a message that do not make up its text, which would say that a leak is the service's harmless text."""
    for each in body["reply"]["say"] if entry.kind == "reply" else []:
        if each["id"] == "ready":
            each["text"] = "It is in /var/lib/images/one.png."
            each["parts"] = [{"text": "It is ready."}]


def another_file(entry: Entry, body: Body) -> None:
    """A file that was sent instead of the one agreed to."""
    if entry.kind == "result" and body["action"] == "upload":
        body["item"] = "0" * 64


def kept_answer(entry: Entry, body: Body) -> None:
    """A paid call that leaves its approval to be used again."""
    if entry.kind == "intent" and body["action"] == "create":
        body["spends"] = []


def kept_consent(entry: Entry, body: Body) -> None:
    """An upload that leaves the consent to be used again."""
    if entry.kind == "result" and body["action"] == "upload":
        del body["spends"]


def a_leak(entry: Entry, body: Body) -> None:
    """A message with a path in it."""
    for each in body["reply"]["say"] if entry.kind == "reply" else []:
        if each["id"] == "ready":
            each["text"] = "It is in /var/lib/images/one.png."


def an_id(entry: Entry, body: Body) -> None:
    """A message of the service with the id of the task."""
    for each in body["reply"]["say"] if entry.kind == "reply" else []:
        if each["id"] == "ready":
            each["parts"] = [{"text": each["text"]}, {"text": "internal-4711", "by": "service", "language": "und"}]
            each["text"] += "internal-4711"
    if entry.kind == "result" and "task_id" in body["set"]:
        body["set"]["task_id"] = "internal-4711"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (no_evidence, "'create' was called in the sandbox: no answer in the log fits what was sent"),
        (no_words, "'create' was called in the sandbox: the answer to user_approved is without words"),
        (another_plan, "'create' was called in the sandbox: no answer in the log fits what was sent"),
        (another_question, "'create' was called in the sandbox: the question of user_approved is not in the log"),
        (
            another_file,
            "'upload' was called in the sandbox with the file 000000000000: no answer in the log fits what was sent",
        ),
        (kept_answer, "'create' was called in the sandbox: the answer to user_approved was not spent by it"),
        (kept_consent, "'upload' was called in the sandbox with the file "),
        (a_leak, "the message 'ready' was said: it holds a file path"),
        (other_pieces, "the message 'ready' was said: it holds a file path"),
        (an_id, "the message 'ready' was said: it holds an internal id"),
    ],
)
def test_a_log_that_does_not_carry_a_call_proves_nothing(
    play: Player, sandbox: Sandbox, tmp_path: Path, change: Callable[[Entry, Body], None], why: str
) -> None:
    """Even where the whole chain was written anew to fit: every subject is digested again."""
    begin(play, tmp_path)
    reach(play, "deliver.ready")
    head = play.reply.receipt
    proved(play)
    written_anew(play, change)
    assert audit.verify(play.engine, play.name).receipt != head
    assert first_fault(play).startswith(why)
    with pytest.raises(JournalTampered, match="cut or rewritten"):
        proof.prove(play.engine, play.name, head)


def test_what_a_person_wrote_is_no_leak(play: Player, tmp_path: Path) -> None:
    """Their words may hold a path or a command, in the question that shows them too."""
    play.start({"words": "As in /home/ann/pictures/one.png, made with workflow advance --json"})
    assert play.reply.state == "understand.asking" and "/home/ann" in play.texts()[0]
    assert proof.prove(play.engine, play.name).holds


def test_without_the_definition_nothing_is_claimed(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Which answer a call needs only the bundle says; where that is gone, it is said so."""
    begin(play, tmp_path)
    finish(play, sandbox)
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    store._connection().execute("DELETE FROM definitions")
    assert "is not in the store" in first_fault(play)
