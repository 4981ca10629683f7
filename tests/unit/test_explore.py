"""Exploring every way of a run: what is proved of the reference machine, and how a break of it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.machines import write_bundle
from tests.unit.test_paths import machine
from workflow.bundle import find_problems, open_bundle
from workflow.bundle.checks import examine
from workflow.bundle.content import YAML
from workflow.bundle.content import read as files_of
from workflow.bundle.lint.rules import Invariant, NeverAfter, OnlyAfter, invariants
from workflow.bundle.lint.ways import Edge, Verdicts, Ways
from workflow.bundle.loader import read
from workflow.machine.definition import After, Definition
from workflow.model.frozen import replace

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / YAML).read_text(encoding="utf-8")

SKIP = ("  cancel:\n", "  skip: {}\n  cancel:\n")
UNGUARDED = ("    gate: user_approved\n", "    covers: []\n")
"""An event that no gate asks about."""
ADJUST = "adjust: understand.receiving, open: understand.opening}\n      no_news: not_ordered\n\n  create"
PREPARED = "then: {plan_ready: confirm.presenting, else: understand.asking}\n      failed: {invalid"
CREATED = "      do: create\n      then: deliver.generating"
RECEIVED = "receiving:\n      then: {files_pending: understand.consenting"
READY = """\
modify: revise.receiving, finish: over.finished, cancel: over.stopped}
      no_news: still_ready
    no_image"""


def broken(text: str) -> list[Invariant]:
    """The invariants of this machine that do not hold."""
    definition = Definition.from_document(read(text, YAML).document)
    ways = Ways(definition)
    return [each for each in invariants(definition) if ways.counterexample(each) is not None]


def edited(*changes: tuple[str, str]) -> str:
    """The reference machine with these changes."""
    text = TEXT
    for was, becomes in changes:
        assert text.count(was) == 1, was
        text = text.replace(was, becomes)
    return text


def traced(text: str) -> dict[str, tuple[str, ...]]:
    """Problem → the turns that show it, of the reference bundle with this machine."""
    files = files_of(ROOT)
    changed = replace(files, content={**files.content, YAML: text.encode()})
    return {str(problem).split(": ", 1)[1]: problem.trace for problem in examine(changed)[1]}


@pytest.mark.parametrize(
    "bundle",
    [
        ".",
        "tests/courier",
        "tests/payout",
        "examples/expense",
        "examples/refund",
        "examples/release",
        "compare/bundle",
        "benchmarks/bundle",
    ],
)
def test_no_shipped_bundle_raises_an_alarm(bundle: str) -> None:
    """Every declared invariant holds, and nothing else is found."""
    assert find_problems(ROOT / bundle) == []


def test_the_reference_machine_declares_and_keeps_its_invariants() -> None:
    """Of each kind there is one, and none can be broken."""
    definition = open_bundle(ROOT).definition
    assert {each.rule for each in invariants(definition)} == {"never_without", "only_after", "never_after"}
    assert broken(TEXT) == []


ROUNDABOUT: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "adjusted": ("create", [(ADJUST, ADJUST.replace("understand.receiving", "create.creating"))]),
    "declined": ("upload", [("decline: understand.preparing", "decline: understand.uploading")]),
    "at once": ("create", [(PREPARED, PREPARED.replace("confirm.presenting", "create.creating"))]),
    "again": ("create", [(CREATED, CREATED.replace("deliver.generating", "create.creating"))]),
    "no gate": ("create", [UNGUARDED]),
    "no consent": ("upload", [(RECEIVED, RECEIVED.replace("understand.consenting", "understand.uploading"))]),
    "back door": (
        "create",
        [SKIP, ("{approve: create.creating,", "{approve: create.creating, skip: create.creating,")],
    ),
    "to the end": ("deliver.ready", [SKIP, ("\non: {cancel: over", "\non: {skip: deliver.looking, cancel: over")]),
    "first": ("create", [("start: understand.starting", "start: create.creating")]),
    "made anew": ("create", [(READY, READY.replace("revise.receiving", "understand.receiving"))]),
}
"""What is done to the reference machine, and the subject of an invariant that it breaks."""


@pytest.mark.parametrize("name", ROUNDABOUT)
def test_a_way_round_is_found_before_anything_runs(name: str) -> None:
    """Whatever line of the reference machine opens one: a shipped invariant does not hold."""
    subject, changes = ROUNDABOUT[name]
    assert subject in {each.subject for each in broken(edited(*changes))}


def test_every_back_door_to_a_call_that_needs_a_person_is_found() -> None:
    """An event without a gate, from any state that waits straight to such a call.

    But for one, which is there already: `decline` sends the change that was ordered, without its file.
    """
    definition = Definition.from_document(read(TEXT, YAML).document)
    doors = [
        (state.name, target.name)
        for state in definition.states.values()
        if not state.works and not state.end
        for target in definition.states.values()
        if target.do in definition.never_without
    ]
    assert len(doors) > 50
    for source, target in doors:
        state = definition.states[source]
        changed = {**definition.states, source: replace(state, on={**state.on, "skip": target})}
        ways = Ways(replace(definition, states=changed))
        found = any(ways.counterexample(each) is not None for each in invariants(definition))
        assert found or (source, target) == ("revise.consenting", "revise.sending"), (source, target)


def test_a_break_is_told_turn_by_turn() -> None:
    """A shortest run, each step with where it leads and the line that says so."""
    found = traced(edited(UNGUARDED))
    trace = found["'create' is reached without user_approved or ordered_directly"]
    steps = [" ".join(line.split()) for line in trace]
    lines = TEXT.splitlines()
    places = [line.rpartition(" ")[2].split(":") for line in trace]
    assert [step.rpartition(" ")[0] for step in steps] == [
        "turn 1 `start` → understand.starting",
        "no `link_given` → understand.receiving",
        "no `files_pending` → understand.preparing",
        "`prepare` succeeds, `plan_ready` holds → confirm.presenting",
        "turn 2 `approve` → create.creating",
    ]
    assert [lines[int(line) - 1][int(column) - 1 :].split(":")[0] for _, line, column in places] == [
        "understand.starting",
        "else",
        "else",
        "plan_ready",
        "approve",
    ]


LEADS = "'{}' does not lead back to {} when its approval no longer counts: route `failed: void`"
CREATES = LEADS.format("create", "user_approved or ordered_directly")
UPLOADS = LEADS.format("upload", "consent_given")
SENDS = LEADS.format("send", "change_ordered or change_repeated")


@pytest.mark.parametrize(
    ("old", "new", "problem", "last"),
    [
        ("{void: understand.consenting, stale", "{stale", UPLOADS, "`upload` fails: void; `retry` calls it again"),
        ("failed: create.refused\n", "failed: {credits: create.refused}\n", CREATES, "`retry` calls it again"),
        ("failed: create.refused\n", "failed: {void: over.cancelled, else: create.refused}\n", CREATES, "fails: void"),
        ("failed: create.refused\n", "failed: {void: deliver.late, else: create.refused}\n", CREATES, "fails: void"),
        ("failed: create.refused\n", "failed: {void: create.creating, else: create.refused}\n", CREATES, "fails: void"),
        ("then: {plan_ready: confirm.presenting, else: understand.asking}\n    repeating",
         "then: {plan_ready: confirm.presenting, else: understand.rewording}\n    repeating",
         CREATES, "no `plan_ready`"),
        ("failed: {gone: revise.missing, else: revise.unchanged}\n",
         "failed: {void: revise.gone, else: revise.unchanged}\n",
         SENDS, "fails: void"),
    ],
)  # fmt: skip
def test_a_void_approval_leads_back_to_its_gate(old: str, new: str, problem: str, last: str) -> None:
    """Unrouted, to an end, to another question, in a circle, or by one guard of several: told turn by turn."""
    (*before, end), kept = traced(edited((old, new)))[problem], traced(TEXT)
    assert problem not in kept
    assert before[0].startswith("turn 1   `start`") and last in end


def test_a_run_that_begins_with_the_break_has_one_turn() -> None:
    """The first state itself."""
    (trace,) = [
        trace for what, trace in traced(edited(("start: understand.starting", "start: create.creating"))).items()
        if what.startswith("'create' is reached without")
    ]  # fmt: skip
    assert [" ".join(line.split())[:32] for line in trace] == ["turn 1 `start` → create.creating"]


def rule(kind: str, subject: str, *names: str) -> Invariant:
    """An invariant over states of the phase `p`."""
    return NeverAfter(subject, names) if kind == "never_after" else OnlyAfter(subject, tuple(map(After, names)))


def test_an_action_may_be_performed_once_however_often_it_fails() -> None:
    """A failed call has not happened; one that succeeded has, and so has a state that the run was in."""
    states: dict[str, Any] = {
        "a": {"say": "m", "on": {"go": "p.b"}},
        "b": {"do": "x", "then": "p.c", "failed": "p.a"},
        "c": {"say": "m", "on": {"back": "p.d"}},
        "d": {"say": "m", "end": "done"},
    }
    once = rule("never_after", "x", "x")
    assert Ways(machine("a", **states)).counterexample(once) is None
    states["c"]["on"]["go"] = "p.a"
    way = Ways(machine("a", **states)).counterexample(once)
    assert way and [edge.target for edge in way] == ["p.b", "p.c", "p.a", "p.b"]
    assert Ways(machine("a", **states)).counterexample(rule("never_after", "p.d", "p.b"))


def test_what_comes_only_after_something_waits_for_its_success() -> None:
    """To have tried is not enough, and one of several will do."""
    states: dict[str, Any] = {
        "a": {"do": "x", "then": "p.b", "failed": "p.c"},
        "b": {"say": "m", "on": {"go": "p.d"}},
        "c": {"do": "y", "then": "p.d"},
        "d": {"say": "m", "end": "done"},
    }
    ways = Ways(machine("a", **states))
    assert ways.counterexample(rule("only_after", "p.d", "x", "y")) is None
    found = ways.counterexample(rule("only_after", "p.d", "x"))
    assert found and [edge.what for edge in found] == ["`x` fails", "`y` succeeds"]


def test_what_a_guard_said_holds_until_something_may_have_changed_it() -> None:
    """From one pure choice to the next it says the same; behind a call, or a rest, it may say the other."""
    again = {"then": {"g": "p.x", "else": "p.w"}}
    waiting: dict[str, Any] = {"w": {"say": "m", "on": {"go": "p.a"}}, "x": {"say": "m", "end": "done"}}
    at_once = Ways(machine("a", a={"then": {"g": "p.w", "else": "p.b"}}, b=again, **waiting))
    assert {edge.target for name, edge in at_once.taken if name == "p.b"} == {"p.w"}
    later = machine("a", a={"then": {"g": "p.w", "else": "p.c"}}, c={"do": "x", "then": "p.b"}, b=again, **waiting)
    assert {edge.target for name, edge in Ways(later).taken if name == "p.b"} == {"p.w", "p.x"}


def test_a_doubt_that_is_settled_makes_a_guard_ask_anew() -> None:
    """A guard may ask whether something is in doubt, and by leaving a state of doubt it no longer is."""
    definition = machine(
        "a",
        a={"do": "x", "then": "p.w", "failed": "p.w", "doubt": "p.d"},
        d={"then": {"g": "p.w", "else": "p.b"}},
        b={"then": {"g": "p.e", "else": "p.w"}},
        w={"say": "m", "on": {"go": "p.b"}},
        e={"say": "m", "end": "done"},
    )
    assert {edge.target for name, edge in Ways(definition).taken if name == "p.b"} == {"p.e", "p.w"}


def test_a_long_chain_of_choices_is_explored_in_no_time() -> None:
    """What is never asked again is not kept in mind: forty guards are not a million million ways."""
    states: dict[str, Any] = {
        f"c{number}": {"then": {f"g{number}": f"p.c{number + 1}", "else": f"p.c{number + 1}"}} for number in range(40)
    }
    states["c40"] = {"then": {f"g{number}": "p.end" for number in range(40)} | {"else": "p.end"}}
    states["end"] = {"say": "m", "end": "done"}
    begun = time.perf_counter()
    assert Ways(machine("c0", **states)).ending() == {f"p.{name}" for name in states}
    assert time.perf_counter() - begun < 20


@pytest.mark.parametrize("states", [200, 1_000])
def test_a_large_bundle_is_proved_by_a_few_looks_at_each_state(
    states: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is explored grows as the machine does, for every invariant once: a thousand states are no ordeal."""
    looked_at = list[str]()
    possible = Ways._possible

    def counted(ways: Ways, name: str, known: Verdicts) -> Iterator[Edge]:
        looked_at.append(name)
        return possible(ways, name, known)

    monkeypatch.setattr(Ways, "_possible", counted)
    definition = open_bundle(write_bundle(tmp_path, states)).definition  # which checks it once
    explored = 1 + len(list(invariants(definition)))
    assert set(looked_at) == set(definition.states)
    assert len(looked_at) < 2 * explored * states  # twice, since what an invariant asks for happened before or not
    assert len(Ways(definition).taken) < 8 * states
