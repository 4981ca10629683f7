"""What an audit finds of a thousand random changes to a store, and the two classes that no chain shows alone."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.tampering import CHANGES, UNSEEN_ALONE, Figures, tamper, two_sessions
from workflow.history import audit


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """A thousand changes of ten classes; `make tampering` makes ten thousand."""
    with Sandbox(rounds=2, looks=2) as sandbox:
        play, other = two_sessions(tmp_path_factory.mktemp("tampering"), sandbox)
        head = audit.verify(play.engine, play.name).receipt
        made = tamper(play, other, head, rounds=1000, seed=20)
        assert audit.verify(play.engine, play.name).receipt == head
    return made


@pytest.mark.parametrize("change", [each.__name__ for each in CHANGES])
def test_every_change_is_found_with_the_head_known(figures: Figures, change: str) -> None:
    """Edits, gaps, swaps, copies, cuts, splices and a chain that was written anew: none passes."""
    assert figures.made[change] == 100
    assert figures.found[change] == 100


@pytest.mark.parametrize("change", [each.__name__ for each in CHANGES])
def test_what_a_chain_shows_without_a_head(figures: Figures, change: str) -> None:
    """All but a cut end and a full rewrite, where every copy was set back too: these need a receipt kept elsewhere."""
    alone = figures.found_alone[change]
    assert alone < 100 if change in UNSEEN_ALONE else alone == 100
    assert change != "rewrite" or alone == 0
