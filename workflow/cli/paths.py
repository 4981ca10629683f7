"""Paths as a person types them."""

from __future__ import annotations

import os
from typing import Any

import click


class TypedPath(click.Path):
    """A path whose leading ``~`` is the home folder, also where the shell leaves it standing (``--to=~/log``)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path with the home folder in place of ``~``."""
        return super().convert(os.path.expanduser(value) if isinstance(value, str) else value, param, ctx)
