"""A lint over every bundle: wherever a gate is asked file by file, an agent is told to name the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workflow.author.skill import TARGETS, write_skill
from workflow.bundle import Bundle, open_bundle
from workflow.machine import gates
from workflow.machine.definition import Event
from workflow.machine.program import compile_program
from workflow.machine.registry import Facts
from workflow.machine.standing import options
from workflow.model.instant import Instant
from workflow.model.session import Session

ROOT = Path(__file__).parents[2]
BUNDLES = sorted(
    file.parent for file in ROOT.rglob("workflow.yaml") if not any(part.startswith(".") for part in file.parts)
)
NOW = Instant(1_800_000_000.0, 1_000.0, "boot")
ITEMS = [
    {"name": "logo.png", "folder": "", "sha256": "0" * 64, "size": 1, "path": "logo.png"},
    {"name": "shop.png", "folder": "", "sha256": "1" * 64, "size": 1, "path": "shop.png"},
]


def by_item(bundle: Bundle) -> list[Event]:
    """The events that answer a gate with `each`."""
    definition = bundle.definition
    return [event for event in definition.events.values() if event.gate and definition.gates[event.gate].each]


def how(bundle: Bundle, event: Event, state: str, needs: str) -> str:
    """What a reply says of the event while two files are asked for; ``needs`` is the least strength."""
    definition = bundle.definition
    gate = definition.gates[event.gate or ""]
    data: dict[str, Any] = {gate.each or "": ITEMS}
    session = Session("amber-fox", "w", "b", "", "en", state, revision=1, data=data, shown={gate.name: "x"})
    program = compile_program(definition, bundle.registry)
    facts = Facts(data, {}, definition.settings, False, False)
    found = options(program, session, facts, {gate.name: needs}, NOW)
    return next(option.how for option in found if option.event == event.name)


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_an_agent_is_told_to_name_files(folder: Path) -> None:
    """`how` in each state that asks, and each skill, say `evidence.items`; where only a person may answer, no reply."""
    bundle = open_bundle(folder)
    skills = [write_skill(bundle.definition, bundle.digest, target) for target in TARGETS]
    events = by_item(bundle)
    assert all(("evidence.items" in skill) is bool(events) for skill in skills)
    for event in events:
        asking = [state.name for state in bundle.definition.states.values() if event in bundle.definition.offers(state)]
        assert asking
        for state in asking:
            told = how(bundle, event, state, "relayed")
            assert "evidence.items" in told and "logo.png, shop.png" in told
            assert "evidence.items" not in how(bundle, event, state, "proven")
        for skill in skills:
            (row,) = [line for line in skill.splitlines() if line.startswith(f"| `{event.name}`")]
            assert "`evidence.items`" in row


def test_some_bundle_asks_file_by_file() -> None:
    """The lint looks at something: the reference bundle has such a gate."""
    assert len(BUNDLES) > 4 and by_item(open_bundle(ROOT))


def test_names_are_told_apart_however_alike_they_are() -> None:
    """Each of the names that a question offers means one file, whatever the files are called."""
    alike = [
        {**ITEMS[0], "name": name, "folder": folder, "sha256": digit * 64}
        for digit, (name, folder) in enumerate_digits(
            [("a.png", ""), ("a.png", "one"), ("a.png", "two"), ("a.png", "two"), ("a.png (00000000)", ""), ("b", "c")]
        )
    ]
    names = gates.item_names(alike)
    assert len(set(names)) == len(alike)
    for item, name in zip(alike, names, strict=True):
        assert gates.meant(alike, name) == gates.meant(alike, f"“{name}”") == {item["sha256"]}


def test_a_file_called_like_another_one_and_its_digest_is_nobodys() -> None:
    """Names that were made to be mistaken mean two files, which no answer may name; asking for them does not fail."""
    alike = [{**ITEMS[0], "name": f"a.png ({'1' * 64})"}, {**ITEMS[1], "name": "a.png"}, {**ITEMS[1], "name": "a.png"}]
    alike[2] = {**alike[2], "sha256": "1" * 63 + "2"}
    assert len(gates.item_names(alike)) == 3
    assert len(gates.meant(alike, f"a.png ({'1' * 64})")) == 2


def enumerate_digits(values: list[tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    """Each value with a hex digit of its own."""
    return [(f"{number:x}", value) for number, value in enumerate(values)]
