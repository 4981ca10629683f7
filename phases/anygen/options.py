"""What the raw client's commands take: paths as people type them, and each option once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workflow import UsageError, typed_path

from .config import KEY


class Strict(click.Command):
    """A command that takes an option once, unless it is a list: of two, one would be dropped without a word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option that is given again; everything else is as click does it."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        given = [each for each in order if isinstance(each, click.Option) and not (each.multiple or each.count)]
        twice = next((each for each in given if given.count(each) > 1), None)
        if twice:
            raise UsageError(f"{twice.opts[0]} is given twice.", "Give it once: only one of them could count.")
        return super().parse_args(ctx, args)


class TypedPath(click.Path):
    """A path whose leading ``~`` is the home folder, also where the shell leaves it standing (``--output=~/x``)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path with the home folder in place of ``~``."""
        return super().convert(typed_path(value) if isinstance(value, str) else value, param, ctx)


def not_here(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """R4: the scripts' flag for the key is refused, and so is a value behind ``config set``."""
    if value is not None:
        raise UsageError(
            "A key is never given as an argument: other programs, and the shell's history, would see it.",
            f"Set it with `config set {KEY}`, which asks for it or reads it from standard input.",
        )


def check_one_way(context: click.Context, flag: str, only_with: tuple[str, ...], only_without: tuple[str, ...]) -> None:
    """Refuse an option of the way that ``flag`` does not take: it would be ignored without a word."""
    taken = bool(context.params[flag])
    for name in (*only_with, *only_without):
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and taken != (name in only_with):
            option = f"--{name.replace('_', '-')}"
            if name in only_with:
                raise UsageError(f"{option} belongs to --{flag}.", f"Add --{flag}, or leave {option} out.")
            raise UsageError(f"{option} does not go with --{flag}.", f"Leave {option} or --{flag} out.")


PATH = TypedPath(path_type=Path)
no_key = click.option("--api-key", hidden=True, expose_value=False, is_eager=True, callback=not_here)
task_option = click.option("--task-id", required=True, help="the id that `create` gave")
tokens_option = click.option("--file-token", "tokens", multiple=True, help="a token that `upload` gave (repeatable)")
files_option = click.option("--file", "paths", multiple=True, type=PATH, help="upload it first (repeatable)")
