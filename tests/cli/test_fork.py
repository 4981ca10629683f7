"""``workflow fork`` and ``workflow replay``: an earlier point again, and every turn decided again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands

REFERENCE = Path(__file__).parents[2]


@pytest.fixture
def played(cli: Commands, sandbox: Sandbox) -> dict[str, Any]:
    """A session whose image was ordered."""
    return cli.approved(cli.planned())


def plan_entry(cli: Commands, name: str) -> str:
    """The number of the entry at which the plan was shown."""
    lines = cli("audit", "log", name, "--json").out.splitlines()
    return str(next(number for number, line in enumerate(lines, 1) if '"to":"confirm.presenting"' in line))


def test_fork_replies_as_a_turn_does(cli: Commands, played: dict[str, Any]) -> None:
    """The new session's name, its question put anew, and where it comes from."""
    ended = cli("fork", played["session"], "--at", plan_entry(cli, played["session"]))
    reply = ended.json
    assert (ended.code, reply["ok"], reply["state"]) == (0, True, "confirm.presenting")
    assert reply["session"] != played["session"]
    assert [said["id"] for said in reply["say"]] == ["plan"]
    assert reply["notices"][0].startswith(f"Forked from {played['session']}")
    assert cli("audit", "verify", reply["session"], "--json").code == 0
    again = cli("advance", reply["session"]).json
    assert again["say"] == []  # it was said, and confirmed


def test_fork_in_the_log(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """The log of a fork begins with where it comes from."""
    cli("fork", played["session"])
    name = cli("sessions", "--json", "--limit", "1").json["sessions"][0]["name"]
    out = " ".join(cli("audit", "log", name).out.replace("│ ", "").split())
    assert f"forked from {played['session']} at entry" in out


@pytest.mark.parametrize(("at", "code"), [("0", 2), ("1", 2), ("999", 2), ("x", 2)])
def test_fork_from_nowhere(cli: Commands, played: dict[str, Any], at: str, code: int) -> None:
    """An entry that is none is a usage error, and begins nothing."""
    ended = cli("fork", played["session"], "--at", at)
    assert (ended.code, ended.error["type"]) == (code, "usage")
    assert len(cli("sessions", "--json").json["sessions"]) == 1


def test_fork_of_no_session(cli: Commands) -> None:
    """A name that is none ends as everywhere."""
    assert cli("fork", "no-such").code == 5
    assert cli("replay", "no-such", "--json").code == 5


def test_replay_finds_nothing(cli: Commands, played: dict[str, Any], sandbox: Sandbox) -> None:
    """A session as it was: no difference, and not one request."""
    asked = len(sandbox.requests)
    ended = cli("replay", played["session"], "--json")
    found = ended.json
    assert (ended.code, found["ok"], found["differences"], found["error"]) == (0, True, [], None)
    assert (found["turns"], found["first"]) == (2, 1)
    assert found["pinned"] == found["used"]
    assert len(sandbox.requests) == asked


def test_replay_reports_differences(cli: Commands, played: dict[str, Any]) -> None:
    """Another bundle decides or words things otherwise: exit 3, each point with what was recorded and what is now."""
    other = cli.folder / "other"
    for name in ("phases", "prompts"):
        shutil.copytree(REFERENCE / name, other / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REFERENCE / "workflow.yaml", other)
    for prompt in (other / "prompts/en").glob("plan*.md"):
        prompt.write_text(prompt.read_text(encoding="utf-8") + "!", encoding="utf-8")
    ended = cli("replay", played["session"], "--bundle", str(other), "--json")
    assert ended.code == 3
    (difference,) = ended.json["differences"]
    assert (difference["kind"], difference["what"]) == ("message", "plan")
    assert ended.json["error"]["type"] == "refused"


def test_replay_on_a_terminal(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """One line says how much was decided again, and that nothing differs."""
    out = cli("replay", played["session"]).out
    assert f"✓ {played['session']}: 2 turns," in out and "nothing differs" in out
