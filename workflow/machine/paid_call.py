"""The name of a paid call: made from the question that was answered for it, not from the attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.machine import gates
from workflow.machine.definition import Definition
from workflow.model.digest import digest
from workflow.model.session import Session

LENGTH = 32
"""Hex digits."""


def name_of(
    store: str,
    definition: Definition,
    session: Session,
    action: str,
    policy: gates.Policy,
    item: Mapping[str, Any] | None = None,
) -> str:
    """The name of the call that ``session`` would make now: 32 hex digits.

    It is a digest of the store's id, the session, the entry that asked the gate's question last, the gate, the subject
    and the item. A retry under the same approval therefore has the same name. A question that was asked again has
    another name, and so has a fork. A call that no gate guards is named by its own entry instead: each attempt is
    another call.
    """
    spent = _answer(definition, session, action, policy, item)
    about = [spent[0], session.opened.get(spent[0], 0), spent[1]] if spent else [action, session.seq, None]
    return digest([store, session.name, *about, item and item["sha256"]])[:LENGTH]


def _answer(
    definition: Definition, session: Session, action: str, policy: gates.Policy, item: Mapping[str, Any] | None
) -> tuple[str, str] | None:
    """The gate and the subject of the answer that lets the call leave; None where no gate guards it."""
    found = gates.fitting(definition, session, action, policy, item)
    return (found[0].gate, found[0].subject) if found else None
