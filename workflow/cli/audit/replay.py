"""``workflow replay``: a session's turns decided again, offline."""

from __future__ import annotations

from pathlib import Path

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_session
from workflow.cli.paths import TypedPath
from workflow.cli.viewing import viewed
from workflow.history.replay import Replayed
from workflow.history.replay import replay as replayed
from workflow.model.frozen import as_dict
from workflow.model.reply import EXIT_CODES, VERSION, Failure


@click.command(short_help="Decide every turn of a session again, offline.")
@click.argument("session", shell_complete=complete_session)
@click.option(
    "--bundle",
    type=TypedPath(path_type=Path),
    help="Decide by the bundle in this folder; default: the session's, as it is now.",
)
@json_option
def replay(session: str, bundle: Path | None, as_json: bool) -> int:
    """Decide every turn of SESSION again from its log, and report what would differ; exit code 3 if anything does.

    Nothing is sent and nothing is kept: the times, the files and the service's answers are those of the log.

    \b
    Examples:
      workflow replay amber-fox
      workflow replay amber-fox --bundle ~/bundles/tea
    """
    found = replayed(viewed(), session, bundle.resolve() if bundle else None)
    error = _error(found)
    if as_json:
        told = as_dict(found)
        print_json({"v": VERSION, "ok": error is None, **told, "error": error.as_json() if error else None})
    else:
        _show(found)
    return EXIT_CODES[error.type] if error else 0


def _error(found: Replayed) -> Failure | None:
    if not found.differences:
        return None
    message = f"{found.session} would be decided otherwise in {_count(len(found.differences), 'point')}"
    changed = "; its bundle is not the one of then" if found.pinned != found.used else ""
    return Failure("refused", message + changed, f"`workflow audit log {found.session}` tells what happened.")


def _show(found: Replayed) -> None:
    if found.differences:
        console.show_table(
            ("entry", "kind", "what", "recorded", "now"),
            [(str(each.seq), each.kind, each.what, each.recorded, each.now) for each in found.differences],
        )
    turns = f"{_count(found.turns, 'turn')}, {_count(found.redecided, 'entry')} in all, decided again"
    if found.redecided:
        differ = f"{_count(len(found.differences), 'difference')}" if found.differences else "nothing differs"
        mark, style = ("✗", "red") if found.differences else ("✓", "green")
        console.say(f"{mark} {found.session}: {turns}: {differ}", style)
    if found.pinned != found.used:
        console.say(f"The bundle is {found.used[:12]}; the session goes by {found.pinned[:12]}.")
    if found.first > 1:
        console.say(f"Entries 1 to {found.first - 1}, before an upgrade, are left out; --bundle names the one of then.")


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1]}ies" if what.endswith("y") else f"{number} {what}s"
