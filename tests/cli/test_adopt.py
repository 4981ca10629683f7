"""``workflow-admin adopt``: on a terminal, by options, and what it says of a store that needs none."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands


@pytest.fixture
def plan(cli: Commands, sandbox: Sandbox) -> dict[str, Any]:
    """A session whose order is paid for, and not in the store that was restored."""
    plan = cli.planned()
    assert cli("backup", "copy.db", "--json").code == 0
    assert cli.approved(plan)["ok"]
    state = cli.folder / "state"
    for each in state.glob("phasegate.db*"):
        each.unlink()
    shutil.copy(cli.folder / "copy.db", state / "phasegate.db")
    return plan


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types lines at a terminal that this process takes for one."""

    def type_(*lines: str) -> None:
        monkeypatch.setattr("workflow.cli.console.interactive", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return type_


def creates(sandbox: Sandbox) -> int:
    """How many images were ordered."""
    return sum((each.method, each.path) == ("POST", "/v1/openapi/tasks") for each in sandbox.requests)


def line_of(cli: Commands) -> str:
    """The one line of the ledger, as a person names it."""
    (_, line, *_) = (cli.folder / "state" / "ledger.jsonl").read_text().splitlines()
    paid = json.loads(line)
    return f"{paid['session']}:{paid['entry'].split(':')[0]}"


def test_a_store_of_its_own_needs_none(cli: Commands, sandbox: Sandbox) -> None:
    """Nothing is asked, and nothing changes."""
    cli.approved(cli.planned())
    reply = cli.admin("adopt", "--json").json
    assert (reply["ok"], reply["adopted"], reply["reasons"], reply["lines"]) == (True, False, [], [])


def test_without_a_terminal_the_options_say_it_all(cli: Commands, plan: dict[str, Any], sandbox: Sandbox) -> None:
    """What they leave open is refused, with the line that is open; nothing is paid before or by it."""
    assert cli.approved(plan)["error"]["class"] == "set_back"
    for options in ((), ("--yes",)):
        error = cli.admin("adopt", *options, "--json").error
        assert error["type"] == "usage" and line_of(cli) in error["message"]
    for wrong in ("amber-fox:1=happened", f"{line_of(cli)}=maybe", "happened", ""):
        error = cli.admin("adopt", "--line", wrong, "--json").error
        assert line_of(cli) in error["hint"]
    assert cli.admin("adopt", "--all", "perhaps", "--json").error["type"] == "usage"
    reply = cli.admin("adopt", "--line", f"{line_of(cli)}=did-not-happen", "--json").json
    assert reply["adopted"] and reply["voided"] == [plan["session"]]
    assert (
        cli.turn("advance", plan["session"], "retry", seen=cli("status", plan["session"], "--json").json["seen"])[
            "state"
        ]
        == "confirm.presenting"
    )
    assert creates(sandbox) == 1


def test_a_copy_elsewhere_is_adopted_by_a_word(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is open, so that `--yes` says it all; without it nothing is done."""
    cli.planned()
    shutil.copytree(cli.folder / "state", cli.folder / "other")
    monkeypatch.setenv("PHASEGATE_STATE", str(cli.folder / "other"))
    assert "no other copy" in cli.admin("adopt", "--json").error["message"]
    assert cli.admin("adopt", "--yes", "--json").json["adopted"]
    assert not cli.admin("adopt", "--yes", "--json").json["adopted"]


def test_on_a_terminal_the_table_is_shown_and_each_line_is_asked(
    cli: Commands, plan: dict[str, Any], sandbox: Sandbox, typed: Any, terminal: None
) -> None:
    """The reasons, the call and its session; the person's word ends the session."""
    typed("y", "happened")
    shown = cli.admin("adopt")
    assert shown.code == 0
    assert "a copy that `workflow backup` made" in " ".join(shown.out.split())
    assert line_of(cli) in shown.out and "live" in shown.out
    assert f"Ended: {plan['session']}" in shown.out
    assert cli("status", plan["session"], "--json").json["status"] == "cancelled"


@pytest.mark.parametrize("lines", [("n",), ("y", "stop"), ("y", "")])
def test_who_stops_changes_nothing(
    cli: Commands, plan: dict[str, Any], sandbox: Sandbox, typed: Any, terminal: None, lines: tuple[str, ...]
) -> None:
    """No, stop, or Enter."""
    typed(*lines)
    assert "Nothing was changed." in cli.admin("adopt").out
    assert "is a copy" in cli("doctor").out


def test_many_lines_are_settled_together_or_one_by_one(
    cli: Commands, sandbox: Sandbox, typed: Any, terminal: None
) -> None:
    """The default is to look at each."""
    names = [cli.begun() for _ in range(3)]
    cli("backup", "copy.db")
    for name in names:
        seen = cli("status", name, "--json").json["seen"]
        cli("advance", name, "approve", "--input-file", cli.write({"evidence": {"quote": "yes"}, "seen": seen}))
    state = cli.folder / "state"
    for each in state.glob("phasegate.db*"):
        each.unlink()
    shutil.copy(cli.folder / "copy.db", state / "phasegate.db")
    typed("y", "one-by-one", "happened", "did-not-happen", "happened")
    out = cli.admin("adopt").out
    assert f"Ended: {names[2]}, {names[0]}" in out or f"Ended: {names[0]}, {names[2]}" in out
    assert f"Asked again: {names[1]}" in out


def test_doctor_names_a_foreign_store(cli: Commands, plan: dict[str, Any], sandbox: Sandbox) -> None:
    """With the way out; it is no longer named once the store was adopted."""
    found = {each["name"]: each for each in cli("doctor", "--json").json["checks"]}
    assert found["store"]["state"] == "bad" and "workflow-admin adopt" in found["store"]["hint"]
    cli.admin("adopt", "--all", "happened", "--json")
    found = {each["name"]: each for each in cli("doctor", "--json").json["checks"]}
    assert found["store"]["state"] == "ok"


def test_a_ledger_that_cannot_be_used_is_named(cli: Commands, sandbox: Sandbox) -> None:
    """By `doctor` and by `adopt`, which leaves it as it is."""
    cli.approved(cli.planned())
    ledger = Path(cli.folder / "state" / "ledger.jsonl")
    ledger.chmod(0o666)
    found = {each["name"]: each for each in cli("doctor", "--json").json["checks"]}
    assert "ledger.jsonl can be written by other users" in found["store"]["what"]
    assert "can be written by other users" in cli.admin("adopt", "--yes", "--json").error["message"]
    assert ledger.stat().st_mode & 0o777 == 0o666
