"""What an answer means: every cell of effect × status × form × known or not, and every client held to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from phases.anygen.errors import check_answer
from tests.unit.test_declared import PAY, Recorder, perform
from workflow import ActionError, ApiError, BadResponse, Call, Done, Response, result_of
from workflow.engine.witness import Witness
from workflow.engine.work import passes
from workflow.machine.certainty import Form, Judgement, Known, judge_answer
from workflow.machine.definition import Effect, HttpAction
from workflow.machine.registry import Action
from workflow.model.errors import NoAnswer, Unreachable
from workflow.model.frozen import replace

EFFECTS: tuple[Effect, ...] = ("read", "repeatable", "once")
FORMS: tuple[Form, ...] = ("result", "refusal", "foreign")
KNOWN: tuple[Known | None, ...] = (None, "no", "busy")
STATUSES = (None, *range(100, 600))
FOUND = (401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504, 522)
"""Statuses that every client is tried with."""


def of_once(status: int | None, form: Form, known: Known | None) -> Judgement:
    """The rule for a paid call, in the words of the documentation."""
    if form == "result" and status in range(200, 300):
        return "done"
    clear = form == "refusal" and status in range(400, 500) and status not in (408, 409, 425, 429)
    told = form == "refusal" and known is not None and (status in range(200, 300) or status == 429)
    return "no" if clear or told else "doubt"


@pytest.mark.parametrize(("form", "known"), list(product(FORMS, KNOWN)))
def test_a_paid_call_is_certainly_not_done_by_this_rule_alone(form: Form, known: Known | None) -> None:
    """All statuses: two ways to be certain, one to be done, and doubt for everything else; nothing ever passes."""
    for status in STATUSES:
        assert judge_answer("once", status, form, known) == of_once(status, form, known), status


@pytest.mark.parametrize(("form", "known"), list(product(FORMS, KNOWN)))
def test_reading_is_never_in_doubt(form: Form, known: Known | None) -> None:
    """Whatever comes, it can be read again, until the service itself says a certain no."""
    for status in STATUSES:
        meaning = judge_answer("read", status, form, known)
        assert meaning in ("done", "no", "passing")
        assert meaning != "no" or form == "refusal", status
        assert (meaning == "done") == (judge_answer("once", status, form, known) == "done"), status


@pytest.mark.parametrize(("form", "known"), list(product(FORMS, KNOWN)))
def test_what_nobody_knows_of_a_paid_call_nobody_knows_of_another(form: Form, known: Known | None) -> None:
    """A repeatable call is done exactly where a paid one is, and is never certain where a paid one is in doubt.

    But for a declared conflict (409): the call can be made again, so that a wrong class costs nothing.
    """
    for status in STATUSES:
        meaning = judge_answer("repeatable", status, form, known)
        paid = judge_answer("once", status, form, known)
        assert (meaning == "done") == (paid == "done"), status
        assert meaning != "no" or paid == "no" or (status == 409 and known == "no"), status


def envelopes() -> Iterator[tuple[int, dict[str, Any], Form, Known | None]]:
    """Answers in AnyGen's own form and in others, with what they are."""
    for status in (200, 201, *FOUND):
        yield status, {"success": False, "error": "upstream request timeout"}, "refusal", None
        yield status, {"success": False, "error": "no", "code": 100004001}, "refusal", "no"
        yield status, {"success": False, "error": "wait", "code": 100004006}, "refusal", "busy"
        yield status, {"success": False, "error": "operation not allowed"}, "refusal", "no"
        yield status, {"code": 4101, "message": "login required"}, "refusal", "no"
        if status >= 400:
            yield status, {"message": "Forbidden"}, "foreign", None
            yield status, {"success": True, "task_id": "t"}, "foreign", None
            yield status, {}, "foreign", None


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(("status", "body", "form", "known"), list(envelopes()))
def test_the_hand_written_client_goes_by_it(
    effect: Effect, status: int, body: dict[str, Any], form: Form, known: Known | None
) -> None:
    """AnyGen's answers: certain, worth another try, or open, as the one function says."""
    with pytest.raises(ActionError) as raised:
        check_answer(effect, Response(status, {}, json.dumps(body).encode(), None))
    assert heard(raised.value) == judge_answer(effect, status, form, known)


def declared() -> Iterator[tuple[int, Any, Form, Known | None]]:
    """Answers to the declared action, whose `fails` names 402, 429, 503, 408 and a field."""
    named = (402, 408, 429, 503)
    told = {"final": True, "error": {"code": "card_declined"}}
    for status in (200, 402, *FOUND):
        yield status, told, "refusal", "no"
        yield status, b"<html>", "foreign", None
        yield status, None, "foreign", None
        yield status, {}, "refusal" if status in named else "foreign", "no" if status in named else None


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(("status", "body", "form", "known"), list(declared()))
def test_declared_calls_go_by_it(effect: Effect, status: int, body: Any, form: Form, known: Known | None) -> None:
    """The table is `fails`; what it does not name, or is not a JSON object, is nobody's refusal."""
    action: HttpAction = replace(PAY, effect=effect)
    with pytest.raises(ActionError) as raised:
        perform(action, Recorder(status, body))
    assert heard(raised.value) == judge_answer(effect, status, form, known)
    assert form == "refusal" or raised.value.kind == "upstream"


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("status", [200, 201, 302, *FOUND])
@pytest.mark.parametrize(
    ("body", "form"),
    [
        ({"error": "no"}, "refusal"),
        ({"error": "no", "id": 7}, "refusal"),
        ({"id": 7}, "result"),
        ({"id": 7, "error": None}, "result"),
        ({"message": "upstream request timeout"}, "foreign"),
        ([{"id": 7}], "foreign"),
        (b"<html>", "foreign"),
        (None, "foreign"),
    ],
)
def test_the_short_way_for_a_bundles_own_code_goes_by_it(effect: Effect, status: int, body: Any, form: Form) -> None:
    """`result_of` gives a result with its fields, and raises what every other answer means."""
    answer = Recorder(status, body).call("POST", "/orders")
    meaning = judge_answer(effect, status, form)
    if meaning == "done":
        assert result_of(effect, answer, "id") == body
        return
    with pytest.raises(ActionError) as raised:
        result_of(effect, answer, "id", kind="declined")
    assert heard(raised.value) == meaning
    assert (raised.value.kind, raised.value.status) == ("declined" if form == "refusal" else "upstream", status)


def heard(error: ActionError) -> Judgement:
    """What an error says."""
    return "no" if error.definite else "passing" if error.transient else "doubt"


def answering(status: int, body: bytes) -> Witness:
    """A service that gives one answer to everything."""
    return Witness(Recorder(status, body))


def claims(witness: Witness, error: ActionError, *methods: str) -> bool:
    """Whether an error can be certain that the code of a paid action raises behind these requests."""
    for method in methods:
        try:
            witness.call(method, "/orders", timeout=1)
        except ActionError:
            continue
    return witness.saw_no(error)


@pytest.mark.parametrize("status", [200, 302, *FOUND])
@pytest.mark.parametrize("body", [b"{}", b'{"error": "no"}', b"<html>", b""])
def test_no_client_can_be_surer_than_the_answer(status: int, body: bytes) -> None:
    """Whatever a bundle's code says of a paid call: only an answer that can be a certain no is one."""
    possible = body.startswith(b"{") and judge_answer("once", status, "refusal", "no") == "no"
    assert claims(answering(status, body), ApiError("no"), "POST") is possible
    assert not claims(answering(status, body), ActionError("no"), "POST")


def test_two_requests_of_one_paid_call_are_not_undone_by_the_answer_to_one() -> None:
    """The first may have been done; reading before it costs nothing."""
    assert claims(answering(400, b"{}"), ApiError("no"), "GET", "POST")
    assert not claims(answering(400, b"{}"), ApiError("no"), "POST", "POST")
    assert not claims(answering(400, b"{}"), ApiError("no"), "POST", "PUT", "GET")


class Broken:
    """A service whose calls end with this error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def call(self, method: str, path: str, **options: Any) -> Response:
        """No answer."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "certain"),
    [(Unreachable("x"), True), (NoAnswer("x"), False), (BadResponse("x"), False)],
)
def test_what_never_left_is_certain(error: ActionError, certain: bool) -> None:
    """And what may have left is not, whatever is raised afterwards."""
    assert claims(Witness(Broken(error)), ApiError("no"), "POST") is certain
    assert claims(Witness(Broken(error)), ActionError("no"), "POST") is certain


@pytest.mark.parametrize("effect", EFFECTS)
def test_only_reading_survives_an_odd_answer(effect: Effect) -> None:
    """A certain no and a fault of the bundle's own code end a look; an answer that makes no sense does not."""

    def perform(call: Call) -> Done:
        raise AssertionError(call)

    action = Action("x", effect, frozenset(), perform)
    cases: list[tuple[Callable[[], ActionError], bool]] = [
        (lambda: BadResponse("x"), effect == "read"),
        (lambda: BadResponse("x", transient=True), True),
        (lambda: NoAnswer("x"), effect == "read"),
        (lambda: ApiError("x"), False),
        (lambda: BadResponse("x", "internal"), False),
    ]
    for error, expected in cases:
        assert passes(action, error()) is expected
