"""``workflow completion``, and what the shell may complete: names of live sessions, and the events of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.bundle import Bundle, open_bundle
from workflow.cli.chosen import chosen_bundle
from workflow.cli.group import SharedCommand
from workflow.compose import bundle_folder, open_view
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings
from workflow.machine.foreign import inline
from workflow.machine.hosts import HOSTS
from workflow.model.ports import Summary

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
MOST = 50
"""Names that are offered; more than that nobody reads."""


@click.command(cls=SharedCommand, short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that lets SHELL complete commands, options, live sessions and their events.

    \b
    Examples:
      eval "$({program} completion bash)"  # in ~/.bashrc; zsh: ~/.zshrc
      {program} completion fish | source  # in ~/.config/fish/config.fish
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
        with closing(open_view().store) as store:
            found = store.sessions(live=True, limit=1000)
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
        view = open_view()
        with closing(view.store):
            reply = view.status(str(context.params.get("session")))
    except Exception:  # a shell that completes shows no errors
        return []
    alike = [option for option in reply.next if option.event.startswith(incomplete)]
    return [CompletionItem(option.event, help=f"from the {option.who}") for option in alike]


def complete_host(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The programs that an agent can run in."""
    return _alike(HOSTS, incomplete)


def complete_language(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The languages of the bundle."""
    return _of_bundle(context, incomplete, lambda bundle: bundle.definition.languages)


def complete_state(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The states of the bundle, and its phases."""
    return _of_bundle(context, incomplete, lambda bundle: [*bundle.definition.states, *bundle.definition.phases])


def complete_any_event(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """All events of the bundle."""
    return _of_bundle(context, incomplete, lambda bundle: bundle.definition.events)


def complete_scenario(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The scenarios of the bundle."""

    def names(bundle: Bundle) -> list[str]:
        from workflow.author.scenario_file import find

        return [file.stem for file in find(bundle.path, ())]

    return _of_bundle(context, incomplete, names)


def complete_approver(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """People whose answers can be proven."""
    from workflow.local.approvers import Approvers

    return _quietly(incomplete, lambda: [each.name for each in Approvers(_configuration(), SystemClock()).known()])


def complete_device(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Fingerprints of approvers' devices."""
    from workflow.local.approvers import Approvers

    known = Approvers(_configuration(), SystemClock()).known
    return _quietly(incomplete, lambda: [device.fingerprint for each in known() for device in each.devices])


def complete_role(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Roles that approvers hold."""
    from workflow.local.approvers import Approvers

    return _quietly(incomplete, lambda: list(Approvers(_configuration(), SystemClock()).people()))


def complete_schema(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the published schemas."""
    from workflow.author.published import names

    return _quietly(incomplete, names)


def complete_browser(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the browsers that are signed in."""
    from workflow.local.browsers import Browsers

    return _quietly(incomplete, lambda: [each.id for each in Browsers(_configuration(), SystemClock()).listed()])


def complete_token(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the tokens that are good now."""
    from workflow.local.tokens import Tokens

    return _quietly(incomplete, lambda: [each.name for each in Tokens(_configuration()).listed()])


def _of_bundle(
    context: click.Context, incomplete: str, names: Callable[[Bundle], Iterable[str]]
) -> list[CompletionItem]:
    """Names of the bundle that the line names, else of the one that the command would take."""

    def found() -> Iterable[str]:
        settings, given = read_settings(os.environ), context.params.get("bundle")
        begins = context.command.name in ("start", "sessions", "advance", "log", "export")
        folder = bundle_folder(given, settings) if begins else chosen_bundle(given, settings, silent=True)
        return names(open_bundle(folder))

    return _quietly(incomplete, found)


def _quietly(incomplete: str, found: Callable[[], Iterable[str]]) -> list[CompletionItem]:
    """Nothing rather than an error: a shell that completes shows none."""
    try:
        return _alike(found(), incomplete)
    except Exception:
        return []


def _alike(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)][:MOST]


def _configuration() -> Path:
    file = read_settings(os.environ).file
    if file is None:
        raise LookupError("there is no configuration")
    return file.parent


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
