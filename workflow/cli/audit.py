"""``workflow audit``: what happened, and whether the log can be believed."""

from __future__ import annotations

from dataclasses import asdict

import click

from workflow.cli import console
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.cli.completion import complete_session
from workflow.cli.story import tell
from workflow.compose import open_engine
from workflow.engine import audit as journals
from workflow.reply import VERSION


@click.group()
def audit() -> None:
    """Read the log of a session, and check it.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit verify amber-fox
    """


@audit.command()
@click.argument("session", shell_complete=complete_session)
@json_option
def log(session: str, as_json: bool) -> int:
    """Tell what happened in SESSION; with JSON, one entry a line, as it is stored, with its hashes.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit log amber-fox --json > amber-fox.jsonl
    """
    entries = journals.entries(open_engine(), session)
    if asked_json(as_json):
        for entry in entries:
            print_json(asdict(entry))
        return 0
    console.rule(f"{session}: what happened (UTC)")
    console.show_log(
        (str(line.seq), *_when(line.time), line.kind, line.what, line.notes) for line in map(tell, entries)
    )
    if entries:
        console.remark(f"Head: {entries[-1].receipt}. `workflow audit verify {session}` checks the chain.")
    return 0


@audit.command()
@click.argument("session", shell_complete=complete_session)
@click.option("--expect-head", metavar="RECEIPT", help="A receipt from an earlier reply that the log must still hold.")
@json_option
def verify(session: str, expect_head: str | None, as_json: bool) -> int:
    """Check the log of SESSION: its chain of hashes, and that the stored session is what it adds up to.

    \b
    Examples:
      workflow audit verify amber-fox
      workflow audit verify amber-fox --expect-head 12:ab12cd34ef56ab12cd34ef56
    """
    found = journals.verify(open_engine(), session, expect_head)
    claim = found.claim(expect_head)
    if asked_json(as_json):
        print_json({"v": VERSION, "ok": True, "session": session, **asdict(found), "claim": claim})
        return 0
    console.say(f"✓ {session} holds: {found.receipt}", "green")
    console.say(claim)
    return 0


def _when(time: str) -> tuple[str, str]:
    """Day and time of day of an ISO time."""
    day, _, rest = time.partition("T")
    return day, rest[:8]
