"""``workflow sessions``: what is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import join
from typing import Any, get_args

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_state
from workflow.cli.viewing import viewed
from workflow.compose import sandbox_command
from workflow.engine.sandboxes import sandboxes
from workflow.machine import brakes
from workflow.machine.foreign import shortened
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.ports import Summary
from workflow.model.reply import VERSION, Status
from workflow.show.times import minute

MOST = 1000
"""Sessions in one list; ``--offset`` gets at the rest."""
NARROW = 76
"""Columns below which the table leaves out what matters least."""
TIMED = 108
"""The same where something happens by itself: then the times take two columns."""
_GAP = 3
_LEAST = 12
"""Columns for what a session is about, at least."""


@click.command(short_help="List what is saved, page by page.")
@click.option("--live", is_flag=True, help="Leave out those that have ended.")
@click.option("--search", default="", metavar="TEXT", help="Only those with this in name, state or first words.")
@click.option("--state", shell_complete=complete_state, default="", help="Only those in this state, or in this phase.")
@click.option("--status", type=click.Choice(get_args(Status)), help="Only those with this status.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Maximum number to list.")
@click.option("--offset", type=click.IntRange(0, 2**31), default=0, help="Leave out this many of the latest.")
@json_option
def sessions(live: bool, search: str, state: str, status: str | None, limit: int, offset: int, as_json: bool) -> int:
    """List the saved sessions, the latest first, page by page.

    \b
    Examples:
      workflow sessions --live
      workflow sessions --search poster --status waiting
      workflow sessions --state confirm --limit 10 --offset 10
    """
    wanted = {"search": _text(search, "--search"), "state": _text(state, "--state"), "status": status or ""}
    view = viewed()
    found = view.sessions(live=live, **wanted, limit=limit + 1, offset=offset)
    page, further = found[:limit], offset + limit if len(found) > limit else None
    if as_json:
        told = {"sessions": [as_dict(each) for each in page], "next_offset": further}
        paused = {"paused": [as_dict(each) for each in view.store.pauses()]}
        print_json({"v": VERSION, "ok": True, **told, "sandboxes": sandboxes(view, page), **paused})
        return 0
    if page:
        show_sessions(page)
        show_sandboxes(sandboxes(view, page))
    elif offset or live or any(wanted.values()):
        console.say("None of the saved sessions is like that; `workflow sessions` lists them all.")
    else:
        console.say(f"There are none{view.where}. `workflow start` begins one.")
    for pause in view.store.pauses():
        console.say(brakes.told(pause), "yellow")
    if further is not None:
        same = [*(["--live"] if live else []), *(f"--{name}={value}" for name, value in wanted.items() if value)]
        again = join(["workflow", "sessions", *same, "--limit", str(limit), "--offset", str(further)])
        console.remark(f"There are more: {again}")
    return 0


def show_sessions(found: Sequence[Summary]) -> None:
    """A table of sessions; times are UTC, to the minute. A narrow terminal gets the columns that fit.

    What each is about gets the room that is left, cut to one line; where two times leave too little, it is left out.
    """
    columns = {
        "session": [each.name for each in found],
        "state": [each.state for each in found],
        "status": [each.status.replace("_", " ") for each in found],
        "last change (UTC)": [minute(each.updated) for each in found],
    }
    due = [minute(each.due) if each.due else "" for each in found]
    if console.width() < (TIMED if any(due) else NARROW):
        columns["changed"] = [time[5:] for time in columns.pop("last change (UTC)")]
        if any(due) and console.width() >= NARROW:
            columns["due"] = [time[5:] for time in due]
    elif any(due):
        columns["due (UTC)"] = due
    room = console.width() - sum(max(map(len, (name, *cells))) + _GAP for name, cells in columns.items())
    if console.width() >= NARROW and (room >= _LEAST or not any(due)):
        about = [shortened(each.about, max(room, _LEAST)) if each.about else "" for each in found]
        columns = {"session": columns.pop("session"), "about": about, **columns}
    console.show_table(tuple(columns), list(zip(*columns.values(), strict=True)))


def show_sandboxes(found: Sequence[Mapping[str, Any]]) -> None:
    """A line for each sandbox of the sessions that go on: whether it answers."""
    for each in found:
        number = len(each["sessions"])
        told = f"The sandbox at {each['address']}, of {number} {'session' if number == 1 else 'sessions'},"
        if each["answers"]:
            console.remark(f"{told} answers.")
        else:
            console.say(f"{told} does not answer: `{sandbox_command(each['address'])}` starts it.", "yellow")


def _text(given: str, option: str) -> str:
    """What can be looked for; bytes that are not text are in no session."""
    if any("\ud800" <= char <= "\udfff" or char == "\0" for char in given):
        raise UsageError(f"what is given with {option} is not text", "Names and states are plain words.")
    return given
