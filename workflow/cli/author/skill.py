"""``workflow skill``: the text that tells an agent how to use a bundle, and whether it is still that of the bundle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click

from workflow.author.skill import FILE, TARGETS, Standing, origin, standing, write_skill
from workflow.bundle import Bundle, open_bundle
from workflow.bundle.listing import skill_name
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.author.coverage import coverage
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.cli.paths import TypedPath
from workflow.compose import bundle_folder
from workflow.local.private import private_file, private_folder
from workflow.local.settings import Settings, read_settings
from workflow.model.errors import StoreError, UsageError
from workflow.model.frozen import Noun, as_dict
from workflow.model.reply import EXIT_CODES, VERSION
from workflow.model.strict_json import JsonError, read_json, write_json

RECORD = "skills.jsonl"
"""In the folder of the store: where skills were written to, a line each, so that `doctor` finds them."""
LARGEST = 1_048_576
"""Bytes of a text that is read; ours has some thousands."""

NEXT: Mapping[Standing, str] = {
    "current": "",
    "older": "Write it again with `workflow skill export --target TARGET FOLDER`.",
    "edited": "It was edited since it was written: keep what is yours elsewhere, remove it, and export it again.",
}


class Skill(Noun):
    """A skill of ours as it stands in its folder."""

    folder: str
    target: str
    standing: Standing
    hint: str


@click.group(short_help="The text that tells an agent how to use a bundle.")
def skill() -> None:
    """Write and check the skill of a bundle: the text that tells an agent how to take turns.

    \b
    Examples:
      workflow skill export --target claude ~/.claude/skills/anygen-image
      workflow skill check ~/.claude/skills/anygen-image
      workflow skill coverage SKILL.md
    """


skill.add_command(coverage)


@skill.command(short_help="Write the skill of a bundle into a folder.")
@click.argument("folder", type=TypedPath())
@click.option("--target", type=click.Choice(tuple(TARGETS)), required=True, help="The program that will read it.")
@click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle; default: the one you are in, else as for `start`. The skill begins sessions with it.",
)
@json_option
def export(folder: str, target: str, bundle: str | None, as_json: bool) -> int:
    """Write the skill of a bundle into FOLDER, whose last part must be the skill's name.

    A folder that was not written by this command is left alone, and so is a skill that was edited since.

    \b
    Examples:
      workflow skill export --target claude ~/.claude/skills/anygen-image
      workflow skill export --target openclaw --bundle tea skills/tea
    """
    settings = read_settings(os.environ)
    opened = open_bundle(chosen_bundle(bundle, settings, silent=as_json))
    usual = opened.path == bundle_folder(None, settings) and not bundle
    place = _place(folder, skill_name(opened.definition))
    text = _written(opened, settings, target, "" if usual else str(opened.path))
    _check_free(place)
    _write(place, text)
    notices = _remember(settings, place)
    if as_json:
        told = {"skill": str(place / FILE), "target": target, "bundle": opened.digest, "notices": notices}
        print_json({"v": VERSION, "ok": True, **told})
        return 0
    console.say(f"{opened.definition.workflow} for {TARGETS[target].product}: {place / FILE}")
    for notice in notices:
        console.say(notice, "yellow", error=True)
    return 0


@skill.command(short_help="Whether a skill is still that of its bundle.")
@click.argument("folder", type=TypedPath())
@json_option
def check(folder: str, as_json: bool) -> int:
    """Check whether the skill in FOLDER is what `workflow skill export` would write now.

    Exit code 6 if the bundle or Phasegate has changed since, or if somebody has edited it.

    \b
    Examples:
      workflow skill check ~/.claude/skills/anygen-image
    """
    found = examine(Path(_absolute(folder)), read_settings(os.environ))
    current = found.standing == "current"
    if as_json:
        print_json({"v": VERSION, "ok": current, **as_dict(found)})
    else:
        console.say(f"{found.standing}: {found.folder}", "" if current else "yellow")
        if found.hint:
            console.say(f"→ {found.hint}")
    return 0 if current else EXIT_CODES["stale"]


def examine(folder: Path, settings: Settings) -> Skill:
    """How the skill in this folder stands to its bundle; raises :class:`UsageError` if there is none of ours."""
    text = _read(folder / FILE)
    found = origin(text) if text is not None else None
    if text is None or found is None or found.target not in TARGETS:
        raise UsageError(
            f"{folder} holds no skill that `workflow skill export` has written",
            f"Name the folder that holds such a {FILE}.",
        )
    opened = open_bundle(bundle_folder(found.folder or None, settings))
    stands = standing(text, _written(opened, settings, found.target, found.folder)) or "edited"
    return Skill(str(folder), found.target, stands, NEXT[stands])


def _written(opened: Bundle, settings: Settings, target: str, folder: str) -> str:
    """The skill as this user's configuration has it: without the events that it switches off."""
    return write_skill(opened.definition.configured(settings.settings), opened.digest, target, folder)


def exported(settings: Settings) -> list[Path]:
    """Where skills were written to and still are."""
    lines = (_read(settings.state / RECORD) or "").splitlines() if settings.state else []
    folders = []
    for line in lines:
        with suppress(JsonError):
            folders.append(Path(str(read_json(line))))
    return [folder for folder in dict.fromkeys(folders) if (folder / FILE).is_file()]


def _place(folder: str, name: str) -> Path:
    """The folder, if it is called as the specification wants it: like the skill."""
    place = Path(_absolute(folder))
    if place.name != name:
        raise UsageError(
            f"the folder of a skill is called like the skill: '{name}', not '{place.name}'",
            f"Write it to {place / name}.",
        )
    return place


def _absolute(folder: str) -> str:
    if not folder or "\0" in folder:
        raise UsageError("the path of the folder cannot be one", "Name a folder.")
    return os.path.abspath(folder)


def _check_free(place: Path) -> None:
    """Raise :class:`UsageError` where something would be overwritten that this program did not write."""
    try:
        there = place.exists() and (not place.is_dir() or any(place.iterdir()))
    except OSError as error:
        raise _unusable(place, error) from error
    if not there:
        return
    text = _read(place / FILE)
    found = origin(text) if text is not None else None
    if found is None:
        raise UsageError(
            f"{place} is there, and was not written by `workflow skill export`",
            "Nothing was changed. Move it away, or name another folder.",
        )
    if found.edited:
        raise UsageError(
            f"{place / FILE} was edited since it was written",
            "Nothing was changed. Move it away, then export it again.",
        )


def _read(file: Path) -> str | None:
    """What the file says, or None if there is none that could be ours."""
    try:
        if not file.is_file():  # a pipe would be waited for
            return None
        with file.open("rb") as content:
            return content.read(LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(place: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half of it."""
    aside = place / f".{FILE}.{os.getpid()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(text.encode("utf-8"))
            aside.replace(place / FILE)
        finally:
            aside.unlink(missing_ok=True)
    except (OSError, UnicodeEncodeError) as error:
        raise _unusable(place, error) from error


def _remember(settings: Settings, place: Path) -> list[str]:
    """Note where it stands; where that cannot be noted, the skill is there all the same."""
    if place in exported(settings):
        return []
    if not settings.state:
        return ["`workflow doctor` will not watch over it: PHASEGATE_STATE is not set, and there is no home folder."]
    record = settings.state / RECORD
    try:
        private_folder(settings.state)
        private_file(record)
        with record.open("a", encoding="utf-8") as lines:
            lines.write(write_json(str(place)) + "\n")
    except (OSError, StoreError, UnicodeEncodeError, JsonError):
        return [f"`workflow doctor` will not watch over it: {record} cannot be written."]
    return []


def _unusable(place: Path, error: Exception) -> UsageError:
    told = error.strerror if isinstance(error, OSError) else "its name is not UTF-8"
    return UsageError(f"{place} cannot be written: {told}", "Name a folder that you may write to.")
