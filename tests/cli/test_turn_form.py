"""A person on a terminal sees the JSON that each event takes: it is typed as it stands, its blanks filled in."""

from __future__ import annotations

import json
import re

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands, Ended
from workflow.cli.turn_form import turn_form
from workflow.model.reply import GateState, Option

FORM = re.compile(r"^  ([a-z_]+): (\{.*)$")
BLANKS = {"…": "yes, go ahead", "https://…": "https://www.anygen.io/task/task_1"}


def forms(shown: Ended) -> dict[str, str]:
    """Event → its JSON, as far as it was folded joined again."""
    found: dict[str, str] = {}
    for line in shown.out.partition("As JSON, for --input -:\n")[2].splitlines():
        if match := FORM.match(line):
            event = match[1]
            found[event] = match[2]
        elif found and line.startswith("  "):
            found[event] += f" {line.strip()}"
    return found


def filled(form: str) -> str:
    """The JSON with words and a link where it has blanks."""
    for blank, value in BLANKS.items():
        form = form.replace(f'"{blank}"', json.dumps(value))
    return form


@pytest.mark.parametrize("event", ["open", "approve", "adjust"])
def test_the_json_that_a_terminal_shows_is_taken(cli: Commands, sandbox: Sandbox, terminal: None, event: str) -> None:
    """For each event of the plan that needs something; with what it needs and nothing else."""
    name = cli.begun()
    shown = forms(cli("status", name))
    assert set(shown) == {"open", "approve", "adjust"}
    file = cli.folder / "typed.json"
    file.write_text(filled(shown[event]), encoding="utf-8")
    ended = cli("advance", name, event, "--input-file", str(file), "--json")
    assert ended.code == 0, ended.out
    assert ended.json["state"] != "confirm.presenting" or event == "adjust"


def test_each_type_has_a_blank_and_what_may_be_left_out_is() -> None:
    """No answer is relayed where the gate needs a stronger one."""
    inputs = {"words": "text", "link": "url", "again": "flag", "count": "number", "shown": "files", "more": "text?"}
    given = json.loads(turn_form(Option("go", input=inputs), "6-b3993f09"))
    assert given == {"input": {"words": "…", "link": "https://…", "again": True, "count": 0, "shown": [{"path": "…"}]}}
    assert turn_form(Option("cancel"), "6-b3993f09") == ""
    for needs, told in (("relayed", True), ("asked", False), ("proven", False)):
        gate = GateState("approved", needs, None)
        assert bool(turn_form(Option("approve", "person", gate), "6-b3993f09")) is told
