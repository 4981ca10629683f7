"""A no in a form: where the gate names an event for it, it is an answer with a reason; MCP's own decline stays none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult

from tests.mcp.conftest import Place, talk
from tests.mcp.host import Filled, Host, Person, decline
from tests.roles import PROMPTS, REPORT, YAML, write
from workflow.bundle import open_bundle
from workflow.history.replay import replay
from workflow.local.settings import Settings
from workflow.model.frozen import replace
from workflow.service.sandbox.table import Answers

NO = {"reason": "The hotel is missing"}
OF_THE_USER = (
    YAML.replace("by: manager, other_than: [submitted], ", "")
    .replace("  manager: {en: the employee's manager, de: die Vorgesetzte}\n", "")
    .replace("say: {user: waiting, manager: for_manager}", "say: for_manager")
    .replace("other_than: [submitted], least: 2, decline: reject}", "least: 2}")
    .replace("on: {sign: a.paying, reject: a.rejected,", "on: {sign: a.paying,")
    .replace("{subject: [report, amount], by: employee}", "{subject: [report, amount]}")
    .replace("  employee: the employee\n", "")
    .replace("say: {user: listing, employee: for_employee}", "say: listing")
)
"""The bundle in which the user answers, by forms; only the board is a role."""


class Desk(Place):
    """A place whose sessions are of that bundle."""

    def settings(self) -> Settings:
        return replace(super().settings(), bundle=str(self.folder / "bundle"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Place]:
    """The bundle and its sandbox."""
    prompts = {name: text for name, text in PROMPTS.items() if name != "for_employee"}
    served = Answers(open_bundle(write(tmp_path / "bundle", OF_THE_USER, prompts)).definition)
    served.start()
    sandbox: Any = served
    yield Desk(tmp_path, sandbox)
    served.stop()


def says_no(words: str) -> Any:
    """A person who agrees to what begins with submit, and says no to what follows, in these words."""

    def fills(form: Mapping[str, Any]) -> Filled:
        choices = form["answer"]["enum"]
        chosen = choices[-1] if len(choices) > 2 else choices[1]
        return ElicitResult(action="accept", content={"answer": chosen, "words": words if len(choices) > 2 else ""})

    return fills


def played(desk: Place, era: str, person: Person) -> Host:
    """A report that is submitted, and whose approval is asked for."""
    hosts: list[Host] = []

    async def play(host: Host) -> None:
        host.reply = await host.call("workflow_start", input={**REPORT, "big": False})
        assert (await host.advance("submit"))["state"] == "a.managing"
        host.reply = {**host.reply, **await host.advance("approve")}
        hosts.append(host)

    talk(desk, era, play, person)
    return hosts[0]


def test_a_no_sends_its_event_with_the_reason(desk: Place, era: str) -> None:
    """As `asked`, bound to the question; the user reads the reason word for word."""
    person = Person(says_no("The hotel is missing"))
    reply = played(desk, era, person).reply
    assert reply["state"] == "a.rejected" and reply["say"][0]["text"] == "It was rejected: The hotel is missing"
    answer = person.forms[-1]["answer"]
    assert "says no, and your own words are the reason" in answer["description"]
    assert [choice.split()[0] for choice in answer["enum"]] == ["no", "approve", "reject"]
    (declined,) = (desk.player(reply["session"]).journal("event")[-1].body or {})["declined"]
    assert (declined["strength"], declined["channel"], declined["gate"]) == ("asked", "elicitation", "manager_ok")
    assert replay(desk.engine(), reply["session"]).differences == ()


@pytest.mark.parametrize("named", [True, False], ids=["by its id", "by its token"])
def test_a_turn_that_was_declined_gets_its_recorded_reply(desk: Place, era: str, named: bool) -> None:
    """The client that lost the reply sends the same call: nobody is asked again, and it hears of the no."""
    how = {"turn_id": "t-1"} if named else {}

    async def play(host: Host) -> None:
        host.reply = await host.call("workflow_start", input={**REPORT, "big": False})
        assert (await host.advance("submit"))["state"] == "a.managing"
        seen = host.reply["seen"]
        first = await host.advance("approve", translation="Stimmst du zu?", **how)
        assert first["state"] == "a.rejected"
        before = host.reply["revision"] - 1
        again = await host.call(
            "workflow_advance",
            session=host.name,
            event="approve",
            seen=seen,
            expect_revision=before,
            translation="Stimmst du zu?",
            **how,
        )
        assert again.get("replayed") and (again["state"], again["say"]) == ("a.rejected", first["say"])
        if named:
            other = await host.call("workflow_advance", session=host.name, event="reject", input=NO, turn_id="t-1")
            assert "used for another turn" in other["error"]["message"]

    person = talk(desk, era, play, Person(says_no("The hotel is missing")))
    assert len(person.forms) == 2
    ((name, *_),) = [(each.name,) for each in desk.engine().sessions()]
    body = desk.player(name).journal("event")[-1].body or {}
    assert (body["event"], body["sent"]) == ("reject", {"event": "approve", "input": {}})
    assert body["declined"][0]["translation"] == "Stimmst du zu?"
    assert replay(desk.engine(), name).differences == ()


@pytest.mark.parametrize("words", ["", "   "])
def test_a_no_without_the_reason_is_no_answer(desk: Place, era: str, words: str) -> None:
    """Its event has to tell one, so that nothing is sent and the question stays open."""
    reply = played(desk, era, Person(says_no(words))).reply
    assert not reply["ok"] and reply["state"] == "a.managing"
    assert "said no without a reason" in reply["error"]["message"]


def test_mcps_own_decline_is_no_answer(desk: Place, era: str) -> None:
    """Clients send it where a form is closed."""
    agrees = says_no("")
    closes = Person(lambda form: decline(form) if len(form["answer"]["enum"]) > 2 else agrees(form))
    reply = played(desk, era, closes).reply
    assert not reply["ok"] and reply["state"] == "a.managing"
    assert [entry.kind for entry in desk.player(reply["session"]).journal()][-1] == "unanswered"


def test_nobody_is_asked_by_a_form_for_a_role(desk: Place, era: str) -> None:
    """The agent is told who answers by themselves, and is offered nothing to type."""
    hosts: list[dict[str, Any]] = []

    async def play(host: Host) -> None:
        host.reply = await host.call("workflow_start", input={**REPORT, "big": True})
        assert (await host.advance("submit"))["state"] == "a.boarding"
        hosts.append(await host.advance("sign"))

    person = talk(desk, era, play, Person(says_no("")))
    assert len(person.forms) == 1
    error = hosts[0]["error"]
    assert error["message"].endswith("takes the answer of a member of the board, by themselves")
    assert "terminal" not in error["hint"] and "workflow-admin" not in error["hint"]
