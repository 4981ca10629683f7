"""Every end is one reply: help, mistakes on the command line, interruption and faults of our own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli import terminals
from tests.cli.conftest import Commands
from workflow.cli.app import COMMANDS, run
from workflow.cli.people.admin import admin

ROOT = Path(__file__).parents[2]
GROUPS = ((), ("audit",))
ALL = (*((name,) for name in COMMANDS), *(("audit", name) for name in ("log", "verify", "prove", "export")))
ADMIN = (("approve",), ("resolve",), ("api",), ("api", "config"), ("api", "upload"), ("api", "get-messages"))


@pytest.mark.parametrize("command", [*ALL, ()], ids=" ".join)
def test_help_is_text_in_a_pipe_too(cli: Commands, command: tuple[str, ...]) -> None:
    """Whoever asks for help reads it; exit code 0, nothing on stderr."""
    ended = cli(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: {' '.join(('workflow', *command))} ")
    assert ended.out == cli(*command, "-h").out


@pytest.mark.parametrize("command", [*ADMIN, ()], ids=" ".join)
def test_help_of_the_admin_command_is_text_too(cli: Commands, command: tuple[str, ...]) -> None:
    """The bundle's own commands among them."""
    ended = cli.admin(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: {' '.join(('workflow-admin', *command))} ")


@pytest.mark.parametrize("command", [*ALL, ("audit",), ()], ids=" ".join)
def test_help_holds_examples(cli: Commands, command: tuple[str, ...]) -> None:
    """At least one line that can be copied, of just this command."""
    assert _examples(cli(*command, "--help").out, " ".join(("workflow", *command)))


@pytest.mark.parametrize("command", [("approve",), ("resolve",), ()], ids=" ".join)
def test_help_of_the_admin_command_holds_examples(cli: Commands, command: tuple[str, ...]) -> None:
    """The same for the command that is for people; `api` shows the help of the bundle's own client."""
    assert _examples(cli.admin(*command, "--help").out, " ".join(("workflow-admin", *command)))


def _examples(help: str, path: str) -> list[str]:
    """The lines below the usage that call ``path``, at their beginning or behind a pipe."""
    text = help.partition("\n\n")[2]
    return [line for line in text.splitlines() if re.match(rf"\s+(.*\| |eval \"\$\()?{path}( |$)", line)]


@pytest.mark.parametrize("command", [("status",), ("audit", "log"), ("lint",)], ids=" ".join)
def test_help_with_json_is_one_reply(cli: Commands, command: tuple[str, ...]) -> None:
    """Where JSON itself is asked for, help comes as JSON."""
    ended = cli(*command, "--json", "--help")
    assert (ended.code, ended.json["ok"]) == (0, True)
    assert ended.json["help"] == cli(*command, "--help").out.rstrip("\n")


@pytest.mark.parametrize("command", GROUPS, ids=" ".join)
def test_a_missing_command_is_a_usage_error(cli: Commands, command: tuple[str, ...]) -> None:
    """Its help, short where it would fill the screen, and no error beside it; exit code 2, as other tools."""
    path = " ".join(("workflow", *command))
    ended = cli(*command)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"Usage: {path} ") and len(ended.err.splitlines()) < 20 and "✗" not in ended.err


@pytest.mark.parametrize("command", [("nope",), ("audit", "nope", "--json"), ("\udcff",), ("",)])
def test_an_unknown_command_is_a_usage_error(cli: Commands, command: tuple[str, ...]) -> None:
    """One reply with the whole form of a reply, exit code 2."""
    ended = cli(*command)
    assert ended.code == 2 and ended.error["message"].startswith("No such command")
    assert set(json.loads(ended.out)) == {"v", "ok", "error"}


def test_a_command_of_the_other_program_is_named(cli: Commands) -> None:
    """Every command that only one program has, asked of the other one; a misspelt one as well."""
    own, other = set(COMMANDS), set(admin.list_commands(click.Context(admin)))
    for name in own - other:
        assert cli.admin(name).err.startswith(f"✗ No such command '{name}'. Did you mean `workflow {name}`?\n"), name
    for name in other - own:
        message = f"No such command '{name}'. Did you mean `workflow-admin {name}`?"
        assert cli(name, "--json").error["message"] == message
    assert cli("aprove").error["message"].endswith("Did you mean `workflow-admin approve`?")


@pytest.mark.parametrize("command", [*ALL, ()], ids=" ".join)
def test_an_unknown_option_is_a_usage_error(cli: Commands, command: tuple[str, ...]) -> None:
    """The option is named, and the help of just this command."""
    ended = cli(*command, "--no-such-option", "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert "--no-such-option" in ended.error["message"]
    assert ended.error["hint"].startswith(f"`{' '.join(('workflow', *command))} --help`")


@pytest.mark.parametrize(
    "command",
    [("advance",), ("watch",), ("audit", "verify"), ("audit", "prove"), ("audit", "export")],
    ids=" ".join,
)
def test_a_missing_argument_is_a_usage_error(cli: Commands, command: tuple[str, ...]) -> None:
    """The argument is named."""
    ended = cli(*command, "--json")
    assert (ended.code, ended.error["message"]) == (2, "Missing argument 'SESSION'.")


@pytest.mark.parametrize("command", [("nope",), ("api", "nope"), ("api", "upload"), ("approve", "a", "b")])
def test_mistakes_at_the_admin_command_are_usage_errors(cli: Commands, command: tuple[str, ...]) -> None:
    """For people, in a pipe too: what is wrong, and where help is."""
    ended = cli.admin(*command)
    assert ended.code == 2 and f"`workflow-admin{' api' if command[0] == 'api' else ''}" in ended.why


def test_mistakes_are_told_on_stderr_to_people(cli: Commands, terminal: None) -> None:
    """On a terminal: what is wrong and the next step, in words, with nothing on stdout."""
    ended = cli("sessions", "--limit", "0")
    assert (ended.code, ended.out) == (2, "")
    assert "--limit" in ended.err and "`workflow sessions --help`" in " ".join(ended.err.split())
    assert cli("audit").err.startswith("Usage: workflow audit")


def test_interruption_is_one_reply(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130; a command that leaves nothing to continue names none that would."""

    def interrupted(*given: object, **values: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workflow.cli.agent.sessions.sandboxes", interrupted)
    ended = cli("sessions", "--json")
    assert (ended.code, ended.json["error"]) == (130, {"type": "interrupted", "message": "interrupted", "hint": ""})


@pytest.mark.parametrize(
    ("command", "where", "way"),
    [
        ("watch", "cli.agent.watch.wait_for_news", "`workflow watch amber-fox`"),
        ("resume", "engine.Engine.resume", "`workflow resume amber-fox`"),
        ("advance", "engine.Engine.advance", "`workflow resume amber-fox`"),
    ],
)
def test_interruption_names_the_command_that_goes_on(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, command: str, where: str, way: str
) -> None:
    """One reply with exit code 130, whose hint has the session in it."""

    def interrupted(*arguments: object, **values: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"workflow.{where}", interrupted)
    ended = cli(command, "amber-fox")
    assert (ended.code, ended.error["type"]) == (130, "interrupted")
    assert way in ended.error["hint"]


def test_a_start_without_words_says_how_to_give_them(cli: Commands) -> None:
    """A newcomer who types only `workflow start` sees the line that works."""
    ended = cli("start")
    assert (ended.code, ended.error["type"]) == (3, "refused")
    assert "| workflow start --input -" in ended.error["hint"]


def test_a_fault_of_ours_is_told_without_a_traceback(cli: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    """Type and line of the fault, none of its text, which could be anything."""

    @click.command()
    def broken() -> None:
        raise RuntimeError("sk-ag-secret")

    assert run(broken, [], "workflow") == 1
    out, err = capsys.readouterr()
    assert err.startswith("✗ an internal fault: RuntimeError (test_usage.py:")
    assert "secret" not in err and out == ""


def test_a_real_process_ends_like_that_too() -> None:
    """The exit code is the process's own, stdout one line, stderr empty."""
    ended = subprocess.run(
        [sys.executable, "-m", "workflow", "nope"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (ended.returncode, ended.stderr, ended.stdout.count("\n")) == (2, "", 1)
    assert json.loads(ended.stdout)["error"]["type"] == "usage"


def test_a_closed_pipe_is_no_error_of_ours() -> None:
    """Whoever reads only the first line gets it, and no traceback follows."""
    command = f"{sys.executable} -m workflow --help | head -n 1"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.stdout.startswith("Usage: workflow") and ended.stderr == ""


def test_colours_can_be_refused(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour on a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = terminals.workflow("config")
    assert terminal.end() == 0
    assert "anygen-image" in terminal.shown and "\x1b[3" not in terminal.shown


@pytest.mark.parametrize("command", [("start",), ("advance", "amber-fox", "cancel")], ids=lambda words: words[0])
def test_a_turn_that_is_typed_says_what_is_awaited(cli: Commands, command: tuple[str, ...]) -> None:
    """On a terminal `--input -` does not hang in silence: an example, and how to end."""
    terminal = terminals.workflow(*command, "--input", "-")
    terminal.expect('Type the turn as JSON, such as {"input": {"words": "…"}}; Ctrl-D')
    terminal.type("no json\r\x04")
    assert terminal.end() in (2, 5)
