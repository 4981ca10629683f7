"""Proving what needs several gates together, and what only counts since something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.machines import write_bundle
from tests.signing import document, write
from workflow.bundle import find_problems
from workflow.bundle.lint.rules import AskedAgain, invariants
from workflow.bundle.lint.ways import Ways
from workflow.bundle.loader import read
from workflow.machine.definition import Definition, Names, either

ALL = (("ann", "ben"),)


def problems(tmp_path: Path, content: dict[str, Any]) -> list[str]:
    """What lint says of the bundle, place by place."""
    return [str(each) for each in find_problems(write(tmp_path / "signing", content))]


def test_the_machine_of_every_set_of_gates_passes(tmp_path: Path) -> None:
    """It pays only where an alternative is whole."""
    for number, alternatives in enumerate([ALL, (("ann", "ben"), ("cho",)), (("ann",), ("ben",), ("cho",))]):
        assert problems(tmp_path / str(number), document(alternatives)) == []


@pytest.mark.parametrize(
    ("alternatives", "state", "told"),
    [
        (ALL, "signed_ann", "'pay' is reached without ben: ann alone does not do"),
        (ALL, "signed", "'pay' is reached without ann and ben"),
        ((("ann", "ben"), ("cho",)), "signed_ben", "'pay' is reached without ann: ben alone does not do"),
        ((("ann", "ben"), ("cho",)), "signed", "'pay' is reached without ann and ben, or cho"),
        ((("ann", "ben", "cho"),), "signed_ann_cho", "'pay' is reached without ben: ann and cho alone do not do"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, alternatives: tuple[Names, ...], state: str, told: str) -> None:
    """A way that pays one gate too early: which are there, and which are not."""
    content = document(alternatives)
    whole = "_".join(("paying_signed", *alternatives[0]))
    content["phases"]["desk"][state]["on"]["pay"] = f"desk.{whole}"
    assert any(told in each for each in problems(tmp_path, content)), problems(tmp_path, content)


def test_what_is_missing_is_asked_again(tmp_path: Path) -> None:
    """Where the way back asks only one of two, the other would never be asked: which of them lapsed is not known."""
    content = document(ALL)
    content["phases"]["desk"]["paying_signed_ann_ben"]["failed"]["void"] = "desk.second"
    content["phases"]["desk"]["second"] = {"say": "ask", "on": {"sign_ben": "desk.paying_signed_ann_ben"}}
    found = problems(tmp_path, content)
    assert any("'pay' does not lead back to ann when its approval no longer counts" in each for each in found), found


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        ([{"all": ["ann", "bne"]}], "unknown gate 'bne'; did you mean 'ben'?"),
        ([{"all": []}, "ann"], "`all` names no gate, so it would ask nobody"),
        ([{"all": ["ann", "ann"]}], "a gate is there twice"),
        ([{"all": ["ann", "ben"]}, "ann"], "ann alone is enough, so that this asks for nothing more: take out one"),
        ([{"all": ["ann", "ben"]}, {"all": ["ben", "ann"]}], "'pay' names ben and ann twice"),
        ([{"any": ["ann", "ben"]}], "unknown key 'any'"),
        ([{"all": "ann"}], "'all' must be a list"),
    ],
)
def test_a_contradiction_is_told_where_it_stands(tmp_path: Path, needs: list[Any], told: str) -> None:
    """Unknown, empty, twice, or never needed: with the line of `never_without`."""
    content = {**document(ALL), "never_without": {"pay": needs}}
    folder = write(tmp_path / "signing", content)
    lines = (folder / "workflow.yaml").read_text().splitlines()
    first, last = lines.index("never_without:") + 1, lines.index("events:") + 1
    found = [each for each in find_problems(folder) if told in str(each)]
    assert found and first < found[0].line < last, [str(each) for each in find_problems(folder)]


def since(**table: Any) -> dict[str, Any]:
    """A machine that stores, records and pays, in which `change` stores again."""
    content = document((("ann",),))
    act = content["actions"]["pay"]
    content["actions"] |= {
        "store": {**act, "effect": "repeatable", "path": "/stored", "sets": {}},
        "record": {**act, "effect": "repeatable", "path": "/recorded", "sets": {}},
    }
    content["service"]["sandbox"] |= {"POST /stored": {"body": {}}, "POST /recorded": {"body": {}}}
    content["start"] = "desk.storing"
    content["phases"]["desk"] |= {
        "storing": {"do": "store", "then": "desk.recording"},
        "recording": {"do": "record", "then": "desk.signed"},
    }
    for state in ("signed", "signed_ann", "paid"):
        content["phases"]["desk"][state]["on"]["change"] = "desk.storing"
    return content | {"only_after": {"pay": table or {"record": {"since": "store"}}}}


def test_what_was_recorded_before_counts_no_more(tmp_path: Path) -> None:
    """Storing leads to recording: it passes. Where it leads on without, the record is of what was stored before."""
    assert problems(tmp_path / "a", since()) == []
    worse = since()
    worse["phases"]["desk"]["changing"] = {"do": "store", "then": "desk.signed"}
    worse["phases"]["desk"]["signed"]["on"]["change"] = "desk.changing"
    found = problems(tmp_path / "b", worse)
    assert any("'pay' is reached before record (since store)" in each for each in found), found
    plain = worse | {"only_after": {"pay": ["record"]}}
    assert problems(tmp_path / "c", plain) == []


@pytest.mark.parametrize(("effect", "holds"), [("repeatable", False), ("read", True), ("once", True)])
def test_a_failed_call_voids_where_it_may_have_changed_something(tmp_path: Path, effect: str, holds: bool) -> None:
    """A paid call that failed certainly did nothing, and reading changes nothing; any other may have been done."""
    content = since()
    content["actions"]["store"] |= {"effect": effect, "sets": {"payment": "id"}}
    changing: dict[str, Any] = {"do": "store", "then": "desk.recording", "failed": "desk.signed"}
    if effect == "once":
        content["never_without"]["store"] = ["ben"]
        content["gates"]["ben"] = {"subject": ["amount"]}
        content["events"]["sign_ben"] = {"when": "Ben agrees.", "gate": "ben"}
        content["start"] = "desk.first"
        content["phases"]["desk"]["first"] = {"say": "ask", "on": {"sign_ben": "desk.storing"}}
        changing |= {"doubt": "desk.lost", "failed": {"void": "desk.first", "else": "desk.signed"}}
        content["phases"]["desk"]["storing"] |= {"doubt": "desk.lost", "failed": "desk.first"}
        content["phases"]["desk"]["lost"] = {"say": "unsure", "on": {"told": "desk.first"}}
        for state in ("signed", "signed_ann", "paid"):
            content["phases"]["desk"][state]["on"] = {"change": "desk.first", **content["phases"]["desk"][state]["on"]}
            content["phases"]["desk"][state]["on"]["change"] = "desk.first"
        content["phases"]["desk"]["signed"]["on"]["sign_ben"] = "desk.changing"
    else:
        content["phases"]["desk"]["signed"]["on"]["change"] = "desk.changing"
    content["phases"]["desk"]["changing"] = changing
    found = problems(tmp_path, content)
    assert any("before record (since store)" in each for each in found) is not holds, found


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"recrod": {"since": "store"}}, "unknown action 'recrod'; did you mean 'record'?"),
        ({"record": {"since": "stroe"}}, "unknown action 'stroe'; did you mean 'store'?"),
        ({"record": {"since": ["store", "desk.paied"]}}, "unknown state 'desk.paied'; did you mean 'desk.paid'?"),
        ({"record": {"since": "record"}}, "'record' voids itself"),
        ({"record": {}}, "'since' is missing in 'record'"),
        ({"record": {"sinec": "store"}}, "unknown key 'sinec'; did you mean 'since'?"),
    ],
)
def test_a_slip_in_since_is_told_where_it_stands(tmp_path: Path, table: dict[str, Any], told: str) -> None:
    """Names, keys, and what can never count."""
    folder = write(tmp_path / "signing", since(**table))
    lines = (folder / "workflow.yaml").read_text().splitlines()
    first = next(number for number, text in enumerate(lines, 1) if text.startswith("only_after"))
    found = [each for each in find_problems(folder) if told in str(each)]
    assert found and first < found[0].line <= first + 5, [str(each) for each in find_problems(folder)]


@pytest.mark.parametrize("states", [200, 1_000])
def test_a_large_bundle_with_several_gates_is_proved_as_one_with_few(tmp_path: Path, states: int) -> None:
    """Two gates together, one of which lasts, and what counts only since something: the ways grow as the states do."""
    folder = write_bundle(tmp_path, states)
    text = (folder / "workflow.yaml").read_text(encoding="utf-8")
    for was, becomes in (
        ("approved: {subject: [plan]}", "approved: {subject: [plan], lasts: 3}, second: {subject: [plan]}"),
        ("never_without: {pay: [approved]}", "never_without: {pay: [{all: [approved, second]}]}"),
        ("only_after: {pay: [fetch]}", "only_after: {pay: {fetch: {since: look}}}"),
        ("  approve: {gate: approved}\n", "  approve: {gate: approved}\n  also: {gate: second}\n"),
    ):
        assert text.count(was) == 1
        text = text.replace(was, becomes)
    asking, signing = (
        r"on: {approve: (\w+)\.paying(\d+), answer: \w+\.choosing\d+}}",
        (r"on: {approve: \1.signing\2, answer: \1.choosing\2}}\n    signing\2: {say: offer, on: {also: \1.paying\2}}"),
    )
    definition = Definition.from_document(read(re.sub(asking, signing, text), "workflow.yaml").document)
    ways = Ways(definition)
    looked = 0
    for rule in (*invariants(definition), AskedAgain("pay", definition)):
        arrived = list(ways._arrivals(rule, {}))
        looked += len(arrived)
        assert not any(rule.broken(definition.states[name], bits) for name, bits, _ in arrived)
    assert looked < 4 * 3 * len(definition.states)


def test_both_forms_are_read() -> None:
    """A name, a list and a table; alternatives in words."""
    content = since(record={"since": ["store", "desk.paid"]}, store=None)
    content["never_without"] = {"pay": [{"all": ["ann", "ben"]}, "cho"]}
    definition = Definition.from_document(yaml.safe_load(yaml.safe_dump(content)))
    assert definition.alternatives("pay") == (("ann", "ben"), ("cho",))
    assert definition.needs("pay") == ("ann", "ben", "cho") and definition.guarding == {"ann", "ben", "cho"}
    assert [(each.name, each.since) for each in definition.only_after["pay"]] == [
        ("record", ("store", "desk.paid")),
        ("store", ()),
    ]
    assert either((("ann", "ben"), ("cho",))) == "ann and ben, or cho" and either((("a",), ("b",))) == "a or b"
