"""The guard of every turn, and a payment that costs nothing but its record."""

from __future__ import annotations

from workflow import PASSES, Call, Done, Facts, Verdict, action, because, guard

LONGEST = 2000


@guard(reads=["words"])
def sensible(facts: Facts) -> Verdict:
    """Some words, and not too many."""
    words = str(facts.input.get("words", ""))
    return PASSES if 0 < len(words.strip()) <= LONGEST else because(f"say something, in at most {LONGEST} characters")


@action(effect="once", sets=["receipt"])
def pay(call: Call) -> Done:
    """No call leaves: what is measured is the intent before it and the result after it."""
    return Done({"receipt": "rc-7f3a9c2e11d4"})
