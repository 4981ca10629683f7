"""``workflow backup``: the whole store in one file, taken while others use it."""

from __future__ import annotations

import os

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.paths import TypedPath
from workflow.cli.viewing import viewed
from workflow.model.frozen import as_dict
from workflow.model.reply import VERSION


@click.command(short_help="Copy the whole store into one file.")
@click.argument("file", type=TypedPath())
@json_option
def backup(file: str, as_json: bool) -> int:
    """Copy all sessions and their logs, as of one instant, into the new FILE, and verify the copy.

    A store that was edited is not copied. The receipt is the store's: `audit verify --store --expect-head` takes it.
    Only you can read it. To use it, put it in the place of phasegate.db while nothing runs.

    \b
    Examples:
      workflow backup phasegate-2026-01-31.db
    """
    view = viewed()
    copied = view.store.backup(os.path.abspath(file))
    if as_json:
        print_json({"v": VERSION, "ok": True, "file": file, **as_dict(copied)})
        return 0
    held = f"{copied.sessions} session{'' if copied.sessions == 1 else 's'}"
    console.say(f"✓ {file} holds {held}, each verified: {copied.receipt}", "green")
    if not copied.sessions:
        console.say(f"There was none{view.where}: is it the store that you meant?", "yellow")
    console.remark("What is forgotten in the store later is still in this copy.")
    return 0
