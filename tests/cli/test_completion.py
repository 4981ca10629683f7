"""``workflow completion``: the scripts of the shells, and what they offer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.docs.tables import commands
from workflow.cli.app import run, workflow
from workflow.cli.completion import SHELLS
from workflow.cli.people.admin import admin

ROOT = Path(__file__).parents[2]
Complete = Callable[..., list[str]]


@pytest.fixture
def complete(cli: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """What a shell is offered for the last of some words, asked as its script does."""

    def offers(*words: str) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setenv("_WORKFLOW_COMPLETE", "bash_complete")
            patch.setenv("COMP_WORDS", " ".join(("workflow", *words)))
            patch.setenv("COMP_CWORD", str(len(words)))
            with pytest.raises(SystemExit) as end:
                run(workflow, (), "workflow")
        out, err = capsys.readouterr()
        assert (end.value.code, err) == (0, "")
        return [line.partition(",")[2] for line in out.splitlines() if line]

    return offers


FREE = {
    "search": "any words",
    "why": "any words",
    "start": "a time",
    "since": "a time",
    "older": "an age",
    "expect_head": "a receipt",
    "lines": "LINE=OUTCOME",
    "maps": "OLD=NEW",
    "workflow init name": "a name that is chosen",
    "workflow-admin token new name": "a name that is chosen",
    "owner": "a name that is chosen",
    "title": "a title that is chosen",
    "bind": "an address",
    "workflow-admin store migrate role": "a role of the database",
    "workflow mcp sandbox": "an address",
    "workflow-admin page address": "an address",
    "allow_host": "a name of a machine",
    "arguments": "the bundle's own client has its own",
    "origin": "the starter, or the packaged bundle",
}
"""Parameters whose values nobody can list, by name or with their command, and what they are."""
NUMBERS = (click.types.IntParamType, click.types.FloatParamType)


def parameters() -> Iterator[tuple[str, click.Parameter]]:
    """Every parameter of every command of both programs that takes a value, but for numbers and the raw client's."""
    for path, command in commands().items():
        for each in command.params:
            valued = isinstance(each, click.Argument) or not getattr(each, "is_flag", False)
            if valued and "-admin api " not in path and not isinstance(each.type, NUMBERS):
                yield f"{path} {each.name}", each


@pytest.mark.parametrize(
    ("where", "parameter"), [*parameters()], ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_parameter_is_completed(where: str, parameter: click.Parameter) -> None:
    """A list that is known, a file, a folder, or names that are looked up; what is none of these is named here."""
    known = isinstance(parameter.type, (click.Choice, click.Path)) or parameter._custom_shell_complete is not None
    assert known != (parameter.name in FREE or where in FREE), where


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("start", "--host", "cl"), ["claude-code"]),
        (("start", "--language", ""), ["en", "zh-CN"]),
        (("sessions", "--state", "confirm"), ["confirm.presenting", "confirm"]),
        (("audit", "log", "--event", "appr"), ["approve"]),
        (("test", "--scenario", "busy-service"), ["busy-service"]),
        (("graph", "--format", "sv"), ["svg"]),
        (("lint", "--format", ""), ["text", "github", "json"]),
        (("skill", "export", "--target", "cl"), ["claude"]),
        (("help", "audit", "ve"), ["verify"]),
        (("schema", "audit-"), ["audit-export", "audit-prove", "audit-verify"]),
        (("schema", "scen"), ["scenario"]),
    ],
    ids=lambda each: " ".join(each),
)
def test_enumerations_are_offered(complete: Complete, words: tuple[str, ...], offered: list[str]) -> None:
    """What the bundle, the program or the configuration knows."""
    assert complete(*words) == offered


def test_the_admin_command_is_completed_too(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its script names it, and its commands and tokens are offered."""
    assert "_WORKFLOW_ADMIN_COMPLETE=bash_complete" in cli.admin("completion", "bash").out
    cli.admin("token", "new", "openclaw")
    for words, offered in ((("ap",), "approve"), (("token", "revoke", ""), "openclaw")):
        with monkeypatch.context() as patch:
            patch.setenv("_WORKFLOW_ADMIN_COMPLETE", "bash_complete")
            patch.setenv("COMP_WORDS", " ".join(("workflow-admin", *words)))
            patch.setenv("COMP_CWORD", str(len(words)))
            with pytest.raises(SystemExit):
                run(admin, (), "workflow-admin")
        assert offered in capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(cli: Commands, shell: str) -> None:
    """The text itself, in a pipe as well: it is evaluated, not read."""
    ended = cli("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert f"_WORKFLOW_COMPLETE={shell}_complete" in ended.out


def test_an_unknown_shell_is_a_usage_error(cli: Commands) -> None:
    """The known ones are named."""
    ended = cli("completion", "csh")
    assert ended.code == 2 and "'bash', 'zsh', 'fish'" in ended.why


def test_bash_accepts_the_script(cli: Commands) -> None:
    """It can be evaluated, and registers itself for the command."""
    script = cli("completion", "bash").out + "\ncomplete -p workflow"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "complete -o nosort -F _workflow_completion workflow\n"


def test_commands_and_options_are_offered(complete: Complete) -> None:
    """By their beginnings."""
    assert "sessions" in complete("se") and "graph" not in complete("se")
    assert "--search" in complete("sessions", "--se")
    assert complete("graph", "--format", "") == ["ascii", "mermaid", "dot", "svg", "html"]


def test_live_sessions_are_offered(cli: Commands, complete: Complete, sandbox: Sandbox) -> None:
    """Those that have not ended, the latest first, wherever a session is named."""
    first, ended, last = (cli.planned()["session"] for _ in range(3))
    cli("advance", ended, "cancel")
    for command in (("status",), ("advance",), ("resume",), ("watch",), ("audit", "log"), ("graph", "--session")):
        assert complete(*command, "") == [last, first]
    assert complete("status", first[:-1]) == [first]
    assert complete("status", "nothing-like-it") == []


def test_events_of_the_session_are_offered(cli: Commands, complete: Complete, sandbox: Sandbox) -> None:
    """What may be sent to it now, and nothing that only the service can say."""
    plan = cli.planned()
    assert complete("advance", plan["session"], "") == ["open", "approve", "adjust", "check", "cancel"]
    assert complete("advance", plan["session"], "a") == ["approve", "adjust"]
    cli.approved(plan)
    assert complete("advance", plan["session"], "") == ["check", "cancel"]


def test_to_complete_creates_nothing_and_never_fails(
    cli: Commands, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No store, an unknown session, a broken configuration, a store that is none: nothing is offered."""
    assert complete("status", "") == complete("advance", "amber-fox", "") == []
    assert [each.name for each in cli.folder.iterdir()] == ["config"]
    (cli.folder / "state").mkdir(mode=0o700)
    (cli.folder / "state" / "phasegate.db").write_text("no database")
    assert complete("status", "") == complete("advance", "amber-fox", "") == []
    monkeypatch.setenv("PHASEGATE_CONFIG", str(cli.folder))
    assert complete("status", "") == []


def test_a_real_process_answers_its_shell(cli: Commands, sandbox: Sandbox) -> None:
    """As the script calls it: offers on stdout, nothing on stderr, exit code 0."""
    name = cli.planned()["session"]
    asked = {"_WORKFLOW_COMPLETE": "zsh_complete", "COMP_WORDS": f"workflow status {name[:3]}", "COMP_CWORD": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'workflow'; from workflow.cli import main; main()"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, **asked},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["plain", name, "confirm.presenting, waiting, “A poster for a jazz night”"]
