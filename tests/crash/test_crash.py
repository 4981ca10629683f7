"""A slice of ``make crash``: some points of each kind of step, drawn by a seed, and a short soak (promises 2 and 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.crash.matrix import Row, in_memory, strike
from tests.crash.points import BROKEN, FULL, KILL, Point, Strace, can_trace
from tests.crash.scenes import Scene, Step, reference, steps
from tests.crash.soak import soak
from tests.crash.zygote import Zygote

STEPS = steps(reference())
PAID = [step for step in STEPS if "create" in step.spends or "send" in step.spends]
DISK_CALLS = ["pwrite64", "fdatasync"]
traced = pytest.mark.skipif(not can_trace(), reason="strace is not here, or not allowed to trace")


def step_of(state: str, event: str) -> Step:
    """The step, which the bundle must declare."""
    return next(step for step in STEPS if (step.state, step.event) == (state, event))


def sound(row: Row) -> bool:
    """Nothing lost, doubled or wrong, and something struck."""
    assert not row.wrong, "\n".join(row.wrong)
    return row.points > 0 and row.lost == row.duplicated == 0


def test_the_steps_are_those_of_the_bundle() -> None:
    """Every action that is no mere reading is struck from every place that leads to it, and every way out of doubt."""
    definition, actions = reference().definition, reference().registry.actions
    spent = {action for step in STEPS for action in step.spends}
    assert spent == {name for name, action in actions.items() if action.effect != "read"}
    for gate in definition.needs("create"):
        assert any(definition.events[step.event].gate == gate for step in PAID if step.event in definition.events)
    doubts = {state.doubt for state in definition.states.values() if state.doubt}
    doubts |= {"revise.unsure", "revise.vanished", "over.image_unsure", "over.change_unsure"}
    assert {step.state for step in STEPS if not step.spends} == doubts - {"revise.searching"}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_each_step_can_be_struck_and_gone_on_from(tmp_path: Path, step: Step) -> None:
    """`make crash` strikes them all; a new state that nobody knows a way on from would end it in the middle."""
    assert sound(strike("failpoints", step, KILL, tmp_path, most=1, seed=9))


def test_killed_at_every_named_point_of_a_paid_turn(tmp_path: Path) -> None:
    """Died before the event: as before; between the intent and the result: in doubt; else gone on."""
    row = strike("failpoints", step_of("confirm.presenting", "approve"), KILL, tmp_path)
    assert sound(row)
    assert row.outcomes == {"as before": 7, "in doubt": 6, "went on": row.points - 13}


def test_killed_at_some_named_points_while_starting(tmp_path: Path) -> None:
    """A start that was cut short is finished by its repeat, in one session."""
    assert sound(strike("failpoints", step_of("", "start"), KILL, tmp_path, most=4, seed=3))


@traced
@pytest.mark.parametrize("fault", [KILL, FULL, BROKEN])
def test_struck_at_some_system_calls_of_a_paid_turn(tmp_path: Path, fault: str) -> None:
    """Whatever call the process dies at, or the disk or the network fails: nothing lost, nothing paid twice."""
    assert sound(strike("system calls", step_of("confirm.presenting", "approve"), fault, tmp_path, most=7, seed=5))


@traced
def test_struck_at_some_system_calls_of_a_turn_that_makes_everything(tmp_path: Path) -> None:
    """An upload and a paid call in one turn, killed."""
    assert sound(strike("system calls", step_of("revise.consenting", "consent"), KILL, tmp_path, most=4, seed=7))


@traced
@pytest.mark.parametrize("name", DISK_CALLS)
def test_a_disk_that_is_full_stops_the_paid_call(tmp_path: Path, name: str) -> None:
    """Where the intent cannot be stored the turn fails as the store's fault, says what to do, and nothing leaves."""
    step = step_of("confirm.presenting", "approve")
    with in_memory(tmp_path) as memory, Sandbox(rounds=2, looks=2) as sandbox:
        scene = Scene(step, tmp_path, memory, sandbox)
        scene.restore()
        before = len(sandbox.requests)
        with Zygote(tmp_path, scene.environ) as zygote:
            ended = Strace(tmp_path).strike(zygote, scene.command, scene.turn, Point(name, 1, FULL))
        assert ended.code == 1 and ended.reply
        error = ended.reply["error"]
        assert error["type"] == "store"
        assert "disk" in error["message"] and "free space" in error["hint"]
        assert len(sandbox.requests) == before


def test_a_short_soak() -> None:
    """Agents, a watcher and a person on one store, half of their processes killed: nothing lost, nothing paid twice."""
    found = soak(40, seed=11)
    assert not found.wrong, "\n".join(found.wrong)
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.killed and found.turns and found.processes == 40
