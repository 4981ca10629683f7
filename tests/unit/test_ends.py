"""Ends that take events, and what answers `check`: which events are possible there, and what is explored and proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from workflow.bundle.lint.rules import invariants
from workflow.bundle.lint.ways import Ways
from workflow.machine.decide import Accepted, Observed, Refused, decide, possible_events
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.program import Program, compile_program
from workflow.machine.registry import PASSES, Action, Done, Facts, Guard, Registry
from workflow.machine.standing import status_of
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn
from workflow.show.graph import draw

DOCUMENT: Mapping[str, Any] = {
    "format": 1,
    "workflow": "shop",
    "languages": ["en"],
    "service": {"base_url": "https://shop.example", "sandbox": "phases.shop"},
    "data": {"note": "text"},
    "gates": {"agreed": {"subject": ["note"]}, "told": {}},
    "never_without": {"buy": ["agreed"]},
    "only_after": {"shop.altering": ["shop.ready"]},
    "events": {
        "start": {"input": ["note"]},
        "agree": {"input": ["note"], "gate": "agreed"},
        "alter": {"input": ["note"]},
        "happened": {"gate": "told"},
        "thanks": {"say": "welcome"},
        "check": {},
        "finish": {},
        "cancel": {},
    },
    "trouble": {"else": "sorry"},
    "start": "shop.asking",
    "on": {"cancel": "over.cancelled"},
    "phases": {
        "shop": {
            "asking": {"say": "ask", "on": {"agree": "shop.buying"}, "no_news": "not_yet"},
            "buying": {"do": "buy", "then": "shop.ready", "failed": "shop.asking", "doubt": "shop.unsure"},
            "unsure": {"say": "unsure", "on": {"happened": "shop.ready", "cancel": "over.unsure"}},
            "ready": {
                "say": "ready",
                "on": {"alter": "shop.altering", "finish": "over.finished"},
                "no_news": "still_ready",
            },
            "altering": {"then": {"mine": "shop.ready", "else": "shop.ready"}, "on": {"cancel": "over.finished"}},
        },
        "over": {
            "finished": {"say": "bye", "end": "done", "on": {"alter": "shop.altering"}, "no_news": "still_ready"},
            "cancelled": {"say": "bye", "end": "cancelled"},
            "unsure": {"say": "bye", "end": "cancelled", "on": {"happened": "shop.ready"}},
        },
    },
}
NOW = Instant(1_800_000_000.0, 1_000.0, "boot-1")
FACTS = Facts(data={}, input={}, settings={}, watched=False, in_doubt=False)
SESSION = Session("amber-fox", "shop", "0" * 64, "", "en", "shop.asking", revision=3)


def made(document: Mapping[str, Any] = DOCUMENT) -> Program:
    """A shop whose delivered things can be altered, also when the session is over."""
    buy = Action("buy", "once", frozenset(), lambda call: Done())
    guards = [*BUILT_IN, Guard("mine", frozenset(), lambda facts: PASSES)]
    return compile_program(
        Definition.from_document(document), Registry({"buy": buy}, {each.name: each for each in guards})
    )


def decided(event: str, state: str, given: Mapping[str, Any] = {}, **more: Any) -> Accepted | Refused:
    """What becomes of a turn in this state."""
    turn, session = Turn(event, given, turn_id="1"), replace(SESSION, state=state, **more)
    return decide(made(), session, turn, Observed(turn.input, NOW, FACTS, seen="present"))


@pytest.mark.parametrize(
    ("state", "more", "possible"),
    [
        ("over.finished", {}, ["alter", "check"]),
        ("over.cancelled", {}, []),
        ("over.unsure", {"doubt": "buy"}, ["happened"]),
        ("shop.asking", {}, ["agree", "thanks", "check", "cancel"]),
        ("over.finished", {"doubt": "buy"}, ["check"]),  # of a store that was adopted: nothing settles it there
    ],
)
def test_an_end_takes_what_it_names(state: str, more: dict[str, Any], possible: list[str]) -> None:
    """What holds everywhere, or answers anywhere, does not hold in an end."""
    assert possible_events(made(), replace(SESSION, state=state, **more), {}) == possible


def test_an_end_with_events_is_over_all_the_same() -> None:
    """It is listed with those that have ended, until an event leads on."""
    program = made()
    assert status_of(program.definition, replace(SESSION, state="over.finished")) == "done"
    found = decided("alter", "over.finished", {"note": "blue"})
    assert isinstance(found, Accepted) and found.to == "shop.altering"
    assert status_of(program.definition, replace(SESSION, state="shop.ready")) == "waiting"


def test_a_refusal_in_an_end_leads_to_no_second_order() -> None:
    """What the end takes is named; where it takes nothing, a new session is for new wishes alone."""
    told = decided("agree", "over.finished", {"note": "blue"})
    assert isinstance(told, Refused) and told.hint == "Possible now: alter, check."
    told = decided("alter", "over.cancelled", {"note": "blue"})
    assert isinstance(told, Refused) and "never to change what there is" in told.hint


def test_a_working_state_leads_elsewhere_what_holds_everywhere() -> None:
    """A run that is stopped in its work, or after a failure, ends where the state says."""
    for trouble in (None, "internal"):
        found = decided("cancel", "shop.altering", trouble=trouble)
        assert isinstance(found, Accepted) and found.to == "over.finished"


def test_every_way_out_of_an_end_is_explored() -> None:
    """The proof holds with the end behind the delivery, and breaks if the end before it takes the event too."""
    definition = made().definition
    assert [each for each in invariants(definition) if Ways(definition).counterexample(each)] == []
    over = {**DOCUMENT["phases"]["over"], "cancelled": {"say": "bye", "end": "done", "on": {"alter": "shop.altering"}}}
    worse = Definition.from_document({**DOCUMENT, "phases": {**DOCUMENT["phases"], "over": over}})
    (rule,) = [each for each in invariants(worse) if each.rule == "only_after"]
    way = Ways(worse).counterexample(rule)
    assert way is not None
    assert [edge.what for edge in way] == ["`cancel`", "`alter`"]


def test_a_choice_that_no_guard_can_make_is_left_by_what_holds_everywhere() -> None:
    """A run waits there as well, so that way is explored too."""
    edges = Ways(made().definition).edges["shop.altering"]
    assert [(edge.what, edge.target) for edge in edges if edge.how == "on"] == [
        ("no guard can tell; `cancel`", "over.finished")
    ]


def test_what_an_end_takes_is_drawn() -> None:
    """An arrow leads on from it, and `check` is drawn where it is answered."""
    moves = draw(made().definition, {"buy": "once"}).moves
    assert [(each.target, each.label) for each in moves if each.source == "over.finished"] == [
        ("shop.altering", "alter"),
        ("over.finished", "check: where it stands"),
    ]
