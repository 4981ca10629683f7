"""Asking for an offer, and placing the order."""

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
    return Done({"offer": _checked("read", answer, "text")})


@action(effect="once", sets=["number", "page"])
def place(call: Call) -> Done:
    """Place the order; this costs money."""
    answer = call.service.call("POST", "/orders", json={"for": call.data["wish"]}, timeout=10)
    number = _checked("once", answer, "number")
    return Done({"number": number, "page": f"{call.base_url}/orders/{number}"})


def _checked(effect: Effect, answer: Response, field: str) -> Any:
    """The field that shows that it was done; of every other answer, what it means: after `place` mostly doubt."""
    try:
        body = answer.json()
    except BadResponse:
        body = {}
    form: Form = "refusal" if "error" in body else "result" if field in body else "foreign"
    meaning = judge_answer(effect, answer.status, form)
    if meaning == "done":
        return body[field]
    raise error_of(
        meaning, answer, f"the service answered HTTP {answer.status}", "invalid" if meaning == "no" else "upstream"
    )
