"""A process that dies at any write: the run resumes, and what is paid is paid at most once (promises 2 and 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.playing import Player, player
from workflow.bundle import open_bundle
from workflow.engine.run import Run
from workflow.model.journal import Entry, fold, verify
from workflow.model.ports import Held
from workflow.model.session import Session
from workflow.store.memory import MemoryStore

COURIER = Path(__file__).parent.parent / "courier"
PARCEL = {"address": "12 Harbour Lane", "weight": 4}


class Killed(BaseException):
    """The process is gone; nothing in it gets to tidy up."""


class DyingStore(MemoryStore):
    """Dies at a write of choice: just before it, or just after."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.die_at: int | None = None
        self.after = False

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, unless this is where the process dies."""
        self.writes += 1
        if self.writes == self.die_at and not self.after:
            raise Killed
        super().append(held, entries, session, status)
        if self.writes == self.die_at:
            raise Killed


@pytest.fixture
def depot() -> Iterator[Any]:
    """The courier's service."""
    with open_bundle(COURIER).module("phases.depot").Sandbox() as opened:
        yield opened


def survive(play: Player, store: DyingStore, depot: Any) -> str:
    """Play to the end, sending each turn again if the process died in it; the outcome of the approval."""
    turns: list[tuple[str | None, dict[str, Any]]] = [("accept", {"quote": "yes"})]
    for event, arguments in turns:
        try:
            play.send(event, **arguments, turn_id="approval")
        except Killed:
            store.die_at = None
            play.send(event, **arguments, turn_id="approval")
    return play.reply.state or ""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(1, 6))
def test_killed_at_any_write_of_a_paid_turn(tmp_path: Path, depot: Any, write: int, after: bool) -> None:
    """Whatever write the process dies at, the booking happens at most once, and the same turn brings the run home."""
    store = DyingStore()
    play = player(tmp_path, COURIER, depot.url, store=store)
    play.start(PARCEL)
    store.die_at, store.after = store.writes + write, after
    state = survive(play, store, depot)
    booked = depot.calls.count(("POST", "/bookings"))
    assert booked <= 1
    assert state == ("delivery.travelling" if booked and not play.journal("doubt") else "order.unsure")
    entries = list(verify(store.entries(play.name)))
    replayed = None
    for entry in entries:
        replayed = fold(replayed, entry)
    assert replayed == store.load(play.name)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(1, 4))
def test_killed_while_starting(tmp_path: Path, depot: Any, write: int, after: bool) -> None:
    """A start that was cut short is finished by its repeat, in the same session; never in two."""
    store = DyingStore()
    play = player(tmp_path, COURIER, depot.url, store=store)
    store.die_at, store.after = write, after
    try:
        play.start(PARCEL, turn_id="first")
    except Killed:
        store.die_at = None
        play.start(PARCEL, turn_id="first")
    assert play.reply.state == "order.offering"
    assert len(play.engine.sessions()) == 1
    assert play.says() == ["offer"]


def test_killed_between_the_call_and_its_record_is_doubt(
    tmp_path: Path, depot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call left and the process died: the next turn finds the intent and says so; the person decides."""
    play = player(tmp_path, COURIER, depot.url)
    play.start(PARCEL)
    note = Run.note

    def die(self: Run, kind: str, body: Any) -> None:
        if kind == "result" and body["action"] == "book":
            raise Killed
        note(self, kind, body)

    monkeypatch.setattr(Run, "note", die)
    with pytest.raises(Killed):
        play.send("accept", quote="yes")
    monkeypatch.setattr(Run, "note", note)
    assert play.engine.status(play.name).status == "in_doubt"
    reply = play.send(None)
    assert (reply.state, reply.status) == ("order.unsure", "in_doubt")
    assert depot.calls.count(("POST", "/bookings")) == 1
    reply = play.send("booked", {"tracking": f"{depot.url}/track/bk_7f3a9c2e11"}, quote="here it is")
    assert (reply.state, reply.status) == ("delivery.travelling", "watching")


def test_a_reply_that_was_not_heard_is_given_again(tmp_path: Path, depot: Any) -> None:
    """The same turn, sent again after a day: the recorded reply, marked as replayed, and nothing done."""
    play = player(tmp_path, COURIER, depot.url)
    play.start(PARCEL)
    asked = play.reply.seen
    first = play.send("accept", quote="yes", revision=1, seen=asked)
    seen = len(depot.calls)
    again = play.send("accept", quote="yes", revision=1, seen=asked)
    assert again.replayed
    assert again.as_json() == first.as_json() | {"replayed": True}
    assert len(depot.calls) == seen


def test_the_same_turn_id_for_another_turn_is_an_error(tmp_path: Path, depot: Any) -> None:
    """A turn's own id is not taken for another turn: told as a fault of the caller's, nothing done."""
    play = player(tmp_path, COURIER, depot.url)
    play.start(PARCEL)
    play.send("accept", quote="yes", turn_id="t")
    with pytest.raises(Exception, match="was used for another turn"):
        play.send("stop", turn_id="t")
    assert depot.calls.count(("POST", "/bookings")) == 1
