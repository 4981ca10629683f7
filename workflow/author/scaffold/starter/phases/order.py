"""Asking for an offer, and placing the order."""

from __future__ import annotations

from typing import Any

from workflow import PASSES, ApiError, Call, Done, Facts, InDoubt, Response, Verdict, action, because, guard

SHORTEST = 3


@guard(reads=["wish"])
def wish_is_clear(facts: Facts) -> Verdict:
    """A wish of a few letters at least; the reason is for the agent."""
    wish = str(facts.input.get("wish", "")).strip()
    return PASSES if len(wish) >= SHORTEST else because("the wish says too little: ask the person what they want")


@action(effect="read", sets=["offer"])
def offer(call: Call) -> Done:
    """Ask what it costs."""
    answer = _checked(call.service.call("GET", "/offers", query={"for": call.data["wish"]}, timeout=10))
    return Done({"offer": answer["text"]})


@action(effect="once", sets=["number", "page"])
def place(call: Call) -> Done:
    """Place the order; this costs money."""
    answer = _checked(call.service.call("POST", "/orders", json={"for": call.data["wish"]}, timeout=10))
    if "number" not in answer:
        raise InDoubt("ordered, but nobody knows under which number")
    return Done({"number": answer["number"], "page": f"{call.base_url}/orders/{answer['number']}"})


def _checked(answer: Response) -> dict[str, Any]:
    """A clear no is an `ApiError`; what cannot be understood raises by itself, and after `place` that is doubt."""
    if answer.status >= 500:
        raise ApiError("the service is out of order", "upstream", transient=True)
    if answer.status >= 400:
        raise ApiError("the service said no", "invalid")
    return answer.json()
