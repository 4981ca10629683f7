"""Attacks that are counted by `make page-attacks`, a few rounds of each, and page against chat."""

from __future__ import annotations

from pathlib import Path

from tests.page.attacks import ATTACKS, attack, race


def test_no_attack_answers_anything(tmp_path: Path) -> None:
    """Each is tried, and leaves every journal as it was; the true form still answers."""
    found = list(attack(tmp_path, 3))
    assert {name for name, _, _ in found} == set(ATTACKS) and {changed for _, _, changed in found} == {0}


def test_page_against_chat(tmp_path: Path) -> None:
    """One answer counts, and the other side is told."""
    found = race(tmp_path, 12)
    assert found["rounds"] == 12 == found["the chat came first"] + found["the page came first"]
    assert not found["not one answer, or somebody was not told"]
