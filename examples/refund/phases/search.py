"""Reconciliation: was the refund made whose answer was lost?"""

from __future__ import annotations

from typing import Any

from workflow import BadResponse, Call, Done, Response, action, error_of, judge_answer


@action(effect="read", sets=["refund_id", "search"])
def find_refund(call: Call) -> Done:
    """Look for the refund by the name of the call in doubt, which went along as its idempotency key."""
    query = {"idempotency_key": call.intent or "none"}
    answer = call.service.call("GET", "/v1/refunds", query=query, timeout=30)
    found = _list(answer)
    meaning = judge_answer("read", answer.status, "foreign" if found is None else "result")
    if meaning != "done" or found is None:
        raise error_of(meaning, answer, f"The list of refunds cannot be understood (HTTP {answer.status}).")
    names = [each["id"] for each in found if isinstance(each, dict) and isinstance(each.get("id"), str)]
    return Done({"refund_id": names[0], "search": "found"} if names else {"search": "missing"})


def _list(answer: Response) -> list[Any] | None:
    """The refunds, None where the answer is no list of them."""
    try:
        found = answer.json().get("data")
    except BadResponse:
        return None
    return found if isinstance(found, list) else None
