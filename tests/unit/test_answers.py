"""The sandbox that YAML describes: which answer comes when, what can go wrong, and who may ask for it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from workflow.machine.definition import Definition
from workflow.model.errors import ActionError, BadResponse, NoAnswer
from workflow.model.frozen import replace
from workflow.service.http import Http
from workflow.service.sandbox.table import FAULTS, Answers

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "workflow": "tiny",
    "languages": ["en"],
    "service": {
        "base_url": "https://api.example",
        "sandbox": {
            "POST /orders": {"status": 201, "body": {"id": 7}},
            "GET /orders/all": {"body": {"count": 1}},
            "GET /orders/{id}": [
                {"status": 404, "body": {"error": "none"}},
                {"after": "POST /orders", "body": {"state": "new"}},
                {"after": "POST /orders", "body": {"state": "paid"}},
            ],
            "DELETE /orders/{id}.json": {"status": 204},
        },
    },
    "events": {},
    "trouble": {"else": "sorry"},
    "start": "a.b",
    "phases": {},
}
TINY = Definition.from_document(DOCUMENT)


@pytest.fixture
def twin() -> Iterator[Answers]:
    """A running one."""
    with Answers(TINY) as running:
        yield running


def asked(twin: Answers, method: str, path: str, key: str = "sandbox", **options: Any) -> tuple[int, Any]:
    """Status and JSON of one call through the guarded layer."""
    response = Http(twin.url, lambda: key).call(method, path, timeout=10, **options)
    return response.status, json.loads(response.body) if response.body else None


def test_answers_come_in_turn_and_the_last_for_ever(twin: Answers) -> None:
    """Those that wait for another call come once it was made, and only then."""
    assert [asked(twin, "GET", "/orders/7")[0] for _ in range(3)] == [404, 404, 404]
    assert asked(twin, "POST", "/orders", json={"n": 1}) == (201, {"id": 7})
    states = [asked(twin, "GET", "/orders/7")[1]["state"] for _ in range(3)]
    assert states == ["new", "paid", "paid"]
    assert asked(twin, "GET", "/orders/all") == (200, {"count": 1})
    assert asked(twin, "DELETE", "/orders/7.json") == (204, None)


def test_what_is_not_in_the_table_is_not_there(twin: Answers) -> None:
    """Another method, another path, a segment more, a sign of a pattern that is none."""
    for method, path in (("PUT", "/orders"), ("GET", "/orders"), ("GET", "/orders/7/8"), ("DELETE", "/orders/7xjson")):
        assert asked(twin, method, path)[0] == 404, path


def test_what_was_asked_is_kept(twin: Answers) -> None:
    """Whole, oldest first."""
    asked(twin, "POST", "/orders", json={"n": 1}, query={"a": "b c"}, headers={"X-One": "1"})
    (seen,) = twin.requests
    assert (seen.method, seen.path, seen.query, seen.json) == ("POST", "/orders", {"a": "b c"}, {"n": 1})
    assert (seen.headers["x-one"], seen.headers["authorization"]) == ("1", "Bearer sandbox")


def test_only_the_sandboxs_key_is_taken() -> None:
    """In the header and form that the bundle's YAML says; a real key that strays here opens nothing."""
    elsewhere = replace(TINY.service, key_header="X-Token", key_scheme="", sandbox_key="s3")
    with Answers(replace(TINY, service=elsewhere)) as twin:
        assert asked(twin, "POST", "/orders", key="s3")[0] == 401
        response = Http(twin.url, lambda: "s3", key_header="X-Token", key_scheme="")
        assert response.call("POST", "/orders", timeout=10).status == 201
    with Answers(TINY) as twin:
        assert asked(twin, "POST", "/orders", key="another")[0] == 401


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_strikes_as_often_as_it_was_asked_for(twin: Answers, fault: str) -> None:
    """On the call that was named, and on no other; some are done all the same, and leave their traces."""
    twin.fault(fault, on="POST /orders")
    assert asked(twin, "GET", "/orders/all")[0] == 200
    try:
        struck: object = asked(twin, "POST", "/orders")
    except (ActionError, ValueError) as error:
        struck = type(error)
    assert (
        struck
        == {
            "server-error": (500, {"error": "internal error"}),
            "bad-gateway": json.JSONDecodeError,
            "rate-limited": (429, {}),
            "unauthorized": (401, {"error": "unauthorized"}),
            "drop-before": NoAnswer,
            "drop-after": NoAnswer,
            "redirect-302": BadResponse,
            "html-200": json.JSONDecodeError,
            "empty-object": (200, {}),
            "not-found": (404, {"error": "not found"}),
        }[fault]
    )
    done = fault in ("drop-after", "html-200", "empty-object")
    assert asked(twin, "GET", "/orders/7")[0] == (200 if done else 404)
    assert asked(twin, "POST", "/orders") == (201, {"id": 7})


def test_a_fault_that_cannot_be_is_refused(twin: Answers) -> None:
    """By name, by call and by number; and what was asked for can be forgotten."""
    for wrong in ({"name": "fire"}, {"name": "drop-after", "on": "GET /x"}, {"name": "drop-after", "times": 0}):
        with pytest.raises(ValueError, match="unknown fault|no such call|times"):
            twin.fault(**wrong)
    twin.fault("drop-after", times=5)
    twin.clear()
    assert asked(twin, "POST", "/orders")[0] == 201


def test_the_control_address_is_for_this_machine(twin: Answers) -> None:
    """Other processes arm faults and read what was asked; a page of another site does not."""

    def control(method: str, what: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        line = http.client.HTTPConnection("127.0.0.1", int(twin.url.rpartition(":")[2]), timeout=10)
        line.request(method, f"/__sandbox__/{what}", json.dumps(body) if body else None, headers)
        answer = line.getresponse()
        said = answer.status, json.loads(answer.read())
        line.close()
        return said

    status, told = control("POST", "faults", {"name": "unauthorized", "times": 2})
    assert (status, told["armed"]) == (200, [{"name": "unauthorized", "on": "*", "times": 2}])
    assert asked(twin, "POST", "/orders")[0] == 401
    assert control("GET", "faults")[1]["armed"][0]["times"] == 1
    assert control("DELETE", "faults")[1]["armed"] == []
    assert [each["path"] for each in control("GET", "requests")[1]["requests"]] == ["/orders"]
    for wrong in ({"name": "fire"}, {"nme": "x"}, ["x"]):
        assert control("POST", "faults", wrong)[0] == 400
    assert control("GET", "secrets")[0] == 400
    assert control("GET", "requests", Origin="https://elsewhere.example")[0] == 400
    assert control("GET", "requests", Host="elsewhere.example")[0] == 400
    assert len(twin.requests) == 1


def test_it_says_what_costs_something() -> None:
    """The declared calls whose effect is `once`, as requests are counted."""
    pay = {"method": "POST", "path": "/orders/{id}/payments", "effect": "once"}
    look = {"method": "GET", "path": "/orders/{id}", "effect": "read"}
    definition = Definition.from_document({**DOCUMENT, "actions": {"pay": pay, "look": look}})
    assert Answers(definition).PAID == ["POST /orders/*/payments"]


def test_it_starts_again_where_it_was() -> None:
    """Stopped and started, it has the same address and remembers what was done."""
    twin = Answers(TINY).start()
    url = twin.url
    assert asked(twin, "POST", "/orders")[0] == 201
    twin.stop()
    twin.stop()
    with twin:
        assert twin.start().url == url
        assert asked(twin, "GET", "/orders/7") == (200, {"state": "new"})
