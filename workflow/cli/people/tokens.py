"""``workflow-admin token``: who may call the broker."""

from __future__ import annotations

import os

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_token
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings
from workflow.local.tokens import SCOPES, Tokens
from workflow.model.instant import iso
from workflow.model.reply import VERSION
from workflow.show.times import minute


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, short_help="Who may call the broker.")
def token() -> None:
    """Tokens for `workflow serve`: make, list and revoke them.

    \b
    Examples:
      workflow-admin token new openclaw
      workflow-admin token list
      workflow-admin token revoke openclaw
    """


@token.command(short_help="Make a token, and show it this once.")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default=SCOPES[0],
    show_default=True,
    help="agent = takes turns; auditor = reads every session; watch = watches every owner's; all = takes turns in all.",
)
@click.option("--owner", default="", help="Who has the sessions that are begun with it; default: NAME.")
@json_option
def new(name: str, scope: str, owner: str, as_json: bool) -> int:
    """Make a token for NAME. It is shown this once: only its digest is kept.

    A session belongs to the owner of the token that began it. To replace a token and keep the sessions, make another
    one for the same owner and revoke the first.

    \b
    Examples:
      workflow-admin token new openclaw
      workflow-admin token new revision --scope auditor
      workflow-admin token new openclaw-2 --owner openclaw
    """
    made = _tokens().new(name, scope, iso(SystemClock().now()), owner)
    if as_json:
        print_json({"v": VERSION, "ok": True, "name": name, "owner": owner or name, "scope": scope, "token": made})
        return 0
    click.echo(made)
    whose = f" of {owner}" if owner and owner != name else ""
    console.remark(
        f"For {name}{whose}, as {scope}; it cannot be shown again. Send it as: Authorization: Bearer …", error=True
    )
    return 0


@token.command("list", short_help="List the tokens that are good now.")
@json_option
def list_(as_json: bool) -> int:
    """List the tokens that are good now: their names, scopes and times, never themselves.

    \b
    Examples:
      workflow-admin token list
    """
    found = _tokens().listed()
    if as_json:
        told = [
            {"name": each.name, "owner": each.owner, "scope": each.scope, "created": each.created} for each in found
        ]
        print_json({"v": VERSION, "ok": True, "tokens": told})
    elif not found:
        console.say("There is no token; nobody can call the broker.")
    else:
        console.show_table(
            ("name", "owner", "scope", "made (UTC)"),
            [(each.name, each.owner, each.scope, minute(each.created)) for each in found],
        )
    return 0


@token.command(short_help="Make a token worthless, at once.")
@click.argument("name", shell_complete=complete_token)
@json_option
def revoke(name: str, as_json: bool) -> int:
    """Make the token NAME worthless, at once, also for a broker that is running.

    \b
    Examples:
      workflow-admin token revoke openclaw
    """
    gone = _tokens().revoke(name)
    if as_json:
        print_json({"v": VERSION, "ok": True, "name": gone.name, "scope": gone.scope})
    else:
        console.say(f"✓ The token {gone.name} is worthless from now on.", "green")
    return 0


def _tokens() -> Tokens:
    return Tokens(read_settings(os.environ).own_folder)
