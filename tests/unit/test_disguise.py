"""Readings of a text: the short way to them leads where the long one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workflow.machine import lookalikes as disguise


@given(text=st.text(st.characters(codec="ascii")))
def test_a_plain_text_has_no_other_reading(text: str) -> None:
    """Where the short way is taken, none of the steps of the long one would change anything."""
    steps = (*disguise._DECODINGS, disguise._without_tags, disguise._without_emphasis, disguise._without_backslashes)
    short = not disguise._WRITTEN.search(text)
    assert not short or all(step(text) == text for step in steps)
    assert (disguise.readings(text) == [text]) >= short
