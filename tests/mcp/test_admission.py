"""The door of the broker: tokens, scopes, sizes, pace, names; whoever is turned away is told why."""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from typing import Any

import anyio
import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import InputRequiredResult

from tests.mcp.conftest import Place
from tests.mcp.host import WORDS, Host, Person, connected
from tests.mcp.test_clients import Slow, Stalled, claimed, ready
from tests.mcp.wire import Served, dialled, serving
from workflow.engine import Engine
from workflow.local import private
from workflow.local.tokens import FILE
from workflow.mcp_server import admission
from workflow.mcp_server.broker import MAX_REQUEST, PATH, names
from workflow.mcp_server.rate_limit import Pace
from workflow.model.errors import StoreError

MODERN = "2026-07-28"
LET_IN = 400
"""What the protocol itself answers to a request of no conversation: the door was passed."""
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


def post(served: Served, token: str | None, body: Any = LIST, **headers: str) -> httpx2.Response:
    """One request as anybody could send it."""
    known = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    known |= {"authorization": f"Bearer {token}"} if token is not None else {}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.post(served.url, content=sent, headers=known | named, timeout=60, trust_env=False)


def reason(response: httpx2.Response) -> str:
    """What it says, in the form that clients of the protocol show."""
    answer = response.json()
    assert answer["jsonrpc"] == "2.0" and answer["id"] is None
    message = answer["error"]["message"]
    assert isinstance(message, str)
    return message


@pytest.mark.parametrize("given", [None, "phasegate_00", "x" * 5000])
def test_without_a_good_token_nothing_is_served(place: Place, given: str | None) -> None:
    """Missing, empty, made up: 401, with what to do; nothing is begun."""
    with serving(place) as served:
        served.token()
        found = post(served, given)
        assert found.status_code == 401 and found.headers["www-authenticate"].startswith("Bearer")
        assert "somebody at the broker's machine makes one" in reason(found)
        basic = httpx2.post(served.url, headers={"authorization": f"Basic {served.token('b')}"}, trust_env=False)
        assert basic.status_code == 401


def test_a_client_is_told_why_it_is_turned_away(place: Place, era: str) -> None:
    """The protocol's own client shows the reason."""

    async def run(url: str) -> None:
        async with connected(dialled(url, "phasegate_made_up"), era, None):
            raise AssertionError

    with serving(place) as served, pytest.raises(BaseException) as refused:
        anyio.run(run, served.url)
    assert "not known here, or was revoked" in said(refused.value)


def said(error: BaseException) -> str:
    """Every message in what was raised."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return " ".join([str(error), *map(said, inner)])


def test_a_revoked_token_is_worthless_at_once(quick: Place, era: str) -> None:
    """In the middle of a conversation, without a restart; what was recorded stays for the next token."""

    async def run(served: Served) -> None:
        token = served.token("first")
        async with connected(dialled(served.url, token), era, Person()) as host:
            await host.start()
            served.tokens.revoke("first")
            with pytest.raises(MCPError, match="revoked"):
                await host.advance("approve")
        async with connected(dialled(served.url, served.token("second", owner="first")), era, Person()) as host:
            (only,) = (await host.call("workflow_sessions"))["sessions"]
            assert only["state"] == "confirm.presenting"

    with serving(quick) as served:
        anyio.run(run, served)
    assert quick.created() == 0


def test_an_answer_that_is_under_way_is_kept_back(quick: Place) -> None:
    """Revoked while its turn is at work: the turn is recorded, and its caller hears nothing of it."""
    stalled = Stalled()
    told: list[str] = []

    async def run(served: Served) -> None:
        async with connected(dialled(served.url, served.token("first")), MODERN, Person()) as host:
            await host.start()

            async def approve() -> None:
                try:
                    told.append((await host.advance("approve"))["state"])
                except MCPError as error:
                    told.append(str(error))

            async with anyio.create_task_group() as group:
                group.start_soon(approve)
                await anyio.to_thread.run_sync(stalled.left.wait, 30)
                served.tokens.revoke("first")
                stalled.go.set()

    with serving(quick, lambda: stalled.engine(quick)) as served:
        anyio.run(run, served)
    assert len(told) == 1 and "revoked" in told[0]
    assert quick.created() == 1


def test_an_auditor_reads_and_does_nothing_else(quick: Place, era: str) -> None:
    """It is offered what reads; everything else is refused in words, and changes nothing."""

    async def run(served: Served) -> None:
        async with connected(dialled(served.url, served.token("agent")), era, Person()) as host:
            name = (await host.start())["session"]
        async with connected(dialled(served.url, served.token("auditor", "auditor")), era, Person()) as host:
            offered = [tool.name for tool in (await host.client.list_tools()).tools]
            assert offered == ["workflow_status", "workflow_sessions", "workflow_audit"]
            assert (await host.call("workflow_audit", session=name))["ok"]
            assert (await host.call("workflow_status", session=name))["ok"]
            log = await host.client.read_resource(f"workflow://sessions/{name}/audit")
            assert WORDS in str(log)
            turns: dict[str, dict[str, Any]] = {
                "workflow_start": {"input": {"words": "x"}},
                "workflow_advance": {"session": name, "event": "approve", "expect_revision": 1},
                "workflow_watch": {"session": name},
                "workflow_none": {},
            }
            for tool, arguments in turns.items():
                refused = await host.call(tool, **arguments)
                assert refused["error"]["type"] == "refused" and "may only read" in refused["error"]["message"]
        assert quick.engine().status(name).revision == 1

    with serving(quick) as served:
        anyio.run(run, served)
    assert quick.created() == 0 and len(quick.engine().sessions()) == 1


def test_another_tokens_connection_is_not_found(quick: Place) -> None:
    """The id of a connection is worth nothing without the token that it was made with."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    with serving(quick) as served:
        begun = post(served, served.token("one"), {**LIST, "method": "initialize", "params": hello})
        taken = post(served, served.token("two"), mcp_session_id=begun.headers["mcp-session-id"])
        assert taken.status_code == 404 and post(served, "x", mcp_session_id="x").status_code == 401


def test_the_question_of_another_token_cannot_be_answered(quick: Place) -> None:
    """What seals an open question is bound to who was asked; the other is told that it is no good."""
    states: list[str] = []

    async def run(served: Served) -> None:
        async with connected(dialled(served.url, served.token("one")), MODERN, Person()) as host:
            await host.start()
            arguments = {"session": host.name, "event": "approve", "expect_revision": 1}
            asked = await host.client.session.call_tool("workflow_advance", arguments, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult) and asked.request_state
            states.append(asked.request_state)
            (key,) = asked.input_requests or {}
            form = (asked.input_requests or {})[key].params.requested_schema["properties"]  # type: ignore[union-attr]
        answer = {key: {"action": "accept", "content": {"answer": form["answer"]["enum"][1]}}}
        async with connected(dialled(served.url, served.token("two")), MODERN, Person()) as host:
            with pytest.raises(MCPError, match="requestState"):
                await host.client.session.call_tool(
                    "workflow_advance",
                    arguments,
                    input_responses=answer,  # type: ignore[arg-type]
                    request_state=states[0],
                    allow_input_required=True,
                )

    with serving(quick) as served:
        anyio.run(run, served)
    assert quick.created() == 0


def test_a_body_that_is_too_large_is_not_taken(place: Place) -> None:
    """By its length it is refused before it is read, without one as soon as it is too much."""
    with serving(place) as served:
        token = served.token()
        found = post(served, token, b" " * (MAX_REQUEST + 1))
        assert found.status_code == 413 and "16 MB" in reason(found)
        pieces = (b" " * 1024**2 for _ in range(17))
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        endless = httpx2.post(served.url, content=pieces, headers=headers, timeout=60, trust_env=False)
        assert endless.status_code == 413
        assert post(served, token).status_code == LET_IN and place.engine().sessions() == []


def test_who_calls_too_fast_is_told_when_to_call_again(place: Place) -> None:
    """429 with Retry-After; another token is not slowed down by it."""
    with serving(place, pace=Pace(lambda: 0.0, burst=2, per_second=0.5)) as served:
        fast, other = served.token("fast"), served.token("other")
        codes = [post(served, fast).status_code for _ in range(3)]
        refused = post(served, fast)
        assert (
            codes == [LET_IN, LET_IN, 429]
            and refused.headers["retry-after"] == "2"
            and "Nothing was done" in reason(refused)
        )
        assert post(served, other).status_code != 429


def test_a_pace_fills_up_with_time_and_counts_what_is_under_way() -> None:
    """A burst, then so many a second; and never more at once than allowed, streams included."""
    now = [0.0]
    pace = Pace(lambda: now[0], burst=2, per_second=0.5, at_once=1)
    assert pace.enter("a") == 0 and pace.enter("a") == 1  # one is under way
    pace.leave("a")
    assert pace.enter("a") == 0
    pace.leave("a")
    assert pace.enter("a") == 2 and pace.enter("b") == 0
    now[0] = 2.0
    assert pace.enter("a") == 0
    pace.leave("a")
    now[0] = 1000.0
    for _ in range(2):
        assert pace.enter("a") == 0
        pace.leave("a")
    assert pace.enter("a") == 2


@pytest.mark.parametrize(
    ("headers", "code"), [({"host": "evil.example"}, 421), ({"origin": "https://evil.example"}, 403)]
)
def test_a_page_of_somebody_else_gets_nowhere(place: Place, headers: dict[str, str], code: int) -> None:
    """DNS rebinding: a browser says which name it took us for, and where the page came from."""
    with serving(place) as served:
        assert post(served, served.token(), **headers).status_code == code


def test_the_names_of_a_broker() -> None:
    """Its own address, loopback's names on loopback alone, and what its user says."""
    assert names("127.0.0.1", 1, ()) == ["127.0.0.1:1", "localhost:1", "[::1]:1"]
    assert names("192.0.2.7", 1, ("broker.example",)) == ["192.0.2.7:1", "broker.example:1", "broker.example"]
    assert names("2001:db8::1", 1, ()) == ["[2001:db8::1]:1"]


def test_health_is_for_anybody_and_says_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token, no name, no version, no path; where turns could not be taken it says so."""
    broken = False

    def engine() -> Engine:
        if broken:
            raise StoreError("/a/path cannot be used")
        return place.engine()

    monkeypatch.setattr(admission, "HEALTH_SECONDS", 0.0)  # each request looks for itself
    with serving(place, engine) as served:
        found = httpx2.get(f"{served.root}/health", trust_env=False)
        assert (found.status_code, found.json()) == (200, {"ok": True})
        broken = True
        found = httpx2.get(f"{served.root}/health", trust_env=False)
        assert (found.status_code, found.json()) == (503, {"ok": False})
        assert httpx2.get(f"{served.root}/elsewhere", trust_env=False).status_code == 401


def test_a_damaged_file_of_tokens_lets_nobody_in(place: Place) -> None:
    """What cannot be read is no token; the broker says so and goes on."""
    with serving(place) as served:
        token = served.token()
        (place.folder / "config" / FILE).write_text('{"tokens": [{"name": "x"}]}', encoding="utf-8")
        assert post(served, token).status_code == 503
        (place.folder / "config" / FILE).unlink()
        assert post(served, token).status_code == 401 and post(served, served.token()).status_code != 401


@pytest.mark.parametrize("raised", [RuntimeError("here"), MemoryError(), OSError(24, "no more files")])
@pytest.mark.parametrize("check", ["look_along", "_check_parent", "check_file"])
def test_a_check_of_the_tokens_that_raises_lets_nobody_in(
    place: Place, monkeypatch: pytest.MonkeyPatch, check: str, raised: Exception
) -> None:
    """It raises here: a good token opens nothing, the broker says so, and takes it again afterwards."""

    def fail(*given: object) -> bool:
        raise raised

    with serving(place) as served:
        token = served.token()
        with monkeypatch.context() as broken:
            broken.setattr(private, check, fail)
            assert post(served, token).status_code == 503
        assert post(served, token).status_code not in (401, 503)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_tokens_that_another_user_wrote_let_nobody_in(place: Place) -> None:
    """Whoever could exchange the file made a token of their own."""
    with serving(place) as served:
        token = served.token()
        os.chown(place.folder / "config" / FILE, 65534, 65534)
        assert post(served, token).status_code == 503


def test_a_client_that_vanishes_in_a_paid_call(quick: Place, era: str) -> None:
    """The call goes on to its end and is recorded; the next client finds the image ordered, once."""
    stalled = Stalled()

    async def run(served: Served) -> None:
        token = served.token()
        async with connected(dialled(served.url, token), era, Person()) as host:
            name: str = (await host.start())["session"]
            async with anyio.create_task_group() as group:
                group.start_soon(host.advance, "approve")
                await anyio.to_thread.run_sync(stalled.left.wait, 30)
                group.cancel_scope.cancel()
        stalled.go.set()
        async with connected(dialled(served.url, token), era, Person()) as host:
            host.reply = await host.call("workflow_advance", session=name)
            assert host.reply["state"] == "deliver.generating"
            assert (await host.advance("approve"))["ok"] is False

    with serving(quick, lambda: stalled.engine(quick)) as served:
        anyio.run(run, served)
    assert quick.created() == 1


def test_what_one_client_heard_another_does_not_confirm(quick: Place, era: str) -> None:
    """All share one broker; only a turn that names the reply with the news shows that they arrived."""

    async def run(served: Served) -> None:
        one, two = served.token("one"), served.token("two")
        async with connected(dialled(served.url, one), era, Person()) as host:
            name = await ready(host)
            assert "ready" in host.says()
            async with connected(dialled(served.url, two), era, Person()) as other:
                await other.client.list_tools()
                assert quick.journal(name, "confirm") == []
                assert (await host.advance())["say"] == []
                assert len(quick.journal(name, "confirm")) == 1
                assert (await other.call("workflow_advance", session=name))["say"] == []

    with serving(quick) as served:
        anyio.run(run, served)


def test_news_that_never_left_are_offered_once_more(quick: Place, era: str) -> None:
    """The client is gone before its answer: its next calls confirm nothing, and find the news again."""
    slow = Slow(quick)

    async def run(served: Served) -> None:
        token = served.token()
        async with connected(dialled(served.url, token), era, Person()) as host:
            await host.start()
            await host.advance("approve")
            await host.call("workflow_watch", session=host.name)
            slow.at = 2
            async with anyio.create_task_group() as group:
                group.start_soon(host.advance)
                await anyio.to_thread.run_sync(slow.opening.wait, 30)
                group.cancel_scope.cancel()
            await host.client.list_tools()  # the broker knows by now that nobody waits
            slow.go.set()
            while not claimed(quick, host.name):
                await host.client.list_tools()
            for _ in range(2):
                await host.client.list_tools()
            (said, *_) = (await host.advance())["say"]
            assert said["id"] == "ready" and said["maybe_said"]

    with serving(quick, slow) as served:
        anyio.run(run, served)


def test_an_answer_to_a_connection_that_broke_was_not_heard(quick: Place) -> None:
    """Nothing cancels the call: it is answered into the void, and further calls of that client confirm nothing."""
    slow = Slow(quick)
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}

    async def begin(served: Served, token: str) -> str:
        async with connected(dialled(served.url, token), "2025-11-25", Person()) as host:
            await host.start()
            await host.advance("approve")
            await host.call("workflow_watch", session=host.name)
            return host.name

    with serving(quick, slow, Pace(burst=10_000)) as served:
        token = served.token()
        name = anyio.run(begin, served, token)
        begun = post(served, token, {**LIST, "method": "initialize", "params": hello})
        same = {"mcp_session_id": begun.headers["mcp-session-id"], "mcp_protocol_version": "2025-11-25"}
        post(served, token, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **same)
        call = {"name": "workflow_advance", "arguments": {"session": name}}
        advance = {**LIST, "method": "tools/call", "params": call}
        slow.at = 1
        broken = HTTPConnection(*served.root.removeprefix("http://").split(":"))  # type: ignore[arg-type]
        headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
        headers |= {"content-type": "application/json", "mcp-session-id": same["mcp_session_id"]}
        broken.request("POST", PATH, json.dumps(advance), headers)
        assert slow.opening.wait(30)
        broken.close()
        assert post(served, token, **same).status_code == 200
        slow.go.set()
        while not claimed(quick, name):
            post(served, token, **same)
        for _ in range(2):
            post(served, token, **same)
        assert quick.journal(name, "confirm") == []
        assert '"maybe_said":true' in post(served, token, advance, **same).text.replace("\\", "").replace(" ", "")


def test_a_turn_that_is_under_way_ends_before_the_broker(quick: Place, era: str) -> None:
    """Told to stop in the middle of a paid call: it is answered, and then nobody is served any more."""
    stalled = Stalled()
    replies: list[Any] = []

    async def run(served: Served) -> None:
        async with connected(dialled(served.url, served.token()), era, Person()) as host:
            await host.start()

            async def approve() -> None:
                replies.append(await host.advance("approve"))

            async with anyio.create_task_group() as group:
                group.start_soon(approve)
                await anyio.to_thread.run_sync(stalled.left.wait, 30)
                served.broker.stop()
                stalled.go.set()

    with serving(quick, lambda: stalled.engine(quick)) as served:
        anyio.run(run, served)
        served.stop()
    assert [reply["state"] for reply in replies] == ["deliver.generating"] and quick.created() == 1


def test_who_only_waits_is_sent_home_at_the_end(quick: Place) -> None:
    """A form that is open in the client: nothing was answered, which is recorded, and the question stays."""
    names_: list[str] = []

    async def run(served: Served) -> None:
        class Slow(Person):
            async def __call__(self, context: Any, params: Any) -> Any:
                served.broker.stop()
                await anyio.sleep_forever()

        async with connected(dialled(served.url, served.token()), "2025-11-25", Slow()) as host:
            names_.append((await host.start())["session"])
            reply = await host.advance("approve")
            assert "stopped" in reply["error"]["message"]

    with serving(quick) as served:
        anyio.run(run, served)
        served.stop()
    (noted,) = quick.journal(names_[0], "unanswered")
    assert "stopped" in noted["why"] and quick.created() == 0


def test_a_watch_ends_with_the_broker(place: Place, era: str) -> None:
    """It says where the session stands; the service goes on without it."""

    async def run(served: Served) -> None:
        async with connected(dialled(served.url, served.token()), era, Person()) as host:
            await begun(host)
            sleep = place.clock.sleep

            def stop(seconds: float) -> None:
                served.broker.stop()
                sleep(seconds)

            place.clock.sleep = stop  # type: ignore[method-assign]
            reply = await host.call("workflow_watch", session=host.name, seconds=3600)
            assert reply["status"] == "watching"

    async def begun(host: Host) -> None:
        await host.start()
        await host.advance("approve")

    place.sandbox.settings(rounds=1, looks=1000)
    with serving(place) as served:
        anyio.run(run, served)
        served.stop()
