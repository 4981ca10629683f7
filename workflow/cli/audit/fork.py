"""``workflow fork``: a new session from an earlier point of another."""

from __future__ import annotations

import click

from workflow.cli.answer import asked_json, piped_json_option
from workflow.cli.completion import complete_session
from workflow.cli.confirm import give_and_confirm
from workflow.compose import open_engine
from workflow.history.fork import fork as forked


@click.command(short_help="Begin a new session from an earlier point of another.")
@click.argument("session", shell_complete=complete_session)
@click.option("--at", type=click.IntRange(1), metavar="N", help="An entry of its log; default: the last.")
@piped_json_option
def fork(session: str, at: int | None, as_json: bool) -> int:
    """Begin a new session where SESSION rested at entry N of its log, or last before it.

    What was done until then is carried over and not done again; what costs money needs a new answer.

    \b
    Examples:
      workflow audit log amber-fox
      workflow fork amber-fox --at 12
    """
    engine = open_engine()
    return give_and_confirm(engine, forked(engine, session, at), asked_json(as_json))
