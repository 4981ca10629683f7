"""A session belongs to the owner of the token that began it: scope by scope, tool by tool, resource by resource."""

from __future__ import annotations

import itertools
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from tests.mcp.conftest import Place
from tests.mcp.host import Host, Person, connected
from tests.mcp.wire import content, dialled, serving
from workflow.compose import beginning
from workflow.local.tokens import SCOPES, Tokens
from workflow.mcp_server.uploads import Spool
from workflow.model.errors import StoreError, UsageError
from workflow.model.session import Turn

ERA = "2026-07-28"
OWNERS = ("own", "another's", "nobody's")
READS = ("workflow_status", "workflow_audit", "session", "audit", "diagram")
TURNS = ("workflow_advance",)
WATCH = ("workflow_watch",)
MAY: dict[tuple[str, str], tuple[str, ...]] = {
    ("agent", "own"): (*READS, *TURNS, *WATCH, "listed"),
    ("agent", "another's"): (),
    ("agent", "nobody's"): (),
    ("watch", "own"): (*READS, *WATCH, "listed"),
    ("watch", "another's"): WATCH,
    ("watch", "nobody's"): (),
    **{("auditor", owner): (*READS, "listed") for owner in OWNERS},
    **{("all", owner): (*READS, *TURNS, *WATCH, "listed") for owner in OWNERS},
}
"""Scope and whose session → what is answered as if it existed; everything else is not found, or refused."""
RESOURCES = {"session": "", "audit": "/audit", "diagram": "/diagram"}


def test_the_table_has_every_cell() -> None:
    """A new scope has to say what it may do with whose sessions."""
    assert set(MAY) == set(itertools.product(SCOPES, OWNERS))


def begun(place: Place, owner: str | None) -> str:
    """The name of a session of this owner that waits for an answer about its plan."""
    begun = beginning(place.settings())
    reply = place.engine().start(Turn("start", {"words": "A poster"}), **begun, owner=owner)
    assert reply.session
    return reply.session


@pytest.mark.parametrize("scope", SCOPES)
def test_who_sees_and_does_what_with_whose_session(quick: Place, scope: str) -> None:
    """Every scope with every owner's session, by every tool and resource; what is hidden is called unknown."""
    names = {"own": begun(quick, "mine"), "another's": begun(quick, "other"), "nobody's": begun(quick, None)}
    found: dict[tuple[str, str], list[str]] = {}

    async def run(url: str, token: str) -> None:
        async with connected(dialled(url, token), ERA, Person()) as host:
            listed = [each["name"] for each in (await host.call("workflow_sessions"))["sessions"]]
            for owner, name in names.items():
                found[scope, owner] = [what async for what in answered(host, name)] + ["listed"] * (name in listed)

    with serving(quick) as served:
        anyio.run(run, served.url, served.token("first", scope, owner="mine"))
    assert found == {(scope, owner): list(MAY[scope, owner]) for owner in OWNERS}
    assert quick.created() == 0


async def answered(host: Host, name: str) -> Any:
    """What is answered about a session; a refusal says either that it does not exist or that the scope is too small."""
    wanted: dict[str, dict[str, Any]] = {each: {} for each in ("workflow_status", "workflow_audit")}
    for tool, arguments in wanted.items():
        if served(await host.call(tool, session=name, **arguments), name):
            yield tool
    for resource, path in RESOURCES.items():
        try:
            await host.client.read_resource(f"workflow://sessions/{name}{path}")
            yield resource
        except MCPError as error:
            assert "there is no session" in str(error)
    if served(await host.call("workflow_advance", session=name), name):
        yield "workflow_advance"
    if served(await host.call("workflow_watch", session=name, seconds=1), name):
        yield "workflow_watch"


def served(reply: dict[str, Any], name: str) -> bool:
    """Whether the session was there for this caller."""
    if reply["ok"]:
        return True
    message = reply["error"]["message"]
    assert f"there is no session '{name}'" in message or "this token may only" in message, reply
    return False


def test_a_name_that_is_near_is_no_hint_to_another_owners_session(quick: Place) -> None:
    """ "Did you mean" looks among the caller's own sessions."""
    name = begun(quick, "other")

    async def run(url: str, token: str) -> None:
        async with connected(dialled(url, token), ERA, Person()) as host:
            reply = await host.call("workflow_status", session=name[:-1])
            assert name not in str(reply)

    with serving(quick) as served:
        anyio.run(run, served.url, served.token())


def test_two_owners_may_choose_the_same_turn_id(quick: Place) -> None:
    """Each has a session of its own, and neither is answered with the other's."""
    arguments = {"input": {"words": "A poster"}, "turn_id": "x", "language": "en"}
    names: list[str] = []

    async def run(url: str, token: str) -> None:
        async with connected(dialled(url, token), ERA, Person()) as host:
            names.append((await host.call("workflow_start", **arguments))["session"])

    with serving(quick) as served:
        for owner in ("one", "two"):
            anyio.run(run, served.url, served.token(owner))
            anyio.run(run, served.url, served.token(f"{owner}-rotated", owner=owner))
    assert all(names) and names[0] == names[1] != names[2] == names[3]


def test_an_owner_outlives_a_fork_and_what_was_erased(quick: Place) -> None:
    """A fork is its parent's owner's; what is left of an erased session is as well."""
    from workflow.history.forget import forget
    from workflow.history.fork import fork

    name = begun(quick, "mine")
    copy = fork(quick.engine(), name)
    forget(quick.engine(), name)
    owners = {each.name: each.owner for each in quick.engine().sessions()}
    assert owners == {name: "mine", copy.session: "mine"}


def test_a_request_of_nobody_is_no_request_of_everybody(place: Place) -> None:
    """Where the broker does not know who calls, nothing is shown."""
    spool = Spool(place.folder / "spool")
    desk = place.desk(spool)
    with pytest.raises(StoreError, match="nobody knows"):
        desk.engine(None)
    spool.close()


@pytest.mark.parametrize("owner", ["", "A", "a:b", "../x", "a@b", "x" * 65])
def test_an_owner_has_a_plain_name(place: Place, owner: str) -> None:
    """It stands in the journal and names a folder; without one, the token's own name is the owner."""
    tokens = Tokens(place.folder / "tokens")
    if owner:
        with pytest.raises(UsageError, match="owner"):
            tokens.new("a", "agent", "2026-01-01T00:00:00.000Z", owner)
    else:
        tokens.new("a", "agent", "2026-01-01T00:00:00.000Z", owner)
        assert tokens.listed()[0].owner == "a"


def test_each_owner_has_room_for_files_of_their_own(place: Place) -> None:
    """One who has filled theirs is refused; the same file of another owner is taken, and is another file."""
    spool = Spool(place.folder / "spool", owned=20)
    given = {"references": [content()]}
    with spool.received(given, place.engine, "one") as mine:
        with pytest.raises(UsageError, match="you have no room"):
            spool.received({"references": [content("b.png")]}, place.engine, "one").__enter__()
        with spool.received(given, place.engine, "two") as theirs:
            assert mine["references"][0]["path"] != theirs["references"][0]["path"]
    spool.close()


def test_the_number_of_an_owners_files_has_an_end(place: Place) -> None:
    """Small files fill the room as well."""
    spool = Spool(place.folder / "spool", most=2)
    files = [content(f"{number}.png") for number in range(3)]
    with pytest.raises(UsageError, match="you have no room"):
        spool.received({"references": files}, place.engine, "one").__enter__()
    spool.close()


def test_what_a_call_costs_does_not_grow_with_the_sessions(quick: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a file waits, a call reads the sessions that named it and no other, however many there are."""
    spool = Spool(quick.folder / "spool")
    begun_with = beginning(quick.settings())
    with spool.received({"words": "x", "references": [content()]}, quick.engine) as given:
        quick.engine().start(Turn("start", given), **begun_with)
    for _ in range(12):
        begun(quick, None)
    read: list[str] = []
    load = quick.store.load

    def loaded(name: str) -> Any:
        read.append(name)
        return load(name)

    monkeypatch.setattr(quick.store, "load", loaded)
    with spool.received({"words": "hi"}, quick.engine):
        read.clear()
    assert 0 < len(read) <= 3 and len(set(read)) == 1
    spool.close()
