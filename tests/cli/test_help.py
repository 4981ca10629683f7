"""Help: every command of both executables shows examples, and fits a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from workflow.cli.app import workflow
from workflow.cli.group import LazyGroup
from workflow.cli.people.admin import admin, raw_client

COLUMNS = 80


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it, each with its whole name; the bundle's raw client among them."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command, help_option_names=["-h", "--help"])
        for name in command.list_commands(context):
            is_raw = (*path, name) == ("workflow-admin", "api")
            below = raw_client(None) if is_raw else command.get_command(context, name)
            assert below is not None
            yield from commands(below, *path, name)


EVERY = dict([*commands(workflow, "workflow"), *commands(admin, "workflow-admin")])


@pytest.mark.parametrize("path", EVERY)
def test_help_shows_examples_and_fits(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples are of the command itself, and no line is wider than a plain terminal."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    command = EVERY[path]
    text = command.get_help(click.Context(command, info_name=path, help_option_names=["-h", "--help"]))
    _, found, examples = text.partition("Examples:\n")
    assert found and path in examples.partition("\n\n")[0]
    assert [line for line in text.splitlines() if len(line) > COLUMNS] == []


@pytest.mark.parametrize("group", [workflow, admin], ids=lambda group: str(group.name))
def test_every_command_stands_under_a_heading(group: LazyGroup) -> None:
    """Of both programs: what no section has would be found by nobody."""
    listed = [name for section in group.sections for name in section.commands]
    assert sorted(listed) == sorted(group.list_commands(click.Context(group))) and len(listed) == len(set(listed))


def test_the_walk_finds_what_is_deepest() -> None:
    """The raw client's own commands are walked too."""
    assert {"workflow demo", "workflow audit log", "workflow-admin api config set"} <= set(EVERY)
