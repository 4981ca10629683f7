"""How commands that only read get at the store: wherever it lies, and whoever's it is."""

from __future__ import annotations

import click

from workflow.cli import console
from workflow.compose import open_view
from workflow.engine import View
from workflow.local.settings import Settings


def viewed(settings: Settings | None = None, *, remarks: bool = True) -> View:
    """The user's store, to look at until the command ends.

    ``remarks`` says on stderr whose it is, unless it is the user's own: for commands that show no reply, which has it.
    """
    view = open_view(settings=settings)
    click.get_current_context().call_on_close(view.store.close)
    for notice in view.world.notices if remarks else ():
        console.remark(notice, error=True)
    return view
