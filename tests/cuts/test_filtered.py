"""Clients that keep their environment to themselves: their user is told what the server works with instead."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cuts.cells import CLIENTS, WORDS, Cell, cells
from tests.cuts.client import Client
from tests.cuts.test_slice import zygote
from tests.cuts.zygote import Zygote
from tests.node import javascript
from workflow.local.settings import carried

__all__ = ["zygote"]
COMMAND = [sys.executable, "-P", "-m", "workflow", "mcp"]
KEY = "ag_key_of_the_user_0123456789"
SPOKEN = [(client, era) for client in CLIENTS for era in CLIENTS[client]]


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the user has set where the client runs."""
    with Sandbox(rounds=1) as sandbox:
        yield {
            "PHASEGATE_SANDBOX": sandbox.url,
            "PHASEGATE_STATE": str(tmp_path / "moved"),
            "ANYGEN_API_KEY": KEY,
        }


def cell_of(client: str, era: str) -> Cell:
    """Any cell of this client over a pipe: it says how the client is started."""
    return next(each for each in cells() if {client, era, "stdio", "start"} <= set(str(each).split()))


def began(zygote: Zygote, client: str, era: str, folder: Path, exported: dict[str, str], **address: Any) -> list[str]:
    """What the server says first of all, and the last notice of its first reply to a turn."""
    if client != "python":
        javascript("require.resolve('@modelcontextprotocol/client')", "make cuts")
    known = Client(cell_of(client, era), zygote, folder, {"command": COMMAND, **address}, exported)
    try:
        known.call("workflow_start", WORDS, 60.0)
        reply = known.answer()["answer"]
    finally:
        known.close()
    assert reply.get("sandbox", False) is bool(address)
    return [known.instructions.partition("\n")[0], reply["notices"][-1]]


@pytest.mark.parametrize(("client", "era"), SPOKEN)
def test_what_a_client_keeps_to_itself_is_told(
    zygote: Zygote, tmp_path: Path, exported: dict[str, str], client: str, era: str
) -> None:
    """The session is real, there is no key, and the store is the usual one: first of all, and with the session."""
    for told in began(zygote, client, era, tmp_path, exported):
        assert "is real: its calls reach https://www.anygen.io" in told and KEY not in told
        assert "There is no key in ANYGEN_API_KEY or ~/.config/anygen/config.json." in told
        assert told.endswith(f"The store is {tmp_path}/.local/state/phasegate.")


@pytest.mark.parametrize(("client", "era"), SPOKEN)
def test_what_an_entry_carries_over_arrives(
    zygote: Zygote, tmp_path: Path, exported: dict[str, str], client: str, era: str
) -> None:
    """With the variables that `--print-config` writes into it, the session is where its user wants it."""
    for told in began(zygote, client, era, tmp_path, exported, env=carried(exported)):
        assert f"runs in the sandbox at {exported['PHASEGATE_SANDBOX']}" in told
        assert told.endswith(f"The store is {exported['PHASEGATE_STATE']}.")
