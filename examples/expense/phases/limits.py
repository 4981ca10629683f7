"""The house's limits, which YAML cannot compare."""

from __future__ import annotations

from workflow import PASSES, Facts, Verdict, because, guard

AT_ONCE, MANAGER = 50, 1000
"""Euro: up to the first a report is paid without anybody else, up to the second the manager's approval is enough."""
REJECTIONS = 3
"""With this many a report is refused for good."""


@guard(reads=["total"])
def tiny(facts: Facts) -> Verdict:
    """Nobody else has to approve it."""
    return _at_most(facts, AT_ONCE)


@guard(reads=["total"])
def small(facts: Facts) -> Verdict:
    """One approval is enough."""
    return _at_most(facts, MANAGER)


@guard(reads=["rejections"])
def too_often(facts: Facts) -> Verdict:
    """It was rejected as often as a report may be."""
    count = facts.data.get("rejections")
    refused = isinstance(count, (int, float)) and count >= REJECTIONS
    return PASSES if refused else because(f"the report was rejected fewer than {REJECTIONS} times")


def _at_most(facts: Facts, limit: float) -> Verdict:
    total = facts.data.get("total")
    if not isinstance(total, (int, float)) or total <= 0:
        return because("the books have no total for this report")
    return PASSES if total <= limit else because(f"the total is above {limit}")
