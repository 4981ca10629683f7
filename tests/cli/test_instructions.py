"""What an MCP client is told before its first call fits into what every host keeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from tests.unit.test_shipped_bundles import SHIPPED, opened
from workflow import mcp_server
from workflow.machine.wishes import awaited
from workflow.mcp_server import broker, make_server
from workflow.mcp_server.instructions import MOST, MOST_EVENTS, instructions
from workflow.model.translation import RULE

FORMS = {"mcp": ("mcp",), "serve": ("serve", "--port", "0")}
SAYS = ["workflow_start", "workflow_advance", "`seen`", RULE, "`who: person`", "it is over", "`in_doubt`", "Never wait"]
"""What no host may cut off, in this order."""


@pytest.fixture
def told(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The instructions of each server that a command makes; none of them serves."""
    found: list[str] = []

    def made(*args: Any, **more: Any) -> Any:
        server = make_server(*args, **more)
        found.append(server.instructions or "")
        monkeypatch.setattr(server, "run", lambda transport: None)
        return server

    monkeypatch.setattr(mcp_server, "make_server", made)
    monkeypatch.setattr(broker, "make_server", made)
    monkeypatch.setattr(broker, "serve", lambda *args: None)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SHIPPED)
def test_they_are_short_in_every_form(cli: Commands, told: list[str], name: str, form: str) -> None:
    """Of each bundle: at most 2,000 bytes, what matters most first, and the events that a wish can wait for."""
    bundle = opened(name)
    assert cli(*FORMS[form], "--bundle", str(bundle.path)).code == 0
    (text,) = told
    assert len(text.encode()) <= MOST == 2_000
    places = [text.find(each) for each in SAYS]
    assert places == sorted(places) and places[0] > 0
    events = ", ".join(f"`{each}`" for each in awaited(bundle.definition))
    assert (f"`for` one of {events}. " in text) == bool(events)
    assert ("base64" in text) == (form == "serve")


@pytest.mark.parametrize("letter", ["x", "漢"])
def test_a_long_path_of_the_store_cuts_nothing_else(
    cli: Commands, told: list[str], monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    """The first line gives way; the reply to `start` has it whole."""
    deep = Path(str(cli.folder), *[letter * (60 // len(letter.encode()))] * 6)  # a database takes some 500 bytes
    monkeypatch.setenv("PHASEGATE_STATE", str(deep))
    assert cli("mcp").code == 0
    (text,) = told
    assert len(text.encode()) <= MOST and all(each in text for each in SAYS)
    first = text.partition("\n")[0]
    assert first.startswith("A session that begins here") and first.endswith("…")


def test_more_events_than_there_is_room_for_are_left_to_the_refusal() -> None:
    """The sentence stays; which they are is told where a `note` names none of them."""
    many = [f"event_{number}" for number in range(MOST_EVENTS)]
    text = instructions("here", many, by_content=True)
    assert "`note`" in text and "event_" not in text and len(text.encode()) <= MOST
    assert "`note`" not in instructions("here", [], by_content=True)
