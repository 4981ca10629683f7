"""Limits in a bundle: of paid calls, within a window that can be counted, and with words for a full one."""

from __future__ import annotations

import pytest

from tests.unit.test_lint import GOOD, problems
from workflow.model.errors import BundleFaults

WORDS = "trouble: {invalid: sorry, limited: sorry, else: sorry}"
AT = len(GOOD.splitlines()) + 1


def limited(text: str) -> str:
    """The good bundle with these limits, and words for a full one."""
    return GOOD.replace("trouble: {invalid: sorry, else: sorry}", WORDS) + f"limits: {text}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "as it should be": ("{order: {per: 24h, most: 20}}", []),
        "the shortest": ("{order: {per: 1m, most: 1}}", []),
        "the longest": ("{order: {per: 365d, most: 1}}", []),
        "unknown": ("{ordr: {per: 24h, most: 20}}", ["10: unknown action 'ordr'; did you mean 'order'?"]),
        "a file": (
            "{upload: {per: 24h, most: 20}}",
            ["10: 'upload' is repeatable: only calls whose effect is once can have a limit"],
        ),
        "two together": (
            "{orders: {of: [order, again], per: 24h, most: 20}}",
            ["31: unknown action 'again'"],
        ),
        "a file together": (
            "{orders: {of: [order, upload], per: 24h, most: 20}}",
            ["31: 'upload' is repeatable: only calls whose effect is once can have a limit"],
        ),
        "misspelt together": (
            "{orders: {of: [ordr, order], per: 24h, most: 20}}",
            ["24: unknown action 'ordr'; did you mean 'order'?"],
        ),
        "one together": (
            "{orders: {of: [order], per: 24h, most: 20}}",
            ["23: `of` counts two or more actions together; write a limit of one action below the action's name"],
        ),
        "none together": (
            "{orders: {of: [], per: 24h, most: 20}}",
            [
                "10: unknown action 'orders'; did you mean 'order'?",
                "23: `of` counts two or more actions together; write a limit of one action below the action's name",
            ],
        ),
        "twice together": (
            "{orders: {of: [order, order], per: 24h, most: 20}}",
            ["31: 'order' is there twice"],
        ),
        "named like an action": (
            "{order: {of: [order, order], per: 24h, most: 20}}",
            [
                "10: 'order' is an action: a limit with `of` needs a name of its own, such as order_together",
                "30: 'order' is there twice",
            ],
        ),
        "a name of its own": (
            "{The orders: {of: [order, order], per: 24h, most: 20}}",
            [
                "10: 'The orders' is not a name: write a-z, 0-9 and _, beginning with a letter",
                "35: 'order' is there twice",
            ],
        ),
        "too short": ("{order: {per: 59s, most: 20}}", ["23: `per` must be from 1m to 365d, not 59s"]),
        "nothing": ("{order: {per: 0, most: 20}}", ["23: `per` must be from 1m to 365d, not 0"]),
        "negative": ("{order: {per: -60, most: 20}}", ["23: `per` must be from 1m to 365d, not -60"]),
        "too long": ("{order: {per: 366d, most: 20}}", ["23: `per` must be from 1m to 365d, not 366d"]),
        "none at all": (
            "{order: {per: 24h, most: 0}}",
            ["34: `most` must be at least 1, not 0: an action that is never called needs no state"],
        ),
    }.values(),
)
def test_a_limit_is_of_a_paid_call_and_can_be_counted(text: str, expected: list[str]) -> None:
    """Each with its place, and what may have been meant."""
    assert problems(limited(text)) == [f"{AT}:{each}" for each in expected]


def test_a_full_limit_needs_words() -> None:
    """The service did not fail, so that `else` would tell the person something untrue."""
    (found,) = problems(GOOD + "limits: {order: {per: 24h, most: 20}}\n")
    assert "a bundle with `limits` says so where one is full: give `limited` a message" in found


@pytest.mark.parametrize("most", ["'20'", "true", "2.0", "2.5", "x", "[1]", "null"])
def test_the_most_is_a_whole_number(most: str) -> None:
    """One fault, in words of ours: 1 is not true, and a text counts nothing."""
    with pytest.raises(BundleFaults) as caught:
        problems(limited(f"{{order: {{per: 24h, most: {most}}}}}"))
    (fault,) = caught.value.problems
    assert fault.message.startswith(f"workflow.yaml:{AT}:34: 'most' must be a")


@pytest.mark.parametrize("text", ["{order: {per: 24h}}", "{order: {most: 20}}", "{order: 20}", "{order: null}"])
def test_half_a_limit_is_none(text: str) -> None:
    """Both belong to it."""
    with pytest.raises(BundleFaults):
        problems(limited(text))
