"""``--quiet`` and ``--no-color``: how commands speak.

Both may stand anywhere on the line, and hold for child processes too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

FLAGS: Mapping[str, str] = {"--quiet": "PHASEGATE_QUIET", "--no-color": "NO_COLOR"}
"""Each flag, and the variable that says the same."""

Command = TypeVar("Command", bound=Callable[..., Any])


@contextmanager
def manner(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Take the flags out of ``arguments``, and let them hold for as long as the command runs."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = [each for each in arguments[:end] if each in FLAGS]
    before = {FLAGS[each]: os.environ.get(FLAGS[each]) for each in given}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield [each for each in arguments[:end] if each not in FLAGS] + list(arguments[end:])
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def manner_options(command: Command) -> Command:
    """Both flags, for the help of a group: they were taken out before it looks."""
    quiet = click.option("--quiet", is_flag=True, expose_value=False, help="No remarks, hints or progress; anywhere.")
    plain = click.option("--no-color", is_flag=True, expose_value=False, help="No colours (as NO_COLOR=1); anywhere.")
    return quiet(plain(command))


def quiet() -> bool:
    """Whether only what was asked for is told."""
    return bool(os.environ.get("PHASEGATE_QUIET"))


def no_colour() -> bool:
    """Whether colours are unwanted (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
