"""``workflow test``: the scenarios of a bundle, played against its sandbox."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from workflow.author.junit import as_junit
from workflow.author.play import Mismatch, Played, play_file
from workflow.author.scenario_file import find
from workflow.author.stand import candidate
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.author.lint import FORMATS
from workflow.cli.author.places import annotation, from_here
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.cli.completion import complete_scenario
from workflow.cli.paths import TypedPath
from workflow.local.settings import read_settings
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict, replace
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
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to print.  [default: text]")
@json_option
def test(bundle: str | None, names: tuple[str, ...], junit: Path | None, form: str | None, as_json: bool) -> int:
    """Play the scenarios of BUNDLE, the files in its folder `scenarios`, each on a sandbox of its own.

    Without BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which.
    No network, no key, and no time of the wall's clock. Exit code 2 if one does not come as it says. `--format
    github` adds annotations for GitHub Actions.

    \b
    Examples:
      workflow test
      workflow test my-bundle --scenario approval
      workflow test my-bundle --junit report.xml
    """
    form = "json" if as_json else form or "text"
    as_json = form == "json"
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
            _show(*played[-1], opened.path, form)
    if junit:
        _write(junit, as_junit(opened.definition.workflow, played, first))
    failed = sum(not each.passed for each, _ in played)
    if as_text:
        told = f"{len(played) - failed} passed, {failed} failed" if failed else f"{len(played)} passed"
        console.show_pieces([[(told, "bold red" if failed else "green")]])
    else:
        print_json(_as_json(opened.path, played, failed))
    return EXIT_CODES["bundle"] if failed else 0


def _show(played: Played, seconds: float, folder: Path, form: str) -> None:
    """What came of a scenario; its places as they are found from the working directory."""
    if played.passed:
        title = f"  {played.name}: {played.title} ({seconds:.1f} s)"
        console.show_pieces([[("passed", "green"), (title, "")]], fold=True)
        return
    console.show_pieces([[("FAILED", "bold red"), (f"  {played.name}: {played.title}", "")]])
    here = [replace(step, mismatches=tuple(_from_here(step.mismatches, folder))) for step in played.steps]
    for line in replace(played, steps=tuple(here)).transcript()[1:]:
        console.show_pieces([[(line, "red" if line.startswith("     ✗") else "")]])
    if form == "github":
        for each in _from_here(played.mismatches, folder):
            told = [f"{each.what}: expected {each.expected}", f"got {each.got}"]
            click.echo(annotation("error", each.place, played.name, told))


def _from_here(mismatches: Iterable[Mismatch], folder: Path) -> Iterator[Mismatch]:
    return (replace(each, place=from_here(each.place, folder)) for each in mismatches)


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
