"""Paths as a person types them."""

from __future__ import annotations

from typing import Any

import click

from workflow.local.paths import typed_path


class TypedPath(click.Path):
    """A path whose leading ``~`` is the home folder, also where the shell leaves it standing (``--to=~/log``).

    A relative one starts from the working directory. Raises what :func:`workflow.local.paths.at_home` raises.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path with the home folder in place of ``~``."""
        return super().convert(typed_path(value) if isinstance(value, str) else value, param, ctx)
