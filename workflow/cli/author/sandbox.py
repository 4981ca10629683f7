"""``workflow sandbox``: the bundle's service, offline, on this machine."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click

from workflow.bundle import Bundle, open_bundle
from workflow.cli.answer import announce
from workflow.cli.chosen import bundle_option, chosen_bundle
from workflow.compose import SANDBOX_PORT
from workflow.local.settings import read_settings
from workflow.model.errors import UnknownName, UsageError
from workflow.service.sandbox import table as answers
from workflow.service.sandbox.protocol import Sandbox


@click.command(short_help="Serve the offline twin of the service.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=SANDBOX_PORT,
    show_default=True,
    help="Loopback port; 0 = any free one.",
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=2, show_default=True, help="Questions until it is ready."
)
@click.option("--looks", type=click.IntRange(1, 1000), default=3, show_default=True, help="Looks until work is done.")
@bundle_option
@click.option("--faults", is_flag=True, help="List the faults that it can be asked for, and exit.")
def sandbox(port: int, rounds: int, looks: int, bundle: str | None, faults: bool) -> int:
    """Serve the offline twin of the bundle's service until Ctrl-C; it tells how to point `start` at it.

    What it tells are lines for people, in a pipe as well.

    \b
    Examples:
      workflow sandbox
      workflow sandbox --port 0 --rounds 1 --looks 1
      workflow sandbox --faults
    """
    opened = open_bundle(chosen_bundle(bundle, read_settings(os.environ)))
    if faults:
        _list(faults_of(opened))
        return 0
    serve = sandbox_of(opened)
    try:
        serve(port, rounds, looks, announce)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"port {port} cannot be served: {reason}", "Choose another with --port, or 0 for any free one."
        ) from error
    except KeyboardInterrupt:
        pass
    return 0


def sandbox_of(bundle: Bundle) -> Callable[[int, int, int, Callable[[str], None]], Any]:
    """The bundle's ``serve(port, rounds, looks, announce)``, its ``Sandbox``, or its YAML's answers, served.

    Raises :class:`UnknownName` if it has none of them.
    """
    if bundle.definition.service.answers:
        return lambda port, rounds, looks, announce: answers.serve(bundle.definition, port, announce)
    dotted = bundle.definition.service.sandbox
    module = bundle.module(dotted)
    serve = getattr(module, "serve", None)
    if callable(serve):
        return serve  # type: ignore[no-any-return]  # a bundle's own code
    make = getattr(module, "Sandbox", None)
    if not callable(make):
        raise UnknownName(
            f"{dotted} of the bundle {bundle.path} has no Sandbox and no function serve", "A sandbox must have one."
        )
    return partial(_serve, make)


def faults_of(bundle: Bundle) -> Mapping[str, str]:
    """The bundle's ``FAULTS``: names, and what each does; raises :class:`UnknownName` if its sandbox has none."""
    if bundle.definition.service.answers:
        return answers.FAULTS
    dotted = bundle.definition.service.sandbox
    module = bundle.module(dotted)
    faults = getattr(module, "FAULTS", getattr(getattr(module, "Sandbox", None), "FAULTS", None))
    if not isinstance(faults, Mapping):
        raise UnknownName(f"{dotted} of the bundle {bundle.path} has no table FAULTS", "It knows no faults.")
    return faults


def _serve(make: Callable[..., Sandbox], port: int, rounds: int, looks: int, announce: Callable[[str], None]) -> None:
    """Until Ctrl-C, or until it is told to end."""
    done = threading.Event()
    before = {each: signal.signal(each, lambda *_: done.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    sandbox = make(port=port, rounds=rounds, looks=looks)
    try:
        sandbox.start()
        announce(f"export PHASEGATE_SANDBOX={sandbox.url}")
        done.wait()
    finally:
        sandbox.stop()
        for each, handler in before.items():
            signal.signal(each, handler)


def _list(faults: Mapping[str, str]) -> None:
    width = max(map(len, faults), default=0)
    for name, meaning in faults.items():
        announce(f"{name:<{width}}  {meaning}")
