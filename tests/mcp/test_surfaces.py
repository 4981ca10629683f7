"""Replies are phrased for the surface that shows them: no shell words over MCP, no MCP words on the shell."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import grimp
import pytest

from tests.mcp.conftest import Place, talk
from tests.mcp.host import BRASS, WORDS, Host, Person, agree, connected
from tests.mcp.test_tools import Command
from tests.mcp.test_tools import command as command  # the fixture
from tests.replies import whole
from workflow.mcp_server.instructions import instructions
from workflow.model.errors import StoreError
from workflow.model.reply import of_error
from workflow.model.session import Turn
from workflow.model.surface import ELSEWHERE, FORMS, RELAY, SHELL, SURFACES, Machine, Surface
from workflow.model.translation import RULE

SHELL_WORDS = re.compile(r"`workflow[ `]|workflow-admin|\brun: |evidence\.|--[a-z]|\bworkflow (?:advance|watch|status)")
MCP_WORDS = re.compile(r"workflow_[a-z]+|workflow://")
BLOCKS = re.compile(r"until it is over|wait for it to|keep calling", re.I)


def phrases(surface: Surface) -> str:
    """Everything that this surface says of its own."""
    return "\n".join(str(value) for value in surface.__dict__.values())


def test_each_surface_has_words_of_its_own() -> None:
    """The shell names commands and no tools, MCP names tools and no commands."""
    assert not MCP_WORDS.search(phrases(SHELL))
    for surface in (RELAY, FORMS):
        assert not SHELL_WORDS.search(phrases(surface))
    assert [name for name, surface in SURFACES.items() if surface.types] == ["shell"]


def test_a_text_for_the_machine_is_shown_nowhere_else() -> None:
    """An error whose way out is a command tells other surfaces that somebody at the machine is needed."""
    error = StoreError("the store is a copy", Machine("Run `workflow-admin adopt`."))
    for surface in SURFACES.values():
        told = of_error(error, surface).error
        assert told is not None and told.hint == (error.hint if surface is SHELL else ELSEWHERE)


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """The texts of a module that somebody may be shown: no docstring, and nothing that a Machine holds."""
    hidden = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Machine":
            hidden |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node


def test_no_module_behind_mcp_spells_out_a_command() -> None:
    """Whatever the server imports takes the words of a surface from its table, or marks a text as the machine's."""
    graph = grimp.build_graph("workflow")
    behind = graph.find_upstream_modules("workflow.mcp_server", as_package=True)
    behind |= graph.find_descendants("workflow.mcp_server")
    found = []
    for module in sorted(behind - {"workflow.model.surface"}):
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None
        for each in literals(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
            if re.search(r"`workflow[ `]|`workflow-admin|evidence\.(?:quote|items|translation)|run: ", str(each.value)):
                found.append(f"{module}:{each.lineno}: {each.value!r}")
    assert found == []


def test_the_instructions_name_no_command_and_never_tell_to_wait() -> None:
    """They hold the rule for translation word for word."""
    text = instructions("", ["change"], by_content=True)
    assert not SHELL_WORDS.search(text) and not BLOCKS.search(text)
    assert RULE in text and "Never wait for it" in text


def said_by(reply: dict[str, Any]) -> str:
    """What a reply says to the agent, without the messages for the user."""
    return json.dumps({name: value for name, value in reply.items() if name != "say"}, ensure_ascii=False)


@pytest.mark.parametrize("forms", [True, False])
def test_no_reply_over_mcp_holds_a_shell_command(place: Place, era: str, forms: bool) -> None:
    """A whole conversation with every sort of refusal on its way, of a session whose host could watch as well."""
    told: list[dict[str, Any]] = []

    async def play(host: Host) -> None:
        async def call(tool: str, **more: Any) -> dict[str, Any]:
            told.append(await host.call(tool, **more))
            return told[-1]

        async def turn(event: str | None = None, **more: Any) -> dict[str, Any]:
            told.append(await host.advance(event, **more))
            told.append(await host.call("workflow_status", session=host.name))
            return told[-2]

        await call("workflow_status", session="no-such-one")
        await call("workflow_start", input={"word": "x"})
        await call("workflow_start", input={"words": WORDS, "references": [{"path": "/etc/nothing"}]})
        told.append(await host.start(references=[BRASS]))
        await turn("consent", seen=None)
        await turn("consent", seen="x")
        await turn("consent", quote="Yes", translation="Oui ?")
        await turn("nonsense")
        await turn("answer", input={"words": "Warm colours"})
        await turn("adjust", expect_revision=1)
        place.policy["user_approved"] = "proven"
        await turn()
        await turn("approve", quote="Yes")
        place.policy.clear()
        place.sandbox.fault("credits", on="create")
        await turn("approve", quote="Yes")
        await turn("approve", quote="Yes")
        await call("workflow_watch", session=host.name, seconds=1)
        await turn("check")
        await turn("check", language="fr")
        await call("workflow_audit", session=host.name, expect_head="nonsense")
        await call("workflow_audit", session=host.name)
        await call("workflow_sessions", search="x")
        await turn("finish")

    async def run() -> None:
        async with connected(place.server(), era, Person(agree) if forms else None) as host:
            await play(host)

    anyio.run(run)
    assert len(told) > 30
    assert [each for each in map(said_by, told) if SHELL_WORDS.search(each)] == []


def test_no_reply_on_the_shell_names_a_tool(quick: Place, command: Command) -> None:
    """The same on the other side: what the commands answer names no tool of MCP."""
    (quick.folder / "start.json").write_text(json.dumps({"input": {"words": WORDS}}), encoding="utf-8")
    begun = command("start", "--input-file", "start.json")
    name = json.loads(begun)["session"]
    told = [begun, command("advance", name, "approve"), command("advance", name, "x"), command("status", "no-such")]
    told += [command("status", name), command("watch", name), command("advance", name, "finish")]
    assert [each for each in told if MCP_WORDS.search(each)] == []


def test_a_host_that_watches_is_given_no_command_over_mcp(quick: Place, era: str) -> None:
    """Its session says over MCP what holds without a watcher, and lists no way; on the shell it does."""
    begun = quick.engine().start
    names: list[str] = []

    async def play(host: Host) -> None:
        reply = begun(Turn("start", {"words": WORDS}), host="claude-code", sandbox=quick.sandbox.url)
        names.append(reply.session or "")
        host.reply = reply.as_json()
        await host.advance("approve")
        assert host.reply["status"] == "watching" and not (host.reply["watch"] or {}).get("ways")
        assert host.says() == ["started_unwatched"]

    talk(quick, era, play)
    watch = quick.engine().status(names[0]).watch
    assert watch is not None and watch["ways"]


def test_a_turn_that_comes_again_on_another_surface_is_phrased_for_it(quick: Place, era: str, command: Command) -> None:
    """Begun over MCP and repeated on the shell: the recorded messages, and the words of the shell."""
    replies: list[dict[str, Any]] = []

    async def play(host: Host) -> None:
        replies.append(await host.call("workflow_start", input={"words": WORDS}, turn_id="once"))

    async def run() -> None:
        async with connected(quick.server(), era, None) as host:
            await play(host)

    anyio.run(run)
    (quick.folder / "t.json").write_text(json.dumps({"input": {"words": WORDS}, "turn_id": "once"}), encoding="utf-8")
    again = whole(json.loads(command("start", "--input-file", "t.json")))
    (first,) = replies
    assert again["replayed"] and again["session"] == first["session"] and again["say"] == first["say"]
    assert [each["event"] for each in again["next"]] == [each["event"] for each in first["next"]]
    assert "seen" in again and again["seen"] == first["seen"]
    assert not MCP_WORDS.search(said_by(again)) and not SHELL_WORDS.search(said_by(first))
