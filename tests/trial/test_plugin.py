"""pytest collects scenarios as tests of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "workflow" / "author" / "scaffold" / "starter"
PLUGIN = ("-p", "no:phasegate", "-p", "workflow.author.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:randomly")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as somebody runs it elsewhere."""
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(folder), *PLUGIN, *arguments]
    return subprocess.run(
        [*command, str(folder)], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def test_scenarios_are_collected_and_pass(tmp_path: Path) -> None:
    """One test for each file; a YAML file that stands elsewhere is none."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "other.yaml").write_text("no: scenario\n", encoding="utf-8")
    (tmp_path / "bundle").symlink_to(STARTER)
    ended = run(tmp_path, "-v")
    assert ended.returncode == 0, ended.stdout
    assert "accepted.yaml::accepted PASSED" in ended.stdout and "2 passed" in ended.stdout


def test_a_failure_is_the_transcript(tmp_path: Path) -> None:
    """What was expected and what was there, without a traceback of ours."""
    for name in ("phases", "prompts", "workflow.yaml"):
        (tmp_path / name).symlink_to(STARTER / name)
    (tmp_path / "scenarios").mkdir()
    text = "scenario: x\nwhen:\n- {send: start, input: {wish: a bicycle}, then: {state: over.placed}}\n"
    (tmp_path / "scenarios" / "x.yaml").write_text(text, encoding="utf-8")
    ended = run(tmp_path)
    assert ended.returncode == 1
    assert "1 failed" in ended.stdout and "Traceback" not in ended.stdout
