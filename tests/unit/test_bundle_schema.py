"""The schema for editors says no exactly where the loader, or lint about shapes, says no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from workflow.bundle import Bundle, known_names, lint, loader, open_bundle
from workflow.bundle.editor_schema import bundle_schema, for_editors
from workflow.machine.definition import Definition
from workflow.model.errors import BundleFaults

ROOT = Path(__file__).parents[2]
COURIER = ROOT / "tests/courier"
Keys = tuple[str | int, ...]


@cache
def courier() -> Bundle:
    """A bundle without a fault, that also watches."""
    return open_bundle(COURIER)


@cache
def check() -> Draft202012Validator:
    """The schema as it is printed without names."""
    return Draft202012Validator(bundle_schema(loader.schema()))


def document(*path: str) -> Any:
    """The courier's document, or the table at this place in it."""
    found: Any = loader.read((COURIER / "workflow.yaml").read_text(encoding="utf-8"), "w").document
    for key in path:
        found = found[key]
    return found


def put(place: Keys, value: Any) -> dict[str, Any]:
    """The courier's document with one value at this place."""
    changed: dict[str, Any] = deepcopy(document())
    table: Any = changed
    for key in place[:-1]:
        table = table[key]
    table[place[-1]] = value
    return changed


def misread(changed: dict[str, Any]) -> list[str]:
    """What the loader has against a document."""
    try:
        loader.read(json.dumps(changed), "w")
    except BundleFaults as faults:
        return [problem.message for problem in faults.problems]
    return []


def linted(changed: dict[str, Any]) -> list[str]:
    """What lint has against a document that the loader has read, with everything else of the bundle as it is."""
    source, bundle = loader.read(json.dumps(changed), "w"), courier()
    definition = Definition.from_document(source.document)
    return [fault.message for fault in lint.lint(definition, source, bundle.registry, bundle.prompts, bundle.briefs)]


def places() -> list[Keys]:
    """Every place in the courier's document of which the grammar says something of its own."""
    return list({tuple(_general(place)): place for place in reversed(list(_places(document())))}.values())


def _places(value: Any, at: Keys = ()) -> Iterator[Keys]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from _places(inner, (*at, key))


def _general(place: Keys) -> Iterator[str | int]:
    """A place without the names that the bundle chose: all events are of one kind, and so are all states."""
    chosen = {"phases": 2, "service": 0}.get(str(place[0]), 1)
    for depth, key in enumerate(place):
        yield "*" if 0 < depth <= chosen or isinstance(key, int) else key


VALUES: tuple[Any, ...] = (None, True, 1, "words of no kind", "3s", [], [1], {}, {"else": "x"})


def test_every_value_in_every_place_is_judged_alike() -> None:
    """What the loader refuses, the schema refuses; and what the schema refuses, the loader or lint refuse."""
    count = 0
    for place in places():
        for value in VALUES:
            changed = put(place, value)
            refused, unread = not check().is_valid(changed), misread(changed)
            assert refused or not unread, (place, value, unread)
            assert not refused or unread or linted(changed), (place, value)
            count += refused
    assert count > 200


def test_every_missing_and_every_unknown_key_is_judged_alike() -> None:
    """The same for each key that is left out, and for one too many in each table."""
    for place in places():
        changed = deepcopy(document())
        table: Any = changed
        for key in place[:-1]:
            table = table[key]
        if isinstance(table, dict):
            found = table.pop(place[-1])
            refused, unread = not check().is_valid(changed), misread(changed)
            assert refused or not unread, (place, unread)
            assert not refused or unread or linted(changed), place
            table |= {place[-1]: found, "Strange Key": "x"}
            assert check().is_valid(changed) or misread(changed) or linted(changed), place
            assert not misread(changed) or not check().is_valid(changed), place


BROKEN: list[tuple[Keys, Any, bool]] = [
    (("trouble",), {"no_key": "needs_key"}, True),
    (("languages",), [], True),
    (("workflow",), "My Workflow", True),
    (("events", "Send It"), {}, True),
    (("start",), "somewhere", True),
    (("phases", "x"), {"y": {}}, True),
    (("phases", "x"), {"y": {"end": "done"}}, True),
    (("phases", "x"), {"y": {"say": "bye", "do": "look", "then": "x.y"}}, True),
    (("phases", "x"), {"y": {"say": "bye", "end": "done", "aside": "bye"}}, True),
    (("phases", "x"), {"y": {"then": "x.y", "no_news": "bye"}}, True),
    (("phases", "x"), {"y": {"say": "bye", "no_news": {"a_guard": "bye"}}}, True),
    (("phases", "x"), {"y": {"do": "look"}}, True),
    (("phases", "x"), {"y": {"then": "x.y", "failed": "x.y"}}, True),
    (("phases", "x"), {"y": {"on": {"stop": "x.y"}}}, True),
    (("phases", "x"), {"y": {"then": {"a_guard": "x.y"}}}, True),
    (("phases", "x"), {"y": {"say": "bye", "covers": ["7"]}}, True),
    (("phases", "x"), {"y": {"say": "bye", "on": {"sotp": "x.y"}}}, False),
    (("phases", "x"), {"y": {"then": "x.unknown"}}, False),
    (("phases", "x"), {"y": {"then": {"else": "x.y", "a_guard": "x.y"}}}, False),
    (("gates", "never_asked"), {}, False),
    (("service", "base_url"), "http://elsewhere.example", False),
]


@pytest.mark.parametrize(("place", "value", "shape"), BROKEN, ids=lambda each: str(each)[:40])
def test_shapes_are_seen_while_one_types(place: Keys, value: Any, shape: bool) -> None:
    """A fault of shape is one for both; what takes the whole bundle to see is lint's alone."""
    changed = put(place, value)
    assert check().is_valid(changed) is not shape
    assert misread(changed) or linted(changed)


def test_real_bundles_have_no_fault() -> None:
    """With their own names and without."""
    for folder in (ROOT, COURIER):
        found = loader.read((folder / "workflow.yaml").read_text(encoding="utf-8"), "w").document
        for names in ({}, known_names(folder)):
            schema = for_editors(loader.schema(), names)
            Draft202012Validator.check_schema(schema)
            assert Draft202012Validator(schema).is_valid(found)


def test_names_are_offered_where_they_fit() -> None:
    """States as targets, events and guards as keys, actions, data, gates, messages and briefs as values."""
    schema = for_editors(loader.schema(), known_names(ROOT))
    tables = schema["$defs"]

    def offered(about: Any) -> list[str]:
        return [each["body"] for each in about["defaultSnippets"]]

    def field(table: str, key: str, kind: str) -> Any:
        about = (tables[table] if table else schema)["properties"][key]
        return next(each for each in about.get("anyOf", [about]) if each.get("type") == kind)

    assert "confirm.presenting" in offered(field("", "start", "string"))
    assert {"plan_ready", "watched", "else"} <= set(field("StateTable", "then", "object")["properties"])
    on = field("StateTable", "on", "object")["properties"]
    assert "approve" in on and "else" not in on and "deliver.ready" in offered(on["approve"])
    assert "look" in offered(field("WatchTable", "do", "string"))
    assert "generation" in offered(field("WatchTable", "brief", "string"))
    assert "task_url" in offered(field("EventTable", "input", "array")["items"])
    assert "user_approved" in offered(field("EventTable", "gate", "string"))
    messages = offered(field("StateTable", "say", "string"))
    assert "plan" in messages and not [name for name in messages if "." in name]


def test_an_unknown_name_is_no_fault_of_the_schema() -> None:
    """A state that is being written is not underlined because the names are of yesterday."""
    schema = for_editors(loader.schema(), known_names(COURIER))
    assert Draft202012Validator(schema).is_valid(put(("phases", "x"), {"y": {"then": "x.new"}}))


def test_names_are_found_in_a_bundle_that_is_not_ready(tmp_path: Path) -> None:
    """Python that cannot be imported and unknown states hide no other names."""
    (tmp_path / "phases").mkdir()
    (tmp_path / "phases" / "broken.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    (tmp_path / "workflow.yaml").write_text(json.dumps(put(("start",), "x.unknown")), encoding="utf-8")
    names = known_names(tmp_path)
    assert names["state"] == list(courier().definition.states) and "guard" not in names


def test_every_key_has_its_meaning_and_no_noise() -> None:
    """What an editor shows beside a key is the text of the reference, without titles and empty defaults."""
    schema = check().schema
    assert isinstance(schema, dict)
    for table in (schema, *schema["$defs"].values()):
        for about in table["properties"].values():
            inner = schema["$defs"].get(about.get("$ref", "").rpartition("/")[2], {})
            assert about.get("description") or inner["description"]
            assert "title" not in about and about.get("default", "") is not None
