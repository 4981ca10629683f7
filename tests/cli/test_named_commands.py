"""Each command that an error, a hint or a notice can name is one that can be typed: all are collected, and tried."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.cli.app import workflow
from workflow.cli.people.admin import admin

ROOT = Path(__file__).parents[2]
HOLE = "amber-fox"
"""What stands for a part that is filled in as the program runs: most often the name of a session."""
GENERIC = {f"workflow {HOLE}", f"workflow-admin {HOLE} SESSION"}
"""Texts whose command is filled in: those that fill it name it themselves."""
MENTIONED = {"workflow backup", "workflow skill export", "workflow audit verify"}
"""Commands that a text names by what they did, and does not tell anybody to type."""
NAMED = re.compile(r"`((?:workflow|workflow-admin) [^`]+)`")
WAITING = {"sandbox", "serve", "mcp", "watch", "api"}
"""Commands that serve, wait or read a key until they are ended: their words are checked, and other tests run them."""


def texts(tree: ast.Module) -> Iterator[str]:
    """All texts of a module that somebody can be shown, with the hole for what is filled in; no docstrings."""
    hidden = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    hidden |= {id(part) for each in joined for part in each.values}
    for each in joined:
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in each.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.value.replace("{}", HOLE)


def named() -> list[str]:
    """Every command in backticks, of every text of the program and of the reference bundle."""
    files = [file for folder in ("workflow", "phases") for file in sorted((ROOT / folder).rglob("*.py"))]
    found = (each for file in files for text in texts(ast.parse(file.read_bytes())) for each in NAMED.findall(text))
    return sorted({*found} - GENERIC - MENTIONED)


COMMANDS = named()


def parsed(command: str) -> list[str]:
    """The names of the command, from the program down; fails where click does not take its words."""
    program, *words = shlex.split(command.replace("TARGET", "generic"))
    known: click.Command = {"workflow": workflow, "workflow-admin": admin}[program]
    context, path = known.make_context(program, list(words)), [program]
    while isinstance(known, click.Group) and (words := [*context._protected_args, *context.args]):
        name, found, words = known.resolve_command(context, words)
        assert name is not None and found is not None
        path.append(name)
        if "--help" in words:
            break
        context, known = found.make_context(name, words, parent=context), found
    return path


def test_the_program_names_commands() -> None:
    """The collection works: a few that are known to be there are in it."""
    assert {"workflow doctor", "workflow sessions", f"workflow resume {HOLE}", "workflow-admin adopt"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_can_be_typed(command: str, cli: Commands, sandbox: Sandbox) -> None:
    """Its words are taken, and what ends by itself is run, for a session that waits: no usage error, no fault."""
    path = parsed(command)
    if WAITING & set(path):
        return
    name = cli.begun() if {HOLE, "SESSION"} & set(command.split()) else ""
    filled = {HOLE: name, "SESSION": name, "FILE": "copy.db", "FOLDER": str(cli.folder / "skill"), "TARGET": "generic"}
    program, *words = [filled.get(each, each) for each in shlex.split(command)]
    ended = cli.admin(*words) if program == "workflow-admin" else cli(*words)
    told = f"{ended.out}{ended.err}"
    assert "internal fault" not in told and "No such" not in told and "is possible" not in told, told


def test_no_package_is_named_that_no_index_has() -> None:
    """Phasegate is on none: it is installed from where it came."""
    pages = [
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/decisions/*.md"),
        ROOT / "README.md",
        *ROOT.rglob("workflow/**/*.py"),
    ]
    install = re.compile(r"(?:pip|pipx|uv) (?:\w+ )*install [^`\n]*(?<![/\w])'?phasegate(?:\[\w+\])?'?(?![\w/.-])")
    assert [str(page) for page in pages if install.search(page.read_text(encoding="utf-8"))] == []
