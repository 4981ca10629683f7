"""Pricing and booking a parcel."""

from __future__ import annotations

from typing import Any

from workflow import (
    PASSES,
    BadResponse,
    Call,
    Done,
    Effect,
    Facts,
    Form,
    Response,
    Verdict,
    action,
    because,
    error_of,
    guard,
    judge_answer,
)

HEAVIEST = 30


@guard(reads=["weight"])
def can_carry(facts: Facts) -> Verdict:
    """Couriers carry up to 30 kg."""
    weight = facts.input.get("weight")
    if not isinstance(weight, (int, float)) or not 0 < weight <= HEAVIEST:
        return because(f"the parcel must weigh more than 0 and at most {HEAVIEST} kg")
    return PASSES


@action(effect="read", sets=["quote_text", "price"])
def price(call: Call) -> Done:
    """Ask for a price."""
    answer = call.service.call("GET", "/price", query={"to": call.data["address"]}, timeout=5)
    found = checked("read", answer, "text", "cents")
    return Done({"quote_text": found["text"], "price": found["cents"]})


@action(effect="once", sets=["booking", "tracking", "where"])
def book(call: Call) -> Done:
    """Book it; this costs money."""
    answer = call.service.call("POST", "/bookings", json={"to": call.data["address"]}, timeout=5)
    number = checked("once", answer, "id")["id"]
    return Done({"booking": number, "tracking": f"{call.base_url}/track/{number}", "where": "depot"})


def checked(effect: Effect, answer: Response, *fields: str) -> dict[str, Any]:
    """The fields of a result; anything else raises what it means for a call of this effect."""
    try:
        body = answer.json()
    except BadResponse:
        body = None
    whole = body is not None and all(name in body for name in fields)
    form: Form = "foreign" if body is None else "refusal" if answer.status >= 400 else "result" if whole else "foreign"
    meaning = judge_answer(effect, answer.status, form)
    if meaning == "done" and body is not None:
        return body
    unknown = answer.status == 422 and meaning == "no"
    raise error_of(meaning, answer, f"no booking (HTTP {answer.status})", "invalid" if unknown else "upstream")
