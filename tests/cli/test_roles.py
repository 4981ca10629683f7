"""``workflow-admin approve`` for people of roles: each is shown their own text, and answers by themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Commands
from tests.cli.test_approver import RIGHT, WRONG, Person, entries, last, person
from tests.roles import PEOPLE, REPORT, write
from workflow.bundle import open_bundle
from workflow.service.sandbox.table import Answers

__all__ = ["person"]
Begin = Callable[..., str]


@pytest.fixture
def signing(cli: Commands, person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """The bundle in the folder ``signing``, its sandbox, and approvers with their roles."""
    names = sorted({name for held in PEOPLE.values() for name in held})
    for name in names:
        person.types(unseen=(f"{RIGHT} {name}", f"{RIGHT} {name}"))
        roles = [part for role, held in PEOPLE.items() if name in held for part in ("--role", role)]
        assert cli.admin("approver", "add", name, *roles, "--json").code == 0
    served = Answers(open_bundle(write(cli.folder / "signing")).definition)
    served.start()
    monkeypatch.setenv("PHASEGATE_SANDBOX", served.url)
    yield served
    served.stop()


@pytest.fixture
def begin(cli: Commands, signing: Answers, person: Person) -> Begin:
    """Begin a report, and submit it as Erin, on a terminal."""

    def begun(*, big: bool = False) -> str:
        turn = json.dumps({"input": {**REPORT, "big": big}})
        (cli.folder / "turn.json").write_text(turn, encoding="utf-8")
        session = cli("start", "--bundle", "signing", "--input-file", "turn.json", "--json").json["session"]
        assert answer(cli, person, session, "erin")["error"] is None
        return str(session)

    return begun


def answer(cli: Commands, person: Person, session: str, name: str, *typed: str) -> dict[str, object]:
    """What came of an answer of this approver; their words are a yes unless something else is ``typed``."""
    person.types(*(typed or ("y", f"yes, says {name}")), unseen=(f"{RIGHT} {name}",))
    ended = cli.admin("approve", session, "--approver", name, "--json")
    reply = last(ended.out)
    return {"error": None, **reply, "shown": ended.out, "code": ended.code}


def test_a_manager_is_shown_their_own_text_and_what_a_no_does(cli: Commands, begin: Begin, person: Person) -> None:
    """Not the user's; and the log says who answered, and as what."""
    session = begin()
    came = answer(cli, person, session, "mona")
    shown = " ".join(str(came["shown"]).split())
    assert "of your employee: do you approve it?" in shown and "waits for a signature" not in shown
    assert "sends 'reject', with your reason" in shown
    assert came["state"] == "over.done"
    log = " ".join(cli("audit", "log", session).out.replace("│", "").split())
    assert "manager_ok (proven, terminal, mona as manager, for" in log
    assert cli("audit", "prove", session, "--json").json["claims"][0]["by"][0]["how"][3] == "as manager"


def test_somebody_without_the_role_is_told_whose_answer_is_awaited(cli: Commands, begin: Begin, person: Person) -> None:
    """Before anything is asked of them, and by no name."""
    session = begin()
    person.types()
    ended = cli.admin("approve", session, "--approver", "ada", "--json")
    error = last(ended.out)["error"]
    assert ended.code == 3 and "waits for the employee's manager, and 'ada' holds no such role" in error["message"]
    assert not any(name in json.dumps(error) for name in ("mona", "max"))
    assert person.asked[-1].startswith("Passphrase of erin")


def test_without_the_passphrase_a_no_is_none(cli: Commands, begin: Begin, person: Person) -> None:
    """It is as strong as the yes would be; the log says for whom a wrong one was given."""
    session = begin()
    person.types("n", "The hotel is missing", unseen=(WRONG,))
    assert cli.admin("approve", session, "--approver", "mona", "--json").code == 3
    refused = entries(cli, session, "unproven")[-1]
    assert (refused["event"], refused["gate"]) == ("reject", "manager_ok")
    assert [body["event"] for body in entries(cli, session, "event")] == ["start", "submit"]


def test_after_a_no_the_user_is_told_why(cli: Commands, begin: Begin, person: Person) -> None:
    """Word for word, as the bundle says; the log has the no with its person."""
    session = begin()
    came = answer(cli, person, session, "mona", "n", "", "The hotel is missing")
    assert came["state"] == "a.rejected"
    said = came["say"]
    assert isinstance(said, list) and said[0]["text"] == "It was rejected: The hotel is missing"
    (declined,) = entries(cli, session, "event")[-1]["declined"]
    assert (declined["approver"], declined["gate"], declined["role"]) == ("mona", "manager_ok", "manager")
    assert "declined" in cli("audit", "log", session).out


def test_two_of_the_board_answer_one_after_the_other(
    cli: Commands, signing: Answers, begin: Begin, person: Person
) -> None:
    """The first is told that one more is needed, and `status` counts."""
    session = begin(big=True)
    came = answer(cli, person, session, "ada")
    assert came["state"] == "a.boarding" and "1 of 2" in str(came["notices"])
    assert "a member of the board (sign, 1 of 2)" in str(cli("status", session, "--json").json["notices"])
    assert answer(cli, person, session, "ada")["state"] == "a.boarding" and not signing.requests
    assert answer(cli, person, session, "bob")["state"] == "over.done" and len(signing.requests) == 1


def test_a_role_is_taken_away_between_answer_and_call(cli: Commands, begin: Begin, person: Person) -> None:
    """By whoever is at the terminal, without a passphrase: the answers that are left are too few."""
    session = begin(big=True)
    answer(cli, person, session, "ada")
    person.types()
    assert cli.admin("approver", "role", "ada", "board", "--take", "--json").code == 0
    assert "sign, 0 of 2" in str(cli("status", session, "--json").json["notices"])
    assert answer(cli, person, session, "bob")["state"] == "a.boarding"
    assert answer(cli, person, session, "cleo")["state"] == "over.done"


def test_giving_a_role_needs_the_passphrase_and_taking_one_does_not(
    cli: Commands, signing: Answers, person: Person
) -> None:
    """Nobody gets a role unseen; a role that no bundle could name, or that they do not hold, is refused."""
    person.types(unseen=(WRONG,))
    assert cli.admin("approver", "role", "mona", "board", "--json").code == 3
    assert cli.admin("approver", "role", "mona", "Board", "--json").code == 2
    missing = cli.admin("approver", "role", "mona", "board", "--take", "--json").error
    assert missing["message"] == "'mona' does not hold the role 'board'" and missing["hint"] == "They hold: manager."
    listed = {each["name"]: each["roles"] for each in cli.admin("approver", "list", "--json").json["approvers"]}
    assert listed["max"] == ["employee", "manager"]


def test_doctor_names_the_roles_of_live_bundles_that_nobody_holds(cli: Commands, begin: Begin, person: Person) -> None:
    """Of the session's own bundle, which is not the one that a start would use; with the command that gives a role."""

    def roles() -> list[tuple[str, str, str]]:
        checks = cli("doctor", "--json").json["checks"]
        return [(each["state"], each["what"], each["hint"]) for each in checks if each["name"] == "roles"]

    assert roles() == []
    begin()
    held = "; ".join(f"{role}: {', '.join(names)}" for role, names in PEOPLE.items())
    assert roles() == [("ok", f"signing: {held}", "")]
    for name in PEOPLE["manager"]:
        person.types()
        cli.admin("approver", "role", name, "manager", "--take")
    hint = "`workflow-admin approver role NAME ROLE` gives it to an approver."
    assert roles() == [("warning", "signing: nobody holds 'manager' (the employee's manager)", hint)]


def test_a_new_passphrase_leaves_the_roles(cli: Commands, signing: Answers, person: Person) -> None:
    """And a removed approver holds none any more."""
    person.types(unseen=(f"{RIGHT} max", WRONG, WRONG))
    assert cli.admin("approver", "passphrase", "max", "--json").code == 0
    listed = {each["name"]: each["roles"] for each in cli.admin("approver", "list", "--json").json["approvers"]}
    assert listed["max"] == ["employee", "manager"]
