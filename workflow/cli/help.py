"""``workflow help`` and ``workflow-admin help``: what ``--help`` says, asked for in the other order."""

from __future__ import annotations

import click

from workflow.cli.completion import complete_command
from workflow.cli.group import SharedCommand


@click.command("help", cls=SharedCommand, short_help="Explain a command, or list all of them.")
@click.argument("command", nargs=-1, shell_complete=complete_command)
@click.pass_context
def help_(context: click.Context, command: tuple[str, ...]) -> int:
    """Explain COMMAND; without one, list all commands.

    \b
    Examples:
      {program} help
      {program} help completion
    """
    found = context.find_root()
    for name in command:
        if not isinstance(found.command, click.Group):
            raise click.UsageError(f"'{found.command_path}' has no commands of its own.", found)
        _, below, _ = found.command.resolve_command(found, [name])
        if below is None:
            raise click.exceptions.NoSuchCommand(name, ctx=found)
        found = click.Context(below, info_name=name, parent=found)
    click.echo(found.get_help())
    return 0
