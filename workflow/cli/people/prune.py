"""``workflow-admin prune``: what sessions hold that ended long ago is erased."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.viewing import viewed
from workflow.compose import open_engine
from workflow.history.prune import prune as pruned
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.ports import Over
from workflow.model.reply import VERSION
from workflow.show.times import age, minute, size

MOST = 20
"""Sessions that are listed on a terminal."""


@click.command(short_help="Erase what sessions hold that ended long ago.")
@click.option("--older-than", "older", required=True, metavar="AGE", help="Without a change for so long: 90d, 12h.")
@click.option("--dry-run", is_flag=True, help="List them, and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@json_option
def prune(older: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Forget all sessions that ended and have not changed for AGE: what `workflow-admin forget` does, for each of them.

    Sessions that still go on are never taken, nor are those with a call whose outcome is unknown, or whose log does
    not hold. Entries stay without their content, and so does the ledger. Backups and exports are not touched.

    \b
    Examples:
      workflow-admin prune --older-than 90d --dry-run
      workflow-admin prune --older-than 90d
      workflow-admin prune --older-than 90d --yes
    """
    view = viewed()
    before = age(older, view.world.clock.now().wall)
    found = view.store.over(before)
    total = sum(each.size for each in found)
    if dry_run:
        if as_json:
            print_json({"v": VERSION, "ok": True, "dry_run": True, "before": before, **_told(found, total)})
        else:
            _show(found, total, "would be erased")
        return 0
    if found and not yes and not _agreed(found, total):
        console.say("Nothing was erased.")
        return 0
    view.store.close()
    done = pruned(open_engine(), before)
    if as_json:
        left = [{"session": name, "why": why} for name, why in done.left]
        kept = {**as_dict(done), "left": left}
        print_json({"v": VERSION, "ok": True, "dry_run": False, "before": before, **kept})
        return 0
    console.say(f"✓ What {_sessions(len(done.forgotten))} held was erased: {size(done.size)}.", "green")
    for name, why in done.left:
        console.say(f"{name} was left as it is: {why}", "yellow")
    return 0


def _agreed(found: Sequence[Over], total: int) -> bool:
    if not console.interactive():
        hint = "Answer on a terminal, or say --yes on the command line; --dry-run lists them."
        raise UsageError(f"to erase what {_sessions(len(found))} hold needs a person's word", hint)
    _show(found, total, "will be erased")
    console.say("What was said, answered and sent in them will be gone for good.", "bold")
    return click.confirm("Erase it?", default=False)


def _show(found: Sequence[Over], total: int, what: str) -> None:
    if found:
        rows = [(each.name, each.status, minute(each.updated), size(each.size)) for each in found[:MOST]]
        console.show_table(("session", "status", "last change (UTC)", "content"), rows)
    if len(found) > MOST:
        console.remark(f"And {len(found) - MOST} more; --json lists all of them.")
    console.say(f"{_sessions(len(found))}, {size(total)} of content {what}.")


def _told(found: Sequence[Over], total: int) -> dict[str, object]:
    return {"sessions": [as_dict(each) for each in found], "size": total}


def _sessions(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"
