"""Every fault of the service at every call that it can strike: nothing breaks or is paid twice; runs go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import FAULTS, Sandbox
from phases.anygen.sandbox.faults import KINDS
from tests.conduct import before, begin, calls, check_promises, finish, reach, usual_turn, waiting_faults
from tests.playing import Player, player
from workflow.reply import Reply
from workflow.store.memory import MemoryStore

BUNDLE = Path(__file__).parents[2]
PAID = {"create": "/tasks", "send": "/tasks/[^/]+/messages"}
CALLS = ("upload", "prepare", "create", "task", "send", "messages")

REFUSED = {
    "success-false-200": "invalid",
    "unauthorized": "credentials",
    "forbidden": "credentials",
    "not-found": "invalid",
    "server-error": "upstream",
    "auth-4101": "credentials",
    "credits": "credits",
    "operation-not-allowed": "not_allowed",
    "invalid-api-key": "credentials",
    "too-large": "too_large",
    "rate-limited": "rate_limited",
}
"""The service says no: what kind of no it is."""

PASSING = {"rate-limited", "bad-gateway", "drop-before", "drop-after", "reset-body"}
"""May be over a moment later: what may be repeated is repeated, a watch takes it for no news."""

UNCLEAR = {
    *("bad-gateway", "redirect-302", "redirect-307", "redirect-308", "drop-before", "drop-after", "reset-body"),
    *("huge-body", "gzip-bomb", "truncated-json", "nan", "huge-int", "duplicate-keys", "deep-json"),
    *("lone-surrogate", "html-200", "empty-body", "not-an-object"),
    *("missing-file-token", "missing-task-id", "missing-message-id"),
}
"""No usable answer: whether it was done is not known."""

NOT_DONE = {name for name in UNCLEAR if name.startswith("redirect")} | {"bad-gateway", "drop-before"}
"""Of these, those after which it was not done; we cannot know it, the sandbox does."""

USUAL = {
    "upload": "understand.asking",
    "prepare": "confirm.presenting",
    "create": "deliver.generating",
    "task": "deliver.generating",
    "send": "revise.applying",
    "messages": "revise.applying",
}
"""Where the call leads when nothing is wrong: both waits end with the second look."""

ROUTED = {
    ("upload", "invalid"): "understand.consenting",
    ("upload", "too_large"): "understand.consenting",
    ("prepare", "invalid"): "understand.rewording",
}
"""Refusals that their state routes."""

WORKING = {"upload": "understand.uploading", "prepare": "understand.preparing"}
STRANGE = {
    ("prepare", "unknown-status"): "understand.asking",
    ("prepare", "ready-without-params"): "understand.asking",
    ("task", "task-failed"): "deliver.no_image",
    ("messages", "message-failed"): "revise.unchanged",
}
"""Good answers with something wrong in them: where they lead, if not to the usual place."""

TOLD = {
    "invalid": "not_accepted",
    "credentials": "check_key",
    "credits": "no_credits",
    "not_allowed": "ask_admin",
    "too_large": "too_large",
    "rate_limited": "busy",
    "upstream": "try_later",
}

Outcome = tuple[str, str | None]
"""The state, and the class of the failed call that it waits behind."""


def expected(name: str, call: str, lasting: bool) -> Outcome:
    """What the table says of a fault at a call; ``lasting`` where it strikes each attempt."""
    if (call, name) in STRANGE:
        return STRANGE[call, name], None
    if name not in REFUSED and name not in UNCLEAR:
        return USUAL[call], None
    kind = REFUSED.get(name, "upstream")
    if call in PAID:
        return _paid(name, call), None
    if name in PASSING and (call in ("task", "messages") or not lasting):
        return USUAL[call], None
    if (call, kind) in ROUTED:
        return ROUTED[call, kind], None
    return WORKING.get(call, USUAL[call]), kind


def _paid(name: str, call: str) -> str:
    """A definite no leads back, anything else is doubt; a message can be looked for, an image cannot."""
    if name in REFUSED:
        return "confirm.presenting" if call == "create" else "revise.unchanged"
    if call == "create":
        return "create.unsure"
    return "revise.unsure" if name in NOT_DONE else "revise.applying"


MATRIX = [(name, call, 1) for call in CALLS for name in FAULTS if call in KINDS[name].calls]
MATRIX += [(name, call, 3) for call in ("upload", "prepare", "task", "messages") for name in sorted(PASSING)]
FASTER: dict[str, dict[str, Any]] = {
    "slow-headers": {"seconds": 0.05},
    "slow-body": {"seconds": 0.05},
    "gzip-bomb": {"size": 4_194_304},
}


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    """One sandbox for the whole matrix; each run has its own tasks, and counts its own requests."""
    with Sandbox(rounds=2, looks=2) as running:
        yield running


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """One store for the whole matrix, so that the bundle is checked once."""
    return MemoryStore()


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


def strike(play: Player, sandbox: Sandbox, folder: Path, name: str, call: str, times: int) -> Reply:
    """Play up to the call, and let the fault strike it."""
    state, turn = before(call)
    begin(play, folder)
    reach(play, state)
    sandbox.fault(name, on=call, times=times, **FASTER.get(name, {}))
    return turn(play)


@pytest.mark.parametrize(("name", "call", "times"), MATRIX)
def test_a_fault_leads_where_the_table_says_and_the_run_ends_well(
    play: Player, sandbox: Sandbox, tmp_path: Path, name: str, call: str, times: int
) -> None:
    """The state, the class and the message are the table's; with the service well again, the run gets to its end."""
    since = len(sandbox.requests)
    reply = strike(play, sandbox, tmp_path, name, call, times)
    state, kind = expected(name, call, times > 1)
    assert (reply.state, reply.error.kind if reply.error else None) == (state, kind)
    if kind:
        assert play.says() == [TOLD[kind]]
        assert reply.exit_code == (4 if kind == "credentials" else 8)
    elif call in PAID and name in REFUSED:
        assert play.says()[0] == TOLD[REFUSED[name]]
    elif state.endswith("unsure"):
        assert (reply.status, reply.exit_code) == ("in_doubt", 7)
    check_promises(play, sandbox, since)
    finish(play, sandbox)
    assert not waiting_faults(sandbox), "the fault never struck"
    check_promises(play, sandbox, since)


@pytest.mark.parametrize(("name", "call"), [(name, call) for name, call, _ in MATRIX if call in PAID])
def test_a_paid_call_is_repeated_by_nothing_but_a_new_answer_of_the_person(
    play: Player, sandbox: Sandbox, tmp_path: Path, name: str, call: str
) -> None:
    """After any fault: the same turn again, a restart, a look and turns without an event send no second one."""
    since = len(sandbox.requests)
    revision = strike(play, sandbox, tmp_path, name, call, 1).revision or 0
    again = player(tmp_path, BUNDLE, sandbox.url, store=play.engine.world.store)
    again.name = play.name
    event, arguments = usual_turn(before(call)[0])
    assert again.send(event, **arguments, revision=revision - 1).replayed
    again.send(None)
    again.engine.resume(play.name)
    again.engine.look(play.name)
    assert len(calls(sandbox, "POST", PAID[call], since)) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["drop-before", "server-error", "unauthorized", "html-200"])
def test_a_service_that_stays_broken_does_not_keep_the_run(
    play: Player, sandbox: Sandbox, tmp_path: Path, name: str, call: str
) -> None:
    """`retry` changes nothing and breaks nothing; the person can always cancel, and is told so."""
    since = len(sandbox.requests)
    strike(play, sandbox, tmp_path, name, call, 0)
    for _ in range(2):
        if any(option.event == "retry" for option in play.reply.next):
            state = play.reply.state
            assert play.send("retry").state == state
            assert play.reply.error is not None
    reply = play.send("cancel")
    assert (reply.state, reply.status) == ("over.cancelled", "cancelled")
    assert play.says()[-1].startswith("cancelled")
    check_promises(play, sandbox, since)
