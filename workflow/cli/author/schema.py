"""``workflow schema``: what programs and editors check against."""

from __future__ import annotations

from pathlib import Path

import click

from workflow.author.published import names as published_names
from workflow.author.published import published
from workflow.bundle import known_names, loader
from workflow.bundle.editor_schema import for_editors
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_schema
from workflow.cli.paths import TypedPath
from workflow.model.errors import UsageError
from workflow.model.reply import VERSION
from workflow.model.strict_json import printed_json

BUNDLE = "bundle"


@click.command(short_help="Print a published JSON Schema, or list them.")
@click.argument("name", required=False, shell_complete=complete_schema)
@click.option(
    "--names",
    "folder",
    type=TypedPath(path_type=Path),
    help="For an editor: say faults in words, and offer the names of the bundle in this folder.",
)
@json_option
def schema(name: str | None, folder: Path | None, as_json: bool) -> int:
    """Print the JSON Schema called NAME: of `workflow.yaml` (bundle), of a scenario, or of what a command prints.

    Without NAME, list them all. Each has an `$id` and can be used alone. A command that fails prints a `failure`, or a
    `reply` with an `error`; the schema of its own form accepts that as well.

    The --names of a bundle make the schema of a bundle one for editors: its states, events, guards and messages are
    offered while you type, and a name that is not among them is not a fault. Validators in strict mode refuse that one.

    \b
    Examples:
      workflow schema
      workflow schema reply
      workflow schema bundle > bundle.schema.json
      workflow schema bundle --names tea > tea/bundle.schema.json
    """
    if folder and name != BUNDLE:
        raise UsageError("--names goes with the schema of a bundle.", "Use `workflow schema bundle --names FOLDER`.")
    if name is None:
        return _list(as_json)
    found = for_editors(loader.schema(), known_names(folder)) if folder else published(name)
    if as_json:
        print_json(found)
    else:
        click.echo(printed_json(found, indent=2))
    return 0


def _list(as_json: bool) -> int:
    found = [(name, published(name)) for name in published_names()]
    if as_json:
        told = [{"name": name, "id": schema["$id"], "title": schema["title"]} for name, schema in found]
        print_json({"v": VERSION, "ok": True, "schemas": told})
        return 0
    console.show_table(("name", "of"), [(name, schema["title"]) for name, schema in found])
    console.remark("`workflow schema NAME` prints one.")
    return 0
