"""One thing after the other is taken out of the reference bundle; `make mutants` tries all, with more to notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.mutants.__main__ import Outcome, explained, judge, unknown
from tests.mutants.mutants import Mutant, mutants
from tests.mutants.trial import STAGES, Bench, bench, caught

QUICK = {name: STAGES[name] for name in ("lint", "journals")}
SLOWER = {
    "gates.ordered_directly.subject",
    "gates.change_repeated.subject",
    "never_without.upload",
    "events.happened.gate",
}
"""Noticed by a test of what they are for, and not by these two."""


@pytest.fixture(scope="module")
def here() -> Iterator[Bench]:
    """A bench for all tests."""
    with bench() as found:
        yield found


def test_each_key_and_each_item_is_taken_away_once() -> None:
    """Whatever stands in the document, by the keys that lead there, and nothing else changes."""
    document = {"a": {"b": ["c", "d"]}, "e": "no"}
    found = {each.name: yaml.safe_load(each.text) for each in mutants(document)}
    assert found == {
        "a": {"e": "no"},
        "a.b": {"a": {}, "e": "no"},
        "a.b[c]": {"a": {"b": ["d"]}, "e": "no"},
        "a.b[d]": {"a": {"b": ["c"]}, "e": "no"},
        "e": {"a": {"b": ["c", "d"]}},
    }


def test_the_machine_written_anew_is_the_same_machine(here: Bench) -> None:
    """What a mutant is written with changes nothing by itself."""
    assert caught(here, Mutant("", here.document), QUICK) == ("", "")


def test_no_gate_and_no_doubt_is_taken_out_unnoticed(here: Bench) -> None:
    """Every gate, its subject, what it protects, the events that answer it, and where a doubt leads."""
    asked = [
        each
        for each in mutants(here.document)
        if each.name.startswith(("gates", "never_without")) or each.name.endswith((".gate", ".doubt"))
    ]
    assert len(asked) > 25
    alive = [each.name for each in asked if caught(here, each, QUICK) == ("", "")]
    assert [name for name in alive if name.partition("[")[0] not in SLOWER] == []


def test_every_explanation_is_of_a_mutant(here: Bench) -> None:
    """Nobody is excused who is not there, nor without a reason."""
    known = explained()
    assert list(unknown((each.name for each in mutants(here.document)), known)) == []
    assert all(len(why) > 20 for why in known.values())


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor() -> None:
    """Caught without a reason, and alive with one, are the two that may be."""
    outcomes = [
        Outcome("caught", "lint", "x"),
        Outcome("excused", "", ""),
        Outcome("alive", "", ""),
        Outcome("both", "tests", "x"),
    ]
    found = list(judge(outcomes, {"excused": "because", "both": "because"}))
    assert [each.split()[0] for each in found] == ["alive", "both"]
    assert list(unknown(["excused"], {"excused": "because", "gone": "because"})) == [
        "gone is explained, and is no mutant"
    ]
