"""An answer that arrives after its turn lost the session is recorded, whoever has it by then."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import check_promises
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE as BUNDLE
from tests.promises.journeys import creates, to_plan
from tests.promises.test_stopping import stuck_in
from workflow.engine import Engine
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.model.errors import HoldLost, SessionBusy
from workflow.model.frozen import replace
from workflow.model.ports import Connection, Response, Service
from workflow.model.session import Session
from workflow.store.sqlite import SqliteStore

Meanwhile = Callable[[Player], object]


def _nothing(other: Player) -> None:
    """Nobody comes."""


def _tell(other: Player) -> None:
    assert other.send(None).state == "create.unsure"


def _stop(other: Player) -> None:
    assert other.send("cancel", revision=None).state == "over.image_unsure"


def _deny(other: Player) -> None:
    _tell(other)
    assert other.send("did_not_happen", quote="I see no image there").state == "confirm.presenting"


MEANWHILE: dict[str, Meanwhile] = {"nothing": _nothing, "tell": _tell, "stop": _stop, "deny": _deny}
EXPECTED = {
    ("done", "nothing"): "deliver.generating",
    ("done", "tell"): "deliver.generating",
    ("done", "stop"): "deliver.generating",
    ("done", "deny"): "deliver.generating",
    ("no", "nothing"): "confirm.presenting",
    ("no", "tell"): "confirm.presenting",
    ("no", "stop"): "over.image_unsure",
    ("no", "deny"): "confirm.presenting",
    ("unknown", "nothing"): "create.unsure",
    ("unknown", "tell"): "create.unsure",
    ("unknown", "stop"): "over.image_unsure",
    ("unknown", "deny"): "confirm.presenting",
}
"""How the call ends, and what others did before its answer was there → where the run stands then."""


@pytest.fixture
def pair(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> tuple[Player, Player]:
    """Two processes with one store, and a plan that waits for its approval."""
    one, other = (
        player(tmp_path, BUNDLE, sandbox.url, store=SqliteStore(tmp_path / "state"), clock=clock) for _ in range(2)
    )
    to_plan(one)
    other.name, other.reply = one.name, one.reply
    return one, other


def remove_locks(folder: Path) -> None:
    """What a cleaner does, or `rm`."""
    for each in (folder / "state" / "holds").iterdir():
        each.unlink()


@pytest.mark.parametrize(("outcome", "meanwhile"), EXPECTED)
def test_a_late_answer_is_never_lost(
    pair: tuple[Player, Player], sandbox: Sandbox, tmp_path: Path, outcome: str, meanwhile: str
) -> None:
    """The lock file is removed while the order is out, and others go on: its answer settles what they made of it."""
    one, other = pair
    if outcome == "unknown":
        sandbox.fault("drop-after", on="create")
    with stuck_in(sandbox, "create") as stuck, ThreadPoolExecutor(1) as pool:
        stuck.declines = outcome == "no"
        paying = pool.submit(one.send, "approve", quote="yes")
        assert stuck.arrived.wait(10)
        remove_locks(tmp_path)
        MEANWHILE[meanwhile](other)
        stuck.go.set()
        paying.result(20)
    session = one.engine.world.store.load(one.name)
    assert session is not None
    assert (session.state, session.intent) == (EXPECTED[outcome, meanwhile], None)
    assert (session.doubt is None) == (outcome != "unknown" or meanwhile == "deny")
    assert bool(session.data.get("task_id")) == (outcome == "done")
    assert len(creates(sandbox)) == 1
    check_promises(one, sandbox)
    assert replay(one.engine, one.name).differences == ()
    assert prove(one.engine, one.name).holds
    one.engine.world.store.close()


class HeldBack:
    """The service behind a line that keeps the answer to each call back until the test lets it go."""

    def __init__(self, service: Service, arrived: Event, go: Event) -> None:
        self._service, self._arrived, self._go = service, arrived, go

    def call(self, method: str, path: str, **given: Any) -> Response:
        """One request, which the service has done by the time that its answer is kept back."""
        response = self._service.call(method, path, **given)
        self._arrived.set()
        assert self._go.wait(10)
        return response


def hold_back(play: Player, arrived: Event, go: Event) -> None:
    """From now on the answers to this process come when ``go`` is set."""
    connect = play.engine.world.connect

    def late(*arguments: Any) -> Connection:
        real = connect(*arguments)
        return Connection(real.base_url, lambda: HeldBack(real.make_service(), arrived, go), real.key, real.notices)

    play.engine = Engine(replace(play.engine.world, connect=late))


def test_a_late_answer_is_not_taken_for_that_of_a_newer_call(
    pair: tuple[Player, Player], sandbox: Sandbox, tmp_path: Path
) -> None:
    """The person said that nothing had happened and ordered again: the first answer changes nothing of the second."""
    one, other = pair
    arrived, go = Event(), Event()
    hold_back(one, arrived, go)
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(one.send, "approve", quote="yes")
        assert arrived.wait(10)
        remove_locks(tmp_path)
        _deny(other)
        assert other.send("approve", quote="yes, once more").state == "deliver.generating"
        before = one.engine.world.store.load(one.name)
        go.set()
        with pytest.raises(HoldLost, match="arrived after another one was made") as caught:
            paying.result(20)
    assert f"workflow audit log {one.name}" in caught.value.hint
    assert one.engine.world.store.load(one.name) == before and before is not None
    assert len(creates(sandbox)) == 2
    one.engine.world.store.close()


def test_without_a_hold_no_paid_call_leaves(
    pair: tuple[Player, Player], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file is gone before the call leaves: the turn says that it lost the session, and nothing is sent."""
    one, _ = pair
    check = one.engine.world.store.check_session

    def gone(session: Session) -> None:
        check(session)
        remove_locks(tmp_path)

    monkeypatch.setattr(one.engine.world.store, "check_session", gone)
    with pytest.raises(HoldLost, match="does not hold session") as caught:
        one.send("approve", quote="yes")
    assert "Send the same turn again" in caught.value.hint
    assert creates(sandbox) == []
    monkeypatch.undo()
    assert one.send("approve", quote="yes").state == "deliver.generating"
    assert len(creates(sandbox)) == 1


def test_a_busy_session_says_what_is_out(pair: tuple[Player, Player], sandbox: Sandbox) -> None:
    """While the order is out, `cancel` is busy at once: who holds the session, since when, and for which call."""
    one, other = pair
    with stuck_in(sandbox, "create") as stuck, ThreadPoolExecutor(1) as pool:
        paying = pool.submit(one.send, "approve", quote="yes")
        assert stuck.arrived.wait(10)
        with pytest.raises(SessionBusy) as caught:
            other.send("cancel", revision=None)
        status = other.engine.status(one.name)
        stuck.go.set()
        paying.result(20)
    for part in ("in use by another turn: process ", ", since 20", "waits for the answer to 'create'"):
        assert part in caught.value.message
    assert status.status == "working"
    assert any("A turn is at work on it: process " in each for each in status.notices)
    assert not any("at work on it" in each for each in other.engine.status(one.name).notices)
