"""What spends an approval is one rule: lint, engine, proof and traces say the same (fault C5)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.signing import Signing, document, write
from workflow.bundle import find_problems
from workflow.history.proof import prove

ANSWERS = {"done": {"status": 200, "body": {"id": "a1b2c3d4e5"}}, "no": {"status": 422}, "lost": {"status": 500}}
"""What the service makes of a call."""
RESTS = {"done": "paid", "no": "refused", "lost": "refused"}
"""Where the session rests then, a doubt being settled: the person has looked, and it is not there."""


def desk(effect: str, outcome: str, *, lasts: int = 1) -> dict[str, Any]:
    """One gate, a call of this effect, and another action that names the gate."""
    content = document((("ann",),), {"ann": {"lasts": lasts}})
    content["service"]["sandbox"] = {"POST /payments": ANSWERS[outcome], "POST /files": {"body": {}}}
    content["actions"]["pay"]["effect"] = effect
    content["actions"]["file"] = {**content["actions"]["pay"], "effect": "repeatable", "path": "/files", "sets": {}}
    content["never_without"]["file"] = ["ann"]
    states = content["phases"]["desk"]
    paying = states["paying_signed_ann"]
    paying |= {"failed": {"void": "desk.signed", "else": "desk.refused"}}
    if effect != "once":
        del paying["doubt"], states["unsure"], content["gates"]["outcome"], content["events"]["told"]
    else:
        states["unsure"]["on"] = {"told": "desk.refused"}
    states["refused"] = {"say": "failed", "on": {"change": "desk.signed"}}
    states["signed_ann"]["on"]["file"] = "desk.filing"
    states["filing"] = {"do": "file", "then": "desk.paid", "failed": "desk.signed"}
    content["events"]["file"] = {"when": "It is to be filed."}
    return content


def cells() -> Iterator[tuple[str, str, str]]:
    """Each effect, each outcome, and which action comes after it."""
    for effect in ("once", "repeatable", "read"):
        for outcome in ANSWERS:
            for after in ("pay", "file"):
                yield effect, outcome, after


def performed(effect: str, outcome: str) -> bool:
    """The rule: a paid call as it leaves, another when it has succeeded."""
    return effect == "once" or outcome == "done"


@pytest.mark.parametrize(("effect", "outcome", "after"), list(cells()))
def test_lint_says_what_the_engine_does(tmp_path: Path, effect: str, outcome: str, after: str) -> None:
    """Lint refuses a way to a second call exactly where the engine has no answer left for it."""
    content = desk(effect, outcome)
    with Signing(tmp_path / "engine", content) as there:
        there.play.start({"amount": 5})
        there.sign("ann")
        there.play.send("pay")
        if there.play.reply.state == "desk.unsure":
            there.play.send("told", quote="I looked, it is not there")
        assert there.play.reply.state == f"desk.{RESTS[outcome]}"
        held = [each.gate for each in there.play.engine.stored(there.play.name).evidence if each.gate == "ann"]
        assert (held == []) is performed(effect, outcome)
        assert prove(there.play.engine, there.play.name).holds
    second = {"pay": "desk.paying_signed_ann", "file": "desk.filing"}[after]
    content["phases"]["desk"][RESTS[outcome]]["on"][after] = second
    found = find_problems(write(tmp_path / "lint", content))
    told = [each for each in found if f"'{after}' is reached without ann" in str(each)]
    assert bool(told) is performed(effect, outcome), found
    if told:
        assert "(spends ann)" in "\n".join(told[0].trace)
    else:
        assert found == []


@pytest.mark.parametrize("lasts", [1, 2, 3])
def test_an_approval_lasts_for_a_bounded_series(tmp_path: Path, lasts: int) -> None:
    """So many calls, each under a name of its own, and no more; lint counts them as well."""
    content = desk("once", "done", lasts=lasts)
    states = content["phases"]["desk"]
    for number in range(2, lasts + 1):
        before = "paid" if number == 2 else f"paid{number - 1}"
        states[f"paying{number}"] = {**states["paying_signed_ann"], "then": f"desk.paid{number}"}
        states[f"paid{number}"] = {"say": "paid", "on": {"change": "desk.signed"}}
        states[before]["on"]["pay"] = f"desk.paying{number}"
    with Signing(tmp_path / "engine", content) as there:
        there.play.start({"amount": 5})
        there.sign("ann")
        for number in range(lasts):
            there.play.send("pay")
            used = [each.used for each in there.play.engine.stored(there.play.name).evidence]
            assert used == ([] if number + 1 == lasts else [number + 1])
        assert there.paid == [5] * lasts
        names = [entry.body["call"] for entry in there.play.journal("intent") if entry.body]
        assert len(set(names)) == lasts
        assert prove(there.play.engine, there.play.name).holds
    last = "paid" if lasts == 1 else f"paid{lasts}"
    states["paying"] = {**states["paying_signed_ann"]}
    states[last]["on"]["pay"] = "desk.paying"
    found = find_problems(write(tmp_path / "lint", content))
    told = next(each for each in found if "'pay' is reached without ann" in str(each))
    trace = "\n".join(told.trace)
    assert (trace.count("(uses ann)"), trace.count("(spends ann)")) == (lasts - 1, 1)


def test_a_new_answer_begins_a_new_series(tmp_path: Path) -> None:
    """It replaces the one of before, and what that one was used for is not counted against it."""
    with Signing(tmp_path / "engine", desk("once", "done", lasts=2)) as there:
        there.play.start({"amount": 5})
        for _ in range(2):
            there.sign("ann")
            (held,) = there.play.engine.stored(there.play.name).evidence
            assert held.used == 0
            there.play.send("pay")
            there.play.send("change", {"amount": 5})
        assert there.paid == [5, 5]


def test_a_gate_that_lasts_longer_takes_no_answer_of_before(tmp_path: Path) -> None:
    """The rule of the gate is a part of what was agreed to."""
    shorter, longer = (document((("ann",),), {"ann": {"lasts": lasts}} if lasts > 1 else {}) for lasts in (1, 5))
    with Signing(tmp_path, shorter) as there:
        there.play.start({"amount": 5})
        there.sign("ann")
        write(there.folder, longer)
        there.play.send("pay")
        assert there.paid == [] and there.play.reply.state == "desk.signed"


@pytest.mark.parametrize("lasts", [0, -1, 101, True, 2.0, "2", 10**17])
def test_a_number_of_performances_is_one(tmp_path: Path, lasts: Any) -> None:
    """From 1 to 100; a series without an end is none."""
    content = document((("ann",),), {"ann": {"lasts": lasts}})
    found = [str(each) for each in find_problems(write(tmp_path / "signing", content))]
    assert any("lasts" in each for each in found), found


def test_no_approval_can_be_needed_for_a_watch(tmp_path: Path) -> None:
    """It looks again and again, and its looks are not held to any answer."""
    content = document((("ann",),))
    content["actions"]["look"] = {"method": "GET", "path": "/payments", "effect": "read", "sets": {"payment": "id"}}
    content["never_without"]["look"] = ["ann"]
    content["service"]["sandbox"]["GET /payments"] = {"body": {"id": "a1"}}
    content["phases"]["desk"]["paid"] |= {
        "watch": {"do": "look", "every": "3s", "within": "1m", "then": {"in_doubt": "desk.signed"}, "no_news": "ask",
                  "late": "desk.signed", "brief": "watching"},
    }  # fmt: skip
    found = [str(each) for each in find_problems(write(tmp_path / "signing", content))]
    assert any("no approval can be needed for 'look'" in each for each in found), found
