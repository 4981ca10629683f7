"""A turn and a look end within their own time, however slowly a service answers and however many requests they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import CHANGE, check_promises
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE as BUNDLE
from tests.promises.journeys import readings, remembered, to_ready
from tests.promises.test_phase5_changes import client
from workflow.engine import Engine
from workflow.engine.budget import LOOK, TURN
from workflow.model.errors import NoAnswer
from workflow.model.frozen import replace
from workflow.model.ports import Connection, Response, Service


class Slow:
    """The service behind a line on which each request takes ``seconds``, or times out."""

    def __init__(self, service: Service, clock: HandClock, seconds: float) -> None:
        self._service, self._clock, self._seconds = service, clock, seconds

    def call(self, method: str, path: str, *, timeout: float, **given: Any) -> Response:
        """One request."""
        self._clock.pass_(min(timeout, self._seconds))
        if timeout < self._seconds:
            raise NoAnswer("no answer in time", transient=True)
        return self._service.call(method, path, timeout=30, **given)


def slow_down(play: Player, clock: HandClock, seconds: float) -> None:
    """From now on each request takes so long."""
    connect = play.engine.world.connect

    def slowly(*arguments: Any) -> Connection:
        real = connect(*arguments)
        return Connection(real.base_url, lambda: Slow(real.make_service(), clock, seconds), real.key, real.notices)

    play.engine = Engine(replace(play.engine.world, connect=slowly))


@pytest.mark.parametrize("seconds", [25, 50, 59])
def test_a_turn_ends_within_its_time(tmp_path: Path, sandbox: Sandbox, clock: HandClock, seconds: float) -> None:
    """Ten files on a slow line: what was sent is kept, the rest waits for `retry`, and no file is sent twice."""
    play = player(tmp_path, BUNDLE, sandbox.url, clock=clock)
    files = [f"{number}.png" for number in range(10)]
    for name in files:
        (tmp_path / name).write_bytes(name.encode())
    play.start({"words": "A poster", "references": [{"path": name, "description": name} for name in files]})
    slow_down(play, clock, seconds)
    begun = clock.boot
    play.send("consent", quote="yes, all of them", items=files)
    turns = 1
    while play.reply.state == "understand.uploading":
        assert clock.boot - begun <= TURN
        assert play.reply.error is not None and [each.event for each in play.reply.next][0] == "retry"
        begun, turns = clock.boot, turns + 1
        play.send("retry", revision=None)
    if play.reply.error:  # the plan was asked for with what was left
        play.send("retry", revision=None)
    assert turns >= 3
    uploads = [each for each in sandbox.requests if each.path.endswith("/upload")]
    assert sorted(each.form["filename"] for each in uploads) == files
    check_promises(play, sandbox)


@pytest.mark.parametrize("seconds", [14, 29, 31])
def test_a_look_ends_within_its_time(tmp_path: Path, sandbox: Sandbox, clock: HandClock, seconds: float) -> None:
    """Pages that come slowly: the look ends, is no fault of the run, and the next one is made as ever."""
    play = player(tmp_path, BUNDLE, sandbox.url, clock=clock)
    to_ready(play)
    sandbox.settings(looks=99)
    play.send("modify", {"words": CHANGE}, quote=CHANGE)
    slow_down(play, clock, seconds)
    for _ in range(3):
        begun = clock.boot
        found = play.engine.look(play.name)
        assert clock.boot - begun <= LOOK and not found.moved
    assert play.engine.status(play.name).state == "revise.applying"
    assert len(readings(sandbox)) == (0 if seconds > LOOK else 3)


@pytest.mark.parametrize("seconds", [16, 29])
def test_a_look_of_two_pages_ends_within_its_time(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, seconds: float
) -> None:
    """Others write on the same task, so that the look reads on: its second page has what the first one left."""
    play = player(tmp_path, BUNDLE, sandbox.url, clock=clock)
    to_ready(play)
    sandbox.settings(looks=99)
    play.send("modify", {"words": CHANGE}, quote=CHANGE)
    for number in range(4):
        client(sandbox).send(remembered(play)["task_id"], f"Another wish, number {number}", [])
    slow_down(play, clock, seconds)
    begun, before = clock.boot, len(readings(sandbox))
    assert not play.engine.look(play.name).moved
    assert clock.boot - begun == LOOK and len(readings(sandbox)) == before + 1
    assert play.engine.status(play.name).state == "revise.applying"
