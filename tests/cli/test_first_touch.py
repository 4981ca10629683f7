"""Commands that live long verify each whole journal when they first load it, and a log says what does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow import mcp_server
from workflow.mcp_server import Desk, broker
from workflow.model.errors import JournalTampered


@pytest.fixture
def edited(cli: Commands, sandbox: Sandbox) -> str:
    """A session with another word in an entry that is not the last one."""
    name = str(cli.planned()["session"])
    pen = apsw.Connection(str(cli.folder / "state" / "phasegate.db"))
    pen.execute("UPDATE entries SET body = replace(body, 'jazz', 'rock') WHERE seq = 2")
    pen.close()
    return name


def _mcp(cli: Commands, monkeypatch: pytest.MonkeyPatch, look: Callable[[Desk], object]) -> object:
    """What the command gives to the server that it makes."""
    found: list[object] = []

    class Server:
        def __init__(self, desk: Callable[[], Desk], title: str, waits: Sequence[str]) -> None:
            self.desk = desk

        def run(self, transport: str) -> None:
            found.append(look(self.desk()))

    monkeypatch.setattr(mcp_server, "make_server", Server)
    return cli("mcp"), found


def _serve(cli: Commands, monkeypatch: pytest.MonkeyPatch, look: Callable[[Desk], object]) -> object:
    found: list[object] = []

    def served(app: Any, desk: Desk, *rest: Any) -> None:
        found.append(look(desk))

    monkeypatch.setattr(broker, "serve", served)
    return cli("serve", "--port", "0"), found


@pytest.mark.parametrize("command", [_mcp, _serve], ids=["mcp", "serve"])
def test_a_server_refuses_an_edited_session_at_first_touch(
    cli: Commands, edited: str, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Any]
) -> None:
    """Any request, in any engine that the server opens: the store is one for all of them."""

    def look(desk: Desk) -> str:
        for _ in range(2):
            with pytest.raises(JournalTampered):
                desk.open_engine().status(edited)
        return "refused"

    assert command(cli, monkeypatch, look)[1] == ["refused"]


@pytest.mark.parametrize("options", [[], ["--announce-skip"], ["--json"]])
def test_a_watch_refuses_an_edited_session(cli: Commands, edited: str, options: list[str]) -> None:
    """Alone, and in a sub-agent's hands; a plain status of the same session shows its last entry only."""
    assert cli("status", edited).code == 0
    ended = cli("watch", edited, *options)
    assert ended.code == 1 and "content of entry 2" in ended.out + ended.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_log_that_does_not_hold_says_so(cli: Commands, edited: str, options: tuple[str, ...]) -> None:
    """It is shown all the same, as it is stored; no caller takes it for a sound one."""
    ended = cli("audit", "log", edited, *options)
    assert ended.code == 1 and "content of entry 2" in ended.err and len(ended.out.splitlines()) > 5
