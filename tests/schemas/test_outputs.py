"""What commands print is of its published form, whoever judges; and each form is printed in all of its parts."""

from __future__ import annotations

from pathlib import Path

from tests.schemas import sessions
from tests.schemas.forms import FORMS, json_commands
from tests.schemas.reach import OF_BUNDLES
from tests.schemas.scenes import play
from tests.schemas.verdicts import of_ajv, of_jsonschema, unreached
from workflow.author.published import names

FILES = {"journal.jsonl"}
"""What a command writes instead of printing it."""


def test_every_command_that_prints_json_has_a_form() -> None:
    """A new command needs a schema, and a schema is of some command."""
    assert set(FORMS) == json_commands() | FILES
    used = {form for forms in FORMS.values() for form in forms} | {"failure", "help-text"}
    assert set(names()) == used | set(OF_BUNDLES)


def test_every_output_is_of_its_form_and_every_part_is_printed(tmp_path: Path) -> None:
    """All commands: each output is accepted, with a key too many it is refused, and no part of a schema is idle."""
    outputs = play(tmp_path / "scenes")
    assert of_jsonschema(outputs).faults == ()
    assert {each.command for each in outputs} >= set(FORMS)
    assert unreached(outputs) == set()


def test_another_validator_says_the_same_in_strict_mode(tmp_path: Path) -> None:
    """Every schema, and a slice of the outputs: `make schemas` shows ajv all of them."""
    outputs = play(tmp_path / "scenes", (sessions.logs, sessions.changed_bundle, sessions.troubles))
    assert len(outputs) > 100
    assert of_ajv(outputs).faults == ()
