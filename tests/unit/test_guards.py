"""Guards: asked once, shown only what they declared, and shut when they break."""

from __future__ import annotations

from collections.abc import Callable

from workflow.machine.guards import BUILT_IN, holding, judge, recorded
from workflow.machine.registry import PASSES, Facts, Guard, Registry, Verdict, because


def registry(function: Callable[[Facts], Verdict], *reads: str) -> Registry:
    """One guard of a bundle, beside the built-in ones."""
    return Registry({}, {each.name: each for each in (*BUILT_IN, Guard("mine", frozenset(reads), function))})


def facts(**data: object) -> Facts:
    """Some data, and the same as input."""
    return Facts(data=data, input=data, settings={}, watched=True, in_doubt=False)


def test_a_guard_sees_only_what_it_declared() -> None:
    """Of the data and of the input."""
    seen: list[Facts] = []

    def look(given: Facts) -> Verdict:
        seen.append(given)
        return PASSES

    judge(registry(look, "words"), ["mine", "mine"], facts(words="a", secret="b"))
    assert [(each.data, each.input) for each in seen] == [({"words": "a"}, {"words": "a"})]


def test_a_guard_that_breaks_stays_shut() -> None:
    """A fault in a bundle opens no gate; what is told is the kind of fault, never its text."""

    def fail(given: Facts) -> Verdict:
        raise KeyError("sk-secret")

    verdicts = judge(registry(fail), ["mine"], facts())
    assert verdicts["mine"] == because("the guard 'mine' failed: KeyError")


def test_verdicts_are_recorded_with_their_reasons() -> None:
    """True, or why not; and as plain booleans for a choice."""
    verdicts = judge(registry(lambda given: because("no")), ["watched", "in_doubt", "mine"], facts())
    assert recorded(verdicts) == {"watched": True, "in_doubt": "nothing is in doubt", "mine": "no"}
    assert holding(verdicts) == {"watched": True, "in_doubt": False, "mine": False}
