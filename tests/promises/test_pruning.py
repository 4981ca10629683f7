"""Pruning forgets what has been over for long, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from workflow.history import audit
from workflow.history.prune import prune
from workflow.model.errors import UsageError
from workflow.model.frozen import replace
from workflow.show.times import age, size
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
SECRET = "Zaubernuss"
DAY = 86_400.0


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session in files that is about to start."""
    return player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"), clock=clock)


def cancelled(play: Player) -> str:
    """A session that was begun with the secret and cancelled; its name."""
    play.start({"words": f"A card for {SECRET}"})
    play.send("cancel")
    assert play.reply.status == "cancelled"
    return play.name


def before(clock: HandClock, days: float = 90) -> str:
    """The time so many days ago."""
    return age(f"{days:.0f}d", clock.now().wall)


def test_what_is_over_for_long_is_erased_from_every_file(play: Player, clock: HandClock, tmp_path: Path) -> None:
    """The chain still holds, the sessions are still listed, and the same call again finds nothing."""
    names = [cancelled(play), cancelled(play)]
    clock.pass_(91 * DAY)
    done = prune(play.engine, before(clock))
    assert sorted(done.forgotten) == sorted(names) and done.size > 1000 and done.left == ()
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert files and not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert audit.verify_store(play.engine).sessions == 2
    assert {each.status for each in play.engine.sessions()} == {"cancelled"}
    again = prune(play.engine, before(clock))
    assert (again.forgotten, again.size, again.left) == ((), 0, ())


def test_what_is_young_or_goes_on_is_never_taken(play: Player, clock: HandClock) -> None:
    """A live session of any age, and one whose end is not old enough, to the day."""
    play.start({"words": "A poster"})
    live = play.name
    clock.pass_(300 * DAY)
    young = cancelled(play)
    clock.pass_(89 * DAY)
    assert prune(play.engine, before(clock)).forgotten == ()
    clock.pass_(2 * DAY)
    assert prune(play.engine, before(clock)).forgotten == (young,)
    assert play.engine.status(live).status == "waiting"


def edit(play: Player, held: ExitStack) -> None:
    """Somebody changes the latest session past the store."""
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    pen = apsw.Connection(str(store.path))
    query = "UPDATE entries SET body = replace(body, 'card', 'cart') WHERE seq = 2 AND session = ?"
    pen.execute(query, (play.name,)).fetchall()
    pen.close()


def hold(play: Player, held: ExitStack) -> None:
    """A turn has the session."""
    held.enter_context(SqliteStore(play.engine.world.store.path.parent).hold(play.name))  # type: ignore[attr-defined]


LEFT: dict[str, tuple[Callable[[Player, ExitStack], None], str]] = {
    "a turn holds it": (hold, "in use by another turn"),
    "its log was edited": (edit, "its log does not hold"),
}


@pytest.mark.parametrize("how", LEFT)
def test_what_cannot_be_told_is_left_with_the_reason(play: Player, clock: HandClock, how: str) -> None:
    """And the others are erased all the same."""
    other = cancelled(play)
    name = cancelled(play)
    clock.pass_(91 * DAY)
    spoil, why = LEFT[how]
    with ExitStack() as held:
        spoil(play, held)
        done = prune(play.engine, before(clock))
    assert done.forgotten == (other,)
    [(left, told)] = done.left
    assert left == name and why in told


def test_an_end_with_an_unknown_outcome_is_left(
    play: Player, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is all that can tell."""
    name = cancelled(play)
    clock.pass_(91 * DAY)
    read = audit.read

    def doubtful(view: object, of: str) -> object:
        record = read(view, of)  # type: ignore[arg-type]
        return replace(record, session=replace(record.session, doubt="create"))

    monkeypatch.setattr(audit, "read", doubtful)
    done = prune(play.engine, before(clock))
    assert done.left == ((name, "whether a call of it happened is not known"),)


@pytest.mark.parametrize("given", ["", "90", "d", "0d", "-1d", "90 d", "2026-01-01", "9999999d", "9d9d"])
def test_an_age_is_a_number_with_a_unit(given: str) -> None:
    """Anything else erases nothing."""
    with pytest.raises(UsageError, match="is not an age"):
        age(given, 1_800_000_000.0)


def test_sizes_are_in_the_unit_that_fits() -> None:
    """Rounded up to whole KiB, then with one digit."""
    assert [size(count) for count in (0, 1, 14_000, 2 * 1024**2, 3 * 1024**3)] == [
        "0 KiB",
        "1 KiB",
        "14 KiB",
        "2.0 MiB",
        "3.0 GiB",
    ]
