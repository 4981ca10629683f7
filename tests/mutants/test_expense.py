"""Every key of the expense bundle is noticed where it is missing."""

from __future__ import annotations

from tests.mutants.expense import EXPLAINED, TESTED, quickly, tried


def test_every_key_is_noticed() -> None:
    """By the grammar, the terms of the procedure or lint; the few others are named, and only those."""
    mutants = tried()
    alive = {each.name for each in mutants if not quickly(each)}
    assert len(mutants) > 450 and alive == {*TESTED, *EXPLAINED}
