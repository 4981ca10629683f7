"""What the house pays back: amounts and days, which YAML cannot compare."""

from __future__ import annotations

from workflow import PASSES, Facts, Verdict, because, guard

LIMIT = 100
"""In the currency of the payment; what is above it takes a second person."""
DAYS = 90
"""After these, nothing is paid back."""


@guard(reads=["amount"])
def payable(facts: Facts) -> Verdict:
    """An amount that can be paid: above nothing, in whole cents."""
    amount = facts.input.get("amount")
    if not isinstance(amount, (int, float)) or not 0 < amount < 1_000_000 or round(amount, 2) != amount:
        return because("the amount must be above 0, with at most two decimals")
    return PASSES


@guard(reads=["amount", "refundable", "age"])
def outside_policy(facts: Facts) -> Verdict:
    """More than is left of the payment, or too late."""
    data = facts.data
    outside = data["amount"] > data["refundable"] or data["age"] > DAYS
    return PASSES if outside else because("the refund is within the policy")


@guard(reads=["amount"])
def small(facts: Facts) -> Verdict:
    """Whoever asks may agree to it by themselves."""
    within = facts.data["amount"] <= LIMIT
    return PASSES if within else because(f"above {LIMIT} a second person has to agree")
