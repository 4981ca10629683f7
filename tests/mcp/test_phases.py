"""The whole conversation by a real client, in both protocol eras, in memory and over a pipe."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import anyio
import pytest
from mcp.client.stdio import StdioServerParameters

from phases.anygen.sandbox import Sandbox
from tests.conduct import check_promises
from tests.mcp.conftest import Place, talk
from tests.mcp.host import CHANGE, Host, Person, all_phases, connected
from workflow.history import audit

ROOT = Path(__file__).parents[2]
GATES = ["consent_given", "user_approved", "change_ordered"]


def test_all_phases_with_answers_by_forms(place: Place, era: str) -> None:
    """Five phases, three questions to the person, one image and one change; every answer is recorded as asked."""
    names: list[str] = []

    async def play(host: Host) -> None:
        await all_phases(host)
        names.append(host.name)

    person = talk(place, era, play)
    (name,) = names
    found = [each for body in place.journal(name, "event") for each in body["evidence"]]
    assert [each["gate"] for each in found] == GATES and len(person.asked) == len(GATES)
    told = {(each["channel"], each["client"], each["strength"]) for each in found}
    assert told == {("elicitation", "unverified: host-of-tests 7.1", "asked")}
    assert {body["channel"] for body in place.journal(name, "event")} == {"mcp", "elicitation"}
    assert place.created() == 1
    check_promises(place.player(name), place.sandbox)
    audit.verify(place.engine(), name)


def test_each_question_shows_what_is_agreed_to(place: Place, era: str) -> None:
    """The file by name, the whole plan, the change in the words that would be sent: and a choice like no other."""
    plans: list[str] = []

    async def play(host: Host) -> None:
        await host.start(references=[{"path": "ref.png", "description": "warm brass"}])
        await host.advance("consent")
        plans.append((await host.advance("answer", input={"words": "Warm"}))["say"][0]["text"])
        await host.advance("approve")
        await host.call("workflow_watch", session=host.name)
        await host.advance("modify", input={"words": CHANGE})

    person = talk(place, era, play)
    file, plan, change = person.asked
    assert re.search(r"- “ref.png” \(18 B, \w{8}\): “warm brass”", file)
    assert "".join(plans[0].split()) in "".join(plan.replace("│", "").split()) and f"words: “{CHANGE}”" in change
    choices = [form["answer"]["enum"] for form in person.forms]
    assert [first for first, _ in choices] == ["no answer now"] * 3
    assert len({last for _, last in choices}) == 3


@pytest.fixture
def piped(tmp_path: Path) -> StdioServerParameters:
    """The real command for a new user whose sandbox is still to be named."""
    environ = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PHASEGATE_STATE": str(tmp_path / "state")}
    (tmp_path / "ref.png").write_bytes(b"a picture of brass")
    return StdioServerParameters(
        command=sys.executable, args=["-W", "error", "-m", "workflow", "mcp"], env=environ, cwd=tmp_path
    )


def test_all_phases_over_a_pipe(piped: StdioServerParameters, era: str) -> None:
    """The command itself serves the whole conversation on stdin and stdout."""
    person = Person()

    async def run(url: str) -> None:
        server = piped.model_copy(update={"env": {**(piped.env or {}), "PHASEGATE_SANDBOX": url}})
        async with connected(server, era, person) as host:
            await all_phases(host)
            verified = await host.call("workflow_audit", session=host.name)
            assert verified["ok"] and verified["erased"] == 0

    with Sandbox(rounds=2, looks=1) as sandbox:
        anyio.run(run, sandbox.url)
    assert len(person.asked) == len(GATES)


def test_an_open_question_outlives_the_process(piped: StdioServerParameters, era: str) -> None:
    """A session whose plan waits for approval is gone on with by another process, and is approved there."""
    person = Person()

    async def begin(server: StdioServerParameters) -> str:
        async with connected(server, era, person) as host:
            await host.start()
            return host.name

    async def approve(server: StdioServerParameters, name: str) -> None:
        async with connected(server, era, person) as host:
            host.reply = await host.call("workflow_status", session=name)
            assert (await host.advance("approve"))["state"] == "deliver.generating"

    with Sandbox(rounds=1, looks=1) as sandbox:
        server = piped.model_copy(update={"env": {**(piped.env or {}), "PHASEGATE_SANDBOX": sandbox.url}})
        anyio.run(approve, server, anyio.run(begin, server))
    assert len(person.asked) == 1
