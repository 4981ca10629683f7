"""Phase 2: the plan, which the person confirms or changes."""

from __future__ import annotations

from workflow import PASSES, Facts, Verdict, because, guard


@guard(reads=["plan"])
def plan_ready(facts: Facts) -> Verdict:
    """The service has given its parameters, with a prompt in them (R40)."""
    plan = facts.data.get("plan") or {}
    return PASSES if str(plan.get("prompt") or "").strip() else because("there is no design plan yet")
