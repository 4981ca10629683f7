"""Compiled definitions as a store keeps them: reading one back, and the digest that the journal names it by."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from workflow.machine.definition import Definition
from workflow.model.digest import digest, unsealed


def known(content: str | None) -> dict[str, Any] | None:
    """What was kept of a bundle, or None where that is nothing, or damaged."""
    try:
        found = json.loads(unsealed(content or ""))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and set(found) == {"document", "marks"} else None


def kept_definition(contents: Iterable[str], compiled: str | None) -> Definition | None:
    """The definition with the digest ``compiled`` among those that were kept of a bundle; None if it is not there."""
    for content in contents:
        found = known(content)
        try:
            if found and digest(found["document"]) == compiled:
                return Definition.from_document(found["document"])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            continue
    return None
