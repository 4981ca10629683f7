"""Which places of the published schemas are reached by outputs: each property, each alternative, null and not null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from tests.schemas.forms import check
from workflow.author.published import URN, published, text

Place = tuple[str, str]
"""A schema's name, and a pointer into it; ``#null`` at its end where the value is null, ``#value`` where it is not."""
OF_BUNDLES = ("bundle", "scenario")
"""What people write: no command prints it."""


def places(name: str) -> set[Place]:
    """Every place of a schema that an output can reach."""
    return set(_places(name, "", json.loads(text(name))))


def _places(name: str, at: str, schema: Any) -> Iterator[Place]:
    if not isinstance(schema, dict):
        return
    yield name, at
    if "null" in _types(schema) and schema.get("type") != "null":
        yield from ((name, f"{at}#null"), (name, f"{at}#value"))
    for key in ("properties", "$defs"):
        for each, inner in schema.get(key, {}).items():
            yield from _places(name, f"{at}/{key}/{each}", inner)
    for key in ("items", "additionalProperties"):
        yield from _places(name, f"{at}/{key}", schema.get(key))
    for key in ("oneOf", "anyOf"):
        for number, inner in enumerate(schema.get(key, ())):
            yield from _places(name, f"{at}/{key}/{number}", inner)


def _types(schema: dict[str, Any]) -> list[Any]:
    found = schema.get("type", [])
    values = ["null"] if None in schema.get("enum", ()) else []
    return [*(found if isinstance(found, list) else [found]), *values] if found or values else []


def reached(form: str, value: Any) -> set[Place]:
    """The places of the schema, and of those it refers to, that this output reaches."""
    return set(_reached(check(form), form, "", published(form), value))


def _reached(root: Draft202012Validator, name: str, at: str, schema: Any, value: Any) -> Iterator[Place]:
    if not isinstance(schema, dict):
        return
    yield name, at
    if "null" in _types(schema) and schema.get("type") != "null":
        yield name, f"{at}#{'null' if value is None else 'value'}"
    if "$ref" in schema:
        other, pointer = _target(name, schema["$ref"])
        inner = published(other)
        for step in filter(None, pointer.split("/")):
            inner = inner[step]
        yield from _reached(check(other), other, pointer, inner, value)
    for key in ("oneOf", "anyOf"):
        for number, inner in enumerate(schema.get(key, ())):
            if root.evolve(schema=inner).is_valid(value):
                yield from _reached(root, name, f"{at}/{key}/{number}", inner, value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key, each in value.items():
            if key in known:
                yield from _reached(root, name, f"{at}/properties/{key}", known[key], each)
            else:
                yield from _reached(root, name, f"{at}/additionalProperties", schema.get("additionalProperties"), each)
    for each in value if isinstance(value, list) else ():
        yield from _reached(root, name, f"{at}/items", schema.get("items"), each)


def _target(name: str, reference: str) -> Place:
    """The schema and the pointer that a reference means."""
    base, _, pointer = reference.partition("#")
    return base.removeprefix(URN).partition(":")[0] or name, pointer
