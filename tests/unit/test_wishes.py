"""Which event takes a kept wish, in every state and for every event that it was kept for."""

from __future__ import annotations

import pytest

from tests.promises.conftest import REFERENCE
from workflow.bundle import open_bundle
from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.wishes import first, overtaken, taker, takes, told, waits_for
from workflow.model.session import Session, Wish

TAKERS = {
    "understand.unfinished": "answer",
    "understand.failed": "answer",
    "understand.unopened": "answer",
    "understand.asking": "answer",
    "understand.rewording": "answer",
    "confirm.presenting": "adjust",
    "deliver.ready": "modify",
    "deliver.no_image": "adjust",
    "deliver.gone": "adjust",
    "revise.changed": "modify",
    "revise.unchanged": "modify",
    "over.finished": "modify",
    "over.stopped": "modify",
}
"""The one event of each state of the reference bundle that takes the user's words about the image."""
COSTS = "modify"
"""The one that is a paid change of what there is: what is kept for it does not change a plan instead."""

END = {
    "over.cancelled": "says no",
    "over.without": "says no",
    "over.image_unsure": "waits",
    "over.image_running": "waits",
    "over.finished": "asks",
    "over.stopped": "asks",
    "over.change_unsure": "waits",
    "over.change_running": "waits",
}
"""What becomes of a wish at each end of the reference bundle."""

TWO_DATA = """
format: 1
workflow: orders
languages: [en]
service: {base_url: https://orders.example.com, sandbox: phases.sandbox, sandbox_key: sandbox-key}
data: {words: text, reason: text, plan: text}
gates:
  planned: {subject: [plan]}
  said: {subject: [words]}
never_without: {order: [planned]}
events:
  start: {input: [words]}
  answer: {input: [words]}
  adjust: {input: [words], optional: [reason]}
  complain: {input: [reason]}
  approve: {input: [words], gate: planned}
  change: {input: [words], gate: said}
  stop: {}
trouble: {else: sorry}
start: one.waiting
phases:
  one:
    waiting: {say: hello, on: {answer: one.waiting, stop: one.over}}
    over: {say: bye, end: done}
"""


def _reference() -> Definition:
    return open_bundle(REFERENCE).definition


@pytest.mark.parametrize("kept_for", ["answer", "adjust", "modify"])
def test_each_wish_is_taken_in_the_first_state_with_an_event_for_its_words(kept_for: str) -> None:
    """Whatever event it was kept for; a wish for a paid change alone waits until there is something to change."""
    definition = _reference()
    found = {name: taker(definition, name, Wish("1", kept_for, "Gold letters")) for name in definition.states}
    expected = {state: name for state, name in TAKERS.items() if kept_for != COSTS or name == COSTS}
    assert {state: event.name for state, event in found.items() if event} == expected


def test_the_table_has_every_event_that_waits() -> None:
    """An event that is added to the bundle gets its row."""
    definition = _reference()
    waiting = {event.name for event in definition.events.values() if waits_for(definition, event)}
    assert waiting == {"answer", "adjust", "modify"} == set(TAKERS.values())


@pytest.mark.parametrize(
    ("kept_for", "taken_by"),
    [
        ("answer", {"answer", "adjust", "change"}),
        ("adjust", {"answer", "adjust", "change"}),
        ("complain", {"complain"}),
        ("approve", {"approve", "change"}),
        ("change", {"change"}),
        ("gone", set()),
    ],
)
def test_no_event_takes_words_as_another_thing(kept_for: str, taken_by: set[str]) -> None:
    """Neither as another datum, nor as a yes to what another question asks, nor unpaid what was kept for a gate."""
    definition = Definition.from_document(read(TWO_DATA, "workflow.yaml").document)
    wish = Wish("1", kept_for, "Gold letters")
    assert {event.name for event in definition.events.values() if takes(definition, event, wish)} == taken_by


@pytest.mark.parametrize("kept_for", ["answer", "adjust", "modify"])
@pytest.mark.parametrize("end", [name for name, state in _reference().states.items() if state.end])
def test_no_end_is_silent_about_a_wish(end: str, kept_for: str) -> None:
    """Each end asks about it, says that it goes on waiting, or says that it cannot be fulfilled any more."""
    definition, wish, other = _reference(), Wish("1", kept_for, "Gold letters"), Wish("2", kept_for, "Purple sky")
    session = Session("s", "w", "b", "p", "en", end, wishes=(wish, other))
    asked = first(definition, end, session.wishes)
    assert asked == (wish if END[end] == "asks" else None)
    assert told(definition, end, session.wishes, asked) == [wish.key, other.key]
    assert overtaken(definition, session) == ([wish, other] if END[end] == "says no" else [])
