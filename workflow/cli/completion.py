"""``workflow completion``, and what the shell may complete: names of live sessions, and the events of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.local.settings import read_settings
from workflow.machine.foreign import inline
from workflow.model.ports import Summary

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
MOST = 50
"""Names that are offered; more than that nobody reads."""


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that lets SHELL complete commands, options, live sessions and their events.

    \b
    Examples:
      eval "$(workflow completion bash)"      # in ~/.bashrc; for zsh in ~/.zshrc
      workflow completion fish > ~/.config/fish/completions/workflow.fish
      eval "$(workflow-admin completion bash)"
    """
    from click.shell_completion import get_completion_class

    root = context.find_root()
    program = root.info_name or "workflow"
    made = get_completion_class(shell)
    assert made is not None  # click knows all of these shells
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    click.echo(made(root.command, {}, program, variable).source())
    return 0


def complete_session(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of live sessions, the latest first; nothing rather than an error."""
    from click.shell_completion import CompletionItem  # here: a turn does not pay for it

    try:
        engine = _engine()
        found = engine.sessions(live=True, limit=1000) if engine else []
    except Exception:  # a shell that completes shows no errors
        return []
    alike = [each for each in found if each.name.startswith(incomplete)][:MOST]
    return [CompletionItem(each.name, help=_told(each)) for each in alike]


def _told(each: Summary) -> str:
    """Where a session stands, and what it is about."""
    about = f", {inline(each.about)}" if each.about else ""
    return f"{each.state}, {each.status.replace('_', ' ')}{about}"


def complete_event(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The events that may be sent to the session that is named before; nothing rather than an error."""
    from click.shell_completion import CompletionItem

    try:
        engine = _engine()
        reply = engine.status(str(context.params.get("session"))) if engine else None
    except Exception:  # a shell that completes shows no errors
        return []
    alike = [option for option in (reply.next if reply else ()) if option.event.startswith(incomplete)]
    return [CompletionItem(option.event, help=f"from the {option.who}") for option in alike]


def complete_command(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of commands, below those that are named before."""
    from click.shell_completion import CompletionItem

    found = context.find_root()
    for name in context.params.get(parameter.name or "") or ():
        below = found.command.get_command(found, name) if isinstance(found.command, click.Group) else None
        if below is None:
            return []
        found = click.Context(below, info_name=name, parent=found)
    names = found.command.list_commands(found) if isinstance(found.command, click.Group) else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _engine() -> Engine | None:
    """An engine on the store that is there; to complete a word creates none."""
    settings = read_settings(os.environ)
    return open_engine(settings=settings) if settings.state and (settings.state / "phasegate.db").is_file() else None
