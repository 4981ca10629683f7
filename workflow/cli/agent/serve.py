"""``workflow serve``: the same turns over HTTP, for whoever has a token: the broker."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.agent.host_config import HOSTS, show_call
from workflow.cli.agent.mcp import SECRET, library, served_bundle
from workflow.cli.answer import announce
from workflow.cli.completion import complete_host
from workflow.compose import beginning, bundle_folder, open_engine, open_store, surroundings
from workflow.engine import Engine
from workflow.engine.timekeeper import Timekeeper, keeping_time
from workflow.local.secret import secret
from workflow.local.settings import Settings, read_settings
from workflow.local.tokens import Tokens
from workflow.machine.hosts import check_host
from workflow.machine.messages import visible
from workflow.machine.wishes import awaited
from workflow.model.errors import UsageError
from workflow.model.frozen import replace

PORT = 8760
LOOPBACK = "127.0.0.1"


@click.command(short_help="Serve MCP clients over HTTP, with tokens: the broker.")
@click.option("--bind", default=LOOPBACK, show_default=True, help="Address to serve on; others need a token first.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 = any free one.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="A further name that clients may call it by (repeatable)."
)
@served_bundle
@click.option(
    "--host",
    shell_complete=complete_host,
    help="The program that the agents run in: it decides how a session is watched.",
)
@click.option(
    "--print-config",
    "shown",
    type=click.Choice(list(HOSTS)),
    help="Print the entry with which this host calls the broker, and serve nothing.",
)
def serve(
    bind: str, port: int, allow_host: tuple[str, ...], bundle: str | None, host: str | None, shown: str | None
) -> int:
    """Serve the tools to MCP clients over streamable HTTP until SIGTERM or Ctrl-C; each request needs a token.

    It tells its address as a line, in a pipe as well. Turns that are under way when it is stopped come to their end.
    What is due in a session because nobody answered happens while it serves.

    \b
    Examples:
      workflow serve
      workflow serve --port 8761 --host openclaw
      workflow serve --bind 192.0.2.7 --allow-host broker.example
      workflow serve --print-config claude-code
    """
    with library("serve"):
        from workflow.mcp_server import broker as served
    if shown:
        show_call(shown, _called(bind, port, allow_host) + served.PATH)
        return 0
    settings = read_settings(os.environ)
    check_host(beginning(settings, bundle=bundle, host=host)["host"])  # what cannot be begun with is told now
    known = open_bundle(bundle_folder(bundle, settings)).definition
    tokens = Tokens(settings.own_folder)
    _check_tokens(tokens, bind)
    with ExitStack() as held:
        listener = held.enter_context(listen(bind, port))
        store = held.enter_context(closing(open_store(settings, verifies=True)))
        spool = held.enter_context(closing(served.Spool(_spool(settings))))

        def opened() -> Engine:
            return open_engine(store=store, settings=read_settings(os.environ))

        def begun() -> dict[str, object]:
            return beginning(read_settings(os.environ), bundle=bundle, host=host)

        def told(subject: str) -> str:
            """Paths of another user are none of a client's business."""
            service = opened().world.open_bundle(str(begun()["bundle"])).definition.service
            around = surroundings(service, read_settings(os.environ), os.environ)
            return replace(around, key="Key and store are the broker's.", store="").told(subject).rstrip()

        desk = served.Desk(opened, begun, told, secret(settings.state_folder, SECRET), spool)
        address, bound = listener.getsockname()[:2]
        known_as = served.names(address, bound, allow_host)
        tools = served.make_app(desk, known.title, tokens, known_as, waits=awaited(known))
        app = _with_page(tools, opened, settings, known_as)
        spool.sweep(opened)
        with keeping_time(Timekeeper(opened), _remark):
            served.serve(
                app, desk, listener, lambda: announce(f"serving http://{_shown(address)}:{bound}{served.PATH}")
            )
        spool.sweep(opened)
    return 0


def _remark(told: str) -> None:
    console.remark(visible(told), error=True)


def _with_page(tools: Any, opened: Callable[[], Engine], settings: Settings, hosts: Sequence[str]) -> Any:
    """The page beside the tools; without the extra `web`, the tools alone."""
    try:
        from workflow.web import serving
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("jinja2", "markupsafe", "cryptography"):
            raise
        return tools
    return serving.beside(serving.make_page(opened, settings), tools, hosts)


def _called(bind: str, port: int, names: tuple[str, ...]) -> str:
    """The address that clients call; raises :class:`UsageError` where it cannot be told beforehand."""
    if port == 0:
        raise UsageError("port 0 is any free one, which no entry can name", "Choose one with --port.")
    if not names and bind in ("0.0.0.0", "::"):
        raise UsageError(f"{bind} is every address, which no client can call", "Name the broker with --allow-host.")
    return f"http://{_shown(names[0] if names else bind)}:{port}"


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _check_tokens(tokens: Tokens, bind: str) -> None:
    """Elsewhere than on this machine nothing is served that nobody was given a token for."""
    if tokens.listed():
        return
    make = "`workflow-admin token new NAME` makes one"
    if not _is_loopback(bind):
        raise UsageError(f"there is no token, and {bind[:64]} can be reached by others", f"First: {make}.")
    console.remark(f"There is no token yet, so nobody can call; {make}, at any time.", error=True)


def _is_loopback(bind: str) -> bool:
    try:
        return bind == "localhost" or ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return False


def listen(bind: str, port: int) -> socket.socket:
    """Open from here on: whoever calls early waits, and a port that is taken is told before anything else."""
    try:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        return socket.create_server((bind, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{bind[:64]}, port {port}, cannot be served: {reason}", "Choose others with --bind and --port."
        ) from error


def _spool(settings: Settings) -> Path:
    """Beside the store's folder, from which no file is ever read."""
    return settings.state_folder.with_name(f"{settings.state_folder.name}-spool")
