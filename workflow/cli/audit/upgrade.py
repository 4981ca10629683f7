"""``workflow upgrade-check`` and ``workflow-admin upgrade``: live sessions whose bundle has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from workflow.cli import console
from workflow.cli.answer import give, json_option, print_json
from workflow.cli.completion import complete_session
from workflow.cli.paths import TypedPath
from workflow.cli.viewing import viewed
from workflow.compose import open_engine
from workflow.history import upgrade as upgrades
from workflow.history.upgrade import Forecast
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.reply import EXIT_CODES, VERSION, Failure

_map = click.option(
    "--map", "maps", multiple=True, metavar="OLD=NEW", help="A state or a datum under its new name (repeatable)."
)


@click.command("upgrade-check", short_help="Show which live sessions can follow a changed bundle.")
@click.option(
    "--bundle",
    type=TypedPath(path_type=Path),
    help="Check against the bundle in this folder; default: each session's own, as it is now.",
)
@_map
@json_option
def upgrade_check(bundle: Path | None, maps: tuple[str, ...], as_json: bool) -> int:
    """Show what the next turn of every live session would find; exit code 3 if it would stop any. Changes nothing.

    \b
    Examples:
      workflow upgrade-check
      workflow upgrade-check --bundle ~/bundles/tea-2
      workflow upgrade-check --map confirm.presenting=confirm.showing
    """
    view = viewed()
    found = list(upgrades.forecasts(view, bundle.resolve() if bundle else None, names_of(maps)))
    stopped = [each.session for each in found if each.outcome == "stops"]
    error = _error(stopped)
    if as_json:
        told = [as_dict(each) for each in found]
        print_json({"v": VERSION, "ok": not stopped, "sessions": told, "error": error.as_json() if error else None})
    else:
        _show(found, view.where)
    return EXIT_CODES[error.type] if error else 0


@click.command(short_help="Take a session over into its changed bundle.")
@click.argument("session", shell_complete=complete_session)
@_map
@click.option("--wait", type=click.IntRange(0, 600), default=0, help="Seconds to wait for a busy session.")
@json_option
def upgrade(session: str, maps: tuple[str, ...], wait: int, as_json: bool) -> int:
    """Let SESSION go on in its changed bundle, with states and data under new names.

    Without a map it accepts that earlier turns would be decided otherwise today. `--map OLD=` drops a datum.
    Answers whose question is another now are void; in doubt, only a state of doubt will do.

    \b
    Examples:
      workflow-admin upgrade amber-fox
      workflow-admin upgrade amber-fox --map words=request \\
        --map confirm.presenting=confirm.showing
    """
    return give(upgrades.upgrade(open_engine(), session, names_of(maps), wait=wait), as_json)


def names_of(maps: Sequence[str]) -> dict[str, str]:
    """Old name → new name; raises :class:`UsageError` for what is not a pair, or names the same twice."""
    names: dict[str, str] = {}
    for each in maps:
        old, equals, new = each.partition("=")
        if not old or not equals:
            raise UsageError(
                f"--map {each[:80]} is not a pair", "Write OLD=NEW, such as confirm.presenting=confirm.showing."
            )
        if old in names:
            raise UsageError(f"--map names '{old[:80]}' twice", "Give each old name one new name.")
        names[old] = new
    return names


def _error(stopped: Sequence[str]) -> Failure | None:
    if not stopped:
        return None
    message = f"{', '.join(stopped[:5])}{' and others' if len(stopped) > 5 else ''} would stop"
    return Failure("refused", message, "Put the bundle back, or let a person run the command given for each.")


def _show(found: Sequence[Forecast], where: str) -> None:
    if not found:
        console.say(f"There are no live sessions that it concerns{where}.")
        return
    rows = [(each.session, each.state, each.outcome, "; ".join(each.problems)) for each in found]
    console.show_table(("session", "state", "next turn", "because"), rows)
    for each in found:
        if each.command:
            console.remark(each.command)
