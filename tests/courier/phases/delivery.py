"""Following a parcel."""

from __future__ import annotations

from workflow import PASSES, Call, Done, Facts, Verdict, action, because, guard, result_of


@guard(reads=["where"])
def arrived(facts: Facts) -> Verdict:
    """Whether it is there."""
    return PASSES if facts.data.get("where") == "door" else because("it is still on its way")


@action(effect="read", sets=["where"])
def track(call: Call) -> Done:
    """Look where it is."""
    path = str(call.data["tracking"]).removeprefix(call.base_url)
    answer = result_of("read", call.service.call("GET", path, timeout=5), "where", "percent")
    return Done({"where": answer["where"]}, progress=answer["percent"])
