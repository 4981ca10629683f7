"""Engines whose service is called in memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from phases.anygen.sandbox import SANDBOX_KEY
from tests.playing import HandClock, settings_in
from tests.walks.line import ADDRESS
from workflow.bundle import Bundle, open_bundle
from workflow.compose import open_engine
from workflow.engine import Engine, World
from workflow.model.ports import Connection, Service, Store


def engine_with(
    store: Store, folder: Path, service: Service, clock: HandClock | None = None, *, kept: bool = False
) -> Engine:
    """An engine on this store and service; files are named relative to ``folder``.

    Bundles are checked once in all, or (``kept``) as the store has kept them.
    """
    clock = clock or HandClock()
    world = open_engine(store=store, clock=clock, environ={}, settings=settings_in(folder)).world
    return Engine(
        World(
            store=store,
            clock=clock,
            open_bundle=world.open_bundle if kept else _checked,
            connect=lambda bundle, session: Connection(ADDRESS, lambda: service, lambda: SANDBOX_KEY),
            nonce=world.nonce,
            choose=world.choose,
            base=folder,
            home=folder,
        )
    )


@cache
def _checked(path: str) -> Bundle:
    return open_bundle(Path(path))
