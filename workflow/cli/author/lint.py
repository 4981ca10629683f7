"""``workflow lint``: for the author of a bundle."""

from __future__ import annotations

import os

import click

from workflow.bundle import find_problems, find_warnings
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.cli.author.chosen import chosen_bundle
from workflow.local.settings import read_settings
from workflow.machine.messages import visible
from workflow.model.errors import DefinitionError
from workflow.model.reply import EXIT_CODES, VERSION


@click.command(short_help="Check a bundle: all problems at once.")
@click.argument("bundle", required=False)
@json_option
def lint(bundle: str | None, as_json: bool) -> int:
    """Check the bundle in the folder BUNDLE: all problems at once, each with its place.

    Without BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which.
    Under an invariant that does not hold stands a shortest run that breaks it, turn by turn. Exit code 2 if there is
    any problem; a warning stops nothing.

    \b
    Examples:
      workflow lint
      workflow lint my-bundle
    """
    folder = chosen_bundle(bundle, read_settings(os.environ), silent=asked_json(as_json))
    problems, warnings = find_problems(folder), find_warnings(folder)
    if asked_json(as_json):
        told, warned = ([_as_json(each) for each in found] for found in (problems, warnings))
        print_json({"v": VERSION, "ok": not problems, "bundle": str(folder), "problems": told, "warnings": warned})
    else:
        for each in problems:
            click.echo(_line(each))
            for step in each.trace:
                click.echo(f"    {visible(step)}")
        for each in warnings:
            click.echo(f"warning: {_line(each)}")
        if not problems:
            click.echo(f"no problems in {visible(str(folder))}")
    return EXIT_CODES["bundle"] if problems else 0


def _line(problem: DefinitionError) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    return visible(problem.message + hint)


def _as_json(problem: DefinitionError) -> dict[str, object]:
    place = f"{problem.path}:{problem.line}:{problem.column}: "
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message.removeprefix(place),
        "hint": problem.hint,
        "trace": list(problem.trace),
    }
