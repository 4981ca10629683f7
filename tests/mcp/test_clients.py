"""Clients that come and go: nothing is lost, nothing is paid twice, nothing is said twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread

from tests.mcp.conftest import Place, talk
from tests.mcp.host import Host, Person, connected
from workflow.engine import Engine
from workflow.history import audit
from workflow.mcp_server import make_server
from workflow.model.frozen import replace
from workflow.model.ports import Connection, Response, Service

PATIENCE = 30.0


class Stalled:
    """A service whose paid call is under way until ``go`` is set; ``left`` says that it has left."""

    def __init__(self) -> None:
        self.left, self.go = threading.Event(), threading.Event()

    def engine(self, place: Place) -> Engine:
        """The engine with this service in front of the real one."""
        engine = place.engine()
        connect = engine.world.connect

        def stalled(*given: Any) -> Connection:
            known = connect(*given)
            return replace(known, make_service=lambda: _Paused(known.make_service(), self))

        return Engine(replace(engine.world, connect=stalled))


class _Paused:
    def __init__(self, service: Service, stalled: Stalled) -> None:
        self._service, self._stalled = service, stalled

    def call(self, method: str, path: str, **more: Any) -> Response:
        if method == "POST" and path.endswith("/tasks"):
            self._stalled.left.set()
            assert self._stalled.go.wait(PATIENCE)
        return self._service.call(method, path, **more)


class Slow:
    """An engine that takes its time to open, ``at`` the so-manieth time from now."""

    def __init__(self, place: Place) -> None:
        self.place, self.at = place, 0
        self.opening, self.go = threading.Event(), threading.Event()

    def __call__(self) -> Engine:
        """What a call opens: once to see whether somebody has to be asked, once for the turn."""
        self.at -= 1
        if self.at == 0:
            self.opening.set()
            assert self.go.wait(PATIENCE)
        return self.place.engine()


def served(place: Place, engine: Callable[[], Engine]) -> Any:
    """A server that opens its engine like this."""
    return make_server(lambda: place.desk(engine=engine), "Images")


def test_a_client_that_vanishes_in_a_paid_call(quick: Place, era: str) -> None:
    """The call goes on to its end and is recorded; the next client finds the image ordered, once."""
    stalled = Stalled()

    async def vanish(server: Any) -> str:
        async with connected(server, era, Person()) as host:
            name: str = (await host.start())["session"]
            async with anyio.create_task_group() as group:
                group.start_soon(host.advance, "approve")
                await anyio.to_thread.run_sync(stalled.left.wait, PATIENCE)
                group.cancel_scope.cancel()
                stalled.go.set()
        return name

    async def find(server: Any, name: str) -> None:
        async with connected(server, era, Person()) as host:
            host.reply = await host.call("workflow_advance", session=name)
            assert host.reply["state"] == "deliver.generating"
            assert (await host.advance("approve"))["ok"] is False

    async def both() -> str:
        name = await vanish(served(quick, lambda: stalled.engine(quick)))
        await find(quick.server(), name)
        return name

    audit.verify(quick.engine(), anyio.run(both))
    assert quick.created() == 1


def test_what_a_client_heard_is_not_said_again(quick: Place, era: str) -> None:
    """A turn that names the reply with the news confirms them, in its own commit; no client is told them again."""
    names: list[str] = []

    async def play() -> None:
        async with connected(quick.server(), era, Person()) as host:
            names.append(await ready(host))
            assert host.says() and not host.reply["say"][0].get("maybe_said")
            assert (await host.advance())["say"] == []
        async with connected(quick.server(), era, Person()) as host:
            assert (await host.call("workflow_advance", session=names[0]))["say"] == []

    anyio.run(play)
    assert len(quick.journal(names[0], "confirm")) == 1


def test_a_paid_turn_that_is_sent_again_gets_its_recorded_reply(quick: Place, era: str) -> None:
    """By its id, with or without a token: nobody is asked again, nothing is paid again, the words are the same."""

    async def play(host: Host) -> None:
        await host.start()
        plan = host.reply["seen"]
        first = await host.advance("approve", turn_id="pay")
        for seen in (plan, None, host.reply["seen"]):
            again = await host.call(
                "workflow_advance",
                session=host.name,
                event="approve",
                turn_id="pay",
                **({"seen": seen} if seen else {}),
            )
            assert again["replayed"] and again["say"] == first["say"]
        refused = await host.call("workflow_advance", session=host.name, event="adjust", turn_id="pay")
        assert "used for another turn" in refused["error"]["message"]

    talk(quick, era, play)
    assert quick.created() == 1


def test_a_paid_turn_without_an_id_is_known_by_its_token(quick: Place, era: str) -> None:
    """The answer that the form took is none of the client's: the same call is the same turn."""

    async def play(host: Host) -> None:
        await host.start()
        call = {"session": host.name, "event": "approve", "seen": host.reply["seen"]}
        first = await host.call("workflow_advance", **call)
        again = await host.call("workflow_advance", **call)
        assert first["ok"] and again["replayed"] and again["say"] == first["say"]

    talk(quick, era, play)
    assert quick.created() == 1


def test_what_a_client_may_have_heard_is_offered_once_more(quick: Place, era: str) -> None:
    """A client that is gone after the news were given may have shown them, or not: the next one is told so."""

    async def play() -> None:
        async with connected(quick.server(), era, Person()) as host:
            name = await ready(host)
        async with connected(quick.server(), era, Person()) as host:
            again = await host.call("workflow_advance", session=name)
            assert again["say"] and all(said["maybe_said"] for said in again["say"])
        async with connected(quick.server(), era, Person()) as host:
            await host.call("workflow_status", session=name)

    anyio.run(play)


def claimed(place: Place, name: str) -> bool:
    """Whether somebody has said that they would say the news."""
    return any(body["claimed"] for body in place.journal(name, "reply"))


async def ready(host: Host) -> str:
    """Go on until the image is there, and the client was told."""
    await host.start()
    await host.advance("approve")
    await host.call("workflow_watch", session=host.name)
    await host.advance()
    return host.name


def test_what_a_call_that_was_given_up_would_have_said_is_said(quick: Place, era: str) -> None:
    """The client stays and cancels the one call that had the news: they are offered by the next."""
    slow = Slow(quick)

    async def play() -> None:
        async with connected(served(quick, slow), era, Person()) as host:
            await host.start()
            await host.advance("approve")
            await host.call("workflow_watch", session=host.name)
            slow.at = 2
            async with anyio.create_task_group() as group:
                group.start_soon(host.advance)
                await anyio.to_thread.run_sync(slow.opening.wait, PATIENCE)
                group.cancel_scope.cancel()
                if era != "2025-11-25":  # there the call itself is cancelled, and waits for its turn
                    slow.go.set()
            await host.client.list_tools()  # the server has been told by now
            slow.go.set()
            while not claimed(quick, host.name):
                await host.client.list_tools()
            for _ in range(2):
                await host.client.list_tools()
            assert "ready" in [said["id"] for said in (await host.advance())["say"]]

    anyio.run(play)


def test_two_clients_of_one_session_take_turns(quick: Place, era: str) -> None:
    """Both ask the person at once, both get a yes: one image is made, the other yes is a repeat or comes too late."""

    async def play() -> None:
        both = anyio.Event()
        asked: list[str] = []

        class Together(Person):
            """Answers when the other is asking as well."""

            async def __call__(self, context: Any, params: Any) -> Any:
                asked.append(params.message)
                if len(asked) == 2:
                    both.set()
                await both.wait()
                return await super().__call__(context, params)

        server = quick.server()
        async with connected(server, era, Together()) as one, connected(server, era, Together()) as two:
            await one.start()
            two.reply = dict(one.reply)
            async with anyio.create_task_group() as group:
                group.start_soon(one.advance, "approve")
                group.start_soon(two.advance, "approve")
            replies = [one.reply, two.reply]
            assert sum(reply["ok"] and not reply["replayed"] for reply in replies) == 1

    anyio.run(play)
    assert quick.created() == 1
