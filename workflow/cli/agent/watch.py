"""``workflow watch``: wait for the service outside the conversation."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

import click

from workflow.cli import console
from workflow.cli.answer import asked_json, give, interrupted_with, piped_json_option
from workflow.cli.completion import complete_session
from workflow.cli.confirm import require_output
from workflow.cli.manner import quiet
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.engine.timekeeper import Timekeeper
from workflow.engine.watch_many import AT_ONCE, Vigil
from workflow.machine.hosts import ANNOUNCE_SKIP
from workflow.machine.messages import visible
from workflow.model.errors import SessionBusy, UsageError, WorkflowError
from workflow.model.frozen import replace
from workflow.model.reply import EXIT_CODES, Reply, of_error
from workflow.show.times import local

HEARTBEAT = 30.0
"""Seconds between two lines on stderr, so that a host sees that the watch lives."""
MOST = 100_000
"""Sessions that are listed at once."""

PATIENCE = 10.0
"""Seconds to wait for a turn that holds the session; then the look is left out."""

TERMINATED = 128 + signal.SIGTERM
"""Exit code of a watch that speaks and was asked to end, as shells give it: 143."""

Report = Callable[[int | None, float], None]


class Terminated(BaseException):
    """SIGTERM came while nothing was being said."""


@click.command(short_help="Wait until the service is done.")
@click.argument("sessions", nargs=-1, metavar="SESSION...", shell_complete=complete_session)
@click.option("--all", "everyone", is_flag=True, help="Every session that waits, or begins to; what is due happens.")
@click.option("--announce-skip", is_flag=True, help="For a sub-agent: print the text for the user, then ANNOUNCE_SKIP.")
@piped_json_option
def watch(sessions: tuple[str, ...], everyone: bool, announce_skip: bool, as_json: bool) -> int:
    """Wait until the service is done with SESSION, or its time is over.

    Others can act meanwhile; the deadline is the session's own and survives this process. What is new is
    said by the agent's next turn, not here, so that it is said once.

    Of several sessions each has its reply as soon as its wait is over; the watch ends with the last of them. With
    --all, what is due in any session because nobody answered happens as well, and has a reply.

    \b
    Examples:
      workflow watch amber-fox
      workflow watch amber-fox --announce-skip
      workflow watch amber-fox quick-kestrel
      workflow watch --all --json
    """
    _check(sessions, everyone, announce_skip)
    if everyone or len(sessions) > 1:
        with interrupted_with("Watch them again with the same command; the service has not stopped, nor has the time."):
            engine = open_engine(verifies=True)
            return watch_many(engine, sessions, asked_json(as_json), everyone=everyone)
    (session,) = sessions
    if announce_skip:
        require_output()
        return _announce(session)
    with interrupted_with(f"`workflow watch {session}` watches on; the service has not stopped, nor has the time."):
        engine = open_engine(verifies=True)
        _tell(engine, session)
        wait_for_news(engine, session)
    return give(engine.status(session), asked_json(as_json))


def _check(sessions: tuple[str, ...], everyone: bool, announce_skip: bool) -> None:
    if not sessions and not everyone:
        raise click.MissingParameter(param_type="argument", param_hint="'SESSION'", ctx=click.get_current_context())
    if sessions and everyone:
        raise UsageError("--all and names exclude each other", "Give one of them.")
    if announce_skip and (everyone or len(sessions) > 1):
        raise UsageError("--announce-skip speaks for one session", "Name a single one.")


def _tell(engine: Engine, session: str) -> None:
    """What is waited for, and until when, above the bar: for a person, not in a pipe."""
    reply = engine.status(session) if sys.stderr.isatty() else None
    if reply and reply.watch:
        time = local(reply.watch["until"], engine.world.clock.now().wall).partition(" ")[2]
        console.remark(f"{reply.state} waits for the service, until {time}.", error=True)
        console.remark("Ctrl-C ends the watch; the service goes on, and so does the time.", error=True)


def wait_for_news(engine: Engine, session: str) -> None:
    """Look, pause, look again, until the run has moved; the engine holds it only while it looks."""
    with _reporter(session) as report:
        elapsed = 0.0
        while True:
            try:
                found = engine.look(session, wait=PATIENCE)
            except SessionBusy:
                continue
            if found.moved:
                return
            report(found.progress, elapsed)
            engine.world.clock.sleep(found.every)  # not less before the deadline: looks never come closer
            elapsed += found.every


def waiting_sessions(engine: Engine) -> list[str]:
    """Those that wait for the service now, the longest unchanged first."""
    return [each.name for each in reversed(engine.sessions(status="watching", limit=MOST))]


def watch_many(engine: Engine, sessions: Sequence[str], as_json: bool, *, everyone: bool = False) -> int:
    """Tell of each session as its watch ends; the exit code is that of the first reply that has one.

    With ``everyone``, all that wait are watched, also those that begin to meanwhile, and what is due in any other
    session happens and is told.
    """
    code, told, keeper = 0, time.monotonic(), Timekeeper(lambda: engine)

    def tell(session: str, error: Exception | None) -> None:
        nonlocal code
        ended = give(_reply(engine, session, error), as_json)
        sys.stdout.flush()
        code = code or ended

    def waiting() -> list[str]:
        for kept in keeper.round():
            tell(kept.session, kept.error)
        return waiting_sessions(engine)

    sessions = waiting() if everyone else sessions
    if not sessions:
        return code or give(Reply(notices=("No session waits for the service.",)), as_json)
    with ThreadPoolExecutor(AT_ONCE, "phasegate-look") as pool:
        for seen in Vigil(engine, pool, waiting if everyone else tuple).watch(sessions):
            if seen.over:
                tell(seen.session, seen.error)
            if not quiet() and time.monotonic() - told >= HEARTBEAT:
                told = time.monotonic()
                click.echo(f"watching {seen.left} sessions", err=True)
    return code


def _reply(engine: Engine, session: str, error: Exception | None) -> Reply:
    """Where the session stands now, or what is wrong with it."""
    try:
        if error is None:
            return engine.status(session)
        return replace(of_error(error), session=session)
    except Exception as fault:  # of this one session; the others are watched on
        return replace(of_error(fault), session=session)


def _announce(session: str) -> int:
    """Speak for the run; the last line is always the same."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        return _speak(session)
    except Terminated:
        return TERMINATED
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        click.echo(ANNOUNCE_SKIP)
        signal.signal(signal.SIGTERM, before)


def _speak(session: str) -> int:
    """Wait, then claim the text, print it and confirm it; what is wrong is told on stderr, which nobody passes on."""
    try:
        engine = open_engine(verifies=True)
        wait_for_news(engine, session)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a text is said and confirmed whole, or not begun
        reply = engine.speak_as_watcher(session, wait=PATIENCE)
        for said in reply.say:
            click.echo(visible(said.text, keep="\n\t") if sys.stdout.isatty() else said.text)
        sys.stdout.flush()
        engine.confirm(reply)
        return reply.exit_code
    except WorkflowError as error:
        click.echo(visible(f"{error.message} {error.hint}".strip()), err=True)
        return EXIT_CODES.get(error.type, 1)
    except KeyboardInterrupt:
        return EXIT_CODES["interrupted"]
    except OSError:
        raise
    except Exception as error:  # a fault of ours, told as one; as a reply on stdout it would reach the user
        click.echo(f"an internal fault: {type(error).__name__}; the session is as it was", err=True)
        return EXIT_CODES["internal"]


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Terminated


@contextmanager
def _reporter(session: str) -> Iterator[Report]:
    """A progress bar on a terminal; elsewhere a line on stderr each half minute; nothing where quiet is asked for."""
    if quiet():
        yield lambda percent, elapsed: None
        return
    if sys.stderr.isatty():
        with console.progress(f"watching {session}") as update:
            yield lambda percent, elapsed: update(percent)
        return
    last = -HEARTBEAT

    def report(percent: int | None, elapsed: float) -> None:
        nonlocal last
        if elapsed - last >= HEARTBEAT:
            last = elapsed
            click.echo(f"watching {session}: {elapsed:.0f} s" + ("" if percent is None else f", {percent} %"), err=True)

    yield report
