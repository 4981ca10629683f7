"""Every pair of people at a gate of two, in each order, with each role that is lost meanwhile: who pays, who not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from tests.roles import PEOPLE, Signing
from workflow.history.proof import prove

EVERYBODY = ("ada", "bob", "erin", "max", "nobody")
LOST = ("", "ada", "bob", "erin")
"""Who loses a seat on the board between the two answers."""


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    """One bundle and sandbox for all cells; each has a session of its own."""
    with Signing(tmp_path_factory.mktemp("attacks")) as running:
        yield running


def paid_in(signing: Signing, submitter: str, big: bool, *answers: tuple[str, str], lost: str = "") -> bool:
    """Whether the sandbox was asked to pay, once at most, and the log proves why."""
    signing.people, before = dict(PEOPLE), signing.paid
    signing.submitted(big=big, by=submitter)
    for number, (person, event) in enumerate(answers):
        if number == 1 and lost:
            signing.people["board"] = tuple(each for each in PEOPLE["board"] if each != lost)
        signing.answer(person, event)
    assert signing.paid - before <= 1
    assert prove(signing.play.engine, signing.play.name).holds
    return signing.paid > before


@pytest.mark.parametrize("submitter", PEOPLE["employee"])
def test_a_manager_who_did_not_submit_pays_and_nobody_else(signing: Signing, submitter: str) -> None:
    """All people, against what the bundle says in one line."""
    for person in EVERYBODY:
        allowed = person in PEOPLE["manager"] and person != submitter
        assert paid_in(signing, submitter, False, (person, "approve")) is allowed, (submitter, person)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("submitter", PEOPLE["employee"])
def test_two_of_the_board_pay_who_are_two_and_still_on_it(signing: Signing, submitter: str, lost: str) -> None:
    """Every ordered pair, one person twice among them."""
    for first, second in product(EVERYBODY, repeat=2):
        may = [each for each in PEOPLE["board"] if each not in (lost, submitter)]
        allowed = first != second and first in may and second in may
        told = (submitter, first, second, lost)
        assert paid_in(signing, submitter, True, (first, "sign"), (second, "sign"), lost=lost) is allowed, told
