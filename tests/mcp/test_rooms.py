"""Room for everybody: neither strangers nor one owner keep anybody else out, and nobody may be slow for long."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.mcp.conftest import Place
from tests.mcp.test_admission import LET_IN, LIST, post, reason
from tests.mcp.wire import Served, serving
from workflow.engine import refusals
from workflow.mcp_server import admission, connections, sockets
from workflow.model.session import Turn

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms that a test can fill."""
    monkeypatch.setattr(sockets.Sockets.__init__, "__kwdefaults__", {"strangers": 8, "of_one": 4})
    monkeypatch.setattr(connections.Connections.__init__, "__defaults__", (3,))


def dial(served: Served, sent: bytes = b"") -> socket.socket:
    """A connection on which this much was sent."""
    host, port = served.root.removeprefix("http://").split(":")
    made = socket.create_connection((host, int(port)), 10)
    made.settimeout(30)
    made.sendall(sent)
    return made


def closed(dialled: socket.socket) -> bool:
    """Whether the broker has closed it; waits for that."""
    try:
        return dialled.recv(1) == b""
    except ConnectionError:
        return True


def request(token: str, served: Served, method: str = "POST", length: int = 2) -> bytes:
    """The head of a request with a token."""
    host = served.root.removeprefix("http://")
    lines = [f"{method} /mcp HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}", f"Content-Length: {length}"]
    return "\r\n".join(
        [*lines, "Content-Type: application/json", "Accept: application/json, text/event-stream", "", ""]
    ).encode()


@contextmanager
def held(served: Served, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Many connections at once."""
    with ExitStack() as all_:
        yield [all_.enter_context(dial(served, sent)) for _ in range(count)]


HALF: dict[str, bytes] = {
    "silent": b"",
    "half a line": b"GET /health HT",
    "endless headers": b"GET /mcp HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 1000,
    "a body without a token": b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
}


@pytest.mark.parametrize("sent", HALF.values(), ids=HALF.keys())
def test_strangers_keep_nobody_out(place: Place, sent: bytes) -> None:
    """Three times as many as there is room for, and whoever comes then is heard: at /health, and with a token."""
    with serving(place) as served, held(served, 24, sent):
        token = served.token()
        for _ in range(3):
            assert httpx2.get(f"{served.root}/health", trust_env=False, timeout=30).status_code == 200
            assert post(served, token).status_code == LET_IN


def test_the_oldest_stranger_makes_room_for_the_newest(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine where there is room for eight: the first is closed by the ninth, long before its time is over."""
    monkeypatch.setattr(sockets, "HEADER_SECONDS", 600)
    with serving(place) as served, held(served, 9, b"") as strangers:
        strangers[0].settimeout(10)
        assert closed(strangers[0])
        strangers[1].setblocking(False)
        with pytest.raises(BlockingIOError):
            strangers[1].recv(1)


def test_a_known_connection_is_not_closed_for_strangers(place: Place) -> None:
    """What an owner holds is the owner's: a flood of strangers takes none of it."""
    with serving(place) as served:
        token = served.token()
        with dial(served, request(token, served) + b"{}") as known:
            assert known.recv(12) == b"HTTP/1.1 400"
            with held(served, 24, b""):
                known.sendall(request(token, served) + b"{}")
                rest = b""
                while b"HTTP/1.1 400" not in rest:
                    more = known.recv(65536)
                    assert more, "the connection was closed"
                    rest += more


@pytest.mark.parametrize("sent", ["silent", "half a line", "endless headers"])
def test_headers_have_little_time(place: Place, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose headers do not come is closed; so is a second request that begins and does not go on."""
    monkeypatch.setattr(sockets, "HEADER_SECONDS", 0.2)
    with serving(place) as served, dial(served, HALF[sent]) as dialled:
        assert closed(dialled)


def test_a_second_request_has_no_more_time_than_the_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was let in once may be slow no longer than anybody."""
    with serving(place) as served:
        token = served.token()
        with dial(served, request(token, served) + b"{}") as dialled:
            assert dialled.recv(12) == b"HTTP/1.1 400"
            monkeypatch.setattr(sockets, "HEADER_SECONDS", 0.2)
            dialled.sendall(b"POST /mcp HTTP/1.1\r\nHo")
            while dialled.recv(65536):
                continue


def test_a_body_has_its_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, with the reason; and the place that the request took is free again."""
    monkeypatch.setattr(admission, "BODY_SECONDS", 0.2)
    with serving(place) as served:
        token = served.token()
        with dial(served, request(token, served, length=100) + b"{") as dialled:
            assert dialled.recv(12) == b"HTTP/1.1 408"
        assert post(served, token).status_code == LET_IN


def test_an_owner_has_no_more_connections_than_their_room(place: Place) -> None:
    """The one that was idle for longest goes; where none is idle, the new one is told to wait. Others are not asked."""
    with serving(place) as served:
        one, other = served.token("one"), served.token("other")
        with ExitStack() as open_:
            for _ in range(6):
                dialled = open_.enter_context(dial(served, request(one, served) + b"{}"))
                assert dialled.recv(12) == b"HTTP/1.1 400"
            assert post(served, other).status_code == LET_IN
        with held(served, 4, request(one, served, length=100) + b"{"):
            answers = (post(served, one) for _ in range(100))  # until the four have been read
            refused = next(each for each in answers if each.status_code == 429)
            assert "too many connections" in reason(refused)
            assert post(served, other).status_code == LET_IN


def test_clients_that_never_say_goodbye_take_room_from_their_own_owner(place: Place) -> None:
    """The connection that was unused for longest is ended for a new one; another owner's stays."""
    with serving(place) as served:
        hello = {**LIST, "method": "initialize", "params": HELLO}
        one, two = served.token("one"), served.token("two")
        theirs = post(served, two, hello).headers["mcp-session-id"]
        opened = [post(served, one, hello).headers["mcp-session-id"] for _ in range(6)]
        codes = [post(served, one, mcp_session_id=each).status_code for each in opened]
        assert codes[:3] == [404] * 3 and 404 not in codes[3:]
        assert post(served, two, mcp_session_id=theirs).status_code != 404


def test_two_tokens_of_one_owner_share_a_pace(place: Place) -> None:
    """A further token is no further share."""
    from workflow.mcp_server.rate_limit import Pace

    with serving(place, pace=Pace(lambda: 0.0, burst=2, per_second=0.5)) as served:
        tokens = [served.token("a", owner="one"), served.token("b", owner="one"), served.token("c")]
        codes = [post(served, token).status_code for token in (tokens[0], tokens[1], tokens[0], tokens[1], tokens[2])]
        assert codes == [LET_IN, LET_IN, 429, 429, LET_IN]


def test_health_that_raises_is_not_well(place: Place) -> None:
    """A look that fails in a way that nobody foresaw is answered as a failure, never as ok."""

    def engine() -> Any:
        raise RuntimeError("a fault of ours")

    with serving(place, engine) as served:
        for _ in range(2):
            assert httpx2.get(f"{served.root}/health", trust_env=False, timeout=30).status_code >= 500


def test_refusals_are_recorded_within_bounds(quick: Place, tmp_path: Path) -> None:
    """A long one by digest and prefix; more than an hour's share not at all, and the last entry says so."""
    reply = quick.engine().start(
        Turn("start", {"words": "A poster"}), bundle=str(Path(__file__).parents[2]), sandbox=quick.sandbox.url
    )
    assert reply.session
    before = len(list(quick.store.entries(reply.session)))
    long = Turn("adjust", {"words": "x" * 200_000, "nothing": 1})
    for _ in range(refusals.MOST_AN_HOUR + 20):
        assert quick.engine().advance(reply.session, long).error
    found = quick.journal(reply.session, "refusal")
    assert len(found) == refusals.MOST_AN_HOUR and [each.get("last") for each in found] == [None] * 99 + [True]
    assert len(list(quick.store.entries(reply.session))) == before + refusals.MOST_AN_HOUR
    assert max(len(json.dumps(each)) for each in found) < 4096 and found[0]["given"]["bytes"] > 200_000
    quick.clock.pass_(3600)
    quick.engine().advance(reply.session, long)
    assert len(quick.journal(reply.session, "refusal")) == refusals.MOST_AN_HOUR + 1
