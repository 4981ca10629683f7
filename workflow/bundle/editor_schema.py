"""The schema of ``workflow.yaml``: the grammar, its shapes, and for an editor the names of one bundle.

The grammar's own schema knows keys and types. Added here is what a schema can say beside it of what the
loader and lint check, so that an editor's findings are theirs; names are offered, and bind nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

Schema = dict[str, Any]

NAME = "^[a-z][a-z0-9_]*$"
STATE: Schema = {
    "pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
    "errorMessage": "A state is named in full: phase.state",
}
DURATION: Schema = {
    "pattern": r"^(?=.)(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+(?:\.[0-9]+)?s)?$",
    "errorMessage": "A duration is written like 3s, 20m, 1h30m or 7d",
}

NAMED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("", "never_without"): ("action", "gate"),
    ("", "trouble"): ("", "message"),
    ("", "start"): ("", "state"),
    ("", "on"): ("event", "state"),
    ("AllTable", "all"): ("", "gate"),
    ("", "deadline"): ("", "state"),
    ("GateTable", "subject"): ("", "datum"),
    ("GateTable", "each"): ("", "datum"),
    ("GateTable", "until"): ("", "datum"),
    ("GateTable", "declined"): ("", "datum"),
    ("GateTable", "by"): ("", "role"),
    ("GateTable", "other_than"): ("", "gate"),
    ("GateTable", "decline"): ("", "event"),
    ("EventTable", "input"): ("", "datum"),
    ("EventTable", "optional"): ("", "datum"),
    ("EventTable", "if"): ("", "guard"),
    ("EventTable", "gate"): ("", "gate"),
    ("EventTable", "say"): ("", "message"),
    ("StateTable", "do"): ("", "action"),
    ("StateTable", "then"): ("guard", "state"),
    ("StateTable", "failed"): ("class", "state"),
    ("StateTable", "doubt"): ("", "state"),
    ("StateTable", "say"): ("guard", "message"),
    ("StateTable", "on"): ("event", "state"),
    ("StateTable", "acknowledge"): ("event", "message"),
    ("StateTable", "no_news"): ("guard", "message"),
    ("StateTable", "aside"): ("guard", "message"),
    ("StateTable", "after"): ("", "state"),
    ("ReminderTable", "say"): ("guard", "message"),
    ("WatchTable", "do"): ("", "action"),
    ("WatchTable", "then"): ("guard", "state"),
    ("WatchTable", "no_news"): ("guard", "message"),
    ("WatchTable", "late"): ("", "state"),
    ("WatchTable", "brief"): ("", "brief"),
    ("ActionTable", "sets"): ("datum", ""),
    ("ActionTable", "fails"): ("class", ""),
    ("GuardTable", "datum"): ("", "datum"),
    ("GuardTable", "setting"): ("", "setting"),
}
"""Table of the grammar (empty: the document) and key → what its names, and what their values, are names of."""

_TOTAL = (
    ("", "trouble"),
    ("StateTable", "then"),
    ("StateTable", "say"),
    ("StateTable", "no_news"),
    ("WatchTable", "no_news"),
    ("ReminderTable", "say"),
)
_OPEN = (("StateTable", "failed"), ("StateTable", "aside"))  # `else` may be there
_SPELT = ("data", "roles", "gates", "actions", "guards", "events", "phases", "settings")
_DURATIONS = (
    ("GateTable", "valid"),
    ("ActionTable", "timeout"),
    ("WatchTable", "every"),
    ("WatchTable", "within"),
    ("ReminderTable", "every"),
)
_TIMES = (("", "deadline"), ("StateTable", "after"))
"""Tables whose keys are durations."""
_ELSE: Schema = {"description": "What holds where none of the others does."}
_EMPTY: tuple[Any, ...] = (None, {}, [])


ID = "urn:phasegate:schema:bundle:1"
EDITORS = ("defaultSnippets", "errorMessage")
"""Keywords of editors, which no draft of JSON Schema has, so that a strict validator refuses them."""


def bundle_schema(grammar: Schema) -> Schema:
    """The published schema, made of the grammar's own."""
    schema: Schema = _without_editors(for_editors(grammar, {}))
    return {"$schema": schema["$schema"], "$id": ID, "title": "`workflow.yaml`", **schema}


def for_editors(grammar: Schema, names: Mapping[str, Sequence[str]]) -> Schema:
    """The same for an editor alone: it says some faults in our words, and has no ``$id``.

    ``names`` of a kind, such as state, are offered where they fit.
    """
    schema: Schema = _quiet(deepcopy(grammar))
    tables = {"": schema, **schema["$defs"]}
    say = tables["StateTable"]["properties"]["say"]
    by_role = _by_role(say)
    for (table, key), (kind, value) in NAMED.items():
        field = tables[table]["properties"][key]
        for each in _branches(field):
            _offer(each, [] if (table, key) in _TOTAL + _OPEN else None, names.get(kind, ()), names.get(value, ()))
            if value == "state":
                _state_names(each)
            if (table, key) in _TOTAL and each.get("type") == "object":
                each["required"] = ["else"]
    by_role["additionalProperties"] = {"anyOf": [deepcopy(each) for each in say["anyOf"] if each["type"] != "null"]}
    _offer(by_role, None, ("user", *names.get("role", ())), ())
    by_role["properties"]["user"]["description"] = "What the user is told."
    say["anyOf"].insert(2, by_role)
    for key in _SPELT:
        for each in _branches(schema["properties"][key]):
            if each.get("type") == "object":
                each["propertyNames"] = {"pattern": NAME}
    tables["PhaseTable"]["propertyNames"] = {"pattern": NAME}
    schema["properties"]["workflow"]["pattern"] = "^[a-z][a-z0-9_-]*$"
    schema["properties"]["languages"]["minItems"] = 1
    for table in ("GateTable", "EventTable", "StateTable"):
        tables[table]["properties"]["covers"]["items"]["pattern"] = "^R[0-9]+$"
    for table, key in _DURATIONS:
        for each in _branches(tables[table]["properties"][key]):
            each |= DURATION if each["type"] == "string" else {}
    for table, key in _TIMES:
        for each in _branches(tables[table]["properties"][key]):
            each |= {"propertyNames": DURATION} if each.get("type") == "object" else {}
    looks = {"minProperties": 1, "propertyNames": {"not": {"const": "else"}}}
    tables["WatchTable"]["properties"]["then"] |= looks
    tables["StateTable"]["allOf"] = _kinds()
    return schema


def _by_role(say: Schema) -> Schema:
    """The form of `say` that says whom each message is for, apart from the table of guards in ``say`` itself."""
    for each in _branches(say):
        if each.get("type") == "object":
            each["additionalProperties"] = {"type": "string"}
    return {"type": "object", "required": ["user"]}


def _kinds() -> list[Schema]:
    """A state works, waits or ends, and has the keys of its kind (the messages of an editor name the key)."""
    return [
        {"anyOf": [_has(key) for key in ("do", "then", "say", "end", "on", "watch", "aside")]},
        *({"if": _has(key), "then": _has("say")} for key in _SAYING),
        {"if": _has("on"), "then": {"anyOf": [_has("say"), _has("then")]}},
        {"if": _has("do"), "then": _has("then")},
        {"if": _has("doubt"), "then": _has("do")},
        {"if": _has("failed"), "then": {"anyOf": [_has("do"), _has("watch")]}},
        _without("say", "A state that says something waits or ends", "do", "then", "doubt"),
        _without("end", "A state that ends waits for nobody", "watch", "aside", "after", "remind"),
        _without("watch", "A watch has its own", "no_news"),
        _without("watch", "A watch ends by its own `within`", "after", "remind"),
    ]


_SAYING = ("end", "watch", "aside", "no_news", "acknowledge", "after", "remind")
"""Keys of states that say something."""
_NOTHING: Schema = {"enum": list(_EMPTY)}


def _without(key: str, message: str, *others: str) -> Schema:
    """Where one key says something, the others may not."""
    nothing = {other: {**_NOTHING, "errorMessage": f"{message}, and has no `{other}`"} for other in others}
    return {"if": _has(key), "then": {"properties": nothing}}


def _has(key: str) -> Schema:
    """Tables in which the key says something."""
    return {"required": [key], "properties": {key: {"not": _NOTHING}}}


def _quiet(schema: Any) -> Any:
    """Without what only repeats a key's name, or offers nothing as a value."""
    if isinstance(schema, list):
        return [_quiet(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: each for key, each in schema.items() if key != "title" or not isinstance(each, str)}
    if kept.get("default", "") is None:
        del kept["default"]
    return {key: _quiet(each) for key, each in kept.items()}


def _without_editors(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_editors(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_editors(each) for key, each in schema.items() if key not in EDITORS}


def _branches(field: Schema) -> list[Schema]:
    found: list[Schema] = field.get("anyOf", [field])
    return found


def _offer(field: Schema, also: list[str] | None, keys: Sequence[str], values: Sequence[str]) -> None:
    """Offer names: as values of text and lists, as keys and their values in a table."""
    match field.get("type"):
        case "string" if values:
            field["defaultSnippets"] = [{"label": value, "body": value} for value in values]
        case "array":
            for each in _branches(field["items"]):
                _offer(each, None, (), values)
        case "object":
            inner = field["additionalProperties"]
            _offer(inner, None, (), values)
            offered = [*keys, *(["else"] if also is not None else [])]
            if offered:
                field["properties"] = {key: deepcopy(inner) | (_ELSE if key == "else" else {}) for key in offered}


def _state_names(field: Schema) -> None:
    """Targets are full names."""
    if field.get("type") == "string":
        field |= STATE
    for each in (field.get("additionalProperties"), *field.get("properties", {}).values()):
        if isinstance(each, dict):
            each |= STATE
