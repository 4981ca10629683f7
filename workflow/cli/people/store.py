"""``workflow-admin store``: what is done to a whole store on a database."""

from __future__ import annotations

import os

import click

from workflow.cli import console
from workflow.compose import migrate_store, shown_store
from workflow.local.settings import read_settings


@click.group(short_help="Prepare a database for sessions.")
def store() -> None:
    """Prepare the PostgreSQL database that PHASEGATE_STORE names.

    \b
    Examples:
      workflow-admin store migrate
      workflow-admin store migrate --role phasegate
    """


@store.command(short_help="Make the tables in the database.")
@click.option("--role", default="", metavar="ROLE", help="The role that takes turns: it gets what they need.")
def migrate(role: str) -> int:
    """Make the tables in the database that PHASEGATE_STORE names, or find them made.

    Its address names a role that may create a schema. Turns are taken with another role: --role lets it read, append
    and hold. It can delete no session, entry or link.

    \b
    Examples:
      workflow-admin store migrate
      workflow-admin store migrate --role phasegate
    """
    settings = read_settings(os.environ)
    done = migrate_store(settings, role)
    console.say(f"{shown_store(settings)}: {done}.")
    return 0
