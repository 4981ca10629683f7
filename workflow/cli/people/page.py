"""``workflow-admin page``: who may open the page that `workflow serve` shows, by one-time links."""

from __future__ import annotations

import io
import os
from urllib.parse import urlsplit

import click

from workflow.cli import console
from workflow.cli.agent.mcp import library
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_approver, complete_browser
from workflow.local.approvers import Approvers
from workflow.local.browsers import ANSWERS, AUDITOR, LINK_SECONDS, SCOPES, Browser, Browsers
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings
from workflow.machine.foreign import inline
from workflow.model.errors import UsageError
from workflow.model.reply import VERSION
from workflow.show.times import minute

ADDRESS = "http://localhost:8760"


@click.command(short_help="Make a link that pairs a person's browser with the page.")
@click.option(
    "--approver", metavar="NAME", shell_complete=complete_approver, help="Whose browser it is; needed to answer."
)
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default=ANSWERS,
    show_default=True,
    help="approver = answers what their roles may; auditor = sees every session and answers nothing.",
)
@click.option(
    "--at", "address", default=ADDRESS, show_default=True, metavar="URL", help="The address that the browser opens."
)
@json_option
def page(approver: str | None, scope: str, address: str, as_json: bool) -> int:
    """Print a one-time link, and on a terminal its QR code. Whoever opens it is signed in on that browser.

    It works once, for ten minutes. `workflow-admin browser` lists the browsers that are signed in, and signs them out.

    \b
    Examples:
      workflow-admin page --approver alice
      workflow-admin page --approver alice --at https://gate.example
      workflow-admin page --scope auditor
    """
    with library("page", "web"):
        import segno
    from_here = _checked(address)
    if approver:
        _approvers().find(approver)
    elif scope != AUDITOR:
        names = [each.name for each in _approvers().known()]
        known = f"Known: {', '.join(names)}." if names else "`workflow-admin approver add` makes the first."
        raise UsageError("nobody is named who would answer", f"Name an approver with --approver. {known}")
    link = f"{from_here}/pair?link={_browsers().invite(approver or '', scope)}"
    if as_json:
        print_json({"v": VERSION, "ok": True, "approver": approver, "scope": scope, "link": link})
        return 0
    click.echo(link)
    if console.interactive():
        drawn = io.StringIO()
        segno.make(link, error="l").terminal(drawn, border=2, compact=True)
        click.echo(drawn.getvalue())
    who = f"as {approver}" if approver else "as an auditor"
    console.remark(f"It signs one browser in {who}, once, within {LINK_SECONDS / 60:.0f} minutes.", error=True)
    return 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, short_help="Browsers that are signed in.")
def browser() -> None:
    """Browsers that are paired with the page: list them and sign them out.

    \b
    Examples:
      workflow-admin browser list
      workflow-admin browser revoke 1f2e3d4c
    """


@browser.command("list", short_help="List the browsers that are signed in.")
@json_option
def list_(as_json: bool) -> int:
    """List the browsers that are signed in: whose they are, since when, and what they call themselves.

    \b
    Examples:
      workflow-admin browser list
    """
    found = _browsers().listed()
    if as_json:
        print_json({"v": VERSION, "ok": True, "browsers": [_as_json(each) for each in found]})
    elif not found:
        console.say("No browser is signed in.")
    else:
        rows = [(each.id, each.person, each.scope, minute(each.since), inline(each.agent)) for each in found]
        console.show_table(("browser", "approver", "scope", "paired (UTC)", "calls itself"), rows)
    return 0


@browser.command(short_help="Sign a browser out, immediately.")
@click.argument("name", shell_complete=complete_browser)
@json_option
def revoke(name: str, as_json: bool) -> int:
    """Sign the browser of the id NAME out, immediately, also where the page is being served.

    \b
    Examples:
      workflow-admin browser revoke 1f2e3d4c
    """
    gone = _browsers().revoke(name)
    if as_json:
        print_json({"v": VERSION, "ok": True, "browser": _as_json(gone)})
    else:
        console.say(f"✓ The browser {gone.id} is signed out.", "green")
    return 0


def _as_json(known: Browser) -> dict[str, str]:
    told = {"approver": known.person, "scope": known.scope, "since": known.since, "agent": known.agent}
    return {"id": known.id, **told}


def _checked(address: str) -> str:
    """The address without a path; raises :class:`UsageError` for what no browser opens."""
    parts = urlsplit(address)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.path.strip("/")
        or parts.query
        or "@" in address
    ):
        raise UsageError(f"{address[:80]!r} is not the address of a page", "Such as https://gate.example.")
    return f"{parts.scheme}://{parts.netloc}"


def _browsers() -> Browsers:
    return Browsers(read_settings(os.environ).own_folder, SystemClock())


def _approvers() -> Approvers:
    return Approvers(read_settings(os.environ).own_folder, SystemClock())
