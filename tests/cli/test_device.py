"""``workflow-admin device``: a passkey signs only between its confirmation and its end."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.test_approver import RIGHT, WRONG, Person
from tests.playing import HandClock
from workflow.local import approvers
from workflow.local.approvers import Approvers, Device

PHONE = Device("Alice’s \x1b[1mphone", "https://approve.example.org", "b25l", "a2V5", "2027-01-15T08:00:00.000Z")
KEY = Device("a key", "https://approve.example.org", "dHdv", "b3RoZXI", "2027-01-16T08:00:00.000Z")


@pytest.fixture
def alice(cli: Commands, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Person:
    """An approver with two devices, of which none is confirmed."""
    monkeypatch.setattr(approvers, "COST", 2**4)
    known = kept(cli, clock)
    known.add("alice", RIGHT, PHONE.since)
    known.pair("alice", PHONE)
    known.pair("alice", KEY)
    return Person(monkeypatch)


def kept(cli: Commands, clock: HandClock) -> Approvers:
    """The file of approvers."""
    return Approvers(cli.folder / "config", clock)


def confirmed(cli: Commands, clock: HandClock) -> list[str]:
    """The names of the devices that sign."""
    return [each.name for each in kept(cli, clock).find("alice").devices if each.confirmed]


def test_a_device_is_confirmed_by_its_digits_and_the_passphrase(cli: Commands, clock: HandClock, alice: Person) -> None:
    """Whoever compares is asked for the passphrase, once, and the list says so."""
    alice.types("y", unseen=(RIGHT,))
    done = cli.admin("device", "confirm", KEY.fingerprint[:6].upper(), "--json")
    assert (done.code, done.json["approver"], done.json["fingerprint"]) == (0, "alice", KEY.fingerprint)
    assert KEY.fingerprint in done.err and "exactly these digits?" in done.err
    assert alice.asked == ["Passphrase of alice: "] and confirmed(cli, clock) == ["a key"]
    assert cli.admin("device", "confirm", KEY.fingerprint).code == 0, "it is confirmed already"
    listed = cli.admin("device", "list", "--json").json["devices"]
    assert [(each["fingerprint"], bool(each["confirmed"])) for each in listed] == [
        (PHONE.fingerprint, False),
        (KEY.fingerprint, True),
    ]
    shown = cli.admin("device", "list").out
    assert KEY.fingerprint in shown and "\x1b[1mphone" not in shown


@pytest.mark.parametrize(("said", "unseen"), [("n", ()), ("", ()), ("y", (WRONG,))])
def test_nothing_less_confirms_a_device(
    cli: Commands, clock: HandClock, alice: Person, said: str, unseen: tuple[str, ...]
) -> None:
    """Other digits, no answer, and a wrong passphrase, which makes the next one wait."""
    alice.types(said, unseen=unseen)
    assert cli.admin("device", "confirm", KEY.fingerprint).code != 0
    assert confirmed(cli, clock) == []
    assert kept(cli, clock).find("alice").wrong == len(unseen)


@pytest.mark.parametrize("digits", ["", "3", "ffff-ffff", "zzzz", "\x1b[1m"])
@pytest.mark.parametrize("command", ["confirm", "revoke"])
def test_a_fingerprint_names_one_device(cli: Commands, alice: Person, command: str, digits: str) -> None:
    """Too few digits, and those of no device, change nothing."""
    done = cli.admin("device", command, digits, "--json")
    assert done.code == 2 and "device list" in done.json["error"]["hint"]


def test_a_device_is_revoked_without_a_passphrase(cli: Commands, clock: HandClock, alice: Person) -> None:
    """Somebody whose device is lost must not need anything for it."""
    assert cli.admin("device", "revoke", PHONE.fingerprint).code == 0
    assert [each.name for each in kept(cli, clock).find("alice").devices] == ["a key"] and alice.asked == []


def test_no_device_is_confirmed_or_revoked_without_a_terminal(
    cli: Commands, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent's pipe is no person."""
    monkeypatch.setattr("workflow.cli.console.interactive", lambda: False)
    for command in ("confirm", "revoke"):
        assert cli.admin("device", command, KEY.fingerprint).code == 2


def test_doctor_and_the_terminal_say_what_a_signed_gate_needs(
    cli: Commands, sandbox: Sandbox, clock: HandClock, alice: Person
) -> None:
    """Where nobody can sign yet, what to do; and what `signed` is worth where the agent is the same user."""
    (cli.folder / "config" / "config.toml").write_text('[gates]\nuser_approved = "signed"\n', encoding="utf-8")

    def gates() -> dict[str, str]:
        (found,) = [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "gates"]
        return {name: str(found[name]) for name in ("state", "what", "hint")}

    assert gates()["state"] == "warning" and "no approver has a confirmed device" in gates()["what"]
    kept(cli, clock).confirm("alice", RIGHT, KEY.fingerprint, KEY.since)
    assert gates()["state"] == "ok" and "only where the agent runs as another user" in gates()["what"]
    plan = cli.planned()
    (asked,) = [each for each in plan["next"] if (each["gate"] or {}).get("name") == "user_approved"]
    assert asked["gate"]["needs"] == "signed" and "with their passkey" in asked["how"]
    done = cli.admin("approve", plan["session"], "--json")
    assert done.code != 0 and "takes only answers that are 'signed'" in done.out
    assert "Answer on the page" in done.out
