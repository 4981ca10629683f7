"""The commands of people are offered to no agent: nothing that it reads or can call has it run one of them."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from tests.playing import player
from workflow.cli.app import workflow
from workflow.cli.people.admin import admin
from workflow.model.evidence import STRENGTHS

ROOT = Path(__file__).parents[2]
TO_THE_PERSON = re.compile(
    r"Ask the person to answer with `workflow-admin approve [a-z-]+` in a terminal of their own|"
    r"a person answers gates with `workflow-admin`"
)
"""The only ways in which an agent may read of them: as what a person does."""


def helps(command: click.Command, path: str) -> list[tuple[str, str]]:
    """The help of a command and of those below it, by name."""
    context = click.Context(command, info_name=path, help_option_names=["-h", "--help"])
    found = [(path, command.get_help(context))]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found += helps(inner, f"{path} {name}")
    return found


def offers(text: str) -> bool:
    """Whether the text names a command of people other than as theirs."""
    return "workflow-admin" in TO_THE_PERSON.sub("", " ".join(text.split()))


def test_no_command_of_agents_is_one_of_people() -> None:
    """Neither by name nor by its help; the commands that answer are in the other executable alone."""
    texts = dict(helps(workflow, "workflow"))
    for name, text in texts.items():
        assert not offers(text), name
    theirs = {name for name, _ in helps(admin, "workflow-admin")}
    assert {f"workflow-admin {each}" for each in ("approve", "resolve", "approver passphrase")} <= theirs
    assert not {"approve", "resolve", "approver", "passphrase", "forget", "api"} & {name.split()[-1] for name in texts}


class Shown:
    """A stream of which it is said that it is a terminal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        """Somebody looks."""
        return True


@pytest.mark.parametrize("terminal", ["neither", "stdin", "stdout"])
def test_the_play_of_people_takes_no_answer_from_a_pipe(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    """`workflow play` answers gates as a person, in the agents' program: only where both ends are a terminal."""
    name = cli.planned()["session"]
    before = cli("audit", "log", name, "--json").out
    for arguments in ((), ("--session", name), ("--real",)):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO("approve\nyes, that is the one\n" * 9))
            if terminal != "neither":
                patch.setattr(f"sys.{terminal}", Shown(getattr(sys, terminal)))
            ended = cli("play", *arguments)
        assert ended.code == 2 and "stdin and stdout must be a terminal" in ended.why
    assert cli("audit", "log", name, "--json").out == before
    assert [each["name"] for each in cli("sessions", "--json").json["sessions"]] == [name]


@pytest.mark.parametrize("needs", STRENGTHS)
def test_no_reply_has_the_agent_run_one(tmp_path: Path, needs: str) -> None:
    """What to say, what may come next and what went wrong: the person is asked, and messages name no command."""
    with Sandbox(rounds=2) as sandbox:
        play = player(tmp_path, ROOT, sandbox.url, gates={"user_approved": needs, "ordered_directly": needs})
        replies = [
            play.start({"words": "A poster for a jazz night"}),
            play.send("create_now", quote="…"),
            play.send("answer", {"words": "Blue and gold"}, revision=1),
            play.send("approve", quote="…"),
            play.send(None),
        ]
    told = [text for reply in replies for option in reply.next for text in (option.event, option.how)]
    told += [text for reply in replies for text in reply.notices]
    told += [text for reply in replies if reply.error for text in (reply.error.message, reply.error.hint)]
    assert any("workflow-admin" in text for text in told) == (needs in ("asked", "proven"))
    assert [text for text in told if offers(text)] == []
    assert [said.text for reply in replies for said in reply.say if "workflow-admin" in said.text] == []
    assert not {"passphrase", "resolve"} & {option.event for reply in replies for option in reply.next}


def test_no_prompt_and_no_brief_names_one() -> None:
    """What is said to users, and what sub-agents are told to do."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("prompts/**/*.md")]
    document = yaml.safe_load((ROOT / "workflow.yaml").read_text(encoding="utf-8"))
    assert document["service"]["key"].pop("set_with").startswith("workflow-admin")  # for the person who sets the key
    texts.append(json.dumps(document))
    assert len(texts) > 20
    assert [text for text in texts if "workflow-admin" in text] == []
