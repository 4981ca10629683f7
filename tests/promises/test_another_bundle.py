"""A bundle of another field, with other phases and another service: the engine knows nothing of images."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle

COURIER = Path(__file__).parent.parent / "courier"
PARCEL = {"address": "12 Harbour Lane", "weight": 4}


@pytest.fixture
def depot() -> Iterator[Any]:
    """The courier's service."""
    with open_bundle(COURIER).module("phases.depot").Sandbox() as opened:
        yield opened


@pytest.fixture
def play(tmp_path: Path, depot: Any) -> Player:
    """A session about to start."""
    return player(tmp_path, COURIER, depot.url)


def test_a_parcel_goes_from_price_to_door(play: Player, depot: Any) -> None:
    """Price, approval, booking, watching, end: the same engine, and the booking happens once."""
    reply = play.start(PARCEL, language="de")
    assert (reply.state, reply.status, play.says()) == ("order.offering", "waiting", ["offer"])
    assert "An 12 Harbour Lane, für" in play.texts()[0]
    assert play.option("accept").gate is not None
    reply = play.send("accept", quote="Ja, bitte")
    assert (reply.state, reply.status) == ("delivery.travelling", "watching")
    assert reply.watch is not None and reply.watch["ways"] == []
    assert play.watch() == 3
    reply = play.send(None)
    assert (reply.status, play.texts()) == ("done", ["Ihr Paket ist angekommen."])
    assert depot.calls.count(("POST", "/bookings")) == 1
    assert depot.keys == {"courier-depot-key"}


def test_a_lost_answer_is_told_and_never_repeated(play: Player, depot: Any) -> None:
    """The connection breaks after the booking: the run is in doubt, and only the person ends it."""
    play.start(PARCEL)
    depot.fault("drop-after", on="POST *", times=0)
    reply = play.send("accept", quote="yes")
    assert (reply.state, reply.status, reply.exit_code) == ("order.unsure", "in_doubt", 7)
    assert play.send(None).status == "in_doubt"
    assert depot.calls.count(("POST", "/bookings")) == 1
    reply = play.send("not_booked", quote="no, nothing there")
    assert (reply.state, reply.status) == ("order.offering", "waiting")
    assert play.option("accept").gate is not None
    assert play.option("accept").gate.have is None  # type: ignore[union-attr]


def test_a_guard_refuses_with_its_reason_and_nothing_is_kept(play: Player, depot: Any) -> None:
    """Too heavy a parcel: no session, no request, and the reason."""
    reply = play.start({"address": "x", "weight": 31})
    assert reply.error is not None and "at most 30 kg" in reply.error.message
    assert (reply.exit_code, play.engine.sessions(), depot.calls) == (3, [], [])


def test_a_refused_address_is_said_and_can_be_corrected(play: Player, depot: Any) -> None:
    """A class of error that the state routes: its message, then the state's own."""
    play.start({"address": "nowhere", "weight": 1})
    assert play.says() == ["refused_address", "correct"]
    assert play.send("change", PARCEL).state == "order.offering"


def test_the_deadline_is_the_engines(tmp_path: Path, depot: Any) -> None:
    """After an hour without arrival, one more look, then late; no process had to wait for it."""
    clock = HandClock()
    play = player(tmp_path, COURIER, depot.url, clock=clock)
    play.start(PARCEL)
    play.send("accept", quote="yes")
    before = depot.looked
    clock.pass_(3600)
    reply = play.send(None)
    assert (reply.state, reply.status, depot.looked - before) == ("delivery.lost", "failed", 1)


DEMO = Path(__file__).parents[2] / "workflow" / "cli" / "demo"
"""It plays the reference bundle, and knows its words and calls."""


def test_the_engine_names_no_service() -> None:
    """No name and no text in the engine's code, documentation aside, is about the reference bundle."""
    for path in (Path(__file__).parents[2] / "workflow").rglob("*.py"):
        if path.is_relative_to(DEMO):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        words = [
            node.value if isinstance(node, ast.Constant) else node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and id(node) not in told)
        ]
        assert not [word for word in words if isinstance(word, str) and "anygen" in word.casefold()], path
