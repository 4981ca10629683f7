"""What a fork, and a session whose bundle changed, keep of approvals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.signing import Signing, document, write
from workflow.history.fork import fork
from workflow.machine.definition import Names
from workflow.model.session import Turn

BOTH: tuple[Names, ...] = (("ann", "ben"), ("cho",))


@pytest.mark.parametrize("rule", [{"valid": "1d"}, {"lasts": 2}, {"subject": ["amount", "payment"]}])
def test_an_approval_under_another_rule_is_void(tmp_path: Path, rule: dict[str, Any]) -> None:
    """The gate that changed is asked again, which the reply says; the other one keeps its answer."""
    with Signing(tmp_path, document(BOTH)) as desk:
        desk.play.start({"amount": 5})
        desk.sign("ann", "ben")
        write(desk.folder, document(BOTH, {"ann": rule}))
        reply = desk.play.send("pay")
        assert desk.paid == [] and reply.state == "desk.signed"
        told = "The answer to 'ann' is void: what it was given to is not what is asked now."
        assert told in reply.notices and "'ben'" not in " ".join(reply.notices)
        assert [each.gate for each in desk.play.engine.stored(desk.play.name).evidence] == ["ben"]
        (followed,) = desk.play.journal("bundle")
        assert followed.body and followed.body["void"] == [["ann", None]]
        desk.sign("ann", "ben")
        desk.play.send("pay")
        assert desk.paid == [5]


def test_a_changed_bundle_with_the_same_rules_keeps_what_was_approved(tmp_path: Path) -> None:
    """Only another title: the answers count, and nothing is said of them."""
    content = document(BOTH)
    with Signing(tmp_path, content) as desk:
        desk.play.start({"amount": 5})
        desk.sign("ann", "ben")
        write(desk.folder, content | {"title": "Sign here"})
        reply = desk.play.send("pay")
        assert desk.paid == [5] and "void" not in " ".join(reply.notices)


@pytest.mark.parametrize("more", [False, True])
def test_more_that_is_needed_is_asked_for(tmp_path: Path, *, more: bool) -> None:
    """One gate was enough, and now both are: the answer that there is counts for its own gate alone."""
    before: tuple[Names, ...] = (("ann",), ("ben",))
    with Signing(tmp_path, document(before)) as desk:
        desk.play.start({"amount": 5})
        desk.sign("ann", *(["ben"] if more else []))
        write(desk.folder, document((("ann", "ben"),)))
        reply = desk.play.send("pay")
        assert desk.paid == ([5] if more else []), reply
        if not more:
            desk.sign("ben")
            desk.play.send("pay")
            assert desk.paid == [5]


@pytest.mark.parametrize("signed", [("ann", "ben"), ("cho",), ("ann", "cho")])
def test_a_fork_keeps_no_answer_however_nested(tmp_path: Path, signed: Names) -> None:
    """Neither of a gate that is enough alone nor of one among several; who gave the last answers is inherited."""
    with Signing(tmp_path, document(BOTH)) as desk:
        desk.play.start({"amount": 5})
        for gate in signed:
            turn = Turn(f"sign_{gate}", quote="yes", strength="proven", approver=f"{gate}.w", asked_at=desk.clock.now())
            desk.play.reply = desk.play.engine.advance(desk.play.name, turn)
            assert desk.play.reply.error is None
        first = desk.play.engine.stored(desk.play.name)
        assert first.answered_by == {gate: (f"{gate}.w",) for gate in signed}
        desk.play.reply = fork(desk.play.engine, desk.play.name)
        desk.play.name = desk.play.reply.session or ""
        copy = desk.play.engine.stored(desk.play.name)
        assert copy.evidence == () and copy.answered_by == first.answered_by
        desk.play.send("pay")
        assert desk.paid == [] and desk.play.reply.state == "desk.signed"


def test_who_answered_is_known_after_the_answer_is_spent(tmp_path: Path) -> None:
    """And the last answer counts: of somebody else, or of nobody that is known."""
    with Signing(tmp_path, document((("ann",),))) as desk:
        desk.play.start({"amount": 5})
        assert "answered_by" not in desk.play.engine.stored(desk.play.name).as_json()
        for person in ("alice", "bob"):
            turn = Turn("sign_ann", quote="yes", strength="proven", approver=person, asked_at=desk.clock.now())
            desk.play.reply = desk.play.engine.advance(desk.play.name, turn)
        desk.play.send("pay")
        stored = desk.play.engine.stored(desk.play.name)
        assert desk.paid == [5] and stored.evidence == () and stored.answered_by == {"ann": ("bob",)}
        assert type(stored).from_json(stored.as_json()) == stored
        desk.play.send("change", {"amount": 6})
        desk.sign("ann")
        assert desk.play.engine.stored(desk.play.name).answered_by == {}
