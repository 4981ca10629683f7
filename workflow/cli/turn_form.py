"""A turn as JSON, to be filled in: what ``--input -`` takes for an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workflow.model.reply import Option

_EMPTY: Mapping[str, Any] = {
    "text": "…",
    "url": "https://…",
    "files": [{"path": "…"}],
    "flag": True,
    "number": 0,
}
"""What stands for a value of each type."""


def turn_form(option: Option, seen: str | None) -> str:
    """The turn that the event needs, without what may be left out.

    Empty for an event that needs nothing, and for one whose answer no agent may relay.
    """
    if option.gate and option.gate.needs != "relayed":
        return ""
    given = {name: _EMPTY.get(kind, "…") for name, kind in option.input.items() if not kind.endswith("?")}
    form: dict[str, Any] = {"input": given} if given else {}
    if option.gate:
        form |= {"evidence": {"quote": "…"}} | ({"seen": seen} if seen else {})
    return json.dumps(form, ensure_ascii=False) if form else ""
