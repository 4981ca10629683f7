"""``workflow-admin approver``, and answers that are proven by one."""

from __future__ import annotations

import io
import json
import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli import terminals
from tests.cli.conftest import Commands
from tests.playing import HandClock, configuration
from workflow.cli.people import approver
from workflow.local import approvers

RIGHT, WRONG, OTHER = "harbour lamp on water", "harbour lamp on fire!", "another lamp on water"


class Person:
    """Somebody at a terminal: ``seen`` is what they type in sight, ``unseen`` what the terminal hides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._unseen: list[str] = []
        self.asked: list[str] = []
        monkeypatch.setattr("workflow.cli.console.interactive", lambda: True)
        monkeypatch.setattr(approver, "getpass", self._hidden)

    def types(self, *seen: str, unseen: tuple[str, ...] = ()) -> None:
        """What will be typed next."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in seen)))
        self._unseen = list(unseen)

    def _hidden(self, label: str) -> str:
        self.asked.append(label)
        return self._unseen.pop(0)


@pytest.fixture
def person(cli: Commands, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody who has no passphrase yet; scrypt is cheap here."""
    monkeypatch.setattr(approvers, "COST", 2**4)
    return Person(monkeypatch)


@pytest.fixture
def alice(cli: Commands, person: Person) -> Person:
    """Somebody whose passphrase is set, where the plan takes nothing less."""
    person.types(unseen=(RIGHT, RIGHT))
    assert cli.admin("approver", "add", "alice", "--json").code == 0
    (cli.folder / "config" / "config.toml").write_text('[gates]\nuser_approved = "proven"\n', encoding="utf-8")
    return person


def entries(cli: Commands, session: str, kind: str) -> list[dict[str, Any]]:
    """The bodies of the session's entries of one kind."""
    found = [json.loads(line) for line in cli("audit", "log", session, "--json").out.splitlines()]
    return [entry["body"] for entry in found if entry["kind"] == kind]


def created(sandbox: Sandbox) -> int:
    """How often a paid call reached the service."""
    return sum(1 for request in sandbox.requests if (request.method, request.path) == ("POST", "/v1/openapi/tasks"))


def last(text: str) -> dict[str, Any]:
    """The reply behind what the terminal showed."""
    reply = json.loads(text[text.index('{"v"') :])
    assert isinstance(reply, dict)
    return reply


def everything(folder: Path) -> bytes:
    """All bytes that anything below the folder holds."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_an_answer_with_the_passphrase_is_proven(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """The gate that takes nothing less opens; the log says who, and holds nothing that was typed unseen."""
    plan = cli.planned()
    alice.types("y", "yes, that is the one", unseen=(RIGHT,))
    assert cli.admin("approve", plan["session"], "--json").code == 0
    (event,) = [body for body in entries(cli, plan["session"], "event") if body["evidence"]]
    (given,) = event["evidence"]
    assert (given["strength"], given["approver"], given["channel"]) == ("proven", "alice", "terminal")
    assert created(sandbox) == 1
    assert "user_approved (proven, terminal, alice," in cli("audit", "log", plan["session"]).out
    (proved,) = [
        each for claim in cli("audit", "prove", plan["session"], "--json").json["claims"] for each in claim["by"]
    ]
    assert proved["how"][:3] == ["proven", "terminal", "alice"]
    assert RIGHT.encode() not in everything(cli.folder)
    assert cli("audit", "verify", plan["session"], "--json").code == 0


def test_a_passphrase_among_the_words_is_never_kept(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """Who types it one question too early is told so, and the log holds nothing of it."""
    plan = cli.planned()
    alice.types("y", f"{RIGHT} oh no", unseen=(RIGHT,))
    told = cli.admin("approve", plan["session"], "--json")
    assert told.code == 2 and "your words hold the passphrase" in told.out + told.err
    assert created(sandbox) == 0
    assert RIGHT.encode() not in everything(cli.folder)


def test_a_wrong_one_is_recorded_slowed_down_and_no_answer(
    cli: Commands, sandbox: Sandbox, alice: Person, clock: HandClock
) -> None:
    """The log says who was claimed, never what was typed; the next one has to wait; then the right one opens it."""
    plan = cli.planned()
    for wrong, wait in ((1, 1), (2, 2)):
        alice.types("y", "yes", unseen=(WRONG,))
        ended = cli.admin("approve", plan["session"], "--json")
        reply = last(ended.out)
        assert (ended.code, reply["error"]["type"], reply["state"]) == (3, "refused", "confirm.presenting")
        assert "the passphrase of 'alice' is wrong" in reply["error"]["message"]
        assert reply["error"]["hint"] == f"The next one is looked at in {wait} s."
        body = entries(cli, plan["session"], "unproven")[-1]
        assert {name: value for name, value in body.items() if name != "nonce"} == {
            "event": "approve",
            "gate": "user_approved",
            "approver": "alice",
            "wrong": wrong,
            "channel": "terminal",
        }
        alice.types("y", "yes", unseen=(RIGHT,))
        early = cli.admin("approve", plan["session"], "--json")
        assert early.code == 3 and "too soon" in last(early.out)["error"]["message"]
        clock.pass_(wait)
    assert len(entries(cli, plan["session"], "unproven")) == 2 and created(sandbox) == 0
    told = " ".join(cli("audit", "log", plan["session"]).out.replace("│", "").split())
    assert "a wrong passphrase was given for 'alice', 2 times in a row" in told
    assert WRONG.encode() not in everything(cli.folder)
    alice.types("y", "yes", unseen=(RIGHT,))
    assert cli.admin("approve", plan["session"], "--json").code == 0
    assert created(sandbox) == 1 and cli("audit", "verify", plan["session"], "--json").code == 0


def test_without_the_passphrase_there_is_no_answer_where_it_is_needed(
    cli: Commands, sandbox: Sandbox, alice: Person
) -> None:
    """Enter gives none; nothing is recorded."""
    plan = cli.planned()
    alice.types("y", "yes", unseen=("",))
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 0 and "No answer was given" in ended.out
    assert cli("status", plan["session"]).json["receipt"] == plan["receipt"]


def test_where_less_is_enough_the_passphrase_may_be_left_out(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """Then the answer is asked, as without any approver; a wrong one is still none."""
    configuration(cli.folder / "config")
    plan = cli.planned()
    alice.types("y", "yes", unseen=(WRONG,))
    assert cli.admin("approve", plan["session"], "--json").code == 3
    alice.types("y", "yes", unseen=("",))
    assert cli.admin("approve", plan["session"], "--json").code == 0
    (event,) = [body for body in entries(cli, plan["session"], "event") if body["evidence"]]
    assert (event["evidence"][0]["strength"], event["evidence"][0]["approver"]) == ("asked", None)


def test_of_several_approvers_one_answers(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """By the option or by name; one's passphrase is not the other's, and an unknown name is told at once."""
    alice.types(unseen=(OTHER, OTHER))
    assert cli.admin("approver", "add", "bob", "--json").code == 0
    plan = cli.planned()
    alice.types()
    unknown = cli.admin("approve", plan["session"], "--approver", "carol", "--json")
    assert unknown.code == 2 and unknown.error["hint"] == "Known: alice, bob."
    alice.types("y", "yes", unseen=(RIGHT,))
    assert cli.admin("approve", plan["session"], "--approver", "bob", "--json").code == 3
    alice.types("y", "yes", "carol", "alice", unseen=(RIGHT,))
    assert cli.admin("approve", plan["session"], "--json").code == 0
    assert alice.asked[-1].startswith("Passphrase of alice")
    listed = cli.admin("approver", "list", "--json").json["approvers"]
    assert [(each["name"], each["wrong"], each["wait"]) for each in listed] == [("alice", 0, 0), ("bob", 1, 1)]


def test_where_nobody_has_a_passphrase_the_next_step_is_named(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """A gate that takes only what is proven names the command that makes it possible."""
    alice.types(unseen=(RIGHT,))
    assert cli.admin("approver", "remove", "alice", "--json").code == 0
    plan = cli.planned()
    alice.types()
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 3 and "takes only answers that are 'proven'" in last(ended.out)["error"]["message"]
    assert "workflow-admin approver add" in last(ended.out)["error"]["hint"]


def test_a_new_one_is_typed_twice_and_long(cli: Commands, person: Person) -> None:
    """Who mistypes it, or chooses a short one, is asked again."""
    person.types(unseen=("short", RIGHT, WRONG, RIGHT, RIGHT))
    ended = cli.admin("approver", "add", "--json")
    assert ended.code == 0 and last(ended.out)["approver"] == "owner"
    assert "at least 12 characters" in ended.out and "These two differ." in ended.out
    taken = cli.admin("approver", "add", "--json")
    assert taken.code == 2 and "approver passphrase" in taken.error["hint"]


def test_it_is_changed_by_who_knows_it(cli: Commands, alice: Person, clock: HandClock) -> None:
    """A wrong one is refused before a new one is asked for."""
    alice.types(unseen=(WRONG,))
    assert cli.admin("approver", "passphrase", "alice", "--json").error["type"] == "refused"
    clock.pass_(1)
    alice.types(unseen=(RIGHT, OTHER, OTHER))
    assert cli.admin("approver", "passphrase", "alice", "--json").json["approver"] == "alice"
    alice.types(unseen=(RIGHT,))
    assert cli.admin("approver", "remove", "alice", "--json").code == 3
    alice.types(unseen=("",))
    clock.pass_(1)
    assert cli.admin("approver", "remove", "alice", "--json").code == 130


@pytest.mark.parametrize("command", ["add", "passphrase", "remove"])
def test_it_is_neither_piped_nor_an_argument(cli: Commands, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal it is a usage error, and there is no place for it on the command line."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{RIGHT}\n{RIGHT}\n"))
    assert "must be a terminal" in cli.admin("approver", command, "--json").error["message"]
    assert cli.admin("approver", command, RIGHT, "--json").code == 2
    assert cli.admin("approver", command, "--passphrase", RIGHT, "--json").code == 2
    assert [each.name for each in (cli.folder / "config").iterdir()] == ["config.toml"]


def test_a_terminal_that_shows_what_is_typed_is_refused(
    cli: Commands, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better no passphrase than one on the screen."""

    def shown(label: str) -> str:
        warnings.warn("Can not control echo on the terminal.", GetPassWarning, stacklevel=2)
        return RIGHT

    monkeypatch.setattr(approver, "getpass", shown)
    assert "shows what is typed" in cli.admin("approver", "add", "--json").error["message"]


def test_on_a_real_terminal_nothing_of_it_is_shown(cli: Commands, sandbox: Sandbox) -> None:
    """Set, and used, at the cost that people pay; the screen and the store hold none of it."""
    terminal = terminals.admin("approver", "add")
    terminal.answer("New passphrase (several words): ", RIGHT)
    terminal.answer("The same once more: ", RIGHT)
    terminal.expect("owner is an approver now")
    assert terminal.end() == 0 and RIGHT not in terminal.shown
    plan = cli.planned()
    terminal = terminals.admin("approve", plan["session"])
    terminal.answer("? (y = yes, n = no, Enter = later)", "y")
    terminal.answer("in your own words", "yes")
    terminal.answer("Passphrase of owner", RIGHT)
    terminal.expect("I've started generating your image")
    assert terminal.end() == 0 and RIGHT not in terminal.shown
    (event,) = [body for body in entries(cli, plan["session"], "event") if body["evidence"]]
    assert event["evidence"][0]["strength"] == "proven"
    assert RIGHT.encode() not in everything(cli.folder)


def test_the_list_is_a_table_for_people(cli: Commands, alice: Person, terminal: None) -> None:
    """Who, since when, and how often a wrong one was given."""
    shown = cli.admin("approver", "list").out
    assert "approver" in shown and "alice" in shown
    alice.types(unseen=(RIGHT,))
    cli.admin("approver", "remove", "alice")
    assert "There is no approver" in cli.admin("approver", "list").out


def test_a_broken_file_of_approvers_stops_and_names_itself(cli: Commands, sandbox: Sandbox, alice: Person) -> None:
    """Nothing is asked, and nothing taken, while nobody knows who may answer."""
    plan = cli.planned()
    (cli.folder / "config" / approvers.FILE).write_text("{")
    alice.types("y", "yes", unseen=(RIGHT,))
    ended = cli.admin("approve", plan["session"], "--json")
    assert (ended.code, ended.error["type"]) == (4, "credentials")
    assert "approvers.json is not as it was written" in ended.error["message"]
    assert cli("status", plan["session"]).json["receipt"] == plan["receipt"]
