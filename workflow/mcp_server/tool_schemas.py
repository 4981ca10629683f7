"""What the tools answer, as JSON Schema: the reply is that of `workflow schema reply`, to the letter."""

from __future__ import annotations

from typing import Any

from workflow.model.frozen import names
from workflow.model.ports import Summary
from workflow.model.reply import VERSION
from workflow.model.reply_schema import reply_schema

Shape = dict[str, Any]


def reply() -> Shape:
    """A turn's reply, a refusal included."""
    return reply_schema()


def sessions() -> Shape:
    """What `workflow sessions` prints."""
    others = {"revision": {"type": "integer"}, "owner": {"type": ["string", "null"]}}
    each = {name: others.get(name, {"type": "string"}) for name in names(Summary)}
    listed = {"type": "array", "items": {"type": "object", "properties": each, "required": list(each)}}
    further = {"type": ["integer", "null"], "description": "Where the next page begins; null on the last."}
    return _shape("Sessions", {"sessions": listed, "next_offset": further})


def verified() -> Shape:
    """What `workflow audit verify` prints."""
    known, count = {"type": ["string", "null"]}, {"type": "integer", "minimum": 0}  # null beside an error
    claim = {"type": "string", "description": "What was shown by this, and what was not."}
    return _shape("Verified", {"session": known, "entries": count, "receipt": known, "erased": count, "claim": claim})


def _shape(title: str, properties: Shape) -> Shape:
    """An answer of these parts; where it went wrong, a reply with its error."""
    known = {"v": {"const": VERSION}, "ok": {"type": "boolean"}, **properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": known,
        "required": ["v", "ok"],
        "if": {"properties": {"ok": {"const": True}}},
        "then": {"required": list(known)},
        "else": {"required": ["error"]},
    }
