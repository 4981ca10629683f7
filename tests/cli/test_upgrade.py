"""``workflow upgrade-check`` and ``workflow-admin upgrade``: what a changed bundle means for live sessions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands

REFERENCE = Path(__file__).parents[2]
MAP = "confirm.presenting=confirm.showing"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the reference bundle."""
    folder = tmp_path / "bundle"
    for name in ("phases", "prompts"):
        shutil.copytree(REFERENCE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REFERENCE / "workflow.yaml", folder)
    return folder


@pytest.fixture
def plan(cli: Commands, bundle: Path, sandbox: Sandbox) -> dict[str, Any]:
    """A session of that bundle which waits for the approval of its plan."""
    return cli.turn("start", "--bundle", str(bundle), input={"words": "A poster"})


def rename(bundle: Path) -> None:
    """The state of the plan under another name."""
    yaml = bundle / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8").replace("confirm.presenting", "confirm.showing")
    yaml.write_text(text.replace("    presenting:", "    showing:"), encoding="utf-8")


def test_check_tells_what_would_stop(cli: Commands, plan: dict[str, Any], bundle: Path) -> None:
    """Before the change nothing stops; after it exit 3, with the reason and the command for each session."""
    before = cli("upgrade-check", "--json")
    assert (before.code, before.json["ok"]) == (0, True)
    assert before.json["sessions"] == [
        {"session": plan["session"], "state": "confirm.presenting", "outcome": "same", "problems": [], "command": ""}
    ]
    rename(bundle)
    after = cli("upgrade-check", "--json")
    assert after.code == 3
    (found,) = after.json["sessions"]
    assert found["outcome"] == "stops"
    assert found["problems"] == ["the state 'confirm.presenting' is gone"]
    assert found["command"] == f"workflow-admin upgrade {plan['session']} --map {MAP}"
    assert plan["session"] in after.json["error"]["message"]
    mapped = cli("upgrade-check", "--map", MAP, "--json")
    assert (mapped.code, mapped.json["sessions"][0]["outcome"]) == (0, "upgrades")


def test_check_of_a_bundle_that_is_not_in_place_yet(cli: Commands, plan: dict[str, Any], bundle: Path) -> None:
    """A candidate in another folder is checked without touching the one in use."""
    candidate = bundle.parent / "candidate"
    shutil.copytree(bundle, candidate)
    rename(candidate)
    assert cli("upgrade-check", "--json").code == 0
    assert cli("upgrade-check", "--bundle", str(candidate), "--json").code == 3


def test_check_of_a_broken_bundle(cli: Commands, plan: dict[str, Any], bundle: Path) -> None:
    """A bundle that cannot be read stops its sessions, and the others are still told."""
    other = cli.planned()
    (bundle / "workflow.yaml").write_text("format: [", encoding="utf-8")
    ended = cli("upgrade-check", "--json")
    assert ended.code == 3
    outcomes = {each["session"]: each["outcome"] for each in ended.json["sessions"]}
    assert outcomes == {plan["session"]: "stops", other["session"]: "same"}


def test_upgrade_takes_a_session_over(cli: Commands, plan: dict[str, Any], bundle: Path) -> None:
    """The turn that stopped names the command; after it the run goes on, and the log tells of the map."""
    rename(bundle)
    stopped = cli("advance", plan["session"])
    assert (stopped.code, stopped.error["type"]) == (2, "bundle")
    assert f"workflow-admin upgrade {plan['session']} --map {MAP}" in stopped.error["hint"]
    ended = cli.admin("upgrade", plan["session"], "--map", MAP, "--json")
    assert (ended.code, ended.json["state"]) == (0, "confirm.showing")
    assert cli("resume", plan["session"]).json["say"][0]["id"] == "plan"
    assert cli("audit", "verify", plan["session"], "--json").code == 0
    now = cli("status", plan["session"], "--json").json["seen"]
    assert cli.approved({**plan, "seen": now})["state"] == "deliver.generating"


def test_upgrade_on_a_terminal(cli: Commands, plan: dict[str, Any], bundle: Path, terminal: None) -> None:
    """A table, the command under it, and a line of the log for a person."""
    rename(bundle)
    shown = cli("upgrade-check")
    assert shown.code == 3
    flat = " ".join(shown.out.split())
    assert "stops" in flat and "is gone" in flat
    assert f"workflow-admin upgrade {plan['session']}" in flat
    cli.admin("upgrade", plan["session"], "--map", MAP)
    log = " ".join(cli("audit", "log", plan["session"]).out.replace("│ ", "").split())
    assert "a person took the session over into the changed bundle" in log
    assert "state: confirm.presenting → confirm.showing" in log


def test_check_without_sessions(cli: Commands, terminal: None) -> None:
    """Nothing to check is nothing to stop."""
    ended = cli("upgrade-check")
    assert ended.code == 0 and ended.out.startswith("There are no live sessions that it concerns in ")


@pytest.mark.parametrize(
    ("given", "told"),
    [("confirm", "is not a pair"), ("=confirm.showing", "is not a pair"), ("a.b=c.d", "no state 'c.d'")],
)
def test_a_map_that_is_none(cli: Commands, plan: dict[str, Any], bundle: Path, given: str, told: str) -> None:
    """What cannot be a map is a usage error, for the check and for the upgrade."""
    rename(bundle)
    for ended in (
        cli("upgrade-check", "--map", given, "--json"),
        cli.admin("upgrade", plan["session"], "--map", given, "--json"),
    ):
        assert (ended.code, ended.error["type"]) == (2, "usage")
        assert told in ended.error["message"]


def test_the_same_name_twice(cli: Commands, plan: dict[str, Any]) -> None:
    """Two new names for one old one are a slip."""
    ended = cli.admin("upgrade", plan["session"], "--map", MAP, "--map", MAP, "--json")
    assert "twice" in ended.error["message"]


def test_upgrade_where_nothing_changed(cli: Commands, plan: dict[str, Any]) -> None:
    """Nothing is recorded."""
    ended = cli.admin("upgrade", plan["session"], "--json")
    assert ended.code == 0 and ended.json["receipt"] == plan["receipt"]
    assert ended.json["notices"] == ["It goes by this bundle already; nothing was changed."]


def test_upgrade_of_no_session(cli: Commands) -> None:
    """A name that is none ends as everywhere."""
    assert cli.admin("upgrade", "no-such", "--json").code == 5
