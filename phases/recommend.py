"""Recommendations of the all-in-one skill, said only if the user's configuration asks for them (R91–R94)."""

from __future__ import annotations

from workflow import PASSES, Facts, Verdict, because, guard


@guard()
def recommending(facts: Facts) -> Verdict:
    """The setting ``recommendations`` is on."""
    wanted = facts.settings.get("recommendations") is True
    return PASSES if wanted else because("recommendations are switched off in the configuration")


@guard()
def first_delivery(facts: Facts) -> Verdict:
    """The engine knows which delivery is the first; what is left to ask is whether to recommend (R94)."""
    return recommending(facts)
