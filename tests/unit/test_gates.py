"""What an answer is bound to, gate by gate, without a store or a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.bundle import open_bundle
from workflow.machine import gates
from workflow.machine.approvals import consented, fitting
from workflow.machine.definition import Definition, Gate
from workflow.model.evidence import Evidence
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.session import Session

NOW = Instant(1_800_000_000.0, 1_000.0, "boot-1")
FILE = {"name": "ref.png", "path": "/tmp/ref.png", "sha256": "a" * 64, "size": 3, "description": "warm"}


def reference() -> tuple[Definition, Gate]:
    """The reference bundle, and its gate that asks file by file."""
    definition = open_bundle(Path(__file__).parents[2]).definition
    return definition, next(gate for gate in definition.gates.values() if gate.each)


def held(definition: Definition, gate: Gate, subject: str, strength: str = "relayed") -> Session:
    """A session with one file and one answer."""
    answer = Evidence(gate.name, subject, "yes", "cli", strength, "", NOW, item=FILE["sha256"])  # type: ignore[arg-type]
    state = definition.start
    return Session("amber-fox", "w", "b", "", "en", state, data={gate.each or "": [FILE]}, evidence=(answer,))


def test_an_item_is_consented_to_by_an_answer_that_is_strong_enough() -> None:
    """A gate that the user raised after the answer takes it no longer."""
    definition, gate = reference()
    session = held(definition, gate, gates.item_subject(definition, gate, FILE))
    assert consented(definition, gate, session, {}) == [FILE]
    assert consented(definition, gate, session, {gate.name: "asked"}) == []


def test_evidence_of_another_subject_lets_nothing_leave() -> None:
    """Neither of another file nor of none."""
    definition, gate = reference()
    right = gates.item_subject(definition, gate, FILE)
    assert next(fitting(definition, held(definition, gate, right), gate, {}))
    for subject in ("", "0" * 64, gates.item_subject(definition, gate, {**FILE, "sha256": "b" * 64})):
        assert not list(fitting(definition, held(definition, gate, subject), gate, {}))


def test_an_answer_is_bound_to_what_its_gate_is() -> None:
    """The same data under another gate is another question; its strength is compared by itself."""
    definition, _ = reference()
    gate = next(gate for gate in definition.gates.values() if not gate.each and gate.subject)
    session = Session("amber-fox", "w", "b", "", "en", definition.start)
    changed = replace(gate, name="another")
    assert gates.subject(definition, gate, session) != gates.subject(definition, changed, session)


NEEDS = [
    ("relayed", "", "asked"),
    ("asked", "", "asked"),
    ("proven", "", "proven"),
    ("relayed", "relayed", "asked"),
    ("relayed", "proven", "proven"),
    ("proven", "asked", "proven"),
]


@pytest.mark.parametrize(("own", "raised", "needs"), NEEDS)
def test_a_role_is_never_an_agents_word(own: str, raised: str, needs: str) -> None:
    """Somebody who is known has to be asked; the bundle and the user's configuration can only ask for more."""
    gate = Gate("signed", strength=own, by="manager")
    assert gates.needed(gate, {"signed": raised} if raised else {}) == needs
