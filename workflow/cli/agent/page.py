"""``workflow page``: the inbox of one user, in a browser on this machine."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, closing

import click

from workflow.cli import console
from workflow.cli.agent.mcp import library
from workflow.cli.agent.serve import LOOPBACK, listen
from workflow.cli.answer import announce
from workflow.cli.completion import complete_approver
from workflow.compose import open_engine, open_store
from workflow.engine import Engine
from workflow.local.approvers import Approvers
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings

PORT = 8770


@click.command(short_help="Answer in a browser on this machine: the page of one user.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 = any free one.")
@click.option(
    "--approver",
    metavar="NAME",
    shell_complete=complete_approver,
    help="Sign the browser in as this approver, who may answer for their roles.",
)
def page(port: int, approver: str | None) -> int:
    """Serve your inbox on this machine until SIGTERM or Ctrl-C, and print the link that signs your browser in.

    The link works once, for ten minutes. An answer is worth `asked`, with or without an approver.

    \b
    Examples:
      workflow page
      workflow page --approver alice
      workflow page --port 8771
    """
    with library("page", "web"):
        from workflow.web import serving
    settings = read_settings(os.environ)
    if approver:
        Approvers(settings.own_folder, SystemClock()).find(approver)
    with ExitStack() as held:
        listener: socket.socket = held.enter_context(listen(LOOPBACK, port))
        store = held.enter_context(closing(open_store(settings, verifies=True)))

        def opened() -> Engine:
            return open_engine(store=store, settings=read_settings(os.environ))

        made = serving.make_page(opened, settings, link="workflow page", alone=True)
        bound = listener.getsockname()[1]
        link = f"http://localhost:{bound}{serving.PAIRING}{made.browsers.invite(approver or '')}"
        hosts = [f"{name}:{bound}" for name in ("localhost", LOOPBACK)]
        console.remark("Ctrl-C ends it. The link works once, for ten minutes.", error=True)
        serving.serve_alone(made, listener, hosts, lambda: announce(f"open {link}"))
    return 0
