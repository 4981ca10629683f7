"""Clients without forms: the agent passes the person's answer on, as on the command line, and no further."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from tests.mcp.conftest import Place, talk
from tests.mcp.host import BRASS, CHANGE, Host, Person, agree, connected, decline


def relay(place: Place, era: str, play: Callable[[Host], Awaitable[None]]) -> None:
    """A client that shows no forms."""

    async def run() -> None:
        async with connected(place.server(), era, None) as host:
            await play(host)

    anyio.run(run)


def evidence(place: Place, name: str) -> list[dict[str, Any]]:
    """All that was accepted as somebody's answer."""
    return [each for body in place.journal(name, "event") for each in body["evidence"]]


def test_a_whole_conversation_without_forms(place: Place, era: str) -> None:
    """Files, plan and change are answered by quotes; each is recorded as relayed, over MCP, by this client."""
    names: list[str] = []

    async def play(host: Host) -> None:
        await host.start(references=[BRASS])
        names.append(host.name)
        await host.advance("consent", quote="Yes, send it", items=["ref.png"])
        await host.advance("answer", input={"words": "Warm colours"})
        assert (await host.advance("approve", quote="Lovely, go ahead"))["state"] == "deliver.generating"
        await host.call("workflow_watch", session=host.name)
        await host.advance()
        assert (await host.advance("modify", input={"words": CHANGE}, quote=CHANGE))["state"] == "revise.applying"

    relay(place, era, play)
    found = evidence(place, names[0])
    assert [each["quote"] for each in found] == ["Yes, send it", "Lovely, go ahead", CHANGE]
    assert {(each["strength"], each["channel"]) for each in found} == {("relayed", "mcp")}
    assert {each["client"] for each in found} == {"unverified: host-of-tests 7.1"}
    assert place.created() == 1


def test_only_the_files_that_are_named_are_sent(place: Place, era: str) -> None:
    """`items` are the names that the person agreed to; the other file stays here."""
    (place.folder / "other.png").write_bytes(b"another picture")

    async def play(host: Host) -> None:
        await host.start(references=[{"path": name, "description": "a picture"} for name in ("ref.png", "other.png")])
        await host.advance("consent", quote="Only the first one", items=["ref.png"])

    relay(place, era, play)
    uploaded = [part.filename for each in place.sandbox.requests for part in each.files]
    assert uploaded == ["ref.png"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({}, "needs the person's own words, as quote"),
        ({"quote": "  "}, "needs the person's own words, as quote"),
        ({"quote": "no way!!"}, "quote refuses"),
        ({"quote": "yes", "seen": None}, "`seen` is required"),
        ({"quote": "yes", "seen": "1-00000000"}, "`seen` is of another reply"),
    ],
)
def test_what_the_command_line_refuses_is_refused_here(quick: Place, era: str, sent: dict[str, Any], why: str) -> None:
    """No words, a no, and an answer that names no reply or another one."""

    async def play(host: Host) -> None:
        await host.start()
        reply = await host.advance("approve", **sent)
        assert why in reply["error"]["message"] and reply["state"] == "confirm.presenting"

    relay(quick, era, play)
    assert quick.created() == 0


@pytest.mark.parametrize("strength", ["asked", "proven"])
def test_a_gate_that_needs_more_takes_no_quote(quick: Place, era: str, strength: str) -> None:
    """The person's own way is named instead, without a command that the agent could type."""
    quick.policy["user_approved"] = strength

    async def play(host: Host) -> None:
        await host.start()
        reply = await host.advance("approve", quote="Yes, go ahead")
        assert f"needs '{strength}'" in reply["error"]["message"]
        assert "in a terminal of their own" in reply["error"]["hint"]

    relay(quick, era, play)
    assert quick.created() == 0


def test_a_quote_never_counts_where_a_form_is_shown(quick: Place, era: str) -> None:
    """The person sends the form away: what the agent passed on beside it opens nothing."""
    names: list[str] = []

    async def play(host: Host) -> None:
        await host.start()
        names.append(host.name)
        assert (await host.advance("approve", quote="Yes, go ahead"))["error"]["type"] == "refused"

    person = talk(quick, era, play, Person(decline))
    assert len(person.asked) == 1 and evidence(quick, names[0]) == [] and quick.created() == 0


def test_after_not_now_everything_stays_possible(quick: Place, era: str) -> None:
    """The same call puts the form again; so does one after another event; an answer then counts once."""
    answers = iter([decline, decline, agree])

    async def play(host: Host) -> None:
        await host.start()
        assert "the form is shown again" in (await host.advance("approve"))["error"]["hint"]
        assert not (await host.advance("approve"))["ok"]
        assert (await host.advance("adjust", input={"words": "Larger letters"}))["state"] == "confirm.presenting"
        assert (await host.advance("approve"))["state"] == "deliver.generating"

    person = talk(quick, era, play, Person(lambda form: next(answers)(form)))
    assert len(person.asked) == 3 and quick.created() == 1
