"""``workflow-admin passphrase``, and asking for one; typed on a terminal, unseen, and never an argument."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from getpass import GetPassWarning, getpass
from typing import Any, TypeVar

import click

from workflow.cli import console
from workflow.cli.answer import give, json_option, print_json
from workflow.cli.completion import complete_approver
from workflow.cli.people.dialog import need_terminal
from workflow.local.approvers import OWNER, Approvers, Trial, check_passphrase
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
        help="Whose passphrase is asked for, where there are several.",
    )(command)


_name = click.option(
    "--approver",
    metavar="NAME",
    shell_complete=complete_approver,
    default=OWNER,
    show_default=True,
    help="Whose passphrase it is.",
)


@click.group()
def passphrase() -> None:
    """What a person knows and an agent does not: an answer that is given with it is `proven`.

    \b
    Examples:
      workflow-admin passphrase set
      workflow-admin passphrase set --approver alice
      workflow-admin passphrase list
    """


@passphrase.command("set", short_help="Choose a passphrase, for an approver who has none.")
@_name
@json_option
def choose(approver: str, as_json: bool) -> int:
    """Choose a passphrase for an approver who has none; it is typed twice and not shown.

    \b
    Examples:
      workflow-admin passphrase set
      workflow-admin passphrase set --approver alice
    """
    need_terminal()
    known = approvers()
    known.check_free(approver)
    known.add(approver, _new(), _now())
    return _done(as_json, approver, f"{approver} has a passphrase now; answers that are given with it are proven.")


@passphrase.command(short_help="Choose another passphrase.")
@_name
@json_option
def change(approver: str, as_json: bool) -> int:
    """Choose another passphrase, after the one that there is.

    \b
    Examples:
      workflow-admin passphrase change
      workflow-admin passphrase change --approver alice
    """
    known, old = _current(approver)
    trial = known.prove(approver, old)
    if trial.proven:
        trial = known.change(approver, old, _new(), _now())
    return _done(as_json, approver, f"{approver} has another passphrase now.", trial)


@passphrase.command(short_help="Remove an approver, who gives the passphrase.")
@_name
@json_option
def remove(approver: str, as_json: bool) -> int:
    """Remove an approver, after the passphrase that they have.

    \b
    Examples:
      workflow-admin passphrase remove
      workflow-admin passphrase remove --approver alice
    """
    known, old = _current(approver)
    return _done(as_json, approver, f"{approver} is no approver any more.", known.remove(approver, old))


@passphrase.command("list", short_help="Show who has a passphrase.")
@json_option
def show(as_json: bool) -> int:
    """Show who has a passphrase, since when, and how often a wrong one was given since the last right one.

    \b
    Examples:
      workflow-admin passphrase list
      workflow-admin passphrase list --json
    """
    known = approvers()
    found = [(each.name, each.since, each.wrong, round(known.wait(each))) for each in known.known()]
    if as_json:
        names = ("name", "since", "wrong", "wait")
        listed = [dict(zip(names, each, strict=True)) for each in found]
        print_json({"v": VERSION, "ok": True, "approvers": listed, "notices": list(known.notices)})
        return 0
    if found:
        rows = [(name, since[:10], str(wrong), f"{wait} s") for name, since, wrong, wait in found]
        console.show_table(("approver", "since", "wrong ones", "wait"), rows)
    else:
        console.say("Nobody has a passphrase; `workflow-admin passphrase set` chooses one.")
    for notice in known.notices:
        console.say(notice, "yellow", error=True)
    return 0


def approvers() -> Approvers:
    """Those of the user's own configuration."""
    return Approvers(read_settings(os.environ).own_folder, SystemClock())


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


def _current(name: str) -> tuple[Approvers, str]:
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
