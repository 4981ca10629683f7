"""Each hint names one command, which is typed, or stands in a table with the reason why it names none."""

from __future__ import annotations

import io
import re
import sys

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.test_named_commands import COMMANDS, GENERIC, HOLE, MENTIONED, NAMED
from tests.hints import REASONS, explained, hints, names_a_command
from workflow.cli.app import COMMANDS as NAMES

HINTS = hints()
PIPED = """Give the turn as JSON: echo '{"input": {"words": "…"}}' | workflow start --input -"""


def test_the_collection_finds_hints_of_every_make() -> None:
    """Plain, with a hole, from a constant, from a function, by name, and with a condition."""
    assert {
        "Give one of them.",
        "Known: {}.",
        "Restore the store from a backup; the journal is the record, the rest only a copy of what it adds up to.",
        "Write the whole path, from / on.",
        "Run `workflow audit verify {}`, and restore the store from a backup.",
        PIPED,
    } <= set(HINTS)


def test_each_hint_names_a_command_or_has_a_reason_for_none() -> None:
    """One that is neither, one that is gone, and one that names a command and has a reason, are all named."""
    without = {text for text in HINTS if not names_a_command(text)}
    known = explained()
    assert {text: sorted(HINTS[text]) for text in without - set(known)} == {}
    assert set(known) - without == set()
    assert set(known.values()) <= set(REASONS)


@pytest.mark.parametrize("text", [text for text in HINTS if names_a_command(text)])
def test_the_command_of_a_hint_is_among_those_that_are_typed(text: str) -> None:
    """``test_named_commands`` types each."""
    commands = NAMED.findall(text.replace("{}", HOLE))
    assert commands and {*commands} - GENERIC - MENTIONED <= set(COMMANDS), text


def test_no_hint_names_a_command_where_none_looks() -> None:
    """Without backticks it would be typed by no test."""
    commands = re.compile(rf"\bworkflow (?:{'|'.join(NAMES)})\b")
    bare = {text for text in HINTS if commands.search(re.sub("`[^`]*`", "", text))}
    assert bare == {PIPED}


def test_the_turn_that_a_hint_pipes_is_taken(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is printed where a session is begun without words."""
    assert PIPED in cli("start", "--json").error["hint"]
    (turn,) = re.findall("echo '(.*)' [|] workflow start --input -$", PIPED)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(turn.encode())))
    assert cli("start", "--input", "-").json["ok"]
