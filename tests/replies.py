"""Replies as tests read them: what a reply leaves out, because it is empty or usual, is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.author.published import published

_FIELDS = set(published("reply")["properties"])
_LISTS = ("say", "next", "notices")
_FLAGS = ("sandbox", "brief", "replayed")
_EMPTY: Mapping[str, Any] = {name: [] if name in _LISTS else False if name in _FLAGS else None for name in _FIELDS}
_OPTION: Mapping[str, Any] = {"who": "agent", "gate": None, "ready": True, "input": {}, "how": ""}
_GATE: Mapping[str, Any] = {"have": None, "until": None}
_SAID: Mapping[str, Any] = {"translate_to": None, "parts": []}


def whole(value: dict[str, Any]) -> dict[str, Any]:
    """A reply with every field; any other answer as it is."""
    if not {"v", "ok"} <= set(value) <= _FIELDS:
        return value
    filled = {**_EMPTY, **value}
    filled["say"] = [{**_SAID, **said} for said in filled["say"]]
    filled["next"] = [_whole_option(option) for option in filled["next"]]
    return filled


def _whole_option(option: Mapping[str, Any]) -> dict[str, Any]:
    gate = option.get("gate")
    return {**_OPTION, **option, "gate": gate and {**_GATE, **gate}}
