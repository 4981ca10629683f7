"""The published schemas as files: complete, strict, named, and where the first lines of bundles say that they are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from tests.docs import tables
from tests.schemas.forms import check
from tests.schemas.reach import OF_BUNDLES
from workflow.author.published import URN, names, published, text
from workflow.author.rule_coverage import Demand, Sentence
from workflow.author.skill import TARGETS, Standing
from workflow.bundle import loader
from workflow.cli.agent.check import BAD, GOOD, WARNING
from workflow.history import adopt, proof
from workflow.history.export import Without
from workflow.history.upgrade import Outcome
from workflow.local import browsers
from workflow.local.tokens import SCOPES
from workflow.machine import due, messages
from workflow.model import brakes
from workflow.model.evidence import STRENGTHS
from workflow.model.journal import KINDS
from workflow.model.reply import EXIT_CODES, Status
from workflow.show.formats import FORMATS

ROOT = Path(__file__).parents[2]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
KEYWORDS = {
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "then",
    "else",
    *Draft202012Validator.VALIDATORS,
}
"""Those of the draft that are used: they check, or say something that no validator minds."""
MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def subschemas(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its place; what only looks like one, such as a default, is none."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for key in ("properties", "$defs"):
        for each, inner in schema.get(key, {}).items():
            yield from subschemas(inner, f"{at}/{key}/{each}")
    for key in ("items", "additionalProperties", "propertyNames", "not", "if", "then", "else"):
        yield from subschemas(schema.get(key), f"{at}/{key}")
    for key in ("oneOf", "anyOf", "allOf"):
        for number, inner in enumerate(schema.get(key, ())):
            yield from subschemas(inner, f"{at}/{key}/{number}")


@pytest.mark.parametrize("name", names())
def test_a_schema_is_named_and_of_its_draft(name: str) -> None:
    """It says which draft and which form it is, uses no other keyword than the draft's, and can be used alone."""
    schema = published(name)
    Draft202012Validator.check_schema(schema)
    assert list(schema)[:3] == ["$schema", "$id", "title"]
    assert (schema["$schema"], schema["$id"]) == (DRAFT, f"{URN}{name}:1") and schema["title"]
    for at, inner in subschemas(schema):
        assert set(inner) <= KEYWORDS, (at, set(inner) - KEYWORDS)
        reference = inner.get("$ref", "#")
        assert reference.startswith("#") or reference.removeprefix(URN).partition(":")[0] in schema["$defs"], reference


@pytest.mark.parametrize("name", names())
def test_a_schema_is_closed_and_explained(name: str) -> None:
    """Every table says what else may be in it, and every key what it means."""
    for at, inner in subschemas(json.loads(text(name))):
        if at.rpartition("/")[2] in ("if", "then", "else", "not") or "/if/" in at or "/then/" in at or "/allOf/" in at:
            continue
        if inner.get("type") == "object":
            assert "additionalProperties" in inner, at
        for key, about in inner.get("properties", {}).items():
            if isinstance(about, dict):
                assert about.get("description") or about.get("$ref"), f"{at}/{key}"


def test_a_word_of_a_schema_is_one_of_the_code() -> None:
    """Every list of words is one that the code has, so that neither can grow alone."""
    known = [
        get_args(Status),
        EXIT_CODES,
        STRENGTHS,
        KINDS,
        SCOPES,
        browsers.SCOPES,
        brakes.SCOPES,
        (*FORMATS, "html"),
        TARGETS,
        get_args(Standing),
        get_args(get_type_hints(Demand)["standing"]),
        get_args(get_type_hints(Sentence)["kind"]),
        get_args(Outcome),
        get_args(Without),
        (GOOD, WARNING, BAD),
        (adopt.LIVE, adopt.OVER, adopt.GONE),
        (proof.NOTHING, proof.NOBODY, *STRENGTHS),
        (due.AFTER, due.REMIND, due.DEADLINE),
        set(messages._WHOSE.values()),
    ]
    words = {frozenset(each) for each in known}
    for name in set(names()) - set(OF_BUNDLES):
        for at, inner in subschemas(json.loads(text(name))):
            found = frozenset(inner.get("enum", ())) - {None}
            assert not found or found in words, (name, at, sorted(found))


def test_what_is_made_of_a_grammar_is_as_it_would_be_made_now() -> None:
    """`python -m tests.docs.tables` writes these files."""
    for file, wanted in tables.schemas().items():
        assert file.read_text(encoding="utf-8") == wanted, "run: python -m tests.docs.tables"


def tracked(*patterns: str) -> list[Path]:
    """The files of the repository of these names."""
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_the_first_lines_of_bundles_lead_to_a_published_schema() -> None:
    """Every file that names one names a committed file, which it is of; the shipped bundles all do."""
    named = {}
    committed = set(tracked("workflow/schemas/*.json"))
    for file in tracked("*.yaml"):
        found = MODELINE.search(file.read_text(encoding="utf-8"))
        if found:
            schema = (file.parent / found[1]).resolve()
            assert schema in committed, file
            document = loader.read(file.read_bytes(), file.name).document if file.name == "workflow.yaml" else None
            assert document is None or check(schema.stem).is_valid(document), file
            named[file.relative_to(ROOT).as_posix()] = schema.stem
    assert {file for file, stem in named.items() if stem == "bundle"} >= {
        "workflow.yaml",
        "examples/expense/workflow.yaml",
        "examples/refund/workflow.yaml",
        "examples/release/workflow.yaml",
        "workflow/author/scaffold/starter/workflow.yaml",
    }
