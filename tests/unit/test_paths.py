"""Where a run can get to, on small graphs and on the reference bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.reach import circles, doubt_only, reachable, spending

ROOT = Path(__file__).resolve().parents[2]
EFFECTS = {"create": "once", "send": "once", "look": "read"}


def machine(start: str, **states: dict[str, Any]) -> Definition:
    """States of one phase `p`."""
    return Definition.from_document(
        {
            "format": 1,
            "workflow": "w",
            "languages": ["en"],
            "service": {"base_url": "https://a.example", "sandbox": "phases.x"},
            "events": {"start": None, "go": None, "back": None},
            "trouble": {"else": "m"},
            "start": f"p.{start}",
            "phases": {"p": states},
        }
    )


def reference() -> Definition:
    """The bundle of this repository."""
    return Definition.from_document(read((ROOT / "workflow.yaml").read_bytes(), "workflow.yaml").document)


def test_every_way_on_is_followed() -> None:
    """Choices, failures, doubts, moves, looks and deadlines lead on; what nothing leads to is left out."""
    watch = {
        "do": "l",
        "every": 1,
        "within": 9,
        "then": {"g": "p.e"},
        "no_news": "m",
        "late": "p.f",
        "brief": "b",
    }
    definition = machine(
        "a",
        a={"then": {"g": "p.b", "else": "p.c"}},
        b={"do": "x", "then": "p.d", "failed": {"invalid": "p.c"}, "doubt": "p.g"},
        c={"say": "m", "on": {"go": "p.d"}},
        d={"say": "m", "watch": watch},
        e={"say": "m", "end": "done"},
        f={"say": "m", "end": "failed"},
        g={"say": "m", "end": "failed"},
        h={"then": "p.a"},
    )
    assert reachable(definition) == {f"p.{name}" for name in "abcdefg"}
    assert reachable(definition, with_doubt=False) == {f"p.{name}" for name in "abcdef"}


def test_names_that_lead_nowhere_are_passed_over() -> None:
    """Lint asks before it knows that every name is defined."""
    assert reachable(machine("gone", a={"then": "p.a"})) == frozenset()
    assert reachable(machine("a", a={"then": "p.gone"})) == {"p.a"}
    assert spending(machine("a", a={"then": "p.gone"}), EFFECTS) == frozenset()


def test_states_of_doubt_are_those_that_nothing_else_leads_to() -> None:
    """In the reference bundle: where it is asked, or looked for, whether the call arrived."""
    assert doubt_only(reference()) == {
        "create.unsure",
        "create.adopting",
        "revise.searching",
        "revise.unsure",
        "revise.vanished",
        "revise.undone",
        "over.image_unsure",
        "over.change_unsure",
    }


def test_spending_stops_where_the_run_waits() -> None:
    """A paid call behind a question is not reached by itself, one behind choices and other calls is."""
    definition = machine(
        "a",
        a={"then": {"g": "p.b", "else": "p.w"}},
        b={"do": "look", "then": "p.w", "failed": "p.c"},
        c={"do": "create", "then": "p.w", "failed": "p.w", "doubt": "p.d"},
        d={"do": "look", "then": "p.w"},
        w={"say": "m", "on": {"go": "p.a"}},
    )
    assert spending(definition, EFFECTS) == {"p.a", "p.b", "p.c"}


def test_a_doubt_does_not_lead_to_spending() -> None:
    """What is in doubt has been spent already; only what follows a definite result counts."""
    definition = machine(
        "a",
        a={"do": "x", "then": "p.w", "failed": "p.w", "doubt": "p.b"},
        b={"do": "create", "then": "p.w", "failed": "p.w", "doubt": "p.w"},
        w={"say": "m", "end": "done"},
    )
    assert spending(definition, EFFECTS) == {"p.b"}


def test_the_reference_bundle_spends_where_it_should() -> None:
    """From `create.creating`, and from where a change goes on to be sent by itself."""
    assert spending(reference(), EFFECTS) == {
        "create.creating",
        "revise.receiving",
        "revise.uploading",
        "revise.sending",
    }


def test_circles_of_working_states_are_found_once() -> None:
    """A wait or an end breaks a circle; a call does not."""
    definition = machine(
        "a",
        a={"then": {"g": "p.b", "else": "p.c"}},
        b={"then": {"g": "p.a", "else": "p.w"}},
        c={"then": "p.d"},
        d={"do": "look", "then": "p.w", "failed": "p.c"},
        w={"say": "m", "on": {"go": "p.a"}},
        s={"then": "p.s"},
    )
    assert list(circles(definition)) == [("p.a", "p.b", "p.a"), ("p.c", "p.d", "p.c"), ("p.s", "p.s")]
