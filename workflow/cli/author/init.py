"""``workflow init``: a small bundle of one's own, which works at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workflow.author.scaffold import STARTER, check_name, new_bundle
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.cli.paths import TypedPath
from workflow.machine.messages import visible
from workflow.model.errors import UsageError
from workflow.model.reply import VERSION


@click.command(short_help="Begin a bundle of your own.")
@click.argument("name", required=False)
@click.option("--folder", type=TypedPath(path_type=Path), help="Where to; default: a folder of that name, here.")
@click.option(
    "--from",
    "origin",
    default=STARTER,
    show_default=True,
    help="The bundle to begin with: this, or the packaged one by its name.",
)
@click.option("--title", help="What people call it.")
@json_option
def init(name: str | None, folder: Path | None, origin: str, title: str | None, as_json: bool) -> int:
    """Begin a bundle called NAME, with which `lint`, `test` and a first run work at once.

    What is missing is asked for, on a terminal alone. A folder that is not empty is left as it is.

    \b
    Examples:
      workflow init my-bundle
      workflow init my-bundle --title "Ordering office chairs"
      workflow init my-images --from anygen-image
    """
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    unnamed = name is None
    if name is None:
        if not asks:
            raise UsageError("the bundle needs a name", "Give one: workflow init my-bundle")
        name = str(click.prompt("Name of the bundle", default="my-bundle"))
    check_name(name)
    if title is None and asks and unnamed and origin == STARTER:
        title = str(click.prompt("Title, for people", default=name.replace("-", " ").capitalize()))
    target = folder or Path(name)
    written = new_bundle(name, target, origin, " ".join((title or "").split()))
    if asked_json(as_json):
        print_json({"v": VERSION, "ok": True, "bundle": str(target.resolve()), "files": written})
        return 0
    shown = visible(str(target))
    click.echo(f"{shown}: {len(written)} files. Now:")
    for step in ("lint", "test", "graph"):
        click.echo(f"  workflow {step} {shown}")
    return 0
