"""``workflow lint``: every problem of a bundle with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands

COURIER = Path(__file__).parent.parent / "courier"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A bundle with three faults."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    text = text.replace("if: can_carry\n", "if: can_cary\n", 1).replace("say: offer", "say: ofer", 1)
    yaml.write_text(text, encoding="utf-8")
    (folder / "prompts" / "de" / "lost.md").unlink()
    return folder


def test_a_good_bundle_has_no_problems(cli: Commands) -> None:
    """Exit code 0 and an empty list."""
    ended = cli("lint", str(COURIER))
    assert (ended.code, ended.json) == (0, {"v": 1, "ok": True, "bundle": str(COURIER), "problems": [], "warnings": []})


def test_the_packaged_bundle_is_checked_without_an_argument(cli: Commands, terminal: None) -> None:
    """The reference bundle is the default, and has no problems."""
    ended = cli("lint")
    assert (ended.code, ended.out.split(" in ")[0]) == (0, "no problems")


def test_the_users_choice_is_checked_before_the_packaged_one(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, broken: Path
) -> None:
    """PHASEGATE_BUNDLE, by its whole path."""
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(broken))
    ended = cli("lint")
    assert (ended.code, ended.json["bundle"]) == (2, str(broken))


def test_all_problems_come_at_once_with_their_places(cli: Commands, broken: Path) -> None:
    """Path, line, column and message of each, as data."""
    ended = cli("lint", str(broken))
    problems = ended.json["problems"]
    assert (ended.code, ended.json["ok"]) == (2, False)
    lines = (broken / "workflow.yaml").read_text(encoding="utf-8").splitlines()
    guard = next(each for each in problems if "can_cary" in each["message"])
    assert lines[guard["line"] - 1][guard["column"] - 1 :].startswith("can_cary")
    assert "did you mean 'can_carry'?" in guard["message"]
    assert {"path", "line", "column", "message", "hint", "trace"} == set(guard)
    assert any("ofer" in each["message"] for each in problems)
    assert any("lost" in each["message"] for each in problems)


def test_on_a_terminal_each_problem_is_a_line(cli: Commands, broken: Path, terminal: None) -> None:
    """``path:line:col: message``, as editors read it."""
    out = cli("lint", str(broken)).out.splitlines()
    assert len(out) >= 3
    assert all(line.split(":")[1].isdigit() and line.split(":")[2].isdigit() for line in out)


@pytest.mark.parametrize("path", ["/nowhere", "/", "/tmp/\udcff", "/etc/passwd"])
def test_what_is_no_bundle_is_a_problem(cli: Commands, path: str) -> None:
    """A folder that is not there, or holds no bundle, is named; one reply, exit code 2."""
    ended = cli("lint", path)
    assert (ended.code, ended.json["ok"], len(ended.json["problems"])) == (2, False, 1)
