"""``workflow graph``: the machine of a bundle, and the way of a session through it."""

from __future__ import annotations

import os

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.cli.completion import complete_session
from workflow.cli.viewing import viewed
from workflow.compose import bundle_folder
from workflow.history import audit
from workflow.local.settings import read_settings
from workflow.model.frozen import replace
from workflow.model.reply import VERSION
from workflow.show.formats import FORMATS, as_text, ascii_lines
from workflow.show.graph import draw, walk
from workflow.show.machine_page import page_of

NARROW = 40
"""Columns at least: a narrower terminal breaks the lines by itself."""


@click.command(short_help="Draw the machine, and the way of a session.")
@click.argument("bundle", required=False, shell_complete=complete_bundle)
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "html")),
    default="ascii",
    show_default=True,
    help="How to draw it.",
)
@click.option("--session", shell_complete=complete_session, help="Mark the way of this session, and where it stands.")
@json_option
def graph(bundle: str | None, form: str, session: str | None, as_json: bool) -> int:
    """Draw the machine of BUNDLE: its phases, states and moves, with a legend.

    Without BUNDLE: that of the session, else the one whose folder you are in, else the user's choice, else the
    packaged one. In a pipe the drawing is the text itself; only --json wraps it.

    \b
    Examples:
      workflow graph
      workflow graph --session amber-fox
      workflow graph --format html > machine.html   # to click through and print
      workflow graph --format svg > machine.svg
      workflow graph my-bundle --format mermaid > machine.mmd
    """
    settings = read_settings(os.environ)
    if session is None:
        way, opened = None, open_bundle(chosen_bundle(bundle, settings, silent=as_json))
    else:
        view = viewed(settings)
        known = view.stored(session)
        way = walk(audit.entries(view, session))
        opened = view.world.open_bundle(str(bundle_folder(bundle, settings)) if bundle else known.path)
    opened = replace(opened, definition=opened.definition.configured(settings.settings))
    effects = {name: action.effect for name, action in opened.registry.actions.items()}
    drawn = draw(opened.definition, effects, way)
    text = page_of(opened, drawn, way) if form == "html" else as_text(drawn, form)
    if as_json:
        print_json({"v": VERSION, "ok": True, "format": form, "graph": text})
    elif form == "ascii" and console.on_terminal():
        console.show_lines(
            (line.text, STYLES.get(line.style, "")) for line in ascii_lines(drawn, max(NARROW, console.width()))
        )
    else:
        click.echo(text, nl=False)
    return 0


STYLES = {
    "title": "bold",
    "phase": "bold underline",
    "move": "dim",
    "taken": "bold cyan",
    "current": "bold reverse",
    "legend": "dim",
    "paid": "bold magenta",
    "gate": "bold yellow",
    "waiting": "yellow",
    "watching": "cyan",
    "doubt": "bold red",
    "end": "green",
}
