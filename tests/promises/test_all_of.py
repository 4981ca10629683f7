"""What needs several gates together leaves only with an answer to each that fits what is sent (fault A11)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.signing import GATES, Signing, document
from workflow.bundle import find_problems
from workflow.history import audit, verifier
from workflow.history.proof import prove
from workflow.machine.definition import Names
from workflow.model.frozen import as_dict

BOTH: tuple[Names, ...] = (("ann", "ben"),)


def test_a_stale_approval_pays_nothing(tmp_path: Path) -> None:
    """The exploit of A11: one approval of 1,100, then 90,000, then the other approval."""
    with Signing(tmp_path, document(BOTH)) as desk:
        desk.play.start({"amount": 1100})
        desk.sign("ann")
        desk.play.send("change", {"amount": 90000})
        desk.sign("ben")
        reply = desk.play.send("pay")
        assert desk.paid == [] and reply.state == "desk.signed"
        failure = desk.play.journal("failure")[-1].body
        assert failure and failure["kind"] == "void"
        assert failure["message"] == (
            "'pay' has no approval that counts now: no answer to the gate 'ann' fits what would be sent now"
        )
        desk.sign("ann")
        assert desk.play.reply.state == "desk.signed_ann"
        desk.sign("ben")
        desk.play.send("pay")
        assert desk.paid == [90000]


@pytest.mark.parametrize("lapsed", GATES[:2])
def test_each_term_counts(tmp_path: Path, lapsed: str) -> None:
    """Whichever of the two is too old, nothing is paid, and the reason names it."""
    with Signing(tmp_path, document(BOTH, {lapsed: {"valid": "1h"}})) as desk:
        desk.play.start({"amount": 5})
        desk.sign("ann", "ben")
        desk.clock.pass_(3601)
        desk.play.send("pay")
        assert desk.paid == []
        failure = desk.play.journal("failure")[-1].body
        assert failure and failure["message"] == (
            f"'pay' has no approval that counts now: the answer to the gate '{lapsed}' is 1h old, and its term is 1h"
        ).replace("1h old", "1h1s old")


@pytest.mark.parametrize(
    ("alternatives", "signed", "lacks"),
    [
        (BOTH, ("ann",), "ben"),
        ((("ann", "ben"), ("cho",)), ("ben",), "ann"),
        ((("ann", "ben", "cho"),), ("ann", "cho"), "ben"),
        ((("ann", "ben"), ("ann", "cho")), ("ann",), "ben"),
    ],
)
def test_the_nearest_alternative_is_named(
    tmp_path: Path, alternatives: tuple[Names, ...], signed: Names, lacks: str
) -> None:
    """All were answered, and for the rest the amount is another one."""
    used = [name for name in GATES if any(name in names for names in alternatives)]
    with Signing(tmp_path, document(alternatives)) as desk:
        desk.play.start({"amount": 1})
        desk.sign(*used)
        desk.play.send("change", {"amount": 2})
        desk.sign(*signed)
        desk.play.send("pay")
        assert desk.paid == []
        failure = desk.play.journal("failure")[-1].body
        assert failure and failure["message"].endswith(f"no answer to the gate '{lacks}' fits what would be sent now")


def test_either_alternative_pays_and_is_cited(tmp_path: Path) -> None:
    """Both together, or the third alone: the proof cites what the call left by."""
    for signed in (("ann", "ben"), ("cho",)):
        with Signing(tmp_path / signed[0], document((("ann", "ben"), ("cho",)))) as desk:
            desk.play.start({"amount": 1})
            desk.sign(*signed)
            desk.play.send("pay")
            assert desk.paid == [1]
            (call,) = [each for each in prove(desk.play.engine, desk.play.name).claims if each.on]
            assert call.holds and tuple(each.gate for each in call.by) == signed


def test_a_proof_shows_every_approval(tmp_path: Path) -> None:
    """By whom, how strong, since when, until when and to which question; the stand-alone verifier names them too."""
    with Signing(tmp_path, document(BOTH, {"ann": {"valid": "1h"}, "ben": {"valid": "2d"}})) as desk:
        desk.play.start({"amount": 7})
        desk.sign("ann")
        desk.clock.pass_(60)
        desk.sign("ben")
        desk.play.send("pay")
        (call,) = [each for each in prove(desk.play.engine, desk.play.name).claims if each.on]
        shown = [(each.gate, each.strength, each.person, each.given, each.until, each.text) for each in call.by]
        assert shown == [
            ("ann", "relayed", None, "2027-01-15T08:00:00.000Z", "2027-01-15T09:00:00.000Z", "Pay 7?"),
            ("ben", "relayed", None, "2027-01-15T08:01:00.000Z", "2027-01-17T08:01:00.000Z", "Pay 7?"),
        ]
        entries = [
            {**as_dict(entry), "without": None, "redacted": []}
            for entry in audit.entries(desk.play.engine, desk.play.name)
        ]
        told = "\n".join(verifier.approved(entries))
        for gate, at in (("ann", "08:00"), ("ben", "08:01")):
            assert f"{gate} (relayed, given '2027-01-15T{at}'): 'yes, please'" in told


PAYOUT = Path(__file__).parents[1] / "payout"
KEYS = {
    "all names one": ("[{all: [manager_ok, director_ok]}]", "[director_ok]"),
    "all names the other": ("[{all: [manager_ok, director_ok]}]", "[manager_ok]"),
    "either is enough": ("[{all: [manager_ok, director_ok]}]", "[manager_ok, director_ok]"),
    "no since": ("{record: {since: store}}", "[record]"),
}
"""What is taken out of `tests/payout`, and what is left."""
UNSIGNED = ("for_manager, on: {approve: sign.directing,", "for_manager, on: {cancel: sign.directing,")
COUNTERSIGNED = ("for_director, on: {countersign: pay.paying,", "for_director, on: {cancel: pay.paying,")
RECORDING = "    recording: {do: record, then: sign.managing}\n"
DOORS = {
    "all names one": [UNSIGNED],
    "all names the other": [COUNTERSIGNED],
    "either is enough": [UNSIGNED],
    "no since": [
        (RECORDING, f"{RECORDING}    changing: {{do: store, then: sign.managing}}\n"),
        ("{countersign: pay.paying, correct: report.storing}", "{countersign: pay.paying, correct: report.changing}"),
    ],
}
"""The way round that each key closes, in the same file."""


@pytest.mark.parametrize("name", KEYS)
def test_each_key_closes_a_way_round(tmp_path: Path, name: str) -> None:
    """With the key lint refuses the way round, without it the same way passes: the key is what is missed."""
    text = (PAYOUT / "workflow.yaml").read_text(encoding="utf-8")
    key, less = KEYS[name]
    for was, becomes in DOORS[name]:
        assert text.count(was) == 1
        text = text.replace(was, becomes)
    assert text.count(key) == 1
    found = {}
    for known, whole in ((True, text), (False, text.replace(key, less))):
        folder = shutil.copytree(PAYOUT, tmp_path / str(known))
        (folder / "workflow.yaml").write_text(whole, encoding="utf-8")
        found[known] = [str(each) for each in find_problems(folder) if "'pay' is reached" in str(each)]
    assert found[True] and not found[False], found
