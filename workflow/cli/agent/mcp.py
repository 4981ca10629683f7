"""``workflow mcp``: the same turns for an MCP client, on stdin and stdout."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from workflow.compose import beginning, bundle_folder, open_engine, surroundings
from workflow.engine import Engine
from workflow.local.secret import secret
from workflow.local.settings import read_settings
from workflow.machine.hosts import check_host
from workflow.model.errors import UsageError
from workflow.store.sqlite import SqliteStore

SECRET = "mcp.key"
"""In the folder of the store: open questions outlive the process."""


@click.command(short_help="Serve an MCP client on stdin and stdout.")
@click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle that sessions are begun with; no client can name another.",
)
@click.option(
    "--host", shell_complete=complete_host, help="The program that the agent runs in: it decides how a run is watched."
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
    store = SqliteStore(settings.state_folder, verifies=True)
    kept = secret(settings.state_folder, SECRET)

    def opened() -> Engine:
        return open_engine(store=store, settings=read_settings(os.environ))

    def begun() -> dict[str, Any]:
        return beginning(read_settings(os.environ), bundle=bundle, host=host)

    def told(subject: str) -> str:
        service = opened().world.open_bundle(str(begun()["bundle"])).definition.service
        return surroundings(service, read_settings(os.environ), os.environ).told(subject)

    if console.interactive():
        console.remark("This speaks MCP, to a program; Ctrl-D ends it.", error=True)
    end_immediately("SIGINT")  # a thread that reads stdin would keep the process
    make_server(lambda: Desk(opened, begun, told, kept), known.title).run("stdio")
    return 0


@contextmanager
def library(command: str) -> Iterator[None]:
    """Imports within need the extra `mcp`; raises :class:`UsageError` where it is not installed."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio", "starlette", "uvicorn"):
            raise
        raise UsageError(f"`workflow {command}` needs the package mcp, version 2.3 or later", remedy("mcp")) from error
