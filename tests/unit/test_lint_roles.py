"""What lint says of roles: each problem once, at its place, and none of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.roles import PROMPTS, YAML, write
from workflow.bundle import open_bundle
from workflow.model.errors import BundleFaults

MANAGER = "by: manager, other_than: [submitted], decline: reject}"
BOARD = "least: 2, decline: reject}"
PROBLEMS: dict[str, tuple[str, str, str]] = {
    "an unknown role": (
        MANAGER,
        MANAGER.replace("manager", "manger"),
        "unknown role 'manger'; did you mean 'manager'?",
    ),
    "a role that nobody asks": (
        "roles:\n",
        "roles:\n  clerk: the clerk\n",
        "no gate is answered `by` the role 'clerk'",
    ),
    "a role called user": (
        "  employee: the employee\n",
        "  user: you\n  employee: the employee\n",
        "'user' cannot be a role",
    ),
    "a role called else": (
        "  employee: the employee\n",
        "  else: me\n  employee: the employee\n",
        "'else' cannot be a role",
    ),
    "a role that is a guard": (
        "guards: {",
        "guards: {board: {datum: big, is: false}, ",
        "'board' is a guard, and cannot be a role",
    ),
    "a role without words": ("  employee: the employee\n", "  employee: ''\n", "the role 'employee' needs words"),
    "a weaker strength": (MANAGER, "strength: relayed, " + MANAGER, "so this `strength` changes nothing"),
    "other_than without by": ("told: {}", "told: {other_than: [submitted]}", "`other_than` needs `by`"),
    "other_than of an unknown gate": (
        "other_than: [submitted], decline",
        "other_than: [submited], decline",
        "unknown gate 'submited'",
    ),
    "other_than of nobody known": (
        "other_than: [submitted], decline",
        "other_than: [told], decline",
        "the gate 'told' has no `by`",
    ),
    "other_than of itself": (
        "other_than: [submitted], decline",
        "other_than: [manager_ok], decline",
        "`other_than` names other gates",
    ),
    "least without by": ("told: {}", "told: {least: 2}", "`least` needs `by`"),
    "least of none": (BOARD, BOARD.replace("2", "0"), "`least` is at least 1"),
    "least of half a person": (BOARD, BOARD.replace("2", "1.5"), "'least' must be"),
    "least of true": (BOARD, BOARD.replace("2", "true"), "'least' must be"),
    "least for each file": (
        "board_ok:   {subject: [report, amount], by: board, other_than: [submitted],",
        "board_ok:   {each: files, by: board, other_than: [submitted],",
        "a gate has `least` or `each`, not both",
    ),
    "least of people's own words": (
        "sign: {gate: board_ok}",
        "sign: {gate: board_ok, input: [report, amount]}",
        "`least` needs a question that is shown",
    ),
    "an unknown no": (MANAGER, MANAGER.replace("reject", "rejct"), "unknown event 'rejct'; did you mean 'reject'?"),
    "a no that is not possible": (
        "on: {approve: a.paying, reject: a.rejected,",
        "on: {approve: a.paying,",
        "a.managing asks the gate 'manager_ok', and 'reject' is not possible there",
    ),
    "a no with two texts": (
        "reject: {input: [reason]}",
        "reject: {input: [reason, report]}",
        "'reject' needs more than one text",
    ),
    "a no with a number": (
        "reject: {input: [reason]}",
        "reject: {input: [amount]}",
        "'reject' needs more than one text",
    ),
    "a no that is a yes": (
        "reject: {input: [reason]}",
        "reject: {input: [reason], gate: told}",
        "'reject' answers the gate 'told'",
    ),
    "a no that a guard stops": (
        "reject: {input: [reason]}",
        "reject: {input: [reason], if: large}",
        "a no always counts",
    ),
    "a no that only says": ("reject: {input: [reason]}", "reject: {say: waiting}", "'reject' moves nothing"),
    "a no where nobody is asked": (
        "on: {submit: a.sorting,",
        "on: {submit: a.sorting, reject: a.rejected,",
        "a.submitting asks no gate that it answers",
    ),
    "nothing told to the role": (
        "say: {user: waiting, manager: for_manager}",
        "say: waiting",
        "its `say` tells 'manager' nothing",
    ),
    "another role told": (
        "manager: for_manager}",
        "manager: for_manager, board: for_board}",
        "a.managing asks no gate by 'board'",
    ),
    "an unknown role told": (
        "manager: for_manager}",
        "manager: for_manager, clerk: for_board}",
        "unknown role 'clerk'",
    ),
    "no user told": (
        "say: {user: waiting, manager: for_manager}",
        "say: {manager: {large: for_manager, else: for_manager}}",
        "'say' by role needs 'user'",
    ),
    "an unknown guard of a role": (
        "manager: for_manager}",
        "manager: {huge: for_manager, else: for_manager}}",
        "unknown guard 'huge'",
    ),
    "a table of a role without else": ("manager: for_manager}", "manager: {large: for_manager}}", "needs `else`"),
    "an unknown message of a role": ("manager: for_manager}", "manager: for_manger}", "unknown message 'for_manger'"),
}
"""What is changed in a bundle that has no problem, and what lint says of it."""


def problems(folder: Path, yaml: str, prompts: dict[str, str] | None = None) -> list[str]:
    """Everything that lint says."""
    try:
        open_bundle(write(folder, yaml, prompts or PROMPTS))
    except BundleFaults as faults:
        return [str(each) for each in faults.problems]
    return []


def test_the_bundle_has_no_problem(tmp_path: Path) -> None:
    """So that whatever is said below comes from the change."""
    assert problems(tmp_path, YAML) == []


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_contradiction_is_told_at_its_place(tmp_path: Path, case: str) -> None:
    """With file, line and column of the key that is wrong."""
    old, new, expected = PROBLEMS[case]
    assert old in YAML
    yaml = YAML.replace(old, new, 1)
    if "files" in new:
        yaml = yaml.replace("big: flag}", "big: flag, files: files}")
    found = problems(tmp_path, yaml)
    assert any(expected in each and each.startswith("workflow.yaml:") for each in found), found


def test_a_role_is_shown_what_its_gate_is_about(tmp_path: Path) -> None:
    """The role's own message has to show the subject; what the user is told does not."""
    prompts = {**PROMPTS, "for_manager": "Do you approve $report?"}
    (only,) = problems(tmp_path / "role", YAML, prompts)
    assert "the message 'for_manager' does not show 'amount', which the gate 'manager_ok'" in only
    assert problems(tmp_path / "user", YAML, {**PROMPTS, "waiting": "It waits."}) == []


@pytest.mark.parametrize("gate", ["submitted", "manager_ok", "board_ok"])
def test_a_gate_that_is_not_there_is_a_problem_and_no_traceback(tmp_path: Path, gate: str) -> None:
    """Others name it: in `other_than`, as an event's gate, and where an event is the no to it."""
    lines = [line for line in YAML.splitlines() if not line.startswith(f"  {gate}:")]
    assert len(lines) == len(YAML.splitlines()) - 1
    with pytest.raises(BundleFaults) as faults:
        open_bundle(write(tmp_path, "\n".join(lines)))
    assert any(f"unknown gate '{gate}'" in str(each) for each in faults.value.problems)
