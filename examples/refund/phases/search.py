"""Reconciliation: was the refund made whose answer was lost?"""

from __future__ import annotations

from workflow import BadResponse, Call, Done, action


@action(effect="read", sets=["refund_id", "search"])
def find_refund(call: Call) -> Done:
    """Look for the refund by the name of the call in doubt, which went along as its idempotency key."""
    query = {"idempotency_key": call.intent or "none"}
    answer = call.service.call("GET", "/v1/refunds", query=query, timeout=30)
    found = answer.json().get("data") if answer.status == 200 else None
    if not isinstance(found, list):
        raise BadResponse(f"The list of refunds cannot be understood (HTTP {answer.status}).")
    names = [each["id"] for each in found if isinstance(each, dict) and isinstance(each.get("id"), str)]
    return Done({"refund_id": names[0], "search": "found"} if names else {"search": "missing"})
