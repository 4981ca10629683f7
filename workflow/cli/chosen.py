"""Which bundle a command for authors works on where none is named, and the line that says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.manner import quiet
from workflow.compose import bundle_folder
from workflow.local.settings import Settings
from workflow.machine.messages import visible
from workflow.model.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

YAML = "workflow.yaml"
MISSPELT = "workflow.yml"


def complete_bundle(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders, which the shell itself lists."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


bundle_option = click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle; default: the one you are in, else the user's choice, else the packaged one.",
)


def chosen_bundle(given: str | None, settings: Settings, *, silent: bool = False) -> Path:
    """The folder of the bundle: the one that is given, else the one you are in, else the user's choice.

    The last resort is the packaged one. One that is not given is named on stderr, unless ``silent``. Raises
    :class:`UsageError` where the folder you are in makes it doubtful which bundle you mean.
    """
    if given:
        return bundle_folder(given, settings)
    around = _around()
    folder = around or bundle_folder(None, settings)
    if not silent and not quiet():
        click.echo(visible(f"bundle: {folder} ({_why(around, settings)})"), err=True)
    return folder


def _around() -> Path | None:
    """The nearest folder that holds a ``workflow.yaml``, from the working directory upwards."""
    try:
        here = Path.cwd()
    except OSError:  # removed meanwhile: no bundle is there
        return None
    for folder in (here, *here.parents):
        if os.path.lexists(folder / YAML):
            _require_own(folder, here)
            return folder
        if folder == here and os.path.lexists(folder / MISSPELT):
            raise UsageError(f"{folder} holds a {MISSPELT}; a bundle has a {YAML}", f"Rename it to {YAML}.")
    return None


def _require_own(folder: Path, here: Path) -> None:
    """Refuse the bundle of another user further up, whose Python would run unasked."""
    if folder != here and os.lstat(folder / YAML).st_uid != os.getuid():
        raise UsageError(
            f"the bundle around this folder, {folder}, belongs to another user",
            "Name the bundle that you mean after the command.",
        )


def _why(around: Path | None, settings: Settings) -> str:
    if around is not None:
        return "the folder you are in" if around == Path.cwd() else "around the folder you are in"
    if settings.bundle:
        return f"from {settings.sources.get('bundle', 'the configuration')}"
    return "the packaged one; no workflow.yaml is here"
