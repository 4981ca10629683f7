"""What comes with an event, asked one by one by name and type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workflow.cli.prompts import ask_line, ask_value
from workflow.local.paths import typed_path
from workflow.machine.messages import visible
from workflow.model.errors import UsageError

_HOW = {"text": "", "url": "the full link; ", "flag": "yes or no; ", "number": "a number; "}


def ask_inputs(inputs: Mapping[str, str], known: Mapping[str, Any] = {}) -> dict[str, Any]:
    """A value for each input that is not ``known``; Enter leaves out one that may be left out."""
    given = dict(known)
    for name, kind in inputs.items():
        if name in given:
            continue
        found = _ask(name, kind.removesuffix("?"), optional=kind.endswith("?"))
        if found is not None:
            given[name] = found
    return given


def words_of(inputs: Mapping[str, str]) -> str:
    """The one text that an event cannot do without, where it needs nothing else; empty if that is not so."""
    needed = [(name, kind) for name, kind in inputs.items() if not kind.endswith("?")]
    return needed[0][0] if len(needed) == 1 and needed[0][1] == "text" else ""


def _ask(name: str, kind: str, *, optional: bool) -> Any:
    label = name.replace("_", " ")
    if kind == "files":
        return _files(label, optional) or None
    if not optional:
        return ask_value(name, kind)
    typed = ask_line(f"{label} ({_HOW.get(kind, kind)}Enter: none)")
    if not typed:
        return None
    if kind == "flag":
        return typed.lower().startswith("y")
    if kind == "number":
        try:
            return float(typed) if "." in typed else int(typed)
        except ValueError:
            click.echo("That is not a number; nothing is sent for it.")
            return None
    return typed


def _files(label: str, optional: bool) -> list[dict[str, str]]:
    """Files by path, each with what is in it."""
    found: list[dict[str, str]] = []
    while True:
        none = "no more" if found else "none" if optional else "at least one is needed"
        typed = ask_line(f"{label}: the path of a file (Enter: {none})")
        if not typed:
            if found or optional:
                return found
            continue
        try:
            path = typed_path(typed)
        except UsageError as error:
            click.echo(f"{visible(error.message)}. {visible(error.hint)}")
            continue
        if not Path(path).is_file():
            click.echo(f"There is no file {path}.")
            continue
        found.append({"path": path, "description": ask_line("What is in it? (Enter: nothing said)")})
