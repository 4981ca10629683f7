"""Every key of the expense bundle that says who approves, and when, is noticed where it is missing."""

from __future__ import annotations

from tests.mutants.expense import copy, quickly, tried

TESTED = {
    "gates.submitted.valid",
    "gates.stand_in_ok.decline",
    "gates.outcome_told.other_than",
    "gates.outcome_told.other_than[submitted]",
}
"""Noticed by tests of the example, which `make mutants` plays."""


def test_every_key_of_who_approves_and_when_is_noticed() -> None:
    """By the terms of the procedure or by lint; the few others are named, and only those."""
    with copy() as bundle:
        mutants = tried()
        alive = {each.name for each in mutants if not quickly(bundle, each)}
    assert len(mutants) > 100 and alive == TESTED
