"""``workflow audit``: what happened, and whether the log can be believed."""

from __future__ import annotations

import click

from workflow.cli import console
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.cli.completion import complete_session
from workflow.cli.story import tell
from workflow.compose import open_engine
from workflow.engine import audit as journals
from workflow.engine.audit import Verified
from workflow.errors import UsageError
from workflow.noun import as_dict
from workflow.reply import VERSION


@click.group()
def audit() -> None:
    """Read the log of a session, and check it.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit verify amber-fox
    """


@audit.command(short_help="Tell what happened in a session, entry by entry.")
@click.argument("session", shell_complete=complete_session)
@click.option("--text", "as_text", is_flag=True, help="Tell the story where stdout is no terminal, too.")
@json_option
def log(session: str, as_text: bool, as_json: bool) -> int:
    """Tell what happened in SESSION; with JSON, one entry a line, as it is stored, with its hashes.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit log amber-fox --text | less
      workflow audit log amber-fox --json > amber-fox.jsonl
    """
    if as_text and as_json:
        raise UsageError("--text and --json exclude each other", "Give one of them.")
    entries = journals.entries(open_engine(), session)
    if not as_text and asked_json(as_json):
        for entry in entries:
            print_json(as_dict(entry))
        return 0
    console.rule(f"{session}: what happened (UTC)")
    console.show_log(
        (str(line.seq), *_when(line.time), line.kind, line.what, line.notes) for line in map(tell, entries)
    )
    if entries:
        console.remark(f"Head: {entries[-1].receipt}. `workflow audit verify {session}` checks the chain.")
    return 0


@audit.command(short_help="Check that the log of a session is whole and unedited.")
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
    claim = _claim(found, expect_head)
    if asked_json(as_json):
        print_json({"v": VERSION, "ok": True, "session": session, **as_dict(found), "claim": claim})
        return 0
    show_verified(session, found.receipt, claim)
    return 0


def show_verified(session: str, receipt: str, claim: str) -> None:
    """That the log holds, and what that shows."""
    console.say(f"✓ {session} holds: {receipt}", "green")
    console.say(claim)


def _claim(found: Verified, expect_head: str | None) -> str:
    """What was shown by this, and what was not (DESIGN §9)."""
    held = f"The {found.entries} entries follow one from another without a gap or an edit, and "
    if found.erased:
        held += f"the stored session stands at the last of them (the content of {found.erased} was erased)"
    else:
        held += "the stored session is exactly what they add up to"
    if expect_head:
        return f"{held}; up to {expect_head} they are those that were there then, which is not shown of later ones."
    return f"{held}; that nobody cut or rewrote the whole log only a receipt kept elsewhere can show (--expect-head)."


def _when(time: str) -> tuple[str, str]:
    """Day and time of day of an ISO time."""
    day, _, rest = time.partition("T")
    return day, rest[:8]
