"""``workflow simulate``: random walks through a bundle, and what they found."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from workflow.author.simulate import Simulated
from workflow.author.simulate import simulate as walk
from workflow.author.stand import candidate
from workflow.cli.answer import json_option, print_json
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.local.settings import read_settings
from workflow.machine.messages import visible
from workflow.model.frozen import as_dict
from workflow.model.reply import EXIT_CODES, VERSION

_MOST_MISSING = 8


@click.command(short_help="Walk at random through a bundle, and look for what breaks.")
@click.argument("bundle", required=False, shell_complete=complete_bundle)
@click.option(
    "--seed", type=click.IntRange(0, 2**32), default=0, show_default=True, help="The same seed, the same walks."
)
@click.option("--walks", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Sessions to begin.")
@click.option("--steps", type=click.IntRange(1, 10_000), default=30, show_default=True, help="Steps of each walk.")
@json_option
def simulate(bundle: str | None, seed: int, walks: int, steps: int, as_json: bool) -> int:
    """Walk at random through BUNDLE against its sandbox: an agent and a person send anything at any time.

    The service breaks, files change, time passes. After each turn it is looked whether every promise still
    holds; the first that does not is shown with its seed, as the shortest run that breaks it. Exit code 2 then,
    and where the walks got nowhere: that proves nothing.
    Without BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which.

    \b
    Examples:
      workflow simulate
      workflow simulate my-bundle --seed 7 --walks 200 --steps 60
    """
    folder = chosen_bundle(bundle, read_settings(os.environ), silent=as_json)
    found = walk(candidate(folder), seed=seed, walks=walks, steps=steps)
    if as_json:
        print_json(
            {
                "v": VERSION,
                "ok": found.ok,
                "bundle": str(folder),
                "seed": seed,
                "walks": found.walks,
                "steps": found.steps,
                "coverage": found.coverage.as_json(),
                "violation": as_dict(found.violation) if found.violation else None,
                "notes": list(found.notes),
                "unreached": found.unreached or None,
            }
        )
    else:
        for line in _lines(found, seed):
            click.echo(visible(line))
    return 0 if found.ok else EXIT_CODES["bundle"]


def _lines(found: Simulated, seed: int) -> Iterator[str]:
    yield f"{found.walks} walks, {found.steps} steps, seed {seed}"
    for what, counted in found.coverage.as_json().items():
        missing = counted["missing"]
        left = f"; not: {', '.join(missing[:_MOST_MISSING])}{' …' if len(missing) > _MOST_MISSING else ''}"
        yield f"  {what}: {counted['covered']} of {counted['of']}{left if missing else ''}"
    yield from (f"  {note}" for note in found.notes)
    if found.violation is None:
        yield f"NOTHING REACHED: {found.unreached}" if found.unreached else "nothing was broken"
        return
    yield f"BROKEN in walk {found.violation.walk + 1}; again with: --seed {found.violation.seed} --walks 1"
    yield from (f"  {each}" for each in found.violation.broken)
    yield from found.violation.transcript
