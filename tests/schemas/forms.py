"""Which published schema is of what a command prints, and whether an output is of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import click
from jsonschema import Draft202012Validator

from workflow.author.published import published
from workflow.cli.app import workflow
from workflow.cli.people.admin import admin

PROGRAMS: Mapping[str, click.Group] = {"workflow": workflow, "workflow-admin": admin}
REPLY = ("reply",)
FORMS: Mapping[str, tuple[str, ...]] = {
    "workflow start": REPLY,
    "workflow advance": ("reply", "preview"),
    "workflow status": REPLY,
    "workflow resume": REPLY,
    "workflow sessions": ("sessions",),
    "workflow watch": REPLY,
    "workflow fork": REPLY,
    "workflow audit log": ("entry", "failure"),
    "workflow audit verify": ("audit-verify",),
    "workflow audit prove": ("audit-prove",),
    "workflow audit export": ("audit-export",),
    "journal.jsonl": ("journal",),
    "workflow replay": ("replay",),
    "workflow backup": ("backup",),
    "workflow graph": ("graph",),
    "workflow init": ("init",),
    "workflow lint": ("lint",),
    "workflow test": ("test",),
    "workflow simulate": ("simulate",),
    "workflow schema": ("schema",),
    "workflow demo": ("demo", "demo-cheat"),
    "workflow skill export": ("skill-export",),
    "workflow skill check": ("skill-check",),
    "workflow skill coverage": ("skill-coverage",),
    "workflow config": ("config",),
    "workflow upgrade-check": ("upgrade-check",),
    "workflow doctor": ("doctor",),
    "workflow-admin approve": ("reply", "waiting"),
    "workflow-admin resolve": ("reply", "waiting"),
    "workflow-admin forget": ("forget",),
    "workflow-admin prune": ("prune",),
    "workflow-admin pause": ("pause",),
    "workflow-admin unpause": ("pause",),
    "workflow-admin log": ("admin-log",),
    "workflow-admin adopt": ("adopt",),
    "workflow-admin upgrade": REPLY,
    "workflow-admin approver add": ("approver",),
    "workflow-admin approver passphrase": ("approver",),
    "workflow-admin approver role": ("approver",),
    "workflow-admin approver remove": ("approver",),
    "workflow-admin approver list": ("approver-list",),
    "workflow-admin page": ("page",),
    "workflow-admin browser list": ("browser-list",),
    "workflow-admin browser revoke": ("browser-revoke",),
    "workflow-admin device confirm": ("device",),
    "workflow-admin device list": ("device-list",),
    "workflow-admin device revoke": ("device",),
    "workflow-admin token new": ("token-new",),
    "workflow-admin token list": ("token-list",),
    "workflow-admin token revoke": ("token-revoke",),
}
"""Command, or file that one writes → the schemas of its JSON, which accept its failures as well."""
ALWAYS = ("failure", "help-text")
"""What any command can print: that it was called wrongly, and with `--help` or `--version` its text."""


@cache
def json_commands() -> frozenset[str]:
    """Every command that has `--json`, by its whole name."""
    return frozenset(name for program, group in PROGRAMS.items() for name in _json_commands(program, group))


def _json_commands(name: str, command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from _json_commands(f"{name} {each}", inner)
    elif any(parameter.name == "as_json" for parameter in command.params):
        yield name


def command_of(program: str, arguments: Sequence[str]) -> str:
    """The whole name of the command that is called by these arguments."""
    command: click.Command = PROGRAMS[program]
    name = program
    for each in arguments:
        inner = command.get_command(click.Context(command), each) if isinstance(command, click.Group) else None
        if inner is not None:
            command, name = inner, f"{name} {each}"
    return name


@cache
def check(form: str) -> Draft202012Validator:
    """The validator of a published schema, formats included."""
    return Draft202012Validator(published(form), format_checker=Draft202012Validator.FORMAT_CHECKER)


def forms_of(command: str, value: Any) -> list[str]:
    """The schemas that accept what a command has printed, its own first; fails where none does."""
    own = FORMS.get(command, ())
    found = [form for form in dict.fromkeys((*own, *ALWAYS)) if check(form).is_valid(value)]
    if found:
        return found
    faults = [error.message for form in own[:1] or ALWAYS[:1] for error in _deepest(form, value)]
    raise AssertionError(f"{command} printed what is of no published form: {faults[:3]}\n{value}")


def _deepest(form: str, value: Any) -> list[Any]:
    """What is wrong, within the branch that nearly fits."""
    found = list(check(form).iter_errors(value))
    return [inner for error in found for inner in (error.context or [error])]


def outputs_of(command: str, out: str) -> list[Any]:
    """The JSON that was printed, one value a line; none where the command prints text, or a schema."""
    if command not in FORMS and not out.startswith('{"v":'):
        return []
    try:
        found = [json.loads(line) for line in out.splitlines()]
    except ValueError:  # a text, such as a drawing
        return []
    return [value for value in found if not (isinstance(value, dict) and "$schema" in value)]
