"""Text or JSON: agents' commands answer with JSON in a pipe, all others with text unless JSON is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.docs.tables import answers, commands
from workflow.model.version import VERSION

COURIER = Path(__file__).parent.parent / "courier"
EVERY = {path: answers(path, command) for path, command in commands().items() if "-admin api " not in path}
AGENTS = {f"workflow {name}" for name in ("start", "advance", "status", "resume", "watch", "fork")}


def test_the_table_is_what_agents_are_told() -> None:
    """Just the commands that take a turn, or give a reply to one."""
    assert {path for path, how in EVERY.items() if how[1] == "JSON"} == AGENTS
    assert all(how[2] == "JSON" for path, how in EVERY.items() if path in AGENTS)


@pytest.mark.parametrize("path", EVERY)
def test_an_error_in_a_pipe_has_the_form_of_its_command(cli: Commands, path: str) -> None:
    """One object on stdout, or words on stderr alone; with --json, always the object."""
    program, *words = path.split()
    call = cli if program == "workflow" else cli.admin
    ended = call(*words, "--no-such-option")
    if path == "workflow-admin api":  # its options are those of the bundle's own client
        assert ended.code == 2 and "--no-such-option" in ended.why
        return
    told = ended.error["message"] if EVERY[path][1] == "JSON" else ended.why
    assert ended.code == 2 and "--no-such-option" in told
    assert call(*words, "--no-such-option", "--json").error["type"] == "usage"


@pytest.mark.parametrize(
    "command",
    [
        ("lint", str(COURIER)),
        ("test", str(COURIER), "--scenario", "to-the-door"),
        ("simulate", str(COURIER), "--walks", "1", "--steps", "2"),
        ("doctor",),
        ("sessions",),
        ("config",),
        ("schema", "reply"),
        ("audit", "log"),
        ("upgrade-check",),
    ],
    ids=lambda words: words[0],
)
def test_what_people_run_is_text_in_a_pipe(cli: Commands, command: tuple[str, ...]) -> None:
    """Lines, no escapes, and the same as JSON where it is asked for."""
    text, data = cli(*command), cli(*command, "--json")
    assert text.code == data.code and "\x1b" not in text.out + text.err
    assert len(text.out.splitlines()) > 1 or not text.out.startswith("{")
    for line in data.out.splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("workflow statsu", "status"),
        ("workflow lnt", "lint"),
        ("workflow audit lgo", "log"),
        ("workflow-admin aprove", "approve"),
        ("workflow-admin token nwe", "new"),
    ],
)
def test_a_misspelt_command_is_answered_with_what_was_meant(cli: Commands, typed: str, meant: str) -> None:
    """In every group."""
    program, *words = typed.split()
    ended = (cli if program == "workflow" else cli.admin)(*words)
    told = ended.out + ended.err
    assert ended.code == 2 and "Did you mean" in told and f"'{meant}'" in told


@pytest.mark.parametrize("program", ["workflow", "workflow-admin"])
def test_nothing_typed_gets_a_short_help(cli: Commands, program: str) -> None:
    """What is often used, and how to see the rest; no error beside it."""
    ended = cli() if program == "workflow" else cli.admin()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"Usage: {program} COMMAND") and f"`{program} help` lists all" in ended.err
    assert len(ended.err.splitlines()) <= 16 and "✗" not in ended.err


@pytest.mark.parametrize("path", [path for path in EVERY if not path.startswith("workflow-admin api")])
def test_help_is_a_command_too(cli: Commands, path: str) -> None:
    """`workflow help audit log` is `workflow audit log --help`."""
    program, *words = path.split()
    call = cli if program == "workflow" else cli.admin
    assert call("help", *words).out == call(*words, "--help").out != ""


def test_a_bundle_that_cannot_be_opened_is_told_line_by_line(cli: Commands, tmp_path: Path) -> None:
    """Each fault on a line of its own, on stderr."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8").replace("say: offer", "say: ofer").replace("if: can_carry", "if: can_cary")
    yaml.write_text(text, encoding="utf-8")
    for command in ("test", "simulate", "graph"):
        ended = cli(command, "bundle")
        first, second, hint = ended.err.splitlines()
        assert (ended.code, ended.out) == (2, "") and hint.startswith("  → ")
        assert first.startswith("✗ workflow.yaml:") and second.startswith("✗ workflow.yaml:")


@pytest.mark.parametrize("words", [("nope",), ("audit", "nope"), ("lint", "x"), ("\udcff",)])
def test_help_for_what_is_no_command_says_so(cli: Commands, words: tuple[str, ...]) -> None:
    """A reason, and no traceback."""
    ended = cli("help", *words)
    assert ended.code == 2 and ended.why


def test_the_version_has_a_short_option(cli: Commands) -> None:
    """As `-V` of other tools."""
    assert cli("-V").out == cli("--version").out == f"workflow, version {VERSION}\n"
    assert cli.admin("-V").out == cli.admin("--version").out == f"workflow-admin, version {VERSION}\n"
