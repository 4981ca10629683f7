"""The reference pages say what the code says: nothing is missing, nothing is made up."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from tests.docs import tables
from tests.docs.pages import DOCS, PAGES, ROOT, Block, blocks, headings, name, rows, section
from tests.rules import HERE, cover, read_rules, read_tests
from workflow.author.published import published
from workflow.cli.agent.turns import make_turn
from workflow.local.settings import read_settings
from workflow.machine.hosts import can_watch, check_host
from workflow.model.errors import UsageError
from workflow.model.reply import Reply, Status

CLI, REPLY, ANYGEN = DOCS / "cli.md", DOCS / "reply.md", DOCS / "anygen.md"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_is_made_is_as_it_would_be_made_now(page: Path) -> None:
    """A table that comes from the code is that of today; `python -m tests.docs.tables` writes it anew."""
    text = page.read_text(encoding="utf-8")
    assert text == tables.remade(text), "run: python -m tests.docs.tables"


def test_every_command_and_every_key_has_its_table() -> None:
    """Each command has its options in the page about them, each table of the grammar its keys, and no other."""
    assert made(CLI, "command") == sorted(tables.commands())
    assert made(DOCS / "yaml.md", "keys") == sorted(tables.kinds())
    assert made(DOCS / "scenarios.md", "keys") == sorted(tables.scenario_kinds())
    assert "exit codes" in parts(CLI) and "states" in parts(ANYGEN)
    assert "layers" in parts(DOCS / "architecture.md") and "decisions" in parts(DOCS / "index.md")


def test_every_command_has_a_heading() -> None:
    """Nobody has to know which command an option belongs to."""
    for path in tables.commands():
        words = path.split()[1:]
        assert " ".join(words) in headings(CLI) or " ".join(words[:-1]) in headings(CLI), path


def test_the_turn_is_explained() -> None:
    """Every field of a turn has a row, and its example is one."""
    with pytest.raises(UsageError) as refused:
        make_turn("approve", b'{"unknown": 1}')
    assert first(section(CLI, "The turn")) == set(re.findall(r"\w+", refused.value.hint)) - {"Known"}
    (example,) = blocks(CLI, "json")
    turn = make_turn("approve", example.text.encode())
    assert turn.quote and turn.seen and turn.turn_id


def test_the_environment_is_explained() -> None:
    """Every variable that the engine reads has a row, and no other."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.py"))
    read = set(re.findall(r"\"(PHASEGATE_[A-Z_]+|NO_COLOR)\"", code))
    read |= {f"PHASEGATE_{key.upper()}" for key in config_keys() - {"settings", "gates", "limits"}} | {
        "PHASEGATE_SANDBOX"
    }
    assert first(section(CLI, "Environment")) == read


def test_the_configuration_is_explained(tmp_path: Path) -> None:
    """The example holds every key that there is, and is read as it stands."""
    (example,) = blocks(CLI, "toml")
    file = tmp_path / "config.toml"
    file.write_text(example.text, encoding="utf-8")
    settings = read_settings({"PHASEGATE_CONFIG": str(file), "HOME": str(tmp_path)})
    assert set(settings.sources) == set(tomllib.loads(example.text)) == config_keys()
    definition = tables.reference().definition
    assert set(settings.gates) <= set(definition.gates) and set(settings.settings) <= set(definition.settings)


def test_the_examples_are_replies() -> None:
    """Each reply in the pages fits the schema and is read back as it is, each piece of one that of its part."""
    schema = published("reply")
    whole, watch, due, error = (json.loads(block.text) for block in blocks(REPLY, "json"))
    jsonschema.validate(whole, schema)
    assert Reply.from_json(whole).as_json() == whole
    jsonschema.validate(whole | {"watch": watch}, schema)
    jsonschema.validate(whole | {"due": due}, schema)
    jsonschema.validate(whole | {"error": error, "ok": False}, schema)


@pytest.mark.parametrize(
    ("heading", "path"),
    [
        ("Fields", ()),
        ("`say[]`", ("say", "items")),
        ("`next[]`", ("next", "items")),
        ("`watch`", ("watch",)),
        ("`due[]`", ("due", "items")),
        ("`error`", ("error",)),
    ],
)
def test_every_field_of_the_reply_is_explained(heading: str, path: tuple[str | int, ...]) -> None:
    """Every field has a row under its heading, and no other."""
    found = published("reply")["properties"]
    for step in path:
        found = found[step]
        found = published("failure")["$defs"]["error"] if "$ref" in found else found
    assert first(section(REPLY, heading).partition("\n### ")[0]) == set(found["properties"] if path else found)


def test_every_status_is_explained() -> None:
    """Every status has a row."""
    assert first(section(REPLY, "`status`")) == set(Status.__args__)  # type: ignore[attr-defined]


def test_every_rule_has_its_place() -> None:
    """Every rule has a row with its title; what it names as its place exists, and its tests are marked with it."""
    rules = read_rules(HERE / "rules.csv")
    tests = cover(rules, read_tests(HERE)).tests
    found = {cells[0]: cells[1:] for cells in rows(section(ANYGEN, "Rules"))}
    assert list(found) == [rule.number for rule in rules]
    known = places()
    for rule in rules:
        title, where, named = found[rule.number]
        assert title == rule.title
        strange = {code for code in codes(where) if code not in known and not (ROOT / code).is_file()}
        assert not strange, f"{rule.number}: {strange}"
        assert where and (named or not rule.needed), rule.number
        for file in codes(named):
            assert any(test.startswith(f"{file}::") for test in tests[rule.number]), f"{rule.number}: {file}"


def test_every_gate_and_message_of_the_bundle_is_named() -> None:
    """The page about the reference bundle leaves out no gate, no phase and no message."""
    definition = tables.reference().definition
    text = ANYGEN.read_text(encoding="utf-8")
    assert first(section(ANYGEN, "Its gates")) == set(definition.gates)
    assert first(section(ANYGEN, "Phases")) == {state.phase for state in definition.states.values()}
    prompts = {file.stem for file in (ROOT / "prompts/en").glob("*.md")}
    assert {name for name in prompts if "." not in name} <= codes(text)


def test_every_host_is_explained() -> None:
    """Each host has a row, and no other; one that can watch has a way."""
    with pytest.raises(UsageError) as refused:
        check_host("unknown")
    found = {cells[0].strip("`"): cells[1] != "none" for cells in rows(section(DOCS / "concepts.md", "Waiting"))}
    assert found == {host: can_watch(host) for host in re.findall(r"[\w-]+", refused.value.hint) if host != "Known"}


def test_every_type_of_data_is_explained() -> None:
    """Each type has a row, and no other."""
    (types,) = [each for each in tables.grammar()["properties"]["data"]["anyOf"] if each["type"] == "object"]
    assert first(section(DOCS / "yaml.md", "`data`")) == set(types["additionalProperties"]["enum"])


def parts(page: Path) -> list[str]:
    """What is made in a page."""
    return [part[2] for part in tables.MADE.finditer(page.read_text(encoding="utf-8"))]


def made(page: Path, kind: str) -> list[str]:
    """The names of the parts of a kind that are made in a page."""
    return sorted(part.partition(" ")[2] for part in parts(page) if part.partition(" ")[0] == kind)


def first(text: str) -> set[str]:
    """The names in the first column of the tables of a text."""
    return {code for cells in rows(text) for code in codes(cells[0])}


def codes(text: str) -> set[str]:
    """What stands in a text as code."""
    return set(re.findall(r"`([^`]+)`", text))


def config_keys() -> set[str]:
    """Every key that ``config.toml`` may have, as its own error names them."""
    file = Path(os.environ["HOME"]) / "config.toml"
    file.write_text("unknown = 1\n", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        read_settings({"PHASEGATE_CONFIG": str(file)})
    return set(re.findall(r"\w+", refused.value.hint)) - {"Known"}


def places() -> set[str]:
    """What a rule may be kept by, files aside: names in the bundle, keys of the grammar, options, fields."""
    bundle = tables.reference()
    definition = bundle.definition
    schema = tables.grammar()
    keys = {key for kind in [schema, *schema["$defs"].values()] for key in kind["properties"]}
    named = {*definition.states, *definition.gates, *definition.events, *definition.data, *definition.settings}
    code = {*bundle.registry.actions, *bundle.registry.guards, *bundle.briefs, *bundle.prompts["en"]}
    options = {word for command in tables.commands().values() for each in command.params for word in each.opts}
    return keys | named | code | options | {"internal", "verbatim", "translate_to"}


def test_a_table_that_is_not_of_today_is_found() -> None:
    """The check of what is made would notice a line that is missing."""
    text = CLI.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| `--limit"))
    assert tables.remade(text.replace(f"{line}\n", "", 1)) == text


def test_a_block_is_found_with_its_note(tmp_path: Path) -> None:
    """What the tests of the pages stand on: language, text, line and note of a block."""
    page = tmp_path / "page.md"
    page.write_text("Text.\n\n<!-- exit 3 -->\n```sh\nfalse\n```\n\n```console\nno\n```\n", encoding="utf-8")
    assert blocks(page) == [Block("sh", "false\n", 4, "exit 3", False), Block("console", "no\n", 8, "", True)]
