"""Deciding by itself: values of every type, and what a turn that can spend must say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from workflow.machine.decide import Accepted, Observed, Refused, decide
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.program import Program, compile_program
from workflow.machine.registry import Action, Done, Facts, Registry
from workflow.machine.seen import Named
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn

DOCUMENT: Mapping[str, Any] = {
    "format": 1,
    "workflow": "shop",
    "languages": ["en"],
    "service": {"base_url": "https://shop.example", "sandbox": "phases.shop"},
    "data": {"gift": "flag", "count": "number", "page": "url", "note": "text", "pictures": "files"},
    "gates": {
        "agreed": {"subject": ["note"]},
        "seen": {"each": "pictures"},
    },
    "never_without": {"buy": ["agreed"], "send": ["seen"]},
    "events": {
        "start": {},
        "fill": {"optional": ["gift", "count", "page", "note"]},
        "agree": {"gate": "agreed"},
        "buy_now": {},
        "show": {"gate": "seen"},
    },
    "trouble": {"else": "sorry"},
    "start": "shop.asking",
    "phases": {
        "shop": {
            "asking": {"say": "ask", "on": {"fill": "shop.asking", "agree": "shop.agreed", "show": "shop.asking"}},
            "agreed": {"say": "ask", "on": {"buy_now": "shop.buying"}},
            "buying": {"do": "buy", "then": "shop.asking", "failed": "shop.asking", "doubt": "shop.asking"},
        }
    },
}
NOW = Instant(1_800_000_000.0, 1_000.0, "boot-1")
FACTS = Facts(data={}, input={}, settings={}, watched=False, in_doubt=False)
SESSION = Session("amber-fox", "shop", "0" * 64, "", "en", "shop.asking", revision=3)


@pytest.fixture(scope="module")
def program() -> Program:
    """A shop in which buying is paid for."""
    buy = Action("buy", "once", frozenset(), lambda call: Done())
    send = Action("send", "repeatable", frozenset(), lambda call: Done())
    registry = Registry({"buy": buy, "send": send}, {each.name: each for each in BUILT_IN})
    return compile_program(Definition.from_document(DOCUMENT), registry)


def decided(program: Program, turn: Turn, session: Session = SESSION) -> Accepted | Refused:
    """What becomes of ``turn``; a token that it has names the present."""
    seen: Named = "present" if turn.seen else "none"
    return decide(program, session, turn, Observed(turn.input, NOW, FACTS, seen=seen))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"gift": "yes"}, "'gift' must be true or false"),
        ({"gift": 1}, "'gift' must be true or false"),
        ({"count": "3"}, "'count' must be a number"),
        ({"count": True}, "'count' must be a number"),
        ({"page": "shop.example"}, "'page' must be a full link that begins with https://"),
        ({"page": 'https://shop.example/"x'}, "'page' must be a full link that begins with https://"),
        ({"note": "\ud800"}, "'note' holds characters that no text may hold"),
        ({"note": ["a"]}, "'note' must be text"),
    ],
)
def test_a_value_of_another_type_is_refused(program: Program, given: Mapping[str, Any], reason: str) -> None:
    """The type is the declared one, whatever could be made of the value."""
    verdict = decided(program, Turn("fill", given))
    assert isinstance(verdict, Refused)
    assert verdict.reasons == (reason,)


@pytest.mark.parametrize("given", [{"gift": False}, {"count": 0.5}, {"page": "https://shop.example/a?b=c"}])
def test_a_value_of_its_type_is_taken(program: Program, given: Mapping[str, Any]) -> None:
    """And what may come and did not is empty."""
    verdict = decided(program, Turn("fill", given))
    assert isinstance(verdict, Accepted)
    assert verdict.set == {"gift": None, "count": None, "page": "", "note": "", **given}


def test_what_can_spend_must_be_unmistakable(program: Program) -> None:
    """An event without a gate of its own that leads to a paid call says which turn it is, or what it answers."""
    there = replace(SESSION, state="shop.agreed")
    refused = decided(program, Turn("buy_now"), there)
    assert isinstance(refused, Refused)
    assert "can lead to a paid call and needs `seen` of the last reply" in refused.reasons[0]
    assert isinstance(decided(program, Turn("buy_now", expect_revision=3), there), Accepted)
    assert isinstance(decided(program, Turn("buy_now", turn_id="t"), there), Accepted)


def test_an_answer_where_nothing_is_left_to_ask(program: Program) -> None:
    """A gate of items that has no open item takes no answer."""
    asked = replace(SESSION, shown={"seen": "digest"}, handed={"seen": NOW}, data={"pictures": []})
    refused = decided(program, Turn("show", quote="yes", seen="3-00000000"), asked)
    assert isinstance(refused, Refused)
    assert "there is nothing left to ask for" in refused.reasons
