"""Paths on the command line: a leading `~` that the shell leaves is the home folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from workflow.cli.app import workflow
from workflow.cli.paths import TypedPath
from workflow.cli.people.admin import admin
from workflow.compose import bundle_folder
from workflow.local.settings import Settings


def leaves(command: click.Command) -> Iterator[click.Command]:
    """Every command below, groups opened."""
    if not isinstance(command, click.Group):
        yield command
        return
    with click.Context(command) as context:
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name) or pytest.fail(name))


@pytest.mark.parametrize("top", [workflow, admin], ids=["workflow", "workflow-admin"])
def test_every_path_is_taken_as_people_type_it(top: click.Group) -> None:
    """No option or argument takes a path in another way."""
    paths = [each.type for leaf in leaves(top) for each in leaf.params if isinstance(each.type, click.Path)]
    assert all(isinstance(each, TypedPath) for each in paths)
    assert paths or top is admin


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For an option's path and for the folder of a bundle; one in the middle stays."""
    monkeypatch.setenv("HOME", str(tmp_path))
    taken = TypedPath(path_type=Path)
    assert taken.convert("~/log", None, None) == tmp_path / "log"
    assert taken.convert("a~/log", None, None) == Path("a~/log")
    settings = Settings(file=tmp_path / "config.toml", state=tmp_path)
    assert bundle_folder("~/tea", settings) == tmp_path.resolve() / "tea"
