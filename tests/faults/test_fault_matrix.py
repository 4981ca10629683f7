"""Every fault of the service at every action of the bundle: each cell of matrix.md, and nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phases.anygen.sandbox import FAULTS, Sandbox
from phases.anygen.sandbox.faults import KINDS
from tests.conduct import before, begin, calls, check_paid, check_promises, finish, usual_turn, waiting_faults
from tests.docs.pages import rows, section
from tests.faults.matrix import CALLS, MATRIX, OFTEN, PAGE, PAID, REFUSED, STATES, bring, faults_of, options_of, struck
from tests.playing import Player, player
from workflow.bundle import open_bundle
from workflow.machine.certainty import Form, Known, judge_answer
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.store.memory import MemoryStore

BUNDLE = Path(__file__).parents[2]
DEFINITION = open_bundle(BUNDLE).definition
STRUCK = "struck"
"""The id of the turn that the fault strikes."""

LISTED = (4101, 100004001, 100004006, 100006029)
PHRASES = ("operation not allowed", "invalid API key", "file size exceeds 50MB")
"""What of the sandbox's faults is in the service's table of refusals."""
TOLD = {
    "invalid": "not_accepted",
    "credentials": "check_key",
    "credits": "no_credits",
    "not_allowed": "ask_admin",
    "too_large": "too_large",
    "rate_limited": "busy",
    "gone": "not_there",
}
"""Class of the failed call → the message about it."""
WITHOUT = {
    "upload": "upload_failed",
    "prepare": "plan_failed",
    "create": "order_failed",
    "adopt": "open_failed",
    "look": "look_failed",
    "send": "send_failed",
    "find_sent": "search_failed",
    "read_answer": "reading_failed",
}
"""The action that failed with any other class → the message, which says what did not work."""

ACKNOWLEDGED = {"find_sent": ["looking_for_change"]}
"""Action → what acknowledges the answer that leads to it; heard first, whatever becomes of the call."""


def test_the_table_has_every_fault_and_every_action() -> None:
    """A fault that is added to the sandbox, or an action to the bundle, needs its cells; none is made up."""
    with_effect = open_bundle(BUNDLE).registry.actions
    assert set(CALLS) == set(with_effect)
    assert {name for name, action in with_effect.items() if action.effect == "once"} == set(PAID)
    listed = [row[0].strip("`") for row in rows(section(PAGE, "What each fault comes to"))]
    assert len(listed) == len(set(listed))
    assert {faults_of(row)[0] for row in listed} - {REFUSED} == set(FAULTS)
    for row in listed:
        for action, call in CALLS.items():
            strikes = row == REFUSED or call in KINDS[faults_of(row)[0]].calls
            strikes = strikes and not (row.endswith(OFTEN) and action in PAID)
            assert ((row, action) in MATRIX) == strikes, (row, action)
    assert {(cell.split()[0], action) for (_, action), cell in MATRIX.items()} == set(STATES)


def test_no_answer_is_doubt_and_a_clear_no_is_none() -> None:
    """Of a paid action, in the table: what the one judgement calls a certain no leads back, all else is doubt."""
    for (row, action), cell in MATRIX.items():
        if action in PAID and row != REFUSED and cell != "on":
            options = {**KINDS[faults_of(row)[0]].options, **options_of(row)}
            form: Form = "refusal" if "error" in options else "foreign"  # the service's own envelope of an error
            known: Known | None = "no" if options.get("code") in LISTED or options.get("error") in PHRASES else None
            clear = judge_answer("once", options.get("status", 200), form, known) == "no"
            assert cell.startswith(("back", "gone") if clear else ("doubt", "found")), (row, action)
    assert all(MATRIX[REFUSED, action] == "back upstream" for action in PAID)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """One store for the whole matrix, so that the bundle is checked once."""
    return MemoryStore()


@pytest.fixture(scope="module")
def service(store: MemoryStore) -> Iterator[Sandbox]:
    """One sandbox for the whole matrix; each run has its own tasks, and counts its own requests.

    When all have run: in all cells together, no more was ordered than was approved.
    """
    with Sandbox(rounds=2, looks=4) as running:  # adopting twice takes four
        yield running
        approvals = sum(_approvals(list(store.entries(each.name))) for each in store.sessions(limit=10_000))
        assert len(calls(running, "POST", "/tasks")) <= approvals


def _approvals(entries: list[Entry]) -> int:
    """How often the person approved; each call that may have left has spent one, and one of its own."""
    check_paid(entries, [])
    given = [each for entry in entries if entry.kind == "event" for each in (entry.body or {})["evidence"]]
    return sum(each["gate"] in ("user_approved", "ordered_directly") for each in given)


@pytest.fixture
def sandbox(service: Sandbox) -> Iterator[Sandbox]:
    """The sandbox without a fault left over."""
    service.clear()
    yield service
    service.clear()


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, store: MemoryStore) -> Player:
    """A run about to start."""
    return player(tmp_path, BUNDLE, sandbox.url, store=store)


def strike(play: Player, sandbox: Sandbox, folder: Path, row: str, action: str) -> Reply:
    """Play up to the action, and let the fault strike it."""
    begin(play, folder)
    state, event, given = bring(play, sandbox, action)
    assert play.reply.state == state
    with struck(sandbox, row, CALLS[action]):
        return play.send(event, **given, turn_id=STRUCK)


@pytest.mark.parametrize(("row", "action"), MATRIX, ids=[f"{row} - {action}" for row, action in MATRIX])
def test_a_fault_leads_where_the_table_says_and_the_run_ends_well(
    play: Player, sandbox: Sandbox, tmp_path: Path, row: str, action: str
) -> None:
    """The state, the class and the message are the table's; with the service well again, the run gets to its end."""
    since = len(sandbox.requests)
    reply = strike(play, sandbox, tmp_path, row, action)
    word, _, kind = MATRIX[row, action].partition(" ")
    heard, told = ACKNOWLEDGED.get(action, []), TOLD.get(kind, WITHOUT[action])
    assert play.says()[: len(heard)] == heard
    assert reply.state == STATES[word, action]
    assert (reply.error.kind if reply.error else None) == (kind if word == "stays" else None)
    if word == "stays":
        assert play.says() == [*heard, told]
        assert reply.exit_code == (4 if kind == "credentials" else 8)
    elif kind:
        assert play.says()[len(heard)] == told
    if word == "doubt":
        assert (reply.status, reply.exit_code) == ("in_doubt", 7)
    if action in PAID:
        assert len(calls(sandbox, "POST", PAID[action], since)) == (row != REFUSED)
    check_promises(play, sandbox, since)
    finish(play, sandbox)
    assert not waiting_faults(sandbox), "the fault never struck"
    check_promises(play, sandbox, since)


@pytest.mark.parametrize(("row", "action"), [cell for cell in MATRIX if cell[1] in PAID])
def test_a_paid_call_is_repeated_by_nothing_but_a_new_answer_of_the_person(
    play: Player, sandbox: Sandbox, tmp_path: Path, row: str, action: str
) -> None:
    """After any fault: the same turn again, a restart, a look and turns without an event send no second one."""
    since = len(sandbox.requests)
    revision = strike(play, sandbox, tmp_path, row, action).revision or 0
    again = player(tmp_path, BUNDLE, sandbox.url, store=play.engine.world.store)
    again.name = play.name
    event, arguments = usual_turn(before(CALLS[action])[0])
    assert again.send(event, **arguments, revision=revision - 1, turn_id=STRUCK).replayed
    again.send(None)
    again.engine.resume(play.name)
    again.engine.look(play.name)
    assert len(calls(sandbox, "POST", PAID[action], since)) == (row != REFUSED)


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("name", ["drop-before", "server-error", "unauthorized", "html-200"])
def test_a_service_that_stays_broken_does_not_keep_the_run(
    play: Player, sandbox: Sandbox, tmp_path: Path, name: str, action: str
) -> None:
    """`retry` changes nothing and breaks nothing; the person can always cancel, and is told so."""
    since = len(sandbox.requests)
    begin(play, tmp_path)
    _, event, given = bring(play, sandbox, action)
    sandbox.fault(name, on=CALLS[action], times=0)
    play.send(event, **given)
    for _ in range(2):
        if any(option.event == "retry" for option in play.reply.next):
            state = play.reply.state
            assert play.send("retry").state == state
            assert play.reply.error is not None
    end = DEFINITION.moves(DEFINITION.states[play.reply.state or ""])["cancel"]
    reply = play.send("cancel")
    assert (reply.state, reply.status) == (end, "cancelled")
    assert play.says()[-1].startswith("cancelled")
    check_promises(play, sandbox, since)
