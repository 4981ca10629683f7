"""A slice of `make cuts` for every change: some cells for each client, era and transport."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest

from tests.cuts.__main__ import attempt
from tests.cuts.cells import CLIENTS, ERAS, TRANSPORTS, Cell, cells
from tests.cuts.client import node_path
from tests.cuts.play import Played
from tests.cuts.zygote import Zygote

CHOSEN = (
    "start after killed again",
    "answer during alive advance",
    "consent form killed status",
    "approve after restarted again",
    "news during alive status",
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


def missing(why: str) -> NoReturn:
    """What the test needs is not there: on a machine for CI that is a failure, elsewhere it is left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; on this machine the test must not be left out")
    pytest.skip(why)


def javascript(script: str) -> str:
    """What a line of JavaScript prints, with the packages of the clients."""
    if shutil.which("node") is None:
        missing("node is not here")
    environ = {**os.environ, "NODE_PATH": node_path()}
    ended = subprocess.run(["node", "-e", script], capture_output=True, text=True, env=environ, timeout=60)
    if ended.returncode != 0:
        missing("the TypeScript clients are not here; `make cuts` installs them")
    return ended.stdout


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
            "require.resolve('@modelcontextprotocol/client'); require.resolve('@modelcontextprotocol/sdk/types.js')"
        )
    few = chosen(client, era, transport)
    assert len(few) == len(CHOSEN)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda cell: attempt(cell, zygote), few))
    bad = [f"{cell}: {why}" for cell, each in zip(few, found, strict=True) for why in faults(each)]
    assert not bad, "\n".join(bad)


def test_the_first_sdk_speaks_the_first_era_only() -> None:
    """Otherwise the table would leave cells out."""
    spoken = json.loads(
        javascript(
            "console.log(JSON.stringify(require('@modelcontextprotocol/sdk/types.js').SUPPORTED_PROTOCOL_VERSIONS))"
        )
    )
    assert ERAS[0] in spoken and ERAS[1] not in spoken
