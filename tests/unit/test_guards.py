"""Guards: asked once, shown only what they declared, and shut when they break."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from workflow.machine.declared import Declared, Options
from workflow.machine.guards import BUILT_IN, holding, judge, recorded
from workflow.machine.registry import PASSES, Facts, Guard, Registry, Verdict, because
from workflow.model.errors import Undecidable, UndeclaredRead


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
    assert [(each.data["words"], each.input["words"]) for each in seen] == [("a", "a")]


READS = {
    "by key": lambda shown: shown["secret"],
    "by get": lambda shown: shown.get("secret"),
    "by in": lambda shown: "secret" in shown,
    "by iteration": list,
    "as a dict": dict,
    "by length": len,
    "by comparison": lambda shown: shown == {"words": "a"},
    "by its items": lambda shown: dict(shown.items()),
    "by its values": lambda shown: list(shown.values()),
}
"""Every way to look at what was not declared."""


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_an_undeclared_read_raises_at_the_access(read: Callable[[Declared], object]) -> None:
    """However it is read; the error names what to add."""
    shown = Declared("mine", frozenset({"words"}), {"words": "a", "secret": "b"})
    with pytest.raises(UndeclaredRead, match="the guard 'mine' (reads 'secret', which|(reads|counts) everything)"):
        read(shown)


def test_a_declared_datum_without_a_value_is_no_undeclared_one() -> None:
    """`get` gives the default, and `[]` raises as any mapping does."""
    shown = Declared("mine", frozenset({"words"}), {})
    assert (shown.get("words"), shown.get("words", "none"), "words" in shown) == (None, "none", False)
    with pytest.raises(KeyError):
        shown["words"]


def test_a_guard_sees_the_settings_that_the_bundle_has() -> None:
    """A setting under a wrong name is no setting that is off."""
    options = Options({"fast": True})
    assert options["fast"] and dict(options) == {"fast": True}
    with pytest.raises(UndeclaredRead, match="no setting 'fats'"):
        options.get("fats")


def test_a_guard_that_breaks_stays_shut() -> None:
    """A fault in a bundle opens no gate; what is told is the kind of fault, never its text."""

    def fail(given: Facts) -> Verdict:
        raise KeyError("sk-secret")

    verdicts = judge(registry(fail), ["mine"], facts())
    assert not verdicts["mine"].passes and verdicts["mine"].reason == "the guard 'mine' failed: KeyError"
    with pytest.raises(Undecidable, match="the guard 'mine' failed: KeyError"):
        holding(verdicts)


@pytest.mark.parametrize(
    "given",
    [Verdict("yes"), Verdict(1), Verdict(False, None), Verdict(True, "\ud800"), True, None, "passes"],  # type: ignore[arg-type]
    ids=repr,
)
def test_what_is_no_verdict_stays_shut(given: object) -> None:
    """A verdict is true or false, with a reason that the journal can hold; anything else tells nothing."""
    verdicts = judge(registry(lambda _: given), ["mine"], facts())  # type: ignore[arg-type,return-value]
    assert not verdicts["mine"].passes
    with pytest.raises(Undecidable, match="the guard 'mine' (failed|gave no verdict)"):
        holding(verdicts)


@pytest.mark.parametrize("where", ["data", "input"])
def test_a_read_that_a_guard_hides_is_no_read(where: str) -> None:
    """A guard that catches the refusal has decided without what it wanted to see."""

    def hide(given: Facts) -> Verdict:
        with suppress(UndeclaredRead):
            getattr(given, where)["secret"]
        return PASSES

    verdicts = judge(registry(hide, "words"), ["mine"], facts(words="a", secret="b"))
    with pytest.raises(Undecidable, match="the guard 'mine' failed: UndeclaredRead"):
        holding(verdicts)


def test_a_guard_behind_the_one_that_passes_decides_nothing() -> None:
    """A table is read from the left: what stands right of the first guard that passes may be as broken as it likes."""
    verdicts = judge(registry(lambda given: because("no")), ["watched", "unknown"], facts())
    assert holding(verdicts) == {"watched": True, "unknown": False}
    with pytest.raises(Undecidable):
        holding(dict(reversed(list(verdicts.items()))))


def test_verdicts_are_recorded_with_their_reasons() -> None:
    """True, or why not; and as plain booleans for a choice."""
    verdicts = judge(registry(lambda given: because("no")), ["watched", "in_doubt", "mine"], facts())
    assert recorded(verdicts) == {"watched": True, "in_doubt": "nothing is in doubt", "mine": "no"}
    assert holding(verdicts) == {"watched": True, "in_doubt": False, "mine": False}
