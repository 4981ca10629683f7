"""``workflow schema``: what programs and editors check against."""

from __future__ import annotations

from pathlib import Path

import click

from workflow.author.scenario_grammar import ScenarioDocument
from workflow.bundle import known_names, loader
from workflow.bundle.editor_schema import bundle_schema
from workflow.cli.answer import json_option, print_json
from workflow.cli.paths import TypedPath
from workflow.model.errors import UsageError
from workflow.model.reply_schema import reply_schema
from workflow.model.strict_json import printed_json


@click.command(short_help="Print the JSON Schema of a bundle, a scenario or a reply.")
@click.argument("what", type=click.Choice(("bundle", "scenario", "reply")))
@click.option("--names", type=TypedPath(path_type=Path), help="Offer the names of the bundle in this folder, too.")
@json_option
def schema(what: str, names: Path | None, as_json: bool) -> int:
    """Print the JSON Schema of a bundle's `workflow.yaml`, of a scenario, or of the reply to a turn.

    With the --names of a bundle an editor offers its states, events, guards and messages while one types; a name
    that is not among them is not a fault. On a terminal it is set out in lines.

    \b
    Examples:
      workflow schema bundle > bundle.schema.json     # for editors that know YAML
      workflow schema bundle --names tea > tea/bundle.schema.json
      workflow schema reply
    """
    if names and what != "bundle":
        raise UsageError("--names goes with the schema of a bundle.", "Use `workflow schema bundle --names FOLDER`.")
    match what:
        case "bundle":
            found = bundle_schema(loader.schema(), known_names(names) if names else {})
        case "scenario":
            found = loader.schema(ScenarioDocument)
        case _:
            found = reply_schema()
    if as_json:
        print_json(found)
    else:
        click.echo(printed_json(found, indent=2))
    return 0
