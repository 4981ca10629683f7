"""Sandboxes to build on: what is asked is recorded, what is to break breaks, and nothing is left."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox as Reference
from workflow.service.sandbox.protocol import Sandbox
from workflow.twin import Answer, Request, Twin


class Echo(Twin):
    """Says back what it was told."""

    PAID = ("POST /things/*",)

    def answer(self, request: Request) -> Answer:
        """The same once more."""
        return 200, {"path": request.path, "query": dict(request.query), "json": request.json}


@pytest.fixture
def echo() -> Iterator[Echo]:
    """One that listens."""
    with Echo() as running:
        yield running


def ask(twin: Twin, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(twin.url.removeprefix("http://"), timeout=10)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Authorization": "Bearer a-key"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_what_is_asked_is_answered_and_recorded(echo: Echo) -> None:
    """Path, query, body and key; oldest first."""
    status, body = ask(echo, "POST", "/things/1?of=two", {"a": [1]})
    assert (status, json.loads(body)) == (200, {"path": "/things/1", "query": {"of": "two"}, "json": {"a": [1]}})
    assert ask(echo, "GET", "/nothing")[0] == 200
    assert [(each.method, each.path, each.key) for each in echo.requests] == [
        ("POST", "/things/1", "a-key"),
        ("GET", "/nothing", "a-key"),
    ]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("refused", 422),
        ("unauthorized", 401),
        ("rate-limited", 429),
        ("server-error", 500),
        ("bad-gateway", 502),
        ("redirect", 307),
    ],
)
def test_a_fault_strikes_so_often_and_where_it_is_told_to(echo: Echo, fault: str, status: int) -> None:
    """The call that it names, as many times as it was asked for; then all is well."""
    echo.fault(fault, on="POST /things/*", times=2)
    found = [ask(echo, method, "/things/1")[0] for method in ("GET", "POST", "POST", "POST")]
    assert found == [200, status, status, 200]


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
def test_a_dropped_connection_is_one(echo: Echo, fault: str) -> None:
    """No answer comes, and the request is on record; cleared, it strikes no more."""
    echo.fault(fault, times=0)
    for _ in range(2):
        with pytest.raises(http.client.RemoteDisconnected):
            ask(echo, "POST", "/things/1")
    echo.clear()
    assert ask(echo, "POST", "/things/1")[0] == 200 and len(echo.requests) == 3


def test_half_an_answer_is_no_json(echo: Echo) -> None:
    """It arrives whole as far as HTTP knows."""
    echo.fault("truncated-json")
    status, body = ask(echo, "GET", "/things")
    with pytest.raises(ValueError, match="."):
        json.loads(body)
    assert status == 200


def test_every_fault_is_known_by_name(echo: Echo) -> None:
    """What the table says can be asked for; nothing else."""
    for name in echo.FAULTS:
        echo.fault(name)
    with pytest.raises(KeyError, match="earthquake"):
        echo.fault("earthquake")


def test_it_starts_again_where_it_was(echo: Echo) -> None:
    """A stop gives the port back, and a start takes it again; both may be said twice."""
    url = echo.url
    echo.stop()
    echo.stop()
    with pytest.raises(OSError, match="."):
        ask(echo, "GET", "/things")
    assert echo.start().start().url == url and ask(echo, "GET", "/things")[0] == 200


def test_both_are_sandboxes() -> None:
    """The reference's own and the one to build on are what scenarios and walks drive; the types say so."""
    made: list[Sandbox] = [Echo(rounds=1, looks=1), Reference(rounds=1, looks=1)]
    for each in made:
        assert set(each.SLOW) <= set(each.FAULTS) and each.PAID and not each.requests
