"""AgentBarrier's own suite (PyPI), over an adapter of ours: all scenarios pass, and none is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from agentbarrier import RunnerOptions, SuiteRunner
from agentbarrier.models import ActionRequest, ScenarioStatus
from agentbarrier.scenarios import DEFAULT_SCENARIOS

from tests.agentbarrier.adapter import Phasegate
from tests.agentbarrier.bundle import written
from workflow.bundle import find_problems

LOOKUP = 3.0
SCENARIOS = tuple(each.scenario_id for each in DEFAULT_SCENARIOS)


def test_the_suite_is_the_one_that_is_known() -> None:
    """Eleven scenarios; a new version with more of them is tried in full."""
    assert len(SCENARIOS) >= 11


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_passes(tmp_path: Path, scenario: str) -> None:
    """Held for the whole run while anything is pending, which is the stricter of the suite's two profiles."""
    options = RunnerOptions(
        operation_timeout_seconds=90.0, tool_timeout_seconds=LOOKUP, strict_skips=True, scenarios=(scenario,)
    )
    (result,) = SuiteRunner(options).verify_sync(Phasegate(tmp_path, LOOKUP)).results
    assert result.status is ScenarioStatus.PASSED, (result.detail, result.finding)


@pytest.mark.parametrize("gated", [(True,), (False,), (True, False), (True, True), (True, True, False)])
def test_its_bundles_pass_lint(tmp_path: Path, gated: tuple[bool, ...]) -> None:
    """No gate of theirs is left out to please the suite: lint proves that no action happens without its own."""
    actions = [ActionRequest(f"run:{n}", "write", {"n": n}, each) for n, each in enumerate(gated)]
    (tmp_path / "bundle").mkdir()
    assert find_problems(written(tmp_path / "bundle", actions, 30.0, LOOKUP)) == []
