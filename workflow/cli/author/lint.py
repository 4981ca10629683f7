"""``workflow lint``: for the author of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from workflow.bundle import find_problems, find_warnings
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.author.places import annotation, shown
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.local.settings import read_settings
from workflow.model.errors import DefinitionError
from workflow.model.reply import EXIT_CODES, VERSION

FORMATS = ("text", "github", "json")
ERROR, WARNING = "error", "warning"
_STYLES = {ERROR: "bold red", WARNING: "bold yellow"}
Line = Sequence[tuple[str, str]]
"""Pieces of a line, each with its style."""


@click.command(short_help="Check a bundle: all problems at once.")
@click.argument("bundle", required=False, shell_complete=complete_bundle)
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to print problems.  [default: text]")
@json_option
def lint(bundle: str | None, form: str | None, as_json: bool) -> int:
    """Check the bundle in the folder BUNDLE: all problems at once, each with its place.

    Without BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which. Under
    an invariant that does not hold stands a shortest run that breaks it, turn by turn. Exit code 2 if there is any
    error; a warning stops nothing. `--format github` prints annotations for a workflow of GitHub Actions.

    \b
    Examples:
      workflow lint
      workflow lint my-bundle
      workflow lint my-bundle --format github
    """
    form = "json" if as_json else form or "text"
    folder = chosen_bundle(bundle, read_settings(os.environ), silent=form == "json")
    problems, warnings = find_problems(folder), find_warnings(folder)
    found = [*((ERROR, each) for each in problems), *((WARNING, each) for each in warnings)]
    if form == "json":
        told, warned = ([_as_json(each) for each in some] for some in (problems, warnings))
        print_json({"v": VERSION, "ok": not problems, "bundle": str(folder), "problems": told, "warnings": warned})
    elif form == "github":
        for severity, each in found:
            click.echo(_annotation(severity, folder, each))
        click.echo(_count(folder, problems, warnings))
    else:
        for severity, each in found:
            console.show_pieces(_lines(severity, folder, each))
        console.show_pieces([[(_count(folder, problems, warnings), "bold red" if problems else "green")]])
    return EXIT_CODES["bundle"] if problems else 0


def _lines(severity: str, folder: Path, problem: DefinitionError) -> Iterator[Line]:
    """The problem as compilers print theirs, and what belongs to it below."""
    place = f"{shown(folder / problem.path)}:{problem.line}:{problem.column}: "
    code = f" [{problem.code}]" if problem.code else ""
    yield (place, "bold"), (f"{severity}: ", _STYLES[severity]), (_message(problem), ""), (code, "dim")
    yield from ((("    " + each, ""),) for each in problem.trace)
    if problem.hint:
        yield (("    hint: ", "cyan"), (problem.hint, ""))
    for path, line, column in problem.also:
        yield ((f"    {shown(folder / path)}:{line}:{column}: ", "bold"), ("note: here too", "dim"))


def _annotation(severity: str, folder: Path, problem: DefinitionError) -> str:
    """The problem for GitHub Actions."""
    place = f"{shown(folder / problem.path)}:{problem.line}:{problem.column}"
    hint = [f"hint: {problem.hint}"] if problem.hint else []
    return annotation(severity, place, problem.code, [_message(problem), *problem.trace, *hint])


def _count(folder: Path, problems: Sequence[DefinitionError], warnings: Sequence[DefinitionError]) -> str:
    counts = ((len(problems), ERROR), (len(warnings), WARNING))
    told = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count]
    return f"{', '.join(told) or 'no problems'} in {shown(folder)}"


def _message(problem: DefinitionError) -> str:
    return problem.message.removeprefix(f"{problem.path}:{problem.line}:{problem.column}: ")


def _as_json(problem: DefinitionError) -> dict[str, object]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "message": _message(problem),
        "hint": problem.hint,
        "trace": list(problem.trace),
        "also": [{"path": path, "line": line, "column": column} for path, line, column in problem.also],
    }
