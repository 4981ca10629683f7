"""The page put together from this user's own files, and served: by itself on loopback, or beside the broker's tools."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence

from starlette.types import ASGIApp

from workflow.engine import Engine
from workflow.local.approvers import Approvers
from workflow.local.browsers import Browsers
from workflow.local.clock import SystemClock
from workflow.local.secret import secret
from workflow.local.settings import Settings
from workflow.mcp_server.admission import HEALTH, Admission
from workflow.mcp_server.broker import PATH, serve
from workflow.web.front import Front
from workflow.web.page import COMMAND, Page
from workflow.web.seals import Seals

SECRET = "page.key"
"""In the folder of the store: forms that are open outlive the process."""
PAIRING = "/pair?link="
"""Where a one-time link leads, before its secret."""


def make_page(
    open_engine: Callable[[], Engine], settings: Settings, *, link: str = COMMAND, alone: bool = False
) -> Page:
    """The page over this store. ``alone`` lets in one user who is nobody in particular; ``link`` makes new links.

    Raises :class:`StoreError` where its secret cannot be had.
    """

    def approvers() -> Mapping[str, Sequence[str]]:
        return {each.name: each.roles for each in Approvers(settings.own_folder, SystemClock()).known()}

    seals = Seals(secret(settings.state_folder, SECRET))
    clock = SystemClock()
    keys = None if alone else Approvers(settings.own_folder, clock)
    return Page(open_engine, seals, Browsers(settings.own_folder, clock), approvers, link, alone, keys)


def beside(page: Page, admission: Admission, hosts: Sequence[str]) -> Front:
    """The page and the broker's tools as one application."""
    app: ASGIApp = admission
    return Front(page, hosts, sockets=admission.sockets, beside=app, others=(PATH, HEALTH))


def serve_alone(page: Page, listener: socket.socket, hosts: Sequence[str], ready: Callable[[], None]) -> None:
    """Serve nothing but the page until SIGTERM or Ctrl-C."""
    serve(Front(page, hosts), _Nothing(), listener, ready)


class _Nothing:
    """Nobody waits for anything outside."""

    def stop(self) -> None:
        """There is nothing to end."""
