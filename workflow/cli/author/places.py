"""Where a problem of a bundle is, as a terminal or an editor can open it."""

from __future__ import annotations

from pathlib import Path

from workflow.machine.messages import visible


def shown(file: Path) -> str:
    """The path from the working directory where the file is below it, else the whole path."""
    try:
        return visible(str(file.relative_to(Path.cwd())))
    except (ValueError, OSError):
        return visible(str(file))
