"""``workflow test``: the scenarios of a bundle, played against its sandbox."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from workflow.author.junit import as_junit
from workflow.author.play import Played, play_file
from workflow.author.scenario_file import find
from workflow.author.stand import candidate
from workflow.cli.answer import json_option, print_json
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.cli.completion import complete_scenario
from workflow.cli.paths import TypedPath
from workflow.local.settings import read_settings
from workflow.machine.messages import visible
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.reply import EXIT_CODES, VERSION

Timed = tuple[Played, float]


@click.command("test", short_help="Play the scenarios of a bundle.")
@click.argument("bundle", required=False, shell_complete=complete_bundle)
@click.option(
    "--scenario",
    "names",
    shell_complete=complete_scenario,
    multiple=True,
    help="Play this one alone; may be given again.",
)
@click.option("--junit", type=TypedPath(path_type=Path, dir_okay=False), help="Also write JUnit XML to this file.")
@json_option
def test(bundle: str | None, names: tuple[str, ...], junit: Path | None, as_json: bool) -> int:
    """Play the scenarios of BUNDLE, the files in its folder `scenarios`, each on a sandbox of its own.

    Without BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which.
    No network, no key, and no time of the wall's clock. Exit code 2 if one does not come as it says.

    \b
    Examples:
      workflow test
      workflow test my-bundle --scenario approval
      workflow test my-bundle --junit report.xml
    """
    tried = candidate(chosen_bundle(bundle, read_settings(os.environ), silent=as_json))
    opened = tried.bundle
    files = find(opened.path, names)
    if not files:
        raise UsageError(
            f"{opened.path} has no scenarios", "Write one into its folder `scenarios`; docs/scenarios.md shows how."
        )
    as_text, first = not as_json, time.time()
    played: list[Timed] = []
    for file in files:
        began = time.perf_counter()
        played.append((play_file(file, tried), time.perf_counter() - began))
        if as_text:
            _show(*played[-1])
    if junit:
        _write(junit, as_junit(opened.definition.workflow, played, first))
    failed = sum(not each.passed for each, _ in played)
    if as_text:
        click.echo(f"{len(played) - failed} passed, {failed} failed" if failed else f"{len(played)} passed")
    else:
        print_json(_as_json(opened.path, played, failed))
    return EXIT_CODES["bundle"] if failed else 0


def _show(played: Played, seconds: float) -> None:
    if played.passed:
        click.echo(visible(f"passed  {played.name}: {played.title} ({seconds:.1f} s)"))
        return
    click.echo(visible(f"FAILED  {played.name}: {played.title}"))
    for line in played.transcript()[1:]:
        click.echo(visible(line))


def _as_json(bundle: Path, played: Sequence[Timed], failed: int) -> dict[str, object]:
    scenarios = [
        {
            "name": each.name,
            "scenario": each.title,
            "file": each.file,
            "ok": each.passed,
            "failures": [as_dict(wrong) for wrong in each.mismatches],
            "transcript": each.transcript(),
        }
        for each, _ in played
    ]
    return {"v": VERSION, "ok": not failed, "bundle": str(bundle), "scenarios": scenarios}


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", "Name another file with --junit.") from error
