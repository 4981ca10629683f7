"""Pricing and booking a parcel."""

from __future__ import annotations

from workflow import PASSES, ApiError, Call, Done, Facts, InDoubt, Response, Verdict, action, because, guard

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
    answer = _checked(call.service.call("GET", "/price", query={"to": call.data["address"]}, timeout=5))
    return Done({"quote_text": answer["text"], "price": answer["cents"]})


@action(effect="once", sets=["booking", "tracking", "where"])
def book(call: Call) -> Done:
    """Book it; this costs money."""
    answer = _checked(call.service.call("POST", "/bookings", json={"to": call.data["address"]}, timeout=5))
    if "id" not in answer:
        raise InDoubt("booked, but nobody knows as what")
    return Done({"booking": answer["id"], "tracking": f"{call.base_url}/track/{answer['id']}", "where": "depot"})


def _checked(response: Response) -> dict[str, object]:
    answer = response.json()
    if response.status == 422:
        raise ApiError("no such address", "invalid")
    if response.status >= 400:
        raise ApiError("the depot is closed", "upstream")
    return answer
