"""Every bundle that comes along declares what protects its paid calls, keeps it, and cannot lose it unnoticed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.mutants.mutants import mutants
from workflow.bundle import Bundle, find_problems, open_bundle
from workflow.bundle.checks import examine
from workflow.bundle.content import YAML
from workflow.bundle.content import read as files_of
from workflow.bundle.lint.rules import invariants
from workflow.bundle.lint.ways import Ways
from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.reach import doubt_only
from workflow.model.frozen import replace

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (
    *(".", "examples/expense", "examples/refund", "examples/release", "workflow/author/scaffold/starter"),
    *("tests/courier", "tests/payout", "compare/bundle", "benchmarks/bundle"),
)
HARMLESS = {("revise.consenting", "revise.sending")}
"""A door that is there already: `decline` sends the change that was ordered, without its file."""

shipped = pytest.mark.parametrize("name", SHIPPED)


@cache
def opened(name: str) -> Bundle:
    """The bundle as it stands; open_bundle has checked it."""
    return open_bundle(ROOT / name)


@shipped
def test_lint_has_nothing_to_say(name: str) -> None:
    """All invariants are proved, and nothing else is found."""
    assert find_problems(ROOT / name) == []


@shipped
def test_every_paid_call_is_protected_by_a_gate(name: str) -> None:
    """What is done once, at most, is done never without a person's answer."""
    bundle = opened(name)
    paid = {each for each, action in bundle.registry.actions.items() if action.effect == "once"}
    assert paid and paid <= set(bundle.definition.never_without)


@shipped
def test_a_gate_that_an_event_loses_is_missed(name: str) -> None:
    """Lint says who would get past whom; but not where the answer is only looked into, and the service decides."""
    files, definition = files_of(ROOT / name), opened(name).definition
    moves = [each for state in definition.states.values() for each in state.on.items()]
    document = read(files.content[YAML], YAML).document
    gates = {f"events.{event.name}.gate": event.name for event in definition.events.values() if event.gate}
    lost = [each for each in mutants(document) if each.name in gates]
    assert len(lost) == len(gates) > 0
    for mutant in lost:
        changed = replace(files, content={**files.content, YAML: mutant.text.encode()})
        looked_into = {to for event, to in moves if event == gates[mutant.name]} <= doubt_only(definition)
        assert bool(examine(changed)[1]) is not looked_into, mutant.name


@shipped
def test_a_back_door_to_a_protected_call_is_found(name: str) -> None:
    """An event without a gate, from any state that waits straight to such a call."""
    definition = opened(name).definition
    doors = [
        (state.name, target.name)
        for state in definition.states.values()
        if not state.works and not state.end
        for target in definition.states.values()
        if target.do in definition.never_without
    ]
    assert doors
    assert {door for door in doors if not found(definition, *door)} <= HARMLESS


def found(definition: Definition, source: str, target: str) -> bool:
    """Whether an invariant breaks if ``source`` has a door to ``target``."""
    state = definition.states[source]
    states = {**definition.states, source: replace(state, on={**state.on, "skip": target})}
    ways = Ways(replace(definition, states=states))
    return any(ways.counterexample(each) is not None for each in invariants(definition))
