"""Pricing and booking a parcel."""

from __future__ import annotations

from workflow import PASSES, Call, Done, Facts, Response, Verdict, action, because, guard, result_of

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
    found = result_of("read", answer, "text", "cents", kind=_kind(answer))
    return Done({"quote_text": found["text"], "price": found["cents"]})


@action(effect="once", sets=["booking", "tracking", "where"])
def book(call: Call) -> Done:
    """Book it; this costs money."""
    answer = call.service.call("POST", "/bookings", json={"to": call.data["address"]}, timeout=5)
    number = result_of("once", answer, "id", kind=_kind(answer))["id"]
    return Done({"booking": number, "tracking": f"{call.base_url}/track/{number}", "where": "depot"})


def _kind(answer: Response) -> str:
    """There is no such address; all else is the depot's own trouble."""
    return "invalid" if answer.status == 422 else "upstream"
