"""Replies speak of what their reader has: no commands over MCP, no tools on the shell, and `items` where files are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.evals.replay import printed
from tests.evals.replies import ROOT, replies, tried
from tests.evals.surfaces import Home, client
from tests.unit.test_shipped_bundles import SHIPPED
from workflow.author.scenario_file import find
from workflow.author.skill import TARGETS, write_skill
from workflow.machine.definition import Definition

PLAYED = [name for name in SHIPPED if find(ROOT / name)]
SHELL_WORDS = re.compile(r"\bworkflow(?:-admin)? |(?<![-\w])--(?![->])|\binput-file\b")
"""Commands and their options."""
MCP_WORDS = re.compile(r"\bworkflow_[a-z]+|\btools?\b")
"""What only a client over MCP has."""


def definition(name: str) -> Definition:
    """A bundle's."""
    return tried(name).bundle.definition


def ours(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a reply with its place, except what the user, the service or the agent wrote."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "text" and value.get("parts"):
                yield f"{place}.text", _own_part(each, value["parts"])
            elif key != "parts":
                yield from ours(each, f"{place}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from ours(each, f"{place}[]")
    elif isinstance(value, str):
        yield place, value


def _own_part(text: str, parts: list[Mapping[str, Any]]) -> str:
    """The text of a message without the pieces that somebody else wrote."""
    for part in reversed(parts):
        start, end = part["at"]
        text = text[:start] + text[end:]
    return text


def found(pattern: re.Pattern[str], lines: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> list[str]:
    """Where a pattern stands: each kind of place and text once."""
    seen: dict[str, str] = {}
    for scenario, line in lines:
        for place, text in ours(json.loads(line)):
            hit = pattern.search(text)
            if hit:
                seen.setdefault(f"{place}: {hit[0]!r}", f"{scenario}: {text[:160]!r}")
    return [f"{what} in {where}" for what, where in seen.items()]


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.parametrize("surface", ["mcp", "forms", "declined forms"])
def test_no_reply_over_mcp_holds_a_shell_command(name: str, surface: str) -> None:
    """In all scenarios of the bundle, refusals and hints included, whether the client shows forms or not."""
    lines = printed(name, surface)
    assert lines and not found(SHELL_WORDS, list(lines))


@pytest.mark.parametrize("name", PLAYED)
def test_no_reply_on_the_shell_holds_words_of_mcp(name: str) -> None:
    """In all scenarios of the bundle, refusals and hints included."""
    lines = printed(name, "shell")
    assert lines and not found(MCP_WORDS, list(lines))


@pytest.mark.parametrize("name", PLAYED)
def test_both_surfaces_reach_what_the_scenarios_reach(name: str) -> None:
    """So that nothing is left unread: wherever a relayed answer leads to, an agent comes on each of them."""
    stronger = {file.stem for file in find(ROOT / name) if "strength:" in file.read_text(encoding="utf-8")}
    reached = {given.reply.state for given in replies(name) if given.scenario not in stronger}
    for surface in ("shell", "mcp"):
        states = {json.loads(line).get("state") for _, line in printed(name, surface)}
        assert reached <= states | {None}, surface


def test_what_a_client_reads_before_its_first_call_holds_no_shell_command(tmp_path: Path) -> None:
    """The server's instructions, and the tools with their schemas."""

    async def read() -> dict[str, Any]:
        async with client(Home(tmp_path, "http://127.0.0.1:9")) as on:
            listed = await on.host.client.list_tools()
            instructions = on.host.client.instructions
            return {"instructions": instructions, "tools": listed.model_dump(mode="json", by_alias=True)}

    seen = anyio.run(read)
    assert seen["instructions"] and seen["tools"]["tools"]
    assert not found(SHELL_WORDS, [("tools/list", json.dumps(seen))])


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("target", TARGETS)
def test_a_gate_for_each_file_is_explained_in_the_skill(name: str, target: str) -> None:
    """Where files are asked for one by one, the skill says that `items` names them; elsewhere it is silent."""
    gated = [event for event in definition(name).events.values() if event.gate]
    each = [event.name for event in gated if event.gate and definition(name).gates[event.gate].each]
    text = write_skill(definition(name), "d" * 64, target)
    assert ("`evidence.items`" in text) == bool(each)
    for event in each:
        assert re.search(rf"^\| `{event}` \|.*`evidence\.items`", text, re.MULTILINE), event


@pytest.mark.parametrize("name", PLAYED)
def test_a_gate_for_each_file_names_them_in_how(name: str) -> None:
    """Wherever such a question shows several files, `how` says `items`, and the names as the question shows them."""
    gates, asked = definition(name).gates, 0
    consents = {message for state in definition(name).states.values() if state.say for message in state.say.targets}
    for given in replies(name):
        for option in given.reply.next:
            if not option.gate or not gates[option.gate.name].each:
                continue
            shown = [said.text for said in given.reply.say if said.id in consents]
            names = {file for text in shown for file in re.findall(r"“([^”]+)”", text)}
            if len(names) > 1:
                asked += 1
                assert "items" in option.how and all(file in option.how for file in names), (names, option.how)
    assert bool(asked) == any(gate.each for gate in gates.values())


def test_the_patterns_find_what_they_should() -> None:
    """A command, an option and a tool are found; a dash, and what the service wrote, are not."""
    for text in ("run `workflow watch fox`", "workflow-admin approve fox", "give it with --to"):
        assert found(SHELL_WORDS, [("a", json.dumps({"hint": text}))])
    for text in ("the workflow's state", "an em—dash", "a -- b"):
        assert bool(found(SHELL_WORDS, [("a", json.dumps({"hint": text}))])) == (text == "a -- b")
    assert found(MCP_WORDS, [("a", json.dumps({"notices": ["call workflow_advance"]}))])
    said = {"text": "Done: run workflow watch", "parts": [{"at": [6, 24], "by": "service"}]}
    assert not found(SHELL_WORDS, [("a", json.dumps({"say": [said]}))])
    assert found(SHELL_WORDS, [("a", json.dumps({"say": [said | {"parts": [{"at": [0, 4], "by": "service"}]}]}))])
