"""``workflow-admin approver``, and asking for a passphrase: typed on a terminal, unseen, and never an argument."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from getpass import GetPassWarning, getpass
from typing import Any, TypeVar

import click

from workflow.cli import console
from workflow.cli.answer import give, json_option, print_json
from workflow.cli.completion import complete_approver, complete_role
from workflow.cli.people.dialog import need_terminal
from workflow.local.approvers import OWNER, Approvers, Trial, check_passphrase, check_role
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings
from workflow.model.errors import UsageError
from workflow.model.instant import iso
from workflow.model.reply import VERSION, Failure, Reply

Command = TypeVar("Command", bound=Callable[..., Any])


def approver_option(command: Command) -> Command:
    """``--approver``, of a command that asks for a passphrase."""
    return click.option(
        "--approver",
        metavar="NAME",
        shell_complete=complete_approver,
        help="Who answers, where there are several approvers.",
    )(command)


_name = click.argument("name", required=False, default=OWNER, shell_complete=complete_approver)


@click.group()
def approver() -> None:
    """People whose answers count as their own: by a passphrase that no agent knows, and by the roles that they hold.

    An answer with the passphrase is `proven`. A gate with `by` takes only that of an approver who holds its role.

    \b
    Examples:
      workflow-admin approver add
      workflow-admin approver add alice --role manager
      workflow-admin approver role alice director
      workflow-admin approver list
    """


@approver.command(short_help="Add an approver, who chooses a passphrase.")
@_name
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE",
    shell_complete=complete_role,
    help="A role that they hold (repeatable).",
)
@json_option
def add(name: str, roles: tuple[str, ...], as_json: bool) -> int:
    """Add the approver NAME, `owner` if none is given. They choose a passphrase, typed twice and not shown.

    \b
    Examples:
      workflow-admin approver add
      workflow-admin approver add alice --role manager
    """
    need_terminal()
    known = approvers()
    known.check_free(name)
    for role in roles:
        check_role(role)
    known.add(name, _new(), _now(), roles)
    held = f", who holds {', '.join(roles)}" if roles else ""
    return _done(as_json, name, f"{name} is an approver now{held}; answers with their passphrase are proven.")


@approver.command(short_help="Choose another passphrase.")
@_name
@json_option
def passphrase(name: str, as_json: bool) -> int:
    """Choose another passphrase for NAME, after the one that there is. Their roles stay.

    \b
    Examples:
      workflow-admin approver passphrase
      workflow-admin approver passphrase alice
    """
    known, old = current(name)
    trial = known.prove(name, old)
    if trial.proven:
        trial = known.change(name, old, _new(), _now())
    return _done(as_json, name, f"{name} has another passphrase now.", trial)


@approver.command(short_help="Remove an approver, who gives the passphrase.")
@_name
@json_option
def remove(name: str, as_json: bool) -> int:
    """Remove the approver NAME, after the passphrase that they have. Their answers count no more.

    \b
    Examples:
      workflow-admin approver remove
      workflow-admin approver remove alice
    """
    known, old = current(name)
    return _done(as_json, name, f"{name} is no longer an approver.", known.remove(name, old))


@approver.command(short_help="Give an approver a role, or take one away.")
@click.argument("name", shell_complete=complete_approver)
@click.argument("role", shell_complete=complete_role)
@click.option("--take", is_flag=True, help="Take the role away; that asks for no passphrase.")
@json_option
def role(name: str, role: str, take: bool, as_json: bool) -> int:
    """Give the approver NAME a ROLE that a bundle asks for, after their passphrase; or take it away.

    It counts at once: an answer whose approver has lost the role lets nothing leave any more.

    \b
    Examples:
      workflow-admin approver role alice manager
      workflow-admin approver role alice manager --take
    """
    if take:
        need_terminal()
        approvers().take(name, role)
        return _done(as_json, name, f"{name} no longer holds the role {role}.")
    check_role(role)
    known, typed = current(name)
    return _done(as_json, name, f"{name} holds the role {role} now.", known.give(name, typed, role))


@approver.command("list", short_help="Show who is an approver, and their roles.")
@json_option
def show(as_json: bool) -> int:
    """Show the approvers: their roles, since when they have their passphrase, and how often a wrong one was given.

    \b
    Examples:
      workflow-admin approver list
      workflow-admin approver list --json
    """
    known = approvers()
    found = [(each.name, list(each.roles), each.since, each.wrong, round(known.wait(each))) for each in known.known()]
    if as_json:
        names = ("name", "roles", "since", "wrong", "wait")
        listed = [dict(zip(names, each, strict=True)) for each in found]
        print_json({"v": VERSION, "ok": True, "approvers": listed, "notices": list(known.notices)})
        return 0
    if found:
        rows = [
            (name, ", ".join(held), since[:10], str(wrong), f"{wait} s") for name, held, since, wrong, wait in found
        ]
        console.show_table(("approver", "roles", "since", "wrong ones", "wait"), rows)
    else:
        console.say("There is no approver; `workflow-admin approver add` makes the first.")
    for notice in known.notices:
        console.say(notice, "yellow", error=True)
    return 0


def approvers() -> Approvers:
    """Those of the user's own configuration."""
    return Approvers(read_settings(os.environ).own_folder, SystemClock())


def who(known: Approvers, named: str | None) -> str:
    """Who answers, of several approvers as they say themselves; empty where nobody does."""
    names = [each.name for each in known.known()]
    return named or (names[0] if len(names) == 1 else _whom(names, "no answer"))


def ask(known: Approvers, named: str | None, words: str, *, must: bool) -> Trial | None:
    """Who answers, by their passphrase; None where nobody has one, or none is given (`must` says what that means).

    ``words`` are the answer, which is kept in the log: a passphrase that was typed among them is refused.
    """
    names = [each.name for each in known.known()]
    if not names:
        return None
    without = "no answer" if must else "without it, the answer is only asked"
    name = named or (names[0] if len(names) == 1 else _whom(names, without))
    if not name:
        return None
    wait = known.wait(known.find(name))
    if wait and must:
        return Trial(name, False, 0, wait)
    typed = _hidden(f"Passphrase of {name} (Enter: {without})")
    if typed and typed in words:
        raise UsageError("your words hold the passphrase, and are kept in the log", "Answer again, in other words.")
    return known.prove(name, typed) if typed else None


def why_not(trial: Trial) -> tuple[str, str]:
    """A trial that proved nothing, in words, and the next step."""
    again = f"The next one is looked at in {max(1, round(trial.wait))} s."
    if trial.wrong:
        return f"the passphrase of '{trial.approver}' is wrong", again
    return f"'{trial.approver}' was tried too soon after a wrong passphrase, and is not looked at yet", again


def _whom(names: list[str], without: str) -> str:
    while True:
        typed = str(click.prompt(f"Who answers? ({', '.join(names)}; Enter: {without})", "", show_default=False))
        if typed.strip() in ("", *names):
            return typed.strip()
        click.echo("There is no such approver.")


def current(name: str) -> tuple[Approvers, str]:
    """The approver's passphrase as they type it; who types none leaves."""
    need_terminal()
    known = approvers()
    known.find(name)
    typed = _hidden(f"Passphrase of {name}")
    if not typed:
        raise click.Abort
    return known, typed


def _new() -> str:
    """A new passphrase, typed twice."""
    while True:
        typed = _hidden("New passphrase (several words)")
        try:
            check_passphrase(typed)
        except UsageError as error:
            click.echo(f"{error.message[0].upper()}{error.message[1:]}. {error.hint} Ctrl-C leaves.")
            continue
        if _hidden("The same once more") == typed:
            return typed
        click.echo("These two differ.")


def _hidden(label: str) -> str:
    """What is typed, unseen; raises :class:`UsageError` where the terminal would show it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            return getpass(f"{label}: ")
    except GetPassWarning as error:
        raise UsageError("this terminal shows what is typed", "Use one that can hide it.") from error
    except EOFError as error:
        raise click.Abort from error


def _done(as_json: bool, approver: str, told: str, trial: Trial | None = None) -> int:
    if trial and not trial.proven:
        message, hint = why_not(trial)
        return give(Reply(error=Failure("refused", message, hint)), as_json)
    if as_json:
        print_json({"v": VERSION, "ok": True, "approver": approver})
    else:
        console.say(told)
    return 0


def _now() -> str:
    return iso(SystemClock().now())
