"""What happens when nobody answers: once, whoever looks first, over every clock; and never where it must not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.on_leave import DAY, HOUR, LEAVE, begun, changed
from tests.playing import HandClock, Player
from workflow.author.play import play_file
from workflow.author.scenario_file import find
from workflow.author.stand import candidate
from workflow.bundle import find_problems
from workflow.engine import Engine, work
from workflow.engine.preview import preview
from workflow.engine.redecide import Redecider, steps
from workflow.engine.timekeeper import Timekeeper, keeping_time
from workflow.engine.watch_many import Vigil
from workflow.history import audit
from workflow.history.fork import fork
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.model.errors import SessionBusy
from workflow.model.frozen import replace
from workflow.model.session import Turn
from workflow.service.sandbox.table import Answers
from workflow.show.story import tell
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore


def fired(play: Player) -> list[str]:
    """The timers that have fired, in order."""
    return [str((entry.body or {})["timer"]) for entry in play.journal("due")]


def state_of(play: Player) -> str:
    """Where the session stands, as it is stored."""
    return play.engine.stored(play.name).state


# --- the table: what is counted, who looks first, what the clocks do, where the session stands ---


def _waiting(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    assert state_of(play) == "review.managing"


def _doubt(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    sandbox.fault("server-error", on="POST /bookings")
    play.send("approve", quote="yes, that is fine")
    assert state_of(play) == "pay.unsure"


def _intent(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    """The program dies while the call is out."""

    def die(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    with patch.context() as within:
        within.setattr(work, "attempt", die)
        with pytest.raises(KeyboardInterrupt):
            play.send("approve", quote="yes, that is fine")
    assert play.engine.stored(play.name).intent


def _paid(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    play.send("approve", quote="yes, that is fine")
    assert state_of(play) == "pay.waiting"


def _unpaid(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    play.send("wait")
    assert state_of(play) == "review.waiting"


def _trouble(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    sandbox.fault("server-error", on="GET /calendar", times=50)
    play.send("seek")
    assert play.engine.stored(play.name).trouble


def _over(play: Player, sandbox: Answers, patch: pytest.MonkeyPatch) -> None:
    play.send("reject")
    assert state_of(play) == "over.rejected"


STATES: Mapping[str, Callable[[Player, Answers, pytest.MonkeyPatch], None]] = {
    "waiting": _waiting,
    "doubt": _doubt,
    "intent": _intent,
    "paid": _paid,
    "unpaid": _unpaid,
    "trouble": _trouble,
    "over": _over,
}
TIMES = {"remind": 24 * HOUR, "after": 4 * DAY, "deadline": 30 * DAY}
FIRES = {
    ("remind", "waiting"): (["remind"], "review.managing"),
    ("after", "waiting"): (["after"], "review.escalated"),
    ("deadline", "waiting"): (["after", "deadline"], "over.late"),
    ("after", "doubt"): (["after"], "over.unclear"),  # the bundle says so; it has no other there
    ("deadline", "unpaid"): (["deadline"], "over.late"),
    ("deadline", "trouble"): (["deadline"], "over.late"),
}
"""What happens where; in every other cell nothing does."""


def _running(clock: HandClock, seconds: float) -> None:
    clock.pass_(seconds)


def _rebooted(clock: HandClock, seconds: float) -> None:
    clock.wall += seconds
    clock.boot, clock.boot_id = 5.0, "boot-2"


def _set_forward(clock: HandClock, seconds: float) -> None:
    clock.wall += seconds


def _set_back(clock: HandClock, seconds: float) -> None:
    clock.pass_(seconds)
    clock.wall -= 400 * DAY


def _set_back_over_a_reboot(clock: HandClock, seconds: float) -> None:
    _rebooted(clock, -DAY)


CLOCKS: Mapping[str, tuple[Callable[[HandClock, float], None], bool]] = {
    "running": (_running, True),
    "rebooted": (_rebooted, True),
    "set forward": (_set_forward, False),
    "set back": (_set_back, True),
    "set back over a reboot": (_set_back_over_a_reboot, False),
}
"""What the clocks do, and whether the time has passed then."""


def _listens(play: Player) -> None:
    play.engine.advance(play.name, Turn())


def _sends_nonsense(play: Player) -> None:
    assert play.engine.advance(play.name, Turn("nonsense")).error


def _looks(play: Player) -> None:
    play.engine.look(play.name)


def _checks(play: Player) -> None:
    play.engine.check_due(play.name)


def _watches_many(play: Player) -> None:
    with ThreadPoolExecutor(2) as pool:
        next(Vigil(play.engine, pool).watch([play.name]))


def _goes_round(play: Player) -> None:
    assert [each.session for each in Timekeeper(lambda: play.engine).round()] in ([play.name], [])


def _serves(play: Player) -> None:
    with keeping_time(Timekeeper(lambda: play.engine), pytest.fail):
        """The first round comes to its end."""


LOOKERS = {
    "a turn": _listens,
    "a refused turn": _sends_nonsense,
    "a look": _looks,
    "a check": _checks,
    "many watches": _watches_many,
    "a round": _goes_round,
    "a server": _serves,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("clocks", CLOCKS)
@pytest.mark.parametrize("timer", TIMES)
def test_what_is_due_happens_once_whoever_looks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timer: str, clocks: str, state: str
) -> None:
    """Every cell of the table, for each who can look first; who looks later finds it done."""
    seconds = 40 * DAY if (timer, state) == ("after", "doubt") else TIMES[timer]
    change, passes = CLOCKS[clocks]
    expected = FIRES.get((timer, state), ([], "")) if passes else ([], "")
    for number, looker in enumerate(LOOKERS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with begun(folder) as (play, sandbox, clock):
            STATES[state](play, sandbox, monkeypatch)
            paid = len(play.journal("intent"))
            change(clock, seconds + 1)
            before = len(play.journal())
            shown = play.engine.status(play.name)
            assert len(play.journal()) == before, "a reader writes nothing"
            assert bool(expected[0]) == any(each.get("overdue") for each in shown.due)
            looker(play)
            assert fired(play) == expected[0], looker.__name__
            if expected[1]:
                assert state_of(play) == expected[1]
            _listens(play)
            _checks(play)
            assert fired(play) == expected[0], "it happened twice"
            assert len(play.journal("intent")) == paid
            assert prove(play.engine, play.name).holds
            assert not replay(play.engine, play.name).differences


@pytest.mark.parametrize(("timer", "state"), FIRES)
def test_a_clock_that_was_set_back_over_a_reboot_delays_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timer: str, state: str
) -> None:
    """Who looks after the reboot begins the time again, and then it is over like any other."""
    seconds = 40 * DAY if (timer, state) == ("after", "doubt") else TIMES[timer]
    with begun(tmp_path) as (play, sandbox, clock):
        STATES[state](play, sandbox, monkeypatch)
        _set_back_over_a_reboot(clock, seconds)
        _checks(play)
        assert len(play.journal("clock")) == 1 and fired(play) == []
        clock.pass_(seconds - 1)
        _checks(play)
        assert timer not in fired(play)
        clock.pass_(2)
        _checks(play)
        assert fired(play)[-1:] == [timer] and len(play.journal("clock")) == 1


@pytest.mark.parametrize("timer", TIMES)
def test_nothing_happens_a_second_too_early(tmp_path: Path, timer: str) -> None:
    """The time of the YAML, to the second."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(TIMES[timer] - 1)
        _checks(play)
        assert timer not in fired(play)
        clock.pass_(1)
        _checks(play)
        assert timer in fired(play)


def test_many_who_look_together_find_it_once(tmp_path: Path) -> None:
    """Twenty times eight threads: one of them lets it happen, the others find it done, or the session held."""
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        with begun(folder, store=MemoryStore()) as (play, _, clock):
            clock.pass_(4 * DAY + 1)
            gate = threading.Barrier(8)

            def look(play: Player = play, gate: threading.Barrier = gate) -> None:
                gate.wait()
                with suppress(SessionBusy):
                    play.engine.check_due(play.name, wait=5.0)

            threads = [threading.Thread(target=look) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert fired(play) == ["after"]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("timer", TIMES)
def test_what_is_due_happens_once_whenever_the_process_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timer: str, side: str
) -> None:
    """At each write, on either side of it: whoever looks next lets it happen, or finds it done, and it is said once."""
    kills, stored = 0, SqliteStore.append
    for number in range(1, 9):
        folder = tmp_path / str(number)
        folder.mkdir()
        with begun(folder, store=SqliteStore(folder / "state")) as (play, _, clock):
            play.send(None)
            clock.pass_(TIMES[timer] + 1)
            left, before = [number], play.reply

            def append(self: SqliteStore, *written: object, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0 and side == "before":
                    raise Killed
                stored(self, *written)  # type: ignore[arg-type]
                if left[0] == 0:
                    raise Killed

            with monkeypatch.context() as within:
                within.setattr(SqliteStore, "append", append)
                with suppress(Killed):
                    play.engine.check_due(play.name)
                    play.send(None)
            kills += left[0] <= 0
            said = play.says() if play.reply is not before else []  # it came back before the process died
            _checks(play)
            play.send(None)
            said += play.says()
            expected, state = FIRES[timer, "waiting"]
            assert (fired(play), state_of(play)) == (expected, state)
            assert not audit.fault(play.engine, play.name) and not replay(play.engine, play.name).differences
            message = {"remind": "reminder", "after": "ask_director", "deadline": "too_late"}[timer]
            assert message in said, number
            if left[0] > 0:
                break
    assert 1 <= kills < 8, "every write was tried"


def test_a_round_opens_only_what_is_due_and_leaves_alone_what_is_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits costs nothing; a doubt that holds the deadline back is opened again when it has changed."""
    opened: list[str] = []
    check_due = Engine.check_due

    def opening(engine: Engine, name: str) -> bool:
        opened.append(name)
        return check_due(engine, name)

    monkeypatch.setattr(Engine, "check_due", opening)
    with begun(tmp_path) as (play, sandbox, clock):
        keeper = Timekeeper(lambda: play.engine)
        assert list(keeper.round()) == [] and opened == []
        _doubt(play, sandbox, monkeypatch)
        clock.pass_(31 * DAY)
        for _ in range(3):
            assert list(keeper.round()) == []
        assert opened == [play.name]
        play.send(None)
        play.send("never_booked", quote="no, it was not booked")
        assert [each.session for each in keeper.round()] == [play.name]
        assert state_of(play) == "over.late" and list(keeper.round()) == []


def test_what_cannot_happen_is_told_once_and_keeps_nothing_else_from_happening(tmp_path: Path) -> None:
    """One bundle is gone; the other session has its time all the same."""
    told: list[str] = []
    with begun(tmp_path / "one") as (play, _, clock):
        store = play.engine.world.store
        with begun(tmp_path / "two", store=store, clock=clock) as (other, _, _):
            (tmp_path / "one" / "leave" / "workflow.yaml").unlink()
            clock.pass_(4 * DAY)
            keeper = Timekeeper(lambda: other.engine)
            for _ in range(2):
                with keeping_time(keeper, told.append):
                    """One round."""
            assert state_of(other) == "review.escalated" and fired(play) == []
            assert len(told) == 1 and f"what is due in {play.name} could not happen" in told[0]


# --- reminders ---


def test_a_reminder_moves_nothing_and_an_answer_from_before_it_counts(tmp_path: Path) -> None:
    """Neither the question nor the revision changes: the token of the first reply is still good."""
    with begun(tmp_path) as (play, _, clock):
        first = play.reply
        clock.pass_(25 * HOUR)
        _checks(play)
        assert play.engine.status(play.name).revision == first.revision
        play.send("approve", quote="yes, that is fine", seen=first.seen)
        assert (play.reply.error, play.reply.state) == (None, "pay.waiting")
        assert "reminder" not in play.says(), "nobody is reminded of what they have just answered"


def test_missed_reminders_are_one_and_then_there_are_no_more(tmp_path: Path) -> None:
    """Nobody looks for three days: one reminder, said once; at most three in all."""
    with begun(tmp_path, {"4d: review.escalated": "20d: review.escalated"}) as (play, _, clock):
        clock.pass_(3 * DAY)
        play.send(None)
        assert play.says().count("reminder") == 1 and fired(play) == ["remind"]
        for _ in range(4):
            clock.pass_(25 * HOUR)
            _checks(play)
        assert fired(play) == ["remind"] * 3
        play.send(None)
        assert play.says().count("reminder") == 1, "two that nobody heard are one"
        assert [each["timer"] for each in play.reply.due] == ["after", "deadline"]


def test_a_reminder_is_not_said_once_the_state_is_left(tmp_path: Path) -> None:
    """It was owed to somebody who is no longer asked."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(25 * HOUR)
        _looks(play)
        clock.pass_(4 * DAY)
        play.send(None)
        assert play.says() == ["ask_director"] and fired(play) == ["remind", "after"]


# --- stages ---


def test_stages_of_one_state_count_from_its_entry_and_missed_ones_are_one(tmp_path: Path) -> None:
    """`after: {1d: itself, 2d: itself, 10d: over}`: five days late is one question more."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(4 * DAY)
        _checks(play)
        clock.pass_(5 * DAY)
        play.send(None)
        assert play.says() == ["ask_director"] and fired(play) == ["after", "after"]
        clock.pass_(5 * DAY - 1)
        _checks(play)
        assert state_of(play) == "review.escalated"
        clock.pass_(1)
        _checks(play)
        assert state_of(play) == "over.expired" and fired(play) == ["after"] * 3


def test_a_later_state_counts_from_its_own_entry(tmp_path: Path) -> None:
    """Whoever looks late gives the director the whole time: nobody could have answered before they were asked."""
    with begun(tmp_path, {"deadline: {30d: over.late}": "deadline: {60d: over.late}"}) as (play, _, clock):
        clock.pass_(25 * DAY)
        _checks(play)
        assert state_of(play) == "review.escalated" and fired(play) == ["after"]
        clock.pass_(10 * DAY - 1)
        _checks(play)
        assert state_of(play) == "review.escalated"


def test_a_stage_that_asks_again_voids_the_old_question(tmp_path: Path) -> None:
    """Who approves with the token of the first question is asked again."""
    with begun(tmp_path) as (play, _, clock):
        old = play.reply.seen
        clock.pass_(4 * DAY)
        play.send("approve", quote="yes, that is fine", seen=old)
        assert play.reply.error and play.reply.error.type == "stale" and play.reply.state == "review.escalated"
        assert play.says() == ["ask_director"]
        play.send("approve", quote="yes, that is fine")
        assert play.reply.state == "pay.waiting"


# --- the deadline ---


def test_no_event_postpones_the_deadline(tmp_path: Path) -> None:
    """Each entry of a state begins its own time again; that of the session goes on."""
    with begun(tmp_path) as (play, sandbox, clock):
        for _ in range(9):
            clock.pass_(3 * DAY)
            play.send("seek")
            assert play.reply.state == "review.managing"
        assert "after" not in fired(play)
        clock.pass_(3 * DAY + 1)
        _checks(play)
        assert state_of(play) == "over.late"


def test_a_deadline_that_was_held_back_counts_as_soon_as_nothing_holds_it(tmp_path: Path) -> None:
    """The doubt is settled by a person; then the time is over."""
    with begun(tmp_path) as (play, sandbox, clock):
        _doubt(play, sandbox, pytest.MonkeyPatch())
        clock.pass_(31 * DAY)
        play.send(None)
        assert play.reply.state == "pay.unsure"
        assert [each["timer"] for each in play.reply.due if each.get("held")] == ["deadline"]
        play.send("never_booked", quote="no, it was not booked")
        assert play.reply.state == "review.escalated"
        _checks(play)
        assert state_of(play) == "over.late"


def test_a_session_that_goes_on_from_its_end_has_its_whole_time_again(tmp_path: Path) -> None:
    """Else it would be over as soon as it begins."""
    with begun(tmp_path) as (play, _, clock):
        play.send("reject")
        clock.pass_(90 * DAY)
        _checks(play)
        assert fired(play) == [] and play.engine.status(play.name).due == ()
        play.send("seek")
        assert play.reply.state == "review.managing"
        clock.pass_(29 * DAY)
        _checks(play)
        assert "deadline" not in fired(play)
        clock.pass_(1 * DAY)
        _checks(play)
        assert state_of(play) == "over.late"


# --- forks, upgrades, previews ---


def test_a_fork_has_its_whole_time(tmp_path: Path) -> None:
    """What was missed in the parent is not missed in it."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(3 * DAY)
        name = fork(play.engine, play.name, None).session or ""
        clock.pass_(3 * DAY)
        assert play.engine.check_due(play.name) and state_of(play) == "review.escalated"
        play.engine.check_due(name)
        assert play.engine.stored(name).state == "review.managing"
        clock.pass_(28 * DAY)
        play.engine.check_due(name)
        assert [each.kind for each in audit.entries(play.engine, name)].count("due") >= 2
        assert play.engine.stored(name).state == "over.late"


def test_a_fork_of_what_was_paid_for_is_not_cut_short(tmp_path: Path) -> None:
    """Its watch is of the parent's booking: the deadline waits for it there, too."""
    with begun(tmp_path) as (play, _, clock):
        play.send("approve", quote="yes, that is fine")
        name = fork(play.engine, play.name, None).session or ""
        clock.pass_(31 * DAY)
        play.engine.check_due(name)
        assert play.engine.stored(name).state == "pay.waiting"
        assert [each.get("held") for each in play.engine.status(name).due] == [
            "the service is at work on what was paid for"
        ]


UNTIMED = {
    "      remind: {every: 24h, say: reminder, at_most: 3}\n": "",
    "      after: {4d: review.escalated}        # nobody answered: somebody else is asked\n": "",
    "deadline: {30d: over.late}": "",
    "late: review.managing": "late: review.escalated",
    "on: {wait: pay.waiting, cancel: over.unclear}": "on: {wait: pay.waiting, cancel: over.late}",
}
"""The bundle as it was before anybody thought of what happens when nobody answers."""


def test_a_changed_bundle_that_adds_timers_begins_them_at_its_entry(tmp_path: Path) -> None:
    """A session waits for ten days; then timers are added: nothing is due, and something is four days later."""
    with begun(tmp_path, UNTIMED) as (play, _, clock):
        assert play.reply.due == () and "timers" not in play.engine.stored(play.name).as_json()
        clock.pass_(10 * DAY)
        changed(tmp_path / "leave", {})
        shown = play.engine.status(play.name)
        assert not any("overdue" in each for each in shown.due)
        _checks(play)
        assert [entry.kind for entry in play.journal()][-1] == "bundle" and fired(play) == []
        clock.pass_(4 * DAY)
        _checks(play)
        assert fired(play) == ["after"] and state_of(play) == "review.escalated"
        assert not replay(play.engine, play.name).differences


@pytest.mark.parametrize(
    ("time", "left"), {"2d": 1 * DAY, "1d": 0.0, "12h": 0.0, "9d": 8 * DAY}.items(), ids=lambda value: str(value)
)
def test_a_changed_time_counts_from_where_the_wait_began(tmp_path: Path, time: str, left: float) -> None:
    """The bundle says another time a day later: what has passed has passed."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(DAY)
        times = {"{4d: review.escalated}": f"{{{time}: review.escalated}}", "every: 24h": "every: 30m"}
        changed(tmp_path / "leave", times)
        clock.pass_(max(left - 1, 0.0))
        _checks(play)
        assert ("after" in fired(play)) == (left == 0)
        clock.pass_(1)
        _checks(play)
        assert fired(play)[-1] == "after"


def test_timers_that_are_gone_from_a_bundle_do_not_fire(tmp_path: Path) -> None:
    """Nor do they linger: added once more, they begin anew."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(2 * DAY)
        changed(tmp_path / "leave", UNTIMED)
        clock.pass_(40 * DAY)
        _checks(play)
        assert fired(play) == [] and play.engine.stored(play.name).timers == {}
        changed(tmp_path / "leave", {})
        clock.pass_(DAY)
        _checks(play)
        clock.pass_(3 * DAY)
        assert "after" not in fired(play)
        _checks(play)
        clock.pass_(DAY)
        _checks(play)
        assert "after" in fired(play)


def test_a_fired_timer_that_is_decided_otherwise_stops_a_changed_bundle(tmp_path: Path) -> None:
    """The session was led to the director by time; a bundle without that way is told apart in a replay."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(4 * DAY)
        _checks(play)
        stages = "{4d: review.managing, 5d: review.escalated}"
        other = changed(tmp_path / "other", {"{4d: review.escalated}": stages})
        (found,) = replay(play.engine, play.name, other).differences
        assert (found.kind, found.recorded, found.now) == ("route", "review.escalated", "review.managing")


def test_a_preview_shows_what_is_due_first_and_keeps_nothing(tmp_path: Path) -> None:
    """The turn would be decided where the session stands by then."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(4 * DAY)
        before = len(play.journal())
        found = preview(play.engine, play.name, Turn("reject", turn_id="mine"))
        assert found.states == ("review.managing", "review.escalated", "over.rejected")
        assert len(play.journal()) == before


# --- what is seen of it ---


def test_a_reply_says_what_time_brings_and_readers_when_it_was_due(tmp_path: Path) -> None:
    """The first first; after it was due, when that was, by the wall as it is now."""
    with begun(tmp_path) as (play, _, clock):
        assert [(each["timer"], each["at"], each.get("to")) for each in play.reply.due] == [
            ("remind", "2027-01-16T08:00:00.000Z", None),
            ("after", "2027-01-19T08:00:00.000Z", "review.escalated"),
            ("deadline", "2027-02-14T08:00:00.000Z", "over.late"),
        ]
        clock.pass_(5 * DAY)
        clock.wall -= 2 * DAY
        shown = play.engine.status(play.name).due
        assert [(each["at"], each.get("overdue")) for each in shown[:2]] == [
            ("2027-01-14T08:00:00.000Z", True),
            ("2027-01-17T08:00:00.000Z", True),
        ]
        assert "overdue" not in shown[2]


def test_the_log_tells_of_each_timer(tmp_path: Path) -> None:
    """What fired, and why."""
    with begun(tmp_path, {"10d: over.expired": "50d: over.expired"}) as (play, _, clock):
        for days in (1, 3, 1, 30):
            clock.pass_(days * DAY)
            _checks(play)
        lines = [tell(entry) for entry in play.journal("due")]
        assert [(line.what, line.notes) for line in lines] == [
            ("reminder 1: nobody had answered", ()),
            ("review.managing → review.escalated", (("because", "nobody had answered in time"),)),
            ("review.escalated → review.escalated", (("because", "nobody had answered in time"),)),
            ("review.escalated → review.escalated", (("because", "nobody had answered in time"),)),
            ("review.escalated → over.late", (("because", "the deadline of the session had passed"),)),
        ]


def test_a_deadline_waits_for_work_that_was_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program died between two calls: whoever reads sees why it waits, and whoever looks goes on first."""
    with begun(tmp_path) as (play, sandbox, clock):
        with monkeypatch.context() as within:

            def die(*args: object, **named: object) -> None:
                raise KeyboardInterrupt

            within.setattr(work, "attempt", die)
            with pytest.raises(KeyboardInterrupt):
                play.send("seek")
        assert state_of(play) == "review.seeking"
        clock.pass_(31 * DAY)
        (shown,) = play.engine.status(play.name).due
        assert shown["held"] == "the work of its state comes first" and "overdue" not in shown
        _checks(play)
        assert any(each.path == "/calendar" for each in sandbox.requests) and state_of(play) == "over.late"


def test_nobody_is_reminded_of_a_question_that_was_not_asked(tmp_path: Path) -> None:
    """No guard can tell which message to say, so nothing was said; what leads on counts all the same."""
    odd = {"say: ask_manager\n": "say: {odd: ask_manager, else: ask_manager}\n"}
    folder = changed(tmp_path / "leave", odd)
    (folder / "phases").mkdir()
    guard = "@guard()\ndef odd(facts: Facts) -> Verdict:\n    raise ValueError\n"
    (folder / "phases" / "odd.py").write_text(f"from workflow import Facts, Verdict, guard\n\n\n{guard}")
    with begun(tmp_path, odd) as (play, _, clock):
        assert play.engine.stored(play.name).trouble == "internal"
        clock.pass_(25 * HOUR)
        _checks(play)
        assert fired(play) == []
        assert [each.get("held") for each in play.engine.status(play.name).due][:1] == [
            "the session has stopped, and asks nothing"
        ]
        clock.pass_(3 * DAY)
        _checks(play)
        assert fired(play) == ["after"] and play.engine.stored(play.name).trouble is None


def test_a_replay_notices_a_timer_that_fired_too_early(tmp_path: Path) -> None:
    """By the instants in the journal: a second before its time it was not due."""
    with begun(tmp_path) as (play, _, clock):
        clock.pass_(4 * DAY)
        _checks(play)
        (entry,) = play.journal("due")
        wall, boot, boot_id = (entry.body or {})["now"]
        early = replace(entry, body={**(entry.body or {}), "now": [wall - 1, boot - 1, boot_id]})
        redecider = Redecider(play.engine.world, play.engine.load(play.name).bundle)
        before = next(before for before, each, _ in steps(play.journal()) if each == entry)
        assert [each.now for each in redecider.differences(before, entry)] == []
        assert [each.now for each in redecider.differences(before, early)] == ["it is not due"]


@pytest.mark.parametrize(
    "gone",
    [
        "remind: {every: 24h, say: reminder, at_most: 3}\n",
        "after: {4d: review.escalated} ",
        "1d: review.escalated, 2d: review.escalated, ",
        ", 10d: over.expired",
        "after: {40d: over.unclear} ",
        "deadline: {30d: over.late} ",
    ],
)
def test_a_bundle_that_needs_a_timer_is_not_sound_without_it(tmp_path: Path, gone: str) -> None:
    """Each key taken out in turn: lint finds what nothing leads to any more, or a scenario does not come as it says."""
    folder = changed(tmp_path / "leave", {gone: "\n" if gone.endswith("\n") else ""})
    assert failing(LEAVE) == [] and find_problems(LEAVE) == []
    assert find_problems(folder) or failing(folder)


def failing(folder: Path) -> list[str]:
    """The scenarios that fail."""
    tried = candidate(folder)
    return [file.stem for file in find(folder) if not play_file(file, tried).passed]
