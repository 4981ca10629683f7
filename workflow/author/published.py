"""The published schemas: one JSON file each in ``workflow/schemas``, complete as they are printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from workflow.model.errors import UsageError
from workflow.model.spelling import did_you_mean

Schema = dict[str, Any]

URN = "urn:phasegate:schema:"
"""What each ``$id`` begins with; the name and the version of the form follow."""
_FOLDER = files("workflow") / "schemas"
_ENDING = ".json"


def names() -> list[str]:
    """The names of all published schemas."""
    found = (each.name for each in _FOLDER.iterdir())
    return sorted(name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING))


def text(name: str) -> str:
    """The file of this schema as it stands; raises :class:`UsageError` for an unknown name."""
    if name not in names():
        suggested = did_you_mean(name, names())
        raise UsageError(f"there is no schema {name[:60]!r}{suggested}", "`workflow schema` lists them.")
    return (_FOLDER / f"{name}{_ENDING}").read_text(encoding="utf-8")


def published(name: str) -> Schema:
    """The schema, with every other one that it refers to among its ``$defs``, so that it can be used alone.

    Raises :class:`UsageError` for an unknown name.
    """
    schema: Schema = json.loads(text(name))
    defined = schema.get("$defs", {})
    waiting = [schema]
    while waiting:
        for other in _others(waiting.pop()):
            if other != name and other not in defined:
                defined[other] = json.loads(text(other))
                waiting.append(defined[other])
    return {**schema, "$defs": defined} if defined else schema


def _others(schema: Any) -> Iterator[str]:
    """The names of the published schemas that are referred to anywhere in a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from _others(each)
    elif isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(URN):
            yield target.removeprefix(URN).partition(":")[0]
        for each in schema.values():
            yield from _others(each)
