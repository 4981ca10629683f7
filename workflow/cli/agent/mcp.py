"""``workflow mcp``: the same turns for an MCP client, on stdin and stdout."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.agent.extra import remedy
from workflow.cli.agent.host_config import GENERIC, HOSTS, show_start
from workflow.cli.chosen import complete_bundle
from workflow.cli.completion import complete_host
from workflow.cli.signals import end_immediately
from workflow.compose import beginning, bundle_folder, open_engine, open_reader, open_store, open_view, surroundings
from workflow.engine import Engine, View
from workflow.local.secret import LENGTH, secret
from workflow.local.settings import Settings, read_settings
from workflow.machine.hosts import check_host
from workflow.machine.wishes import awaited
from workflow.model.errors import StoreError, UsageError

SECRET = "mcp.key"
"""In the folder of the store: open questions outlive the process."""


served_bundle = click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle that sessions are begun with; no client can name another.",
)
"""``--bundle`` of the commands that serve clients."""


@click.command(short_help="Serve an MCP client on stdin and stdout.")
@served_bundle
@click.option(
    "--host",
    shell_complete=complete_host,
    help="The program that the agent runs in: it decides how a session is watched.",
)
@click.option(
    "--print-config",
    "shown",
    type=click.Choice(list(HOSTS)),
    help="Print the entry with which this host starts the server, and serve nothing.",
)
@click.option("--sandbox", metavar="URL", help="With --print-config: the sandbox that sessions are begun in.")
def mcp(bundle: str | None, host: str | None, shown: str | None, sandbox: str | None) -> int:
    """Serve the tools to an MCP client on stdin and stdout, until it closes them; a host starts this by itself.

    \b
    Examples:
      workflow mcp --print-config claude-code
      workflow mcp --print-config openclaw --sandbox http://127.0.0.1:8765
      workflow mcp --bundle my-bundle
    """
    if sandbox and not shown:
        raise UsageError("--sandbox is for --print-config", "To serve, set PHASEGATE_SANDBOX instead.")
    with library("mcp"):
        from workflow.mcp_server import Desk, make_server
    environ = {**os.environ, **({"PHASEGATE_SANDBOX": sandbox} if sandbox else {})}
    settings = read_settings(environ)
    check_host(beginning(settings, bundle=bundle, host=host)["host"])  # what cannot be begun with is told now
    known = open_bundle(bundle_folder(bundle, settings)).definition
    if shown:
        options = ["--bundle", str(bundle_folder(bundle, settings))] if bundle else []
        options += ["--host", host or shown] if host or shown != GENERIC else []
        show_start(shown, options, known.service, environ)
        return 0
    try:
        opened, seen, kept = _for_turns(settings)
    except StoreError as error:
        opened, seen, kept = _for_looking(settings, error)

    def begun() -> dict[str, Any]:
        return beginning(read_settings(os.environ), bundle=bundle, host=host)

    def told(subject: str) -> str:
        service = seen().world.open_bundle(str(begun()["bundle"])).definition.service
        return surroundings(service, read_settings(os.environ), os.environ).told(subject)

    if console.interactive():
        console.remark("This speaks MCP, to a program; Ctrl-D ends it.", error=True)
    end_immediately("SIGINT")  # a thread that reads stdin would keep the process
    make_server(lambda: Desk(opened, begun, told, kept, open_view=seen), known.title, awaited(known)).run("stdio")
    return 0


Opened = tuple[Callable[[], Engine], Callable[[], View], bytes]
"""How an engine is opened, how one that only looks, and the secret that makes the codes of questions."""


def _for_turns(settings: Settings) -> Opened:
    """By one store; raises :class:`StoreError` where nothing can be written."""
    store = open_store(settings, verifies=True)
    kept = secret(settings.state_folder, SECRET)

    def opened() -> Engine:
        return open_engine(store=store, settings=read_settings(os.environ))

    return opened, opened, kept


def _for_looking(settings: Settings, fault: StoreError) -> Opened:
    """Where no turn can be taken: sessions can be seen, and each turn says why not.

    No question is answered, so that the secret may be lost with this process. Raises :class:`StoreError` for a store
    that cannot be read either.
    """
    reader = open_reader(settings, verifies=True)
    if reader.owner is None:
        raise fault  # there is none, and none can be made
    console.remark(f"Sessions can be seen, and no turn can be taken: {fault.message}. {fault.hint}", error=True)

    def opened() -> Engine:
        raise StoreError(fault.message, fault.hint)

    return opened, lambda: open_view(reader=reader, settings=read_settings(os.environ)), os.urandom(LENGTH)


@contextmanager
def library(command: str, extra: str = "mcp") -> Iterator[None]:
    """Imports within need an extra; raises :class:`UsageError` where it is not installed."""
    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (*_OF_MCP, *(_OF_WEB if extra == "web" else ())):
            raise
        needs = "the package mcp, version 2.3 or later" if extra == "mcp" else f"more packages, such as {missing}"
        raise UsageError(f"`{command_path(command)}` needs {needs}", remedy(extra)) from error


_OF_MCP = ("mcp", "mcp_types", "anyio", "starlette", "uvicorn")
_OF_WEB = ("jinja2", "markupsafe", "segno", "cryptography")


def command_path(command: str) -> str:
    """The command as it was called, from the program's name on."""
    context = click.get_current_context(silent=True)
    return context.command_path if context else f"workflow {command}"
