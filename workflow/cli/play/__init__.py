"""``workflow play``: a person plays a bundle in a terminal, against its own sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from workflow.author.stand import make_sandbox
from workflow.bundle import Bundle, open_bundle
from workflow.cli import console
from workflow.cli.chosen import chosen_bundle, complete_bundle
from workflow.cli.completion import complete_language, complete_session
from workflow.cli.play.player import Player
from workflow.compose import beginning, open_engine
from workflow.engine import Engine
from workflow.local.settings import Settings, read_settings
from workflow.model.errors import UsageError

ROUNDS, LOOKS = 2, 1
"""Questions until the sandbox is ready, and looks until its work is done: enough to see both, without a wait."""


@click.command(short_help="Play a bundle yourself, against its sandbox.")
@click.argument("bundle", required=False, shell_complete=complete_bundle)
@click.option("--language", shell_complete=complete_language, help="The language of the messages, such as en or zh-CN.")
@click.option("--session", shell_complete=complete_session, help="Continue this session instead of beginning one.")
@click.option("--real", is_flag=True, help="Use the real service, with your key: it may cost money.")
def play(bundle: str | None, language: str | None, session: str | None, real: bool) -> int:
    """Play BUNDLE in a terminal: read its messages, choose what happens, and answer its questions in your own words.

    The bundle's sandbox is started for it and stopped at the end: nothing leaves this machine. Gates take what you
    type on the terminal as a person's answer, so it refuses to run without one. At the end you see the log. Without
    BUNDLE: the one whose folder you are in, else the user's choice, else the packaged one; it says which. Ctrl-C leaves
    a session that --session continues.

    \b
    Examples:
      workflow play
      workflow play my-bundle
      workflow play --session amber-fox
    """
    if not console.interactive():
        raise UsageError(
            "a person plays here, so stdin and stdout must be a terminal",
            "Run it in a terminal of your own; `workflow test` plays scenarios without one.",
        )
    settings = read_settings(os.environ)
    engine = open_engine(settings=settings)
    if session:
        return _continue(engine, session)
    opened = open_bundle(chosen_bundle(bundle, settings))
    if real and not _agreed(opened):
        return 0
    with _sandbox(opened, 0, real) as address:
        begun = _beginning(settings, opened.path, language) | {"sandbox": address}
        return Player(engine, opened.definition).begin(begun)


def _beginning(settings: Settings, folder: Path, language: str | None) -> dict[str, Any]:
    return beginning(settings, bundle=str(folder), language=language, host="generic")


def _continue(engine: Engine, name: str) -> int:
    """The session goes on where it was left, with its sandbox at the address that it knows."""
    kept = engine.stored(name)
    opened = engine.world.open_bundle(kept.path)
    port = urlsplit(kept.sandbox).port if kept.sandbox else None
    with _sandbox(opened, port or 0, real=not kept.sandbox):
        return Player(engine, opened.definition).resume(name)


@contextmanager
def _sandbox(bundle: Bundle, port: int, real: bool) -> Iterator[str | None]:
    """The address of the bundle's sandbox, which ends with the play; None for the real service.

    Where something serves this port already, it is taken for the session's sandbox.
    """
    if real:
        yield None
        return
    paced = {} if bundle.definition.service.answers else {"rounds": ROUNDS, "looks": LOOKS}
    try:
        sandbox = make_sandbox(bundle, {"port": port, **paced})
        sandbox.start()
    except OSError:
        if not port:
            raise
        yield None
        return
    try:
        yield sandbox.url
    finally:
        sandbox.stop()


def _agreed(bundle: Bundle) -> bool:
    """Whether the person wants the real service."""
    host = urlsplit(bundle.definition.service.base_url).netloc
    console.say(f"This calls {host} with your key. What you approve may cost money.", "yellow")
    return click.confirm("Go on?", default=False)
