"""Asking for an offer, and placing the order."""

from __future__ import annotations

from workflow import PASSES, Call, Done, Facts, Verdict, action, because, guard, result_of

SHORTEST = 3


@guard(reads=["wish"])
def wish_is_clear(facts: Facts) -> Verdict:
    """A wish of a few letters at least; the reason is for the agent."""
    wish = str(facts.input.get("wish", "")).strip()
    return PASSES if len(wish) >= SHORTEST else because("the wish says too little: ask the person what they want")


@action(effect="read", sets=["offer"])
def offer(call: Call) -> Done:
    """Ask what it costs."""
    answer = call.service.call("GET", "/offers", query={"for": call.data["wish"]}, timeout=10)
    return Done({"offer": result_of("read", answer, "text")["text"]})


@action(effect="once", sets=["number", "page"])
def place(call: Call) -> Done:
    """Place the order; this costs money. An answer without a number is doubt, and so is every answer but a clear no."""
    answer = call.service.call("POST", "/orders", json={"for": call.data["wish"]}, timeout=10)
    number = result_of("once", answer, "number")["number"]
    return Done({"number": number, "page": f"{call.base_url}/orders/{number}"})
