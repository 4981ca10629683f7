"""``workflow watch`` of several sessions, or of all that wait: a reply for each as its watch ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from workflow.cli.answer import give
from workflow.cli.manner import quiet
from workflow.engine import Engine
from workflow.engine.vigil import AT_ONCE, Seen, Vigil
from workflow.noun import replace
from workflow.reply import Reply, of_error

HEARTBEAT = 30.0
"""Seconds between two lines on stderr, so that a host sees that the watch lives."""
MOST = 100_000
"""Sessions that are listed at once."""


def waiting_sessions(engine: Engine) -> list[str]:
    """Those that wait for the service now, the longest unchanged first."""
    return [each.name for each in reversed(engine.sessions(status="watching", limit=MOST))]


def watch_many(engine: Engine, sessions: Sequence[str], as_json: bool, *, everyone: bool = False) -> int:
    """Tell of each session as its watch ends; the exit code is that of the first reply that has one.

    With ``everyone``, sessions that begin to wait meanwhile are watched as well.
    """
    if not sessions:
        return give(Reply(notices=("No session waits for the service.",)), as_json)
    code, told = 0, time.monotonic()
    with ThreadPoolExecutor(AT_ONCE, "phasegate-look") as pool:
        more = (lambda: waiting_sessions(engine)) if everyone else tuple
        for seen in Vigil(engine, pool, more).watch(sessions):
            if seen.over:
                ended = give(_reply(engine, seen), as_json)
                sys.stdout.flush()
                code = code or ended
            if not quiet() and time.monotonic() - told >= HEARTBEAT:
                told = time.monotonic()
                click.echo(f"watching {seen.left} sessions", err=True)
    return code


def _reply(engine: Engine, seen: Seen) -> Reply:
    """Where the session stands now, or why it is watched no longer."""
    try:
        if seen.error is None:
            return engine.status(seen.session)
        return replace(of_error(seen.error), session=seen.session)
    except Exception as error:  # of this one session; the others are watched on
        return replace(of_error(error), session=seen.session)
