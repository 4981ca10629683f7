"""People in scenarios and walks: they answer by themselves, gain and lose roles, and every key of a gate is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.roles import YAML, write
from workflow.author.play import Played, play
from workflow.author.scenario_file import parse
from workflow.author.simulate import simulate
from workflow.author.stand import candidate
from workflow.model.errors import BundleFaults

BOARD = """
scenario: Two of the board sign a large report, and neither the employee nor one of them twice
given:
  people: {erin: [employee, board], max: [employee, manager], mona: [manager], ada: [board], bob: [board]}
when:
  - {send: start, input: {report: Trip to Bonn, amount: 4200, big: true}, then: {told: {employee: for_employee}}}
  - {send: submit, by: mona, quote: yes, then: {refused: does not hold the role 'employee'}}
  - {send: submit, by: erin, quote: I do, then: {state: a.boarding, told: {board: for_board}, say: [waiting]}}
  - {send: sign, quote: yes, then: {refused: by themselves}}
  - {send: sign, by: erin, quote: yes, then: {refused: who did not answer 'submitted'}}
  - {send: sign, by: ada, quote: yes, then: {state: a.boarding, say: [], log: [partial sign]}}
  - {send: sign, by: ada, quote: yes, then: {state: a.boarding, requests: {"*": 0}}}
  - {people: {ada: []}}
  - {send: sign, by: bob, quote: yes, then: {state: a.boarding, requests: {"*": 0}}}
  - {people: {ada: [board]}}
  - {send: reject, input: {reason: so}, then: {refused: is an answer of a member of the board}}
  - {send: reject, by: mona, input: {reason: so}, then: {refused: does not hold the role 'board'}}
  - {send: reject, by: ada, input: {reason: too much}, then: {state: a.rejected, text: [too much]}}
  - {send: change, input: {report: Trip to Bonn, amount: 4100}, then: {state: a.submitting}}
  - {send: submit, by: erin, quote: I do}
  - {send: sign, by: ada, quote: yes, then: {state: a.boarding}}
  - {send: sign, by: bob, quote: yes, then: {state: over.done, requests: {POST /payments: 1}}}
"""
MANAGER = """
scenario: The manager approves, and who submitted is somebody else
given:
  people: {max: [employee, manager], mona: [manager]}
when:
  - {send: start, input: {report: Trip to Bonn, amount: 420}}
  - {send: submit, by: max, quote: I do, then: {told: {manager: for_manager}}}
  - {send: approve, by: max, quote: yes, then: {refused: who did not answer 'submitted'}}
  - {send: approve, quote: yes, strength: asked, then: {refused: by themselves}}
  - {send: reject, by: mona, input: {reason: no receipt}, then: {state: a.rejected}}
  - {send: change, input: {report: Trip to Bonn, amount: 419}}
  - {send: submit, by: max, quote: I do}
  - {send: approve, by: mona, quote: yes, then: {state: over.done, requests: {POST /payments: 1}}}
"""
KEYS = {
    "by of submitted": (", by: employee}", "}"),
    "by of the manager": ("by: manager, other_than: [submitted], ", ""),
    "by of the board": ("by: board, other_than: [submitted], least: 2, ", ""),
    "other_than of the manager": ("by: manager, other_than: [submitted], ", "by: manager, "),
    "other_than of the board": ("by: board, other_than: [submitted], ", "by: board, "),
    "least": ("least: 2, ", ""),
    "decline of the manager": ("other_than: [submitted], decline: reject}", "other_than: [submitted]}"),
    "decline of the board": ("least: 2, decline: reject}", "least: 2}"),
    "what the manager is told": ("say: {user: waiting, manager: for_manager}", "say: waiting"),
    "what the board is told": ("say: {user: waiting, board: for_board}", "say: waiting"),
    "what the employee is told": ("say: {user: listing, employee: for_employee}", "say: listing"),
    "a role": ("  board: a member of the board\n", ""),
    "the subject of the board": ("board_ok:   {subject: [report, amount], ", "board_ok:   {"),
}
"""Key of the bundle → what stands there, and what is left without it."""


def played(folder: Path, scenario: str) -> Played:
    """The scenario against the bundle in this folder."""
    return play(parse("people", scenario, "scenarios/people.yaml"), candidate(folder))


@pytest.mark.parametrize("scenario", [BOARD, MANAGER], ids=["board", "manager"])
def test_people_answer_by_themselves(tmp_path: Path, scenario: str) -> None:
    """Each is shown their own text, and their roles may change between two turns."""
    found = played(write(tmp_path), scenario)
    assert found.mismatches == ()
    assert any("by themselves: " in step.done for step in found.steps)


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_noticed_where_it_is_missing(tmp_path: Path, key: str) -> None:
    """Lint says so, or one of the two scenarios does not come as it says."""
    old, new = KEYS[key]
    assert YAML.count(old) == 1
    folder = write(tmp_path, YAML.replace(old, new))
    try:
        found = (*played(folder, BOARD).mismatches, *played(folder, MANAGER).mismatches)
        noticed = [each.what for each in found]
    except BundleFaults as faults:
        noticed = [*map(str, faults.problems)]
    assert noticed


def test_what_a_role_is_told_is_compared(tmp_path: Path) -> None:
    """Another message, another role, or none is a mismatch at its place."""
    wrong = MANAGER.replace("{manager: for_manager}", "{manager: for_board}")
    (found,) = played(write(tmp_path), wrong).mismatches
    assert (found.what, found.expected, found.got) == ("told", "manager: for_board", "manager: for_manager")
    assert found.place == "scenarios/people.yaml:7:49"


def test_who_sends_nothing_is_nobody() -> None:
    """`by` belongs to a turn with an event."""
    with pytest.raises(BundleFaults, match="'by' says who sends: it needs 'send'"):
        parse("x", "scenario: x\nwhen: [{listen: true, by: ada}]\n", "scenarios/x.yaml")


def test_walks_answer_for_people_and_break_nothing(tmp_path: Path) -> None:
    """Made-up people of every role answer, decline, and lose what they hold; walks get to the payment."""
    found = simulate(candidate(write(tmp_path)), walks=20, steps=40, seed=3)
    assert found.violation is None
    visited = {name for name, times in found.coverage.states.items() if times}
    assert {"over.done", "a.rejected", "a.boarding"} <= visited
