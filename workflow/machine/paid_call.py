"""The name of a paid call: made from the question that was answered for it, not from the attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.machine.approvals import Approval, Approvals
from workflow.model.digest import digest
from workflow.model.session import Session

LENGTH = 32
"""Hex digits."""


def name_of(
    store: str,
    session: Session,
    action: str,
    by: Approvals,
    item: Mapping[str, Any] | None = None,
) -> str:
    """The name of the call that ``session`` would make now: 32 hex digits.

    It is a digest of the store's id, the session, the item, and of each gate that the call leaves ``by`` the entry that
    asked its question last, the gate and the subject. A retry under the same approval therefore has the same name. A
    question that was asked again has another name, and so has a fork. A call that no gate guards is named by its own
    entry instead: each attempt is another call.
    """
    about = [part for each in by.gates for part in _question(session, each)] or [action, session.seq, None]
    return digest([store, session.name, *about, item and item["sha256"]])[:LENGTH]


def _question(session: Session, approval: Approval) -> list[Any]:
    """The question that was answered, what the answer is bound to, and where it lasts, for what it has counted."""
    answer = approval.answers[0]
    used = [answer.used] if answer.used else []
    return [approval.gate, session.opened.get(approval.gate, 0), answer.subject, *used]
