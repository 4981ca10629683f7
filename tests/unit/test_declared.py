"""Actions and guards that YAML declares: exactly what is sent, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.machine.declared_guard import DeclaredGuard
from workflow.machine.definition import Definition, HttpAction
from workflow.machine.registry import Call, Done, Facts, Registry
from workflow.model.errors import ActionError, ApiError, BadResponse
from workflow.model.frozen import replace
from workflow.model.ports import Response
from workflow.service.declared_calls import completed, fits, sent_by
from workflow.service.safe_target import harmless

KINDS = {
    "words": "text",
    "reply": "verbatim",
    "link": "url",
    "amount": "number",
    "urgent": "flag",
    "pictures": "files",
    "order_id": "internal",
    "state": "hidden",
}
PAY = HttpAction(
    "pay",
    "POST",
    "/orders/{order_id}/payments",
    "once",
    query={"lang": "en", "urgent": "{urgent}", "note": "{words}"},
    headers={"X-Reason": "{words}"},
    body={"amount": "{amount}", "currency": "EUR", "notify": {"now": "{urgent}", "text": "{reply}"}},
    sets={"link": "links.self", "order_id": "id"},
    fails={"declined": (402, {"error.code": "card_declined", "final": True}), "busy": (429, 503, 408)},
    timeout=12.0,
    idempotency="Idempotency-Key",
)
DATA = {"order_id": "o-1", "urgent": True, "words": "a gift", "amount": 12.5, "reply": "thanks {amount}"}
GOOD = {"id": 7, "links": {"self": "https://shop.example/7"}}


class Recorder:
    """A service that answers one thing, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: Any = None, headers: Mapping[str, str] = {}) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self._response = Response(status, headers, content, "req-1")

    def call(self, method: str, path: str, **options: Any) -> Response:
        """One request."""
        self.asked.append((method, path, options))
        return self._response


def registry(*declared: HttpAction | DeclaredGuard) -> Registry:
    """What is declared, and nothing in Python."""
    actions = {each.name: each for each in declared if isinstance(each, HttpAction)}
    guards = {each.name: each for each in declared if isinstance(each, DeclaredGuard)}
    document = {
        "format": 1,
        "workflow": "tiny",
        "languages": ["en"],
        "service": {"base_url": "https://shop.example", "sandbox": "phases.twin"},
        "events": {},
        "trouble": {"else": "sorry"},
        "start": "a.b",
        "phases": {},
        "data": KINDS,
    }
    definition = replace(Definition.from_document(document), actions=actions, guards=guards)
    return completed(Registry({}, {}), definition)


def perform(action: HttpAction, service: Recorder, data: Mapping[str, Any] = DATA, intent: str | None = "abc") -> Done:
    """The action's result."""
    call = Call(data, {}, service, "https://shop.example", None, lambda: b"", intent)
    return registry(action).actions[action.name].perform(call)


def failing(kind: type[ActionError], action: HttpAction, service: Recorder, **given: Any) -> ActionError:
    """How the action fails."""
    with pytest.raises(ActionError) as caught:
        perform(action, service, **given)
    assert type(caught.value) is kind, caught.value
    return caught.value


def test_a_request_says_what_is_declared_and_nothing_else() -> None:
    """Data with their own types, constants as they are; what a datum holds is never read as another name."""
    service = Recorder(201, GOOD)
    assert perform(PAY, service).data == {"link": "https://shop.example/7", "order_id": 7}
    assert service.asked == [
        (
            "POST",
            "/orders/o-1/payments",
            {
                "query": {"lang": "en", "urgent": "true", "note": "a gift"},
                "headers": {"X-Reason": "a gift", "Idempotency-Key": "abc"},
                "json": {"amount": 12.5, "currency": "EUR", "notify": {"now": True, "text": "thanks {amount}"}},
                "timeout": 12.0,
            },
        )
    ]
    assert sent_by(PAY) == ("order_id", "urgent", "words", "amount", "reply")


def test_what_is_empty_is_left_out_of_the_query() -> None:
    """And is null in a body, where its absence would mean something else."""
    service = Recorder(200, GOOD)
    plain = replace(PAY, headers={}, idempotency=None)
    perform(plain, service, {"order_id": 5.0, "words": "", "amount": None}, None)
    (_, path, options) = service.asked[0]
    assert path == "/orders/5/payments" and options["query"] == {"lang": "en"} and options["headers"] == {}
    assert options["json"]["amount"] is None


@pytest.mark.parametrize("value", ["", ".", "..", "...", "a/b", "a\\b", "%2e", "a b", "a\n", "a@b", None, {"a": 1}])
def test_a_value_that_is_no_segment_stops_the_call(value: Any) -> None:
    """Before anything leaves, so that nothing is in doubt."""
    service = Recorder(200, GOOD)
    error = failing(ActionError, PAY, service, data={**DATA, "order_id": value})
    assert (error.kind, error.definite, service.asked) == ("invalid", True, [])


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_whatever_a_datum_holds_the_path_stays_the_same_path(value: str | int | float | bool) -> None:
    """As many segments as were declared, whoever reads them; or nothing is sent."""
    service = Recorder(200, GOOD)
    try:
        perform(PAY, service, {**DATA, "order_id": value})
    except ActionError as error:
        assert error.kind == "invalid" and service.asked == []
    else:
        (_, path, _) = service.asked[0]
        assert harmless(path) and path.count("/") == 3
        assert path.startswith("/orders/") and path.endswith("/payments")


@pytest.mark.parametrize("value", ["two\nlines", "é", "", " padded", "x" * 2000, None])
def test_a_header_is_one_line_or_nothing_leaves(value: Any) -> None:
    """No value of a datum can begin another header."""
    service = Recorder(200, GOOD)
    assert failing(ActionError, PAY, service, data={**DATA, "words": value}).kind == "invalid"
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (402, {}, "declined", ApiError),
        (402, None, "upstream", BadResponse),
        (402, b"<html>", "upstream", BadResponse),
        (200, {"error": "upstream request timeout"}, "upstream", BadResponse),
        (200, {**GOOD, "final": True, "error": {"code": "card_declined"}}, "declined", ApiError),
        (400, {"final": True, "error": {"code": "card_declined"}}, "declined", ApiError),
        (500, {"final": True, "error": {"code": "card_declined"}}, "declined", BadResponse),
        (400, {"final": 1, "error": {"code": "card_declined"}}, "upstream", BadResponse),
        (400, {"error": "card_declined"}, "upstream", BadResponse),
        (429, {}, "busy", ApiError),
        (429, b"<html>", "upstream", BadResponse),
        (503, {}, "busy", BadResponse),
        (408, {}, "busy", BadResponse),
        (503, None, "upstream", BadResponse),
        (404, {}, "upstream", BadResponse),
        (500, {}, "upstream", BadResponse),
        (200, None, "upstream", BadResponse),
        (200, [GOOD], "upstream", BadResponse),
        (200, b"<html>", "upstream", BadResponse),
        (200, {"id": 7}, "upstream", BadResponse),
        (200, {"id": 7, "links": "https://shop.example"}, "upstream", BadResponse),
        (200, {"id": 7, "links": {"self": "javascript:alert(1)"}}, "upstream", BadResponse),
        (200, {"id": 7.5, "links": {"self": "https://shop.example"}}, "upstream", BadResponse),
        (200, {"id": True, "links": {"self": "https://shop.example"}}, "upstream", BadResponse),
        (200, {"id": "", "links": {"self": "https://shop.example"}}, "upstream", BadResponse),
    ],
)
def test_what_an_answer_means(status: int, body: Any, kind: str, error: type[ActionError]) -> None:
    """A refusal is definite only where it is declared, and where the service can know; all the rest is doubt."""
    found = failing(error, PAY, Recorder(status, body))
    assert (found.kind, found.definite, found.request_id) == (kind, error is ApiError, "req-1")


def test_a_busy_service_says_when_to_come_back() -> None:
    """Declared or not; a word is not a number of seconds."""
    for status in (429, 503, 502):
        for said, seconds in (("3", 3.0), ("soon", None), ("", None)):
            for effect in ("read", "repeatable"):
                with pytest.raises(ActionError) as caught:
                    perform(replace(PAY, effect=effect), Recorder(status, None, {"retry-after": said}))
                assert caught.value.transient and caught.value.retry_after == seconds
    for effect in ("read", "repeatable", "once"):
        with pytest.raises(ApiError) as refused:
            perform(replace(PAY, effect=effect), Recorder(402, {}))
        assert not refused.value.transient


def test_an_answer_that_nothing_is_taken_from_need_not_be_json() -> None:
    """204 is fine where no field is read; where one decides, it is no answer, and a page never is one."""
    silent = replace(PAY, sets={}, fails={"busy": (429,)})
    assert perform(silent, Recorder(204)).data == perform(silent, Recorder(200, {})).data == {}
    for page in (Recorder(200, b"<html>"), Recorder(200), Recorder(204, b"<html>")):
        assert failing(BadResponse, silent, page).definite is False
    assert failing(BadResponse, replace(silent, fails={"declined": ({"ok": False},)}), Recorder(204))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("verbatim", ["", "x"], [None, 1, [], True]),
        (
            "url",
            ["https://a.example/x", "http://a.example"],
            ["", "ftp://a", "https://a b", "https://é.example", "https://a/)[x](", 1],
        ),
        ("number", [0, -1, 2.5], [True, "1", None]),
        ("flag", [True, False], [0, 1, "true", None]),
        ("internal", ["x", 7], ["", None, 1.5, True, {}]),
        ("hidden", [None, "", 1, [], {}], []),
        ("text", [], ["x"]),
        ("files", [], [[]]),
    ],
)
def test_a_field_is_of_the_type_of_its_datum(kind: str, good: list[Any], bad: list[Any]) -> None:
    """Nothing is converted."""
    assert [value for value in good if not fits(kind, value)] == []
    assert [value for value in bad if fits(kind, value)] == []


@pytest.mark.parametrize(
    ("test", "wanted", "passing", "others"),
    [
        ("is", "on", ["on"], ["off", "", None, True]),
        ("is", 1, [1, 1.0], [True, "1", 2]),
        ("is", True, [True], [1, False, None]),
        ("not", "on", ["off", "", None], ["on"]),
        ("in", ["a", 2], ["a", 2], ["b", None, ""]),
        ("set", True, ["x", 0, False, ["y"], {"a": 1}], [None, "", [], {}]),
        ("set", False, [None, "", [], {}], ["x", 0, False]),
    ],
)
def test_what_a_guard_asks(test: str, wanted: Any, passing: list[Any], others: list[Any]) -> None:
    """One question about one datum; of an event's input first."""
    guard = registry(DeclaredGuard("g", "state", test, wanted)).guards["g"]
    assert guard.reads == {"state"}

    def holds(data: Mapping[str, Any], given: Mapping[str, Any] = {}) -> bool:
        return guard.judge(Facts(data, given, {}, watched=False, in_doubt=False)).passes

    for value, expected in [*((each, True) for each in passing), *((each, False) for each in others)]:
        assert holds({"state": value}) is holds({}, {"state": value}) is expected, value
        assert holds({"state": object()}, {"state": value}) is expected, value


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        (DeclaredGuard("g", "state", "is", "on"), "'state' is not on"),
        (DeclaredGuard("g", "state", "not", "secret-value"), "'state' is secret-value"),
        (DeclaredGuard("g", "state", "in", [1, 2]), "'state' is not 1 or 2"),
        (DeclaredGuard("g", "words", "set", True), "'words' is missing"),
        (DeclaredGuard("g", "order_id", "set", False), "'order_id' is there already"),
        (DeclaredGuard("g", "state", "is", "on", "switch it on first"), "switch it on first"),
    ],
)
def test_a_guard_says_why_not(guard: DeclaredGuard, reason: str) -> None:
    """In its author's words, or by what it asks; never by what the datum holds."""
    data = {"state": "secret-value", "order_id": "x"}
    verdict = registry(guard).guards["g"].judge(Facts(data, {}, {}, watched=False, in_doubt=False))
    assert (verdict.passes, verdict.reason) == (False, reason)
