"""Random walks: a sound bundle survives them, an unsound one is found, and a seed says all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.test_call import sending
from workflow.author.invariants import Witness
from workflow.author.random_walk import Walk, gather
from workflow.author.scaffold import new_bundle
from workflow.author.simulate import Simulated, simulate
from workflow.author.stand import candidate, set_up
from workflow.author.walk_coverage import Coverage
from workflow.model.evidence import STRENGTHS
from workflow.model.frozen import replace
from workflow.model.session import Turn

ROOT = Path(__file__).parents[2]
COURIER = ROOT / "tests" / "courier"
POST = 'answer = call.service.call("POST", "/bookings", json={"to": call.data["address"]}, timeout=5)'


@pytest.fixture
def courier(tmp_path: Path) -> Path:
    """A copy of the courier, to be spoilt."""
    folder = tmp_path / "courier"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def spoil(folder: Path, file: str, before: str, after: str) -> None:
    """Change one place of a file."""
    place = folder / file
    text = place.read_text(encoding="utf-8")
    assert text.count(before) == 1
    place.write_text(text.replace(before, after), encoding="utf-8")


def walked(folder: Path, walks: int = 12) -> Simulated:
    """Some walks with a fixed seed."""
    return simulate(candidate(folder), seed=1, walks=walks, steps=20)


def test_the_reference_bundle_survives() -> None:
    """Nothing that is sent, breaks or waits breaks a promise; most phases are reached."""
    found = simulate(candidate(ROOT), seed=7, walks=5, steps=30)
    assert found.violation is None, found.violation
    counted = found.coverage.as_json()
    assert counted["states"]["covered"] >= 10 and counted["states"]["of"] == 50
    assert counted["guards"]["covered"] >= 10 and counted["transitions"]["covered"] >= 12


def test_the_same_seed_takes_the_same_walks() -> None:
    """Number of turns and all coverage are the same; another seed takes others."""
    first, again = walked(COURIER, 4), walked(COURIER, 4)
    assert (first.steps, first.coverage.as_json()) == (again.steps, again.coverage.as_json())
    other = simulate(candidate(COURIER), seed=99, walks=4, steps=20)
    assert (other.steps, other.coverage.as_json()) != (first.steps, first.coverage.as_json())


def test_a_call_that_pays_twice_is_found(courier: Path) -> None:
    """The log has one intent, the service got two bookings: shown as the two turns that it takes, with the seed."""
    spoil(courier, "phases/order.py", POST, f"{POST.partition('= ')[2]}\n    {POST}")
    violation = walked(courier).violation
    assert violation is not None and violation.seed == 1 + violation.walk
    assert violation.broken == ("the service got 2 paid requests, and the log has 1 intents",)
    steps = [line for line in violation.transcript if not line.startswith("     ")]
    assert [line.split()[1] for line in steps] == ["start", "accept"]
    assert simulate(candidate(courier), seed=violation.seed, walks=1, steps=20).violation is not None


def test_a_look_that_pays_is_found(courier: Path) -> None:
    """An action that is marked as harmless, and is not, is seen where its requests arrive, three of them."""
    spoil(
        courier,
        "phases/order.py",
        'call.service.call("GET", "/price", query',
        'call.service.call("POST", "/bookings", query',
    )
    violation = walked(courier).violation
    assert violation is not None and "the service got 3 paid requests, and the log has 0 intents" in violation.broken


def test_a_reply_with_the_key_and_a_run_that_is_stuck_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine itself keeps from happening is looked for all the same."""
    with set_up(candidate(COURIER)) as stand:
        turn = Turn("start", {"address": "12 Harbour Lane", "weight": 4})
        reply = stand.engine.start(turn, bundle=str(COURIER), sandbox=stand.sandbox.url)
        assert reply.session is not None
        witness = Witness(stand)
        assert witness.broken(reply.session, reply) == []
        leaky = replace(reply, notices=("courier-depot-key",))
        assert witness.broken(reply.session, leaky) == ["the reply holds the key"]
        shown = replace(stand.engine.status(reply.session), next=(), status="done")
        monkeypatch.setattr(stand.engine, "status", lambda name: shown)
        assert witness.broken(reply.session, reply) == [
            "the status is told as done, and is waiting",
            "nothing can be sent in order.offering, which is not an end",
        ]


def test_a_sandbox_that_names_no_paid_request_is_told(courier: Path) -> None:
    """Then they were counted in the log alone."""
    spoil(courier, "phases/depot.py", 'PAID = ("POST /bookings",)', "PAID = ()")
    (note,) = walked(courier, 1).notes
    assert "PAID" in note


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("whose", ["bundle", "configuration"])
def test_walks_get_past_a_gate_of_every_strength(courier: Path, whose: str, strength: str) -> None:
    """The person answers as strongly as is needed, whoever asks for it."""
    if whose == "bundle":
        spoil(courier, "workflow.yaml", "price_accepted: {subject", f"price_accepted: {{strength: {strength}, subject")
    else:
        text = (COURIER / "scenarios" / "to-the-door.yaml").read_text(encoding="utf-8")
        raised = text.replace("given:", f"given:\n  gates: {{price_accepted: {strength}}}")
        (courier / "scenarios" / "to-the-door.yaml").write_text(raised, encoding="utf-8")
    found = walked(courier)
    assert found.ok, found.violation
    assert found.coverage.states["delivery.travelling"]


@pytest.mark.parametrize("within", ["90s", "20m", "30h", "60d"])
def test_walks_reach_the_deadline_of_a_watch(courier: Path, within: str) -> None:
    """However long the wait is: time jumps to its end."""
    spoil(courier, "workflow.yaml", "within: 1h", f"within: {within}")
    found = walked(courier, 20)
    assert found.ok, found.violation
    assert found.coverage.states["delivery.lost"]


@pytest.mark.parametrize("valid", ["1h", "30d"])
def test_walks_outlive_the_term_of_a_gate(courier: Path, valid: str) -> None:
    """An answer that comes too late is among what they try."""
    spoil(courier, "workflow.yaml", "price_accepted: {subject", f"price_accepted: {{valid: {valid}, subject")
    tried = candidate(courier)
    pool, coverage = gather(tried), Coverage.of(tried.bundle)
    reasons = list[str]()
    for seed in range(20):
        walk = Walk(tried, pool, coverage, seed)
        assert walk.go(20) == ()
        reasons += [why for _, why in walk.refused]
    assert any("and its term is" in why for why in reasons), set(reasons)


def test_walks_that_begin_nothing_are_a_failure(courier: Path) -> None:
    """Without an input that the bundle takes no session begins; the reason is that of the refusals."""
    shutil.rmtree(courier / "scenarios")
    spoil(courier, "phases/order.py", "0 < weight <= HEAVIEST", "11 < weight <= HEAVIEST")
    found = walked(courier)
    assert found.violation is None and not found.ok
    assert found.unreached.startswith("no session began: 'start' is refused: the parcel must weigh"), found.unreached
    assert "Walks take their inputs from the scenarios" in found.unreached


def test_walks_that_never_get_on_are_a_failure(courier: Path) -> None:
    """Where nothing after `start` is ever taken, nothing is known of what comes after."""
    yaml = courier / "workflow.yaml"
    head, events, rest = yaml.read_text(encoding="utf-8").partition("  accept:\n")
    shut = rest.replace("    if: can_carry\n", "    if: never\n").replace("    gate: ", "    if: never\n    gate: ")
    shut = shut.replace("  stop:\n", "  stop:\n    if: never\n")
    guards = "guards:\n  never: {datum: weight, is: 31, because: it is never so}\n"
    yaml.write_text(head.replace("gates:", f"{guards}gates:", 1) + events + shut, encoding="utf-8")
    found = walked(courier)
    assert not found.ok and found.unreached.startswith("no event after `start` was taken: "), found
    assert "it is never so" in found.unreached


def test_walks_agree_to_several_files_by_name(tmp_path: Path) -> None:
    """A word without names is refused for more than one file: walks name those that the question shows."""
    folder = sending(tmp_path / "sending")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "two.yaml").write_text(
        "scenario: Two\ngiven: {files: {a.png: a, b.png: b}}\nwhen:\n  - send: start\n"
        "    input: {pictures: [{path: a.png}, {path: b.png}]}\n"
    )
    found = walked(folder, 20)
    assert found.ok, found.violation
    assert found.coverage.states["over.sent"]


def test_walks_whose_first_call_always_fails_are_a_failure(tmp_path: Path) -> None:
    """To give up at once is to get nowhere: the reason is that of the call."""
    folder = tmp_path / "mine"
    new_bundle("mine", folder)
    assert walked(folder).ok
    spoil(folder, "phases/sandbox.py", 'request.path == "/offers"', 'request.path == "/nowhere"')
    found = walked(folder)
    assert found.violation is None and not found.ok
    assert found.unreached.startswith("no walk got beyond mine.offering: the call in mine.offering failed"), (
        found.unreached
    )
