"""``workflow schema``: what programs and editors check against."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from workflow import loader
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.scenario import ScenarioDocument
from workflow.schema import reply_schema

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "bundle": loader.schema,
    "scenario": lambda: loader.schema(ScenarioDocument),
    "reply": reply_schema,
}


@click.command(short_help="Print the JSON Schema of a bundle, a scenario or a reply.")
@click.argument("what", type=click.Choice(tuple(SCHEMAS)))
@json_option
def schema(what: str, as_json: bool) -> int:
    """Print the JSON Schema of a bundle's `workflow.yaml`, of a scenario, or of the reply to a turn.

    On a terminal it is set out in lines.

    \b
    Examples:
      workflow schema bundle > bundle.schema.json     # for editors that know YAML
      workflow schema reply
    """
    found = SCHEMAS[what]()
    if asked_json(as_json):
        print_json(found)
    else:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    return 0
