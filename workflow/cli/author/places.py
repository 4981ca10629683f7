"""Where a problem of a bundle is, as a terminal, an editor or GitHub can open it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workflow.machine.messages import visible


def shown(file: Path) -> str:
    """The path from the working directory where the file is below it, else the whole path."""
    try:
        return visible(str(file.relative_to(Path.cwd())))
    except (ValueError, OSError):
        return visible(str(file))


def from_here(place: str, folder: Path) -> str:
    """A place ``file:line:column`` in this folder, as it is found from the working directory."""
    file, colon, rest = place.partition(":")
    return f"{shown(folder / file)}{colon}{rest}"


def annotation(severity: str, place: str, title: str, lines: Iterable[str]) -> str:
    """A workflow command of GitHub Actions, which marks ``file:line:column`` in a pull request."""
    file, line, column = place.rsplit(":", 2)
    properties = {"file": file, "line": line, "col": column, "title": title}
    told = ",".join(f"{name}={_escaped(value, ',:')}" for name, value in properties.items() if value)
    text = "\n".join(visible(each) for each in lines)
    return f"::{severity} {told}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    """Characters that end a value of a workflow command, as it wants them."""
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
