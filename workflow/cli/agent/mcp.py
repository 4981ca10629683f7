"""``workflow mcp``: the same turns for an MCP client, on stdin and stdout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.agent.extra import remedy
from workflow.cli.chosen import complete_bundle
from workflow.cli.completion import complete_host
from workflow.cli.signals import end_immediately
from workflow.compose import beginning, bundle_folder, open_engine
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
def mcp(bundle: str | None, host: str | None) -> int:
    """Serve the tools to an MCP client on stdin and stdout, until it closes them; a host starts this by itself.

    \b
    Examples:
      claude mcp add phasegate -- workflow mcp --host claude-code
      workflow mcp --bundle my-bundle
    """
    with library("mcp"):
        from workflow.mcp_server import Desk, make_server
    settings = read_settings(os.environ)
    check_host(beginning(settings, bundle=bundle, host=host)["host"])  # what cannot be begun with is told now
    title = open_bundle(bundle_folder(bundle, settings)).definition.title
    store = SqliteStore(settings.state_folder, verifies=True)
    kept = secret(settings.state_folder, SECRET)

    def opened() -> Engine:
        return open_engine(store=store, settings=read_settings(os.environ))

    def desk() -> Desk:
        return Desk(opened, lambda: beginning(read_settings(os.environ), bundle=bundle, host=host), kept)

    if console.interactive():
        console.remark("This speaks MCP, to a program; Ctrl-D ends it.", error=True)
    end_immediately("SIGINT")  # a thread that reads stdin would keep the process
    make_server(desk, title).run("stdio")
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
