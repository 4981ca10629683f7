"""The broker: the whole conversation over HTTP, and the files that come to it by content."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.mcp.conftest import Place
from tests.mcp.host import BRASS, Host, Person, all_phases, connected, decline
from tests.mcp.wire import PICTURE, Served, content, dialled, serving
from workflow.mcp_server import uploads as spools
from workflow.mcp_server.uploads import Spool
from workflow.model.errors import StoreError, UsageError


def play(served: Served, era: str, talk: Any, person: Person | None = None, name: str = "agent") -> Person:
    """A client with a token of its own plays, and goes."""
    known, token = person or Person(), served.token(name, owner="agent")

    async def run() -> None:
        async with connected(dialled(served.url, token), era, known) as host:
            await talk(host)

    anyio.run(run)
    return known


def spooled(place: Place) -> list[Path]:
    """The files that the broker keeps."""
    return sorted((place.folder / "state-spool").glob("@*/*/*"))


def test_all_phases(place: Place, era: str) -> None:
    """Each gate is asked by a form, the picture comes by content, and its bytes are those that are sent."""
    with serving(place) as served:
        person = play(served, era, lambda host: all_phases(host, content()))
        assert len(person.asked) == 3 and place.created() == 1
        (sent,) = [each.files[0] for each in place.sandbox.requests if each.path.endswith("/upload")]
        assert sent.size == len(PICTURE)
        assert re.search(r"- “ref.png” \(18 B, \w{8}\): “warm brass”", person.asked[0])
        assert str(place.folder) not in "".join(person.asked)
        assert spooled(place) == []
    (name,) = [each.name for each in place.engine().sessions()]
    given = [each for body in place.journal(name, "event") for each in body["evidence"]]
    assert {each["client"] for each in given} == {"token agent: host-of-tests 7.1"} and len(given) == 3


@pytest.mark.parametrize("path", ["ref.png", "/proc/self/environ", "state/phasegate.db"])
def test_a_path_of_a_remote_caller_is_refused(place: Place, path: str) -> None:
    """It would be a path of the broker's machine; nothing is opened, and no session begins."""

    async def talk(host: Host) -> None:
        reply = await host.start(references=[{"path": path, "description": "mine"}])
        assert reply["error"]["type"] == "usage" and "path" in reply["error"]["message"]
        assert '"content"' in reply["error"]["hint"]
        both = await host.start(references=[content() | {"path": path}])
        assert both["error"]["type"] == "usage"

    with serving(place) as served:
        play(served, "2026-07-28", talk)
        assert spooled(place) == [] and place.engine().sessions() == []


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"content": "no base64!"}, "not base64"),
        ({"content": 5}, "without its content"),
        ({"content": "A" * (spools.MAX_FILE * 4 // 3 + 8)}, "larger than 8 MB"),
        ({"content": ""}, "it is empty"),
        ({"name": "../ref.png"}, "without any folder"),
        ({"name": "a\u202eb.png"}, "without any folder"),
        ({"name": ""}, "without any folder"),
        ({"name": "x" * 300}, "without any folder"),
    ],
)
def test_a_broken_file_is_told_and_leaves_nothing(place: Place, broken: dict[str, Any], why: str) -> None:
    """A clear error, no session, nothing on the disk."""

    async def talk(host: Host) -> None:
        reply = await host.start(references=[content() | broken])
        assert reply["ok"] is False and why in reply["error"]["message"]

    with serving(place) as served:
        play(served, "2026-07-28", talk)
        assert spooled(place) == [] and place.engine().sessions() == []


def test_a_file_is_private_and_goes_with_its_session(place: Place, era: str) -> None:
    """Its folder is named by its digest; while the person is asked it stays; the end of the session removes it."""

    async def talk(host: Host) -> None:
        await host.start(references=[content()])
        (file,) = spooled(place)
        assert file.read_bytes() == PICTURE and file.name == "ref.png" and len(file.parent.name) == 64
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)]
        assert modes == [0o600, 0o700, 0o700]
        assert (await host.advance("consent"))["ok"] is False and spooled(place) == [file]
        await host.advance("cancel")
        assert host.reply["status"] == "cancelled" and spooled(place) == []

    with serving(place) as served:
        play(served, era, talk, Person(decline))


def test_a_file_is_gone_once_it_was_sent(place: Place, era: str) -> None:
    """The session goes on without it."""

    async def talk(host: Host) -> None:
        await host.start(references=[content()])
        await host.advance("consent")
        assert host.reply["state"] == "understand.asking" and spooled(place) == []
        await host.advance("answer", input={"words": "Warm colours"})
        assert host.reply["state"] == "confirm.presenting"

    with serving(place) as served:
        play(served, era, talk)


def test_a_start_that_is_sent_again_is_the_same(place: Place, era: str) -> None:
    """The same content is the same file, and the same turn: one session."""

    async def talk(host: Host) -> None:
        arguments = {"input": {"words": "A poster", "references": [content()]}, "turn_id": "once"}
        first = await host.call("workflow_start", **arguments)
        again = await host.call("workflow_start", **arguments)
        assert again["replayed"] and again["session"] == first["session"] and len(spooled(place)) == 1

    with serving(place) as served:
        play(served, era, talk)


def test_a_file_outlives_the_broker(place: Place, era: str) -> None:
    """One that a session still needs is there for the next broker; one that nobody needs is swept away."""
    names: list[str] = []

    async def begin(host: Host) -> None:
        names.append((await host.start(references=[content()]))["session"])

    async def consent(host: Host) -> None:
        host.reply = await host.call("workflow_status", session=names[0])
        assert (await host.advance("consent"))["state"] == "understand.asking"

    with serving(place) as served:
        play(served, era, begin)
    stray = place.folder / "state-spool" / "@agent" / ("0" * 64)
    stray.mkdir(parents=True)
    (stray / "left.png").write_bytes(b"left behind by a broker that died")
    with serving(place) as served:
        play(served, era, consent, name="next")
    assert spooled(place) == []


def test_the_room_for_files_has_an_end(place: Place) -> None:
    """What does not fit is refused, and what is there stays."""
    spool = Spool(place.folder / "small", limit=20)
    with spool.received({"references": [content()]}, place.engine) as given:
        path = Path(given["references"][0]["path"])
        other = spool.received({"references": [content("other.png")]}, place.engine)
        with pytest.raises(UsageError, match="no room"), other:
            raise AssertionError
        assert path.read_bytes() == PICTURE
    assert not path.exists()
    spool.close()


def test_two_brokers_do_not_share_their_files(place: Place) -> None:
    """A second one would sweep away what the first is about to send."""
    spool = Spool(place.folder / "spool")
    with pytest.raises(StoreError, match="another broker"):
        Spool(place.folder / "spool")
    spool.close()
    Spool(place.folder / "spool").close()


def test_over_a_pipe_files_are_named_by_path(place: Place, era: str) -> None:
    """There the caller is on the same machine, and content is none of the things that a file has."""

    async def run() -> None:
        async with connected(place.server(), era, Person()) as host:
            assert (await host.start(references=[content()]))["ok"] is False
            assert (await host.start(references=[BRASS]))["ok"] is True

    anyio.run(run)
