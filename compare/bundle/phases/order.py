"""Planning an order and placing it."""

from __future__ import annotations

from workflow import ApiError, Call, Done, InDoubt, action


@action(effect="read", sets=["plan"])
def propose(call: Call) -> Done:
    """Ask for a plan; free."""
    return Done({"plan": _answer(call, "/plans", wish=call.data["wish"])["plan"]})


@action(effect="once", sets=["receipt"])
def place(call: Call) -> Done:
    """Order exactly the plan that was approved; this costs money."""
    answer = _answer(call, "/orders", plan=call.data["plan"])
    if "receipt" not in answer:
        raise InDoubt("ordered, but nobody knows as what")
    return Done({"receipt": answer["receipt"]})


def _answer(call: Call, path: str, **body: str) -> dict[str, str]:
    response = call.service.call("POST", path, json=body, timeout=60)
    if response.status >= 400:
        raise ApiError("the shop said no", "invalid")
    answer: dict[str, str] = response.json()
    return answer
