"""Whoever writes a bundle sees where its code broke: in scenarios and in walks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guarded import CANNOT_TELL, REFUSES, write
from tests.promises.test_faults_of_code import SAYS, working
from workflow.author.play import play_file
from workflow.author.simulate import simulate
from workflow.author.stand import candidate

SCENARIO = """
scenario: an order that is agreed to
when:
  - send: start
    input: {words: a poster}
  - send: approve
    quote: yes, please
"""


@pytest.mark.parametrize("place", ["then", "if"])
@pytest.mark.parametrize("how", ["misses a key", "gives nothing"])
def test_a_scenario_shows_the_guard_that_cannot_tell(tmp_path: Path, place: str, how: str) -> None:
    """The step does not come as it should, and has the traceback or the reason; with a guard that can tell it does."""
    folder = write(tmp_path / "guarded", place, CANNOT_TELL[how])
    (folder / "scenarios").mkdir()
    file = folder / "scenarios" / "order.yaml"
    file.write_text(SCENARIO)
    played = play_file(file, candidate(folder))
    assert [each for each in played.mismatches if each.what == "guard"], played
    told = "\n".join(played.transcript())
    assert ("KeyError: 'amount'" in told and "phases/odd.py" in told) if how == "misses a key" else "no verdict" in told
    write(folder, place, REFUSES if place == "then" else "return PASSES")
    assert play_file(file, candidate(folder)).passed


@pytest.mark.parametrize("place", ["then", "if", "say", "look"])
def test_a_walk_finds_the_guard_that_cannot_tell(tmp_path: Path, place: str) -> None:
    """It is broken there, with the traceback in the transcript."""
    folder = write(tmp_path / "guarded", place, CANNOT_TELL["misses a key"])
    found = simulate(candidate(folder), seed=1, walks=40, steps=20)
    assert found.violation is not None
    assert any("KeyError: 'amount'" in each for each in found.violation.broken)
    assert any("phases/odd.py" in line for line in found.violation.transcript)


def test_a_scenario_and_a_walk_show_the_action_that_failed(tmp_path: Path) -> None:
    """The datum that has no value, what sets it, and the line: an action's fault is the bundle's own as well."""
    folder = working(tmp_path / "working", "reads an unset datum")
    (folder / "scenarios").mkdir()
    file = folder / "scenarios" / "order.yaml"
    file.write_text(SCENARIO)
    played = play_file(file, candidate(folder))
    assert [each.what for each in played.mismatches] == ["trouble"]
    told = "\n".join(played.transcript())
    assert "phases/odd.py" in told and SAYS["reads an unset datum"] in told
    found = simulate(candidate(folder), seed=1, walks=40, steps=20)
    assert found.violation is not None
    assert any(SAYS["reads an unset datum"] in each for each in found.violation.broken)


def test_a_walk_of_the_sound_bundle_finds_nothing(tmp_path: Path) -> None:
    """What a guard does not need, it need not tell."""
    found = simulate(candidate(write(tmp_path / "guarded", "then", REFUSES)), seed=1, walks=10, steps=20)
    assert found.violation is None
