"""A slice of `make cuts` for every change: some cells for each client, era and transport."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cuts.__main__ import attempt
from tests.cuts.cells import CLIENTS, DURING, ERAS, TRANSPORTS, Cell, cells
from tests.cuts.play import Played
from tests.cuts.zygote import Zygote
from tests.node import javascript

CHOSEN = (
    "start after killed again",
    "answer during alive advance",
    "consent form killed status",
    "approve after restarted again",
    "news during alive status",
    "watch before killed status",
    "audit before alive advance",
)
AT_ONCE = 3
"""Cells at once: other tests run beside them, and a call has a second to get where it is to be cut."""
COMBINATIONS = [(client, era, transport) for client in CLIENTS for era in CLIENTS[client] for transport in TRANSPORTS]


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Where servers and Python clients come from."""
    with Zygote() as running:
        yield running


def chosen(client: str, era: str, transport: str) -> list[Cell]:
    """The slice of one combination."""
    combined = {client, era, transport}
    wanted = [combined | set(each.split()) for each in CHOSEN]
    return [cell for cell in cells() if any(each <= set(str(cell).split()) for each in wanted)]


def faults(found: Played | str) -> list[str]:
    """What is wrong with a cell: why it was not played, or what came of it."""
    return [found] if isinstance(found, str) else [*found.why, *found.wrong]


@pytest.mark.parametrize(("client", "era", "transport"), COMBINATIONS)
def test_nothing_is_lost_or_said_twice(zygote: Zygote, client: str, era: str, transport: str) -> None:
    """Six cuts: each is played, what was owed has been read, nothing unmarked was read twice, one payment."""
    if client != "python":
        javascript(
            "require.resolve('@modelcontextprotocol/client'); require.resolve('@modelcontextprotocol/sdk/types.js')",
            "make cuts",
        )
    few = chosen(client, era, transport)
    assert len(few) == len(CHOSEN)
    _hold(zygote, few)


def test_each_call_can_be_held_during_its_work(zygote: Zygote) -> None:
    """A call that takes another way through the server would be cut nowhere, and its cells not played."""
    of_each = {
        cell.kind.name: cell for cell in cells() if {"during", "alive", "python", "stdio"} <= set(str(cell).split())
    }
    assert of_each.keys() == {cell.kind.name for cell in cells() if cell.cut == DURING}
    _hold(zygote, list(of_each.values()))


def _hold(zygote: Zygote, few: list[Cell]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda cell: attempt(cell, zygote), few))
    bad = [f"{cell}: {why}" for cell, each in zip(few, found, strict=True) for why in faults(each)]
    assert not bad, "\n".join(bad)


def test_the_first_sdk_speaks_the_first_era_only() -> None:
    """Otherwise the table would leave cells out."""
    spoken = json.loads(
        javascript(
            "console.log(JSON.stringify(require('@modelcontextprotocol/sdk/types.js').SUPPORTED_PROTOCOL_VERSIONS))",
            "make cuts",
        )
    )
    assert ERAS[0] in spoken and ERAS[1] not in spoken
