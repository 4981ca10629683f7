"""Watching many sessions in one process: each at its own times, none because of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.conduct import reach
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from workflow.engine import Engine
from workflow.engine.watch_many import APART, BUSY, Seen, Vigil
from workflow.model.errors import SessionNotFound
from workflow.model.frozen import replace
from workflow.store.memory import MemoryStore

WORDS = {"words": "A poster for a jazz night"}


class AtOnce(Executor):
    """Does what it is given before it returns, so that only the clock of the test orders the looks."""

    def submit(self, job: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Done by now."""
        done: Future[Any] = Future()
        done.set_result(job(*arguments, **named))
        return done


@pytest.fixture
def waiting(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> list[Player]:
    """Three sessions in one store that wait for their images, which are there at the second look."""
    store = MemoryStore()
    players = [player(tmp_path, REFERENCE, sandbox.url, store=store, clock=clock) for _ in range(3)]
    for play in players:
        play.start(WORDS)
        reach(play, "deliver.generating")
    return players


def _vigil(players: Sequence[Player], more: Callable[[], Iterable[str]] = tuple) -> list[Seen]:
    return list(Vigil(players[0].engine, AtOnce(), more).watch(each.name for each in players))


def test_each_session_is_looked_at_at_its_own_times(waiting: list[Player]) -> None:
    """The first looks are a little apart; each later one is due three seconds after the one before."""
    seen = _vigil(waiting)
    for number, play in enumerate(waiting):
        mine = [each for each in seen if each.session == play.name]
        assert [each.at for each in mine] == pytest.approx([number * APART, number * APART + 3])
        assert [each.over for each in mine] == [False, True]
        assert play.engine.status(play.name).state == "deliver.ready"
    assert [each.late for each in seen] == pytest.approx([0.0] * 6)
    assert [each.left for each in seen] == [3, 3, 3, 2, 1, 0]


def test_a_look_without_news_writes_nothing(waiting: list[Player], sandbox: Sandbox) -> None:
    """Between the first look, which tells that somebody watches, and the last, the journal stays as it is."""
    sandbox.settings(looks=5)
    play = waiting[0]
    lengths = [(len(play.journal()), seen.over) for seen in Vigil(play.engine, AtOnce()).watch([play.name])]
    assert [over for _, over in lengths] == [False] * 4 + [True]
    assert len({length for length, over in lengths if not over}) == 1


def test_a_session_that_is_not_there_is_told_and_the_others_are_watched(waiting: list[Player]) -> None:
    """It is over at once, with the error; it is not tried again, though it is named again."""
    seen = list(Vigil(waiting[0].engine, AtOnce(), lambda: ["no-such"]).watch(["no-such", waiting[0].name]))
    told = [each for each in seen if each.session == "no-such"]
    assert [type(each.error) for each in told] == [SessionNotFound]
    assert [each.over for each in seen if each.session == waiting[0].name] == [False, True]


def test_a_session_that_a_turn_holds_is_looked_at_a_little_later(waiting: list[Player]) -> None:
    """Nobody waits for it: the look is left out, and made up for when the turn is done."""
    play = waiting[0]
    watched = Vigil(play.engine, AtOnce()).watch([play.name])
    with play.engine.world.store.hold(play.name):
        busy = next(watched)
    assert (busy.at, busy.over, busy.error) == (0.0, False, None)
    assert [each.at for each in watched] == pytest.approx([BUSY, BUSY + 3])


def test_sessions_that_begin_to_wait_are_watched_as_well(
    waiting: list[Player], sandbox: Sandbox, asked: Callable[[str], list[Request]]
) -> None:
    """Whoever is named while the vigil lasts joins it, once; it ends when nobody is left."""
    first, second, _ = waiting
    seen = list(Vigil(first.engine, AtOnce(), lambda: [first.name, second.name]).watch([first.name]))
    assert [each.at for each in seen if each.session == second.name] == pytest.approx([3, 6])
    assert seen[-1].left == 0 and len(asked("task")) == 4


def test_a_bundle_is_opened_once_for_looks_of_one_moment(waiting: list[Player]) -> None:
    """Those within a second share it; a change of its files is seen by the looks three seconds later."""
    play = waiting[0]
    opened: list[str] = []
    world = play.engine.world

    def open_bundle(path: str) -> Any:
        opened.append(path)
        return world.open_bundle(path)

    engine = Engine(replace(world, open_bundle=open_bundle))
    list(Vigil(engine, AtOnce()).watch(each.name for each in waiting))
    assert len(opened) == 2
