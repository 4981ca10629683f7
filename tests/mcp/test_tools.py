"""What the server offers, and that it answers as the commands do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import apsw
import pytest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, TextContent, TextResourceContents

from tests.mcp.conftest import Place, talk
from tests.mcp.host import WORDS, Host, Person, answer_of, decline
from tests.playing import at_the_time
from tests.replies import whole
from workflow.author.published import published
from workflow.cli.app import run, workflow
from workflow.engine import Engine
from workflow.engine.run import Run
from workflow.mcp_server import alive
from workflow.mcp_server.instructions import BEGINS, instructions
from workflow.mcp_server.tools import tools

MOST = 12_000
"""Bytes of the list of tools."""
TOOLS = ["start", "advance", "status", "sessions", "audit", "watch"]
Command = Callable[..., str]


@pytest.fixture
def command(quick: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``workflow ARGUMENTS`` on the same store and sandbox, in this process; what it prints."""
    settings = quick.settings()
    monkeypatch.setenv("PHASEGATE_STATE", str(settings.state))
    monkeypatch.setenv("PHASEGATE_SANDBOX", settings.sandbox)
    monkeypatch.setenv("PHASEGATE_BUNDLE", settings.bundle)
    monkeypatch.chdir(quick.folder)

    def typed(*arguments: str) -> str:
        run(workflow, arguments, "workflow")
        return capsys.readouterr().out

    return typed


def answered(text: str) -> dict[str, Any]:
    """A command's answer, whole as the host has it."""
    return whole(json.loads(text))


def alike(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply without what is of one session alone, and without what is phrased for one surface."""
    options = [{name: value for name, value in each.items() if name != "how"} for each in reply["next"]]
    error = reply["error"] and {"type": reply["error"]["type"]}
    text = json.dumps(reply | {"receipt": None, "seen": None, "next": options, "error": error})
    text = re.sub(r'"until": "[^"]+"', '"until": "soon"', text)
    return dict(json.loads(text.replace(str(reply["session"]), "amber-fox")))


def test_the_tools_say_what_they_do(quick: Place, era: str) -> None:
    """Names, titles, what each changes and takes, in few bytes, since a host reads them in each conversation."""

    async def play(host: Host) -> None:
        found = {tool.name.removeprefix("workflow_"): tool for tool in (await host.client.list_tools()).tools}
        assert list(found) == TOOLS and host.client.instructions == instructions(
            quick.told(BEGINS), (), by_content=False
        )
        reads = {name for name, tool in found.items() if tool.annotations and tool.annotations.read_only_hint}
        assert reads == {"status", "sessions", "audit"}
        assert found["advance"].annotations and found["advance"].annotations.destructive_hint
        for tool in found.values():
            assert tool.title and tool.description and tool.annotations and tool.annotations.open_world_hint is not None
            Draft202012Validator.check_schema(tool.input_schema)
            assert tool.output_schema is None
            assert all("description" in each for each in tool.input_schema["properties"].values())
        listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in found.values()]
        assert len(json.dumps(listed, ensure_ascii=False).encode()) <= MOST

    talk(quick, era, play)


def test_every_answer_has_the_shape_that_was_published(quick: Place, era: str) -> None:
    """Of a success as of a failure, and of what the library refuses by itself; a list is one of names."""

    async def play(host: Host) -> None:
        shape = Draft202012Validator(published("reply"))
        name = (await host.start())["session"]
        calls = [
            ("workflow_status", {"session": name}),
            ("workflow_status", {"session": "no-such"}),
            ("workflow_status", {}),
            ("workflow_sessions", {"limit": 0}),
            ("workflow_audit", {"session": name, "expect_head": "nonsense"}),
            ("workflow_watch", {"session": name}),
            ("workflow_advance", {"session": name, "event": "approve"}),
        ]
        for tool, arguments in calls:
            (text,) = (await host.client.call_tool(tool, arguments)).content
            assert isinstance(text, TextContent)
            shape.validate(json.loads(text.text))
        assert set(await host.call("workflow_sessions")) == {
            "v",
            "ok",
            "sessions",
            "next_offset",
            "sandboxes",
            "paused",
        }
        checked = await host.call("workflow_audit", session=name)
        assert {"v", "ok", "session", "entries", "receipt", "erased", "claim"} <= set(checked)

    talk(quick, era, play, Person(decline))


def test_turns_answer_as_the_commands_do(quick: Place, era: str, command: Command) -> None:
    """The same turns of two sessions, one by tools and one by commands: the replies are equal."""
    (quick.folder / "start.json").write_text(json.dumps({"input": {"words": WORDS}}), encoding="utf-8")
    turn = {"input": {"words": "Larger letters"}, "expect_revision": 1}

    async def play(host: Host) -> None:
        begun = answered(command("start", "--input-file", "start.json"))
        assert alike(await host.start()) == alike(begun)
        stale = answered(command("advance", begun["session"], "finish"))
        assert alike(await host.advance("finish", seen=None, expect_revision=None)) == alike(stale)
        (quick.folder / "turn.json").write_text(json.dumps({**turn, "seen": stale["seen"]}), encoding="utf-8")
        adjusted = answered(command("advance", begun["session"], "adjust", "--input-file", "turn.json"))
        assert alike(await host.advance("adjust", input={"words": "Larger letters"})) == alike(adjusted)

    talk(quick, era, play)


def test_what_is_read_is_what_the_commands_print(quick: Place, era: str, command: Command) -> None:
    """Status, list, audit and log of one session, as tools and as resources."""
    quick.clock = at_the_time()

    async def read(host: Host, uri: str) -> str:
        (found,) = (await host.client.read_resource(uri)).contents
        assert isinstance(found, TextResourceContents)
        return found.text

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        status = answered(command("status", name))
        told = await host.call("workflow_status", session=name)
        for each in (status, told):  # the last notice says since when, by two clocks
            each["notices"] = [notice.partition(", since")[0] for notice in each["notices"]]
        assert alike(told) == alike(status) and told["seen"] == status["seen"]
        assert await host.call("workflow_sessions", live=True) == answered(command("sessions", "--live", "--json"))
        assert await host.call("workflow_audit", session=name) == answered(command("audit", "verify", name, "--json"))
        place = f"workflow://sessions/{name}"
        assert alike(answered(await read(host, place))) == alike(status | {"notices": []})
        assert await read(host, f"{place}/audit") == command("audit", "log", name, "--json")
        assert await read(host, f"{place}/diagram") == command("graph", "--session", name, "--format", "mermaid")
        assert await read(host, "workflow://diagram") == command("graph", "--format", "mermaid")

    talk(quick, era, play)


def _damaged(place: Place, name: str, patch: pytest.MonkeyPatch) -> None:
    file = place.folder / "state" / "phasegate.db"
    with apsw.Connection(str(file)) as connection:
        connection.execute("UPDATE sessions SET snapshot = '{' WHERE name = ?", (name,))
    connection.close()


def _silent(place: Place, name: str, patch: pytest.MonkeyPatch) -> None:
    load = Engine.load

    def loaded(engine: Engine, wanted: str) -> Run:
        if wanted == name:
            raise ZeroDivisionError("sk-secret")
        return load(engine, wanted)

    patch.setattr(Engine, "load", loaded)


@pytest.mark.parametrize("fault", [_damaged, _silent])
def test_one_sessions_fault_is_its_own(
    quick: Place, era: str, fault: Callable[[Place, str, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list has both sessions, the sound one is read as ever, and the other answers with its reason alone."""

    async def play(host: Host) -> None:
        sound = (await host.start())["session"]
        struck = (await host.start())["session"]
        fault(quick, struck, monkeypatch)
        listed = await host.call("workflow_sessions", live=True)
        assert {each["session"] if "session" in each else each["name"] for each in listed["sessions"]} == {
            sound,
            struck,
        }
        assert (await host.call("workflow_status", session=sound))["ok"]
        assert (await host.client.read_resource(f"workflow://sessions/{sound}")).contents
        told = await host.call("workflow_status", session=struck)
        assert not told["ok"] and "sk-secret" not in str(told)
        with pytest.raises(MCPError) as error:
            await host.client.read_resource(f"workflow://sessions/{struck}")
        assert "sk-secret" not in str(error.value)

    talk(quick, era, play)


@pytest.mark.parametrize("uri", ["workflow://sessions/no-such", "workflow://sessions/no-such/audit", "workflow://x"])
def test_what_is_not_there_cannot_be_read(quick: Place, era: str, uri: str) -> None:
    """An unknown session or address is an error of the caller."""

    async def play(host: Host) -> None:
        with pytest.raises(MCPError) as error:
            await host.client.read_resource(uri)
        assert error.value.code == INVALID_PARAMS

    talk(quick, era, play)


@pytest.mark.parametrize(
    ("tool", "arguments", "kind", "told"),
    [
        ("workflow_approve", {}, "usage", "Unknown tool"),
        ("workflow_status", {"session": 4}, "usage", "valid string"),
        ("workflow_status", {}, "usage", "required"),
        ("workflow_status", {"session": "../../etc"}, "not_found", "no session"),
        ("workflow_status", {"session": "amber-fox\0"}, "not_found", "no session"),
        ("workflow_advance", {"session": "amber-fox", "input": []}, "usage", "valid dictionary"),
        ("workflow_advance", {"session": "amber-fox", "expect_revision": "two"}, "usage", "valid integer"),
        ("workflow_start", {"input": {"words": 7}}, "refused", "must be text"),
        ("workflow_start", {"input": {"words": ""}}, "refused", "own words"),
        ("workflow_start", {"input": {"words": "x", "other": 1}}, "refused", "does not take"),
        ("workflow_start", {"input": {"words": WORDS}, "language": "no language"}, "usage", "language"),
        ("workflow_start", {"input": {"words": "x" * 300_000}}, "usage", "larger than"),
        ("workflow_sessions", {"status": "asleep"}, "usage", "Input should be"),
        ("workflow_watch", {"session": "amber-fox", "seconds": -1}, "usage", "greater than"),
        ("workflow_watch", {"session": "amber-fox"}, "not_found", "no session"),
    ],
)
def test_bad_input_is_answered_as_a_reply(
    quick: Place, era: str, tool: str, arguments: dict[str, Any], kind: str, told: str
) -> None:
    """Unknown tools, wrong types, unknown names: what is wrong and the next step, and nothing is kept."""

    async def play(host: Host) -> None:
        reply = await host.call(tool, **arguments)
        assert reply["error"]["type"] == kind and told in reply["error"]["message"] and reply["error"]["hint"]
        assert (await host.call("workflow_sessions"))["sessions"] == []

    talk(quick, era, play)


def test_an_edited_log_is_told(quick: Place, era: str) -> None:
    """What `audit verify` finds, this finds."""

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        connection = apsw.Connection(str(quick.store.path))
        connection.execute("UPDATE entries SET body = replace(body, 'jazz', 'rock') WHERE session = ?", (name,))
        connection.close()
        reply = await host.call("workflow_audit", session=name)
        assert reply["error"]["type"] == "store" and "was changed" in reply["error"]["message"]

    talk(quick, era, play)


def test_a_watch_tells_how_far_it_is(quick: Place, era: str) -> None:
    """Each look is a progress notification; it ends with the news, which is not said yet."""
    told: list[tuple[float, float | None, str | None]] = []
    quick.sandbox.settings(looks=4)

    async def update(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")
        arguments = {"session": host.name, "seconds": 60}
        result = await host.client.call_tool("workflow_watch", arguments, progress_callback=update)
        assert answer_of(result)["state"] == "deliver.ready"
        assert "ready" in [said["id"] for said in (await host.advance())["say"]]

    talk(quick, era, play)
    assert [each[:2] for each in told] == [(0, 60), (3, 60), (6, 60)]
    assert told[0][2] is not None and told[0][2].endswith(" %")


@pytest.mark.parametrize("hears", [True, False], ids=["with a token", "without a token"])
def test_every_call_that_works_shows_that_it_lives(
    quick: Place, era: str, monkeypatch: pytest.MonkeyPatch, hears: bool
) -> None:
    """Each tool, once it works for longer than the first pause, which is none here; nothing comes after its answer."""
    monkeypatch.setattr(alive, "FIRST", 0.0)
    told: dict[str, list[str | None]] = {}

    async def play(host: Host) -> None:
        plan = await host.start()
        calls: dict[str, dict[str, Any]] = {
            "workflow_start": {"input": {"words": WORDS}},
            "workflow_advance": {"session": host.name, "event": "approve", "quote": "Yes", "seen": plan["seen"]},
            "workflow_watch": {"session": host.name, "seconds": 1},
            "workflow_status": {"session": host.name},
            "workflow_sessions": {},
            "workflow_audit": {"session": host.name},
        }
        assert set(calls) == {each.name for each in tools()}
        for tool, given in calls.items():
            heard: list[str | None] = []

            async def update(
                progress: float, total: float | None, message: str | None, heard: list[str | None] = heard
            ) -> None:
                heard.append(message)

            result = await host.client.call_tool(tool, given, progress_callback=update if hears else None)
            assert answer_of(result)["ok"], tool
            told[tool] = list(heard)

    talk(quick, era, play)
    for tool, heard in told.items():
        assert (heard[-1:] == ["working"]) is hears, tool


def test_a_watch_that_was_asked_to_wait_longer_still_shows_that_it_lives(quick: Place, era: str) -> None:
    """`Retry-After` sets the next look; signs of life and the end of the call do not wait for it."""
    told: list[float] = []
    quick.sandbox.settings(looks=1000)
    quick.sandbox.fault("rate-limited", on="task", times=0, retry_after=45)

    async def update(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")
        arguments = {"session": host.name, "seconds": 60}
        result = await host.client.call_tool("workflow_watch", arguments, progress_callback=update)
        assert answer_of(result)["status"] == "watching"

    talk(quick, era, play)
    assert told == [0, 10, 20, 30, 40, 45, 55]
    assert (
        sum(each.path.startswith("/v1/openapi/tasks/") and each.method == "GET" for each in quick.sandbox.requests) == 2
    )


def test_a_watch_ends_when_its_time_is_over(quick: Place, era: str) -> None:
    """The host decides how long one call may last; the session goes on watching."""
    quick.sandbox.settings(looks=1000)

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")
        reply = await host.call("workflow_watch", session=host.name, seconds=10)
        assert reply["ok"] and reply["status"] == "watching"

    talk(quick, era, play)
    assert sum(quick.clock.slept) <= 10


def test_the_prompts_lead_to_the_tools(quick: Place, era: str) -> None:
    """What a person picks in the host to begin or to go on."""

    async def play(host: Host) -> None:
        listed = {each.name: each for each in (await host.client.list_prompts()).prompts}
        assert set(listed) == {"start", "resume"} and listed["start"].title == "Begin: Images"
        for name, arguments in (("start", {"words": WORDS}), ("resume", {"session": "amber-fox"})):
            (message,) = (await host.client.get_prompt(name, arguments)).messages
            assert isinstance(message.content, TextContent)
            (given,) = arguments.values()
            assert given in message.content.text and "workflow_" in message.content.text

    talk(quick, era, play)


def test_a_repeated_start_begins_once(quick: Place, era: str) -> None:
    """A host that did not get the answer calls again with the same id."""

    async def play(host: Host) -> None:
        first = await host.call("workflow_start", input={"words": WORDS}, turn_id="7f2c")
        again = await host.call("workflow_start", input={"words": WORDS}, turn_id="7f2c")
        assert again["replayed"] and again["session"] == first["session"]

    talk(quick, era, play)
