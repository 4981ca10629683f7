"""The name of a paid call: the same for the same question, another for every other one."""

from __future__ import annotations

from typing import Any

import pytest

from workflow.bundle import open_bundle, packaged
from workflow.machine import gates
from workflow.machine.approvals import Approvals, best
from workflow.machine.paid_call import LENGTH, name_of
from workflow.model.evidence import Evidence
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.session import Session

DEFINITION = open_bundle(packaged()).definition
STORE = "a" * 32
NOW = Instant(1_800_000_000.0, 1_000.0, "boot-1")
ASKED = Session(
    name="amber-fox",
    workflow="anygen-image",
    bundle="b" * 64,
    path="",
    language="en",
    state="create.creating",
    seq=9,
    data={"reply": "a plan", "prompt": "a poster", "uploads": {}},
    shown={"user_approved": "d" * 64},
    opened={"user_approved": 5, "ordered_directly": 3},
)


def answered(session: Session, *named: str) -> Session:
    """The same, with an answer to each of these gates as it is asked now."""
    given = [
        Evidence(gate, gates.subject(DEFINITION, DEFINITION.gates[gate], session), "yes", "cli", "relayed", "now", NOW)
        for gate in named or ("user_approved",)
    ]
    return replace(session, evidence=tuple(given))


def named(session: Session, store: str = STORE, **more: Any) -> str:
    """The name of the order that it would make."""
    return name_of(store, session, "create", best(DEFINITION, session, "create", {}, NOW), **more)


def test_a_name_is_of_the_question_and_not_of_the_attempt() -> None:
    """Later entries, a failed call and other answers change nothing."""
    first = named(answered(ASKED))
    assert len(first) == LENGTH and set(first) <= set("0123456789abcdef")
    later = replace(answered(ASKED), seq=30, head="f" * 64, revision=9, trouble="no_key", language="de")
    assert named(later) == first
    assert named(answered(ASKED, "user_approved", "ordered_directly")) == first


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(ASKED, name="dry-owl"), id="another session, such as a fork"),
        pytest.param(replace(ASKED, opened={"user_approved": 7, "ordered_directly": 3}), id="asked again"),
        pytest.param(replace(ASKED, data={**ASKED.data, "prompt": "a card"}), id="another subject"),
        pytest.param(replace(ASKED, shown={"user_approved": "e" * 64}), id="another wording"),
        pytest.param(replace(ASKED, sandbox="http://127.0.0.1:1"), id="another address"),
    ],
)
def test_another_question_has_another_name(other: Session) -> None:
    """Each part of it counts."""
    assert named(answered(other)) != named(answered(ASKED))


def test_another_gate_and_another_store_have_other_names() -> None:
    """So an adopted store, which has another id, pays under no earlier name."""
    first = named(answered(ASKED))
    assert named(answered(ASKED, "ordered_directly")) != first
    assert named(answered(ASKED), store="b" * 32) != first


def test_each_item_has_a_name() -> None:
    """A call that is made file by file is another call for each."""
    files = [{"path": name, "name": name, "sha256": name * 64, "size": 1} for name in "ab"]
    session = replace(ASKED, data={"references": files})
    gate = DEFINITION.gates["consent_given"]
    bound = {str(each["name"]): gates.item_subject(DEFINITION, gate, each) for each in files}
    given = [Evidence(gate.name, subject, "yes", "cli", "relayed", "now", NOW, name) for name, subject in bound.items()]
    session = replace(session, evidence=tuple(given))
    found = {
        name_of(STORE, session, "upload", best(DEFINITION, session, "upload", {}, NOW, each), each) for each in files
    }
    assert len(found) == 2


def test_a_call_that_no_gate_guards_is_named_by_its_entry() -> None:
    """Each attempt is another call: nothing but the entry tells them apart."""
    names = {name_of(STORE, replace(ASKED, seq=seq), "create", Approvals()) for seq in (4, 9, 9)}
    assert len(names) == 2
