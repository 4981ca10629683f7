"""``workflow init``: a small bundle of one's own, which works at once."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from workflow.author.scaffold import LANGUAGES, STARTER, check_name, new_bundle, spoken, titled
from workflow.cli.answer import json_option, print_json
from workflow.cli.paths import TypedPath
from workflow.local.settings import read_settings
from workflow.machine.messages import visible
from workflow.model.errors import UsageError
from workflow.model.reply import VERSION

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables that name the user's language, the first that is set first."""


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
@click.option("--title", help="What people call it; default: made from NAME.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="The language of its messages; default: yours, where there are some in it, else en.",
)
@json_option
def init(
    name: str | None, folder: Path | None, origin: str, title: str | None, language: str | None, as_json: bool
) -> int:
    """Begin a bundle called NAME, with which `lint`, `test` and a first run work at once.

    Its workflow, title, phase, module, host and key are called after NAME, and its messages are in one language. What
    is missing is asked for, on a terminal alone. A folder that is not empty is left as it is.

    \b
    Examples:
      workflow init my-bundle
      workflow init my-bundle --title "Ordering office chairs" --language en
      workflow init my-images --from anygen-image
    """
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    unnamed = name is None
    if name is None:
        if not asks:
            raise UsageError("the bundle needs a name", "`workflow init my-bundle` makes one of that name.")
        name = str(click.prompt("Name of the bundle", default="my-bundle"))
    check_name(name)
    if title is None and asks and unnamed and origin == STARTER:
        title = str(click.prompt("Title, for people", default=titled(name)))
    target = folder or Path(name)
    if language and origin != STARTER:
        raise UsageError(f"a copy of {origin} keeps its own languages", "Leave --language out.")
    chosen = language or spoken(read_settings(os.environ).language, *map(os.environ.get, _LOCALE))
    written = new_bundle(name, target, origin, " ".join((title or "").split()), chosen)
    if as_json:
        print_json({"v": VERSION, "ok": True, "bundle": str(target.resolve()), "files": written})
        return 0
    click.echo(f"{visible(str(target))}: {len(written)} files. Now:")
    for step in ("lint", "test", "graph"):
        click.echo(f"  workflow {step} {visible(shlex.quote(str(target)))}")
    return 0
