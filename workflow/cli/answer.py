"""Giving a reply: one JSON object where an agent or a program reads, words and colours where a person does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from workflow.cli import console
from workflow.machine.messages import visible
from workflow.model.errors import WorkflowError
from workflow.model.reply import Reply
from workflow.model.strict_json import JsonError, printed_json

Command = TypeVar("Command", bound=Callable[..., Any])


class Interrupted(WorkflowError):
    """Ctrl-C; the hint names the command that continues."""

    type = "interrupted"

    def __init__(self, hint: str) -> None:
        super().__init__("interrupted", hint)


@contextmanager
def interrupted_with(hint: str) -> Iterator[None]:
    """Ctrl-C within becomes :class:`Interrupted` with this hint."""
    try:
        yield
    except (click.Abort, KeyboardInterrupt) as stop:
        if sys.stderr.isatty():
            click.echo(err=True)  # after the ^C, and what was typed
        raise Interrupted(hint) from stop


def give(reply: Reply, as_json: bool) -> int:
    """Print the reply; its exit code."""
    if as_json:
        print_json(reply.as_json())
    else:
        console.show(reply)
    return reply.exit_code


def print_json(value: Any) -> None:
    """One line of JSON on stdout, whatever the locale says of characters; what is not text is written out."""
    sys.stdout.flush()
    try:
        text = printed_json(value)
    except JsonError:  # a name that is not UTF-8, from the command line or the disk
        text = printed_json(_readable(value))
    line = (text + "\n").encode()
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except AttributeError:  # a captured stream without bytes
        sys.stdout.write(line.decode())


def announce(line: str) -> None:
    """Print a line immediately, also into a pipe: somebody may be waiting for the address."""
    click.echo(visible(line))


def json_option(command: Command) -> Command:
    """``--json``, for a command that answers with text everywhere else."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(command)


def piped_json_option(command: Command) -> Command:
    """``--json``, for a command that agents give: JSON is the rule where stdout is not a terminal."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with JSON, as where stdout is not a terminal.")(
        command
    )


def asked_json(as_json: bool) -> bool:
    """Whether a command that agents give answers with JSON."""
    return as_json or not sys.stdout.isatty()


def _readable(value: Any) -> Any:
    """The same with lone surrogates as ``\\udcff``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_readable(key): _readable(each) for key, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, (list, tuple)) else value
