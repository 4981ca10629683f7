"""``workflow-admin pause`` and ``unpause``: what they take, what they say, and where a pause is shown."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands

WHY = "the invoice is wrong"
ROOT = Path(__file__).resolve().parents[2]


def creates(sandbox: Sandbox) -> int:
    """How many images were ordered."""
    return sum((each.method, each.path) == ("POST", "/v1/openapi/tasks") for each in sandbox.requests)


def retried(cli: Commands, name: str) -> dict[str, Any]:
    """The reply to `retry` by an agent that reads first."""
    return cli.turn("advance", name, "retry", seen=cli("status", name, "--json").json["seen"])


@pytest.mark.parametrize("what", [["SESSION"], ["--bundle", "anygen-image"], ["--bundle", str(ROOT)], ["--all"]])
def test_what_is_paused_is_shown_and_goes_on(cli: Commands, sandbox: Sandbox, what: list[str]) -> None:
    """By every selector: the order is held back, `status`, `sessions` and `doctor` say so, and it goes on."""
    plan = cli.planned()
    what = [plan["session"] if each == "SESSION" else each for each in what]
    reply = cli.admin("pause", *what, "--why", WHY, "--json").json
    (pause,) = reply["paused"]
    assert reply["changed"] and (pause["why"], pause["who"]) == (WHY, pwd.getpwuid(os.getuid()).pw_name)
    error = cli.approved(plan)["error"]
    assert error["class"] == "paused" and WHY in error["message"]
    assert any(WHY in each for each in cli("status", plan["session"], "--json").json["notices"])
    assert cli("sessions", "--json").json["paused"] == [pause]
    checks = {each["name"]: each for each in cli("doctor", "--json").json["checks"]}
    assert checks["pause"]["state"] == "warning" and WHY in checks["pause"]["what"]
    assert creates(sandbox) == 0
    assert cli.admin("unpause", *what, "--json").json["paused"] == []
    assert retried(cli, plan["session"])["ok"] and creates(sandbox) == 1


def test_they_list_what_is_paused(cli: Commands, sandbox: Sandbox) -> None:
    """Without a name, and after each change; on a terminal in words."""

    def admin(*arguments: str) -> str:
        return " ".join(cli.admin(*arguments).out.split())

    name = cli.planned()["session"]
    assert admin("pause") == "Nothing is paused."
    assert f"{name} is paused" in admin("pause", name, "--why", WHY)
    told = admin("pause", "--all", "--why", "a second reason")
    assert told.startswith("✓ Everything is paused. Everything is paused since") and WHY in told
    assert "Everything was paused before" in admin("pause", "--all", "--why", "a third reason")
    listed = admin("unpause")
    assert listed == admin("pause") and "a third reason" not in listed and listed.count("is paused since") == 2
    told = admin("unpause", "--all")
    assert "a second reason" not in told and WHY in told
    assert WHY in " ".join(cli("sessions").out.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    {
        "no reason": (["pause", "--all"], "the reason is missing"),
        "an empty reason": (["pause", "--all", "--why", "  "], "the reason is missing"),
        "a long reason": (["pause", "--all", "--why", "x" * 501], "too long"),
        "a reason that hides": (["pause", "--all", "--why", "a\u202eb"], "is not text"),
        "nothing named": (["pause", "--why", WHY], "what is to be paused is missing"),
        "two things": (["pause", "--all", "--bundle", "anygen-image", "--why", WHY], "more than one thing"),
        "no such session": (["pause", "amber-foxx", "--why", WHY], "there is no session"),
        "no such bundle": (["pause", "--bundle", "anygen-imagee", "--why", WHY], "did you mean 'anygen-image'"),
        "not paused": (["unpause", "--all"], "everything is not paused"),
        "not paused by name": (["unpause", "amber-fox"], "amber-fox is not paused"),
    }.values(),
)
def test_nothing_is_paused_by_mistake(cli: Commands, sandbox: Sandbox, arguments: list[str], told: str) -> None:
    """Each wrong call says why, and changes nothing: a pause that holds nothing back would be relied on."""
    cli.planned()
    error = cli.admin(*arguments, "--json").error
    assert told in error["message"] and error["type"] in ("usage", "not_found")
    assert cli.admin("pause", "--json").json["paused"] == []


def test_a_call_that_is_out_is_named(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause stops it, and the person is told."""
    from workflow.engine.view import View
    from workflow.model.frozen import replace

    plan, listed = cli.planned(), View.sessions

    def out(view: View, **wanted: Any) -> list[Any]:
        if wanted.get("status") != "in_doubt":
            return listed(view, **wanted)
        return [replace(each, status="working") for each in listed(view, limit=10)]

    monkeypatch.setattr(View, "sessions", out)
    assert cli.admin("pause", "--all", "--why", WHY, "--json").json["out"] == [plan["session"]]
    cli.admin("unpause", "--all")
    assert f"not stopped: {plan['session']}" in cli.admin("pause", "--all", "--why", WHY).out


def test_the_limits_that_hold_are_shown(cli: Commands, sandbox: Sandbox) -> None:
    """By `config` with where each comes from, by `doctor` with what is left; what changes nothing is said."""
    file = cli.folder / "config" / "config.toml"
    file.write_text('[limits]\ncreate = {per = "24h", most = 1}\nupload = {per = "1h", most = 1}\n', encoding="utf-8")
    shown = cli("config", "--json").json
    assert {"name": "create", "value": "1 in 1d", "source": str(file)} in shown["limits"]
    assert "The configuration limits 'upload', which is not a paid call of this bundle." in shown["notices"]
    assert "most calls of" in cli("config").out
    plan, other = cli.planned(), cli.planned()
    assert cli.approved(plan)["ok"]
    error = cli.approved(other)["error"]
    assert error["class"] == "limited" and "the next one may leave at" in error["message"]
    checks = [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "limits"]
    assert any("create: 0 of 1 in 1d" in each["what"] for each in checks)  # sandbox calls use up no real limit
    assert any("upload" in each["what"] and each["state"] == "warning" for each in checks)


@pytest.mark.parametrize(
    "value",
    [
        "5",
        '"5"',
        '{per = "24h"}',
        "{most = 5}",
        '{per = "24h", most = 0}',
        '{per = "24h", most = true}',
        '{per = "5s", most = 1}',
    ]
    + [
        '{per = "366d", most = 1}',
        '{per = "soon", most = 1}',
        '{per = "24h", most = 1, of = 2}',
        "[1]",
        "{per = 1.5, most = 1}",
    ],
)
def test_a_limit_that_cannot_be_understood_stops_everything(cli: Commands, sandbox: Sandbox, value: str) -> None:
    """Nothing fails open: no turn is taken by a configuration whose limit is a guess."""
    (cli.folder / "config" / "config.toml").write_text(f"[limits]\ncreate = {value}\n", encoding="utf-8")
    error = cli("config", "--json").error
    assert error["type"] == "usage" and "the limit of 'create' cannot be understood" in error["message"]
    assert "most = 20" in error["hint"]
