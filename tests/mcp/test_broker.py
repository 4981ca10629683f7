"""The broker: the whole conversation over HTTP, and what comes to it by content."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.mcp.conftest import Place
from tests.mcp.host import Host, Person, all_phases, connected
from tests.mcp.wire import PICTURE, Served, content, dialled, serving
from workflow.mcp_server import spool as spools


def play(served: Served, era: str, talk: Any, token: str = "") -> Person:
    """A client with a token plays, and goes."""
    person, given = Person(), token or served.token()

    async def run() -> None:
        async with connected(dialled(served.url, given), era, person) as host:
            await talk(host)

    anyio.run(run)
    return person


def spooled(place: Place) -> list[Path]:
    """The files that the broker keeps."""
    return sorted((place.folder / "state-spool").glob("*/*"))


def test_all_phases(place: Place, era: str) -> None:
    """Each gate is asked by a form, the picture comes by content, and its bytes are those that are sent."""
    with serving(place) as served:
        person = play(served, era, lambda host: all_phases(host, content()))
        assert len(person.asked) == 3 and place.created() == 1
        (sent,) = [each for each in place.sandbox.requests if each.path.endswith("/upload")]
        assert PICTURE in sent.body
        assert "ref.png, 18 bytes, warm brass" in person.asked[0] and str(place.folder) not in "".join(person.asked)
        assert spooled(place) == []
