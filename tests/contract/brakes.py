"""What every store promises of pauses and limits; each store's own test module inherits it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.journals import NOW, TIMES, append, begin, follow, forget, leaving, pay, started
from workflow.model.brakes import Pause, Use
from workflow.model.errors import Limited, Paused, StoreError
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.ports import Store

DAY = 86_400.0
ALL, BUNDLE, ONE = (
    Pause("all", "", TIMES[3], "ann", "the invoice is wrong"),
    Pause("bundle", "image", TIMES[3], "ann", "the invoice is wrong"),
    Pause("session", "amber-fox", TIMES[3], "ann", "the invoice is wrong"),
)
RACES, MOST = 1000, 20


def moved(wall: float, boot: float, boot_id: str = NOW.boot_id) -> Instant:
    """So many seconds later, by the wall and by the boot clock."""
    return Instant(NOW.wall + wall, NOW.boot + boot, boot_id)


def used(store: Store, now: Instant = NOW, *, sandbox: bool = False, per: float = DAY) -> int:
    """How many calls count."""
    return len(store.uses(Use("", 0, "image", "create", sandbox, now), per))


class BrakesContract:
    """Inherit beside the contract, with the same fixture."""

    def test_a_pause_holds_until_it_is_ended(self, store: Store) -> None:
        """It is kept once for what it is about, and the first reason stays."""
        assert store.pauses() == []
        assert [store.pause(each) for each in (ONE, BUNDLE, ALL)] == [True, True, True]
        assert not store.pause(replace(ALL, why="another reason", who="bob"))
        assert store.pauses() == [ALL, BUNDLE, ONE]
        assert store.unpause("bundle", "image") and not store.unpause("bundle", "image")
        assert not store.unpause("session", "dry-owl")
        assert store.pauses() == [ALL, ONE]

    @pytest.mark.parametrize("pause", [ALL, BUNDLE, ONE], ids=lambda each: each.scope)
    @pytest.mark.parametrize(("name", "workflow"), [("amber-fox", "image"), ("dry-owl", "image"), ("dry-owl", "film")])
    def test_a_pause_stops_the_calls_that_it_is_about(
        self, store: Store, pause: Pause, name: str, workflow: str
    ) -> None:
        """Nothing of the intent is written, everything else is, and the call leaves once the pause has ended."""
        entry, session = started(name)
        session = replace(session, workflow=workflow)
        assert store.pause(pause)
        append(store, [entry], session, "waiting")
        intent, after = leaving(session)
        stops = {"all": True, "bundle": workflow == "image", "session": name == "amber-fox"}[pause.scope]
        if stops:
            with pytest.raises(Paused, match="the invoice is wrong"):
                append(store, [intent], after, "in_doubt")
            assert store.load(name) == session and used(store) == 0
            assert store.unpause(pause.scope, pause.name)
        append(store, [intent], after, "in_doubt")
        assert store.load(name) == after

    def test_a_limit_lets_its_most_through(self, store: Store) -> None:
        """The next call is told how many count and when one may leave; nothing of it is written."""
        for number in range(3):
            pay(store, f"fox-{number}", limits=[(DAY, 3)], now=moved(number * 60.0, number * 60.0))
        session = begin(store, "amber-fox")
        intent, after = leaving(session, limits=[(DAY, 3)], now=moved(600.0, 600.0))
        with pytest.raises(Limited, match="3 calls of 'create' count within 1d, and its limit is 3") as caught:
            append(store, [intent], after, "in_doubt")
        assert caught.value.facts == {"limit": {"per": DAY, "most": 3, "used": 3, "until": "1970-01-02T00:00:01.000Z"}}
        assert store.load("amber-fox") == session and used(store) == 3

    @pytest.mark.parametrize(
        ("now", "count"),
        {
            "at once": (moved(0, 0), 1),
            "just before": (moved(DAY - 1, DAY - 1), 1),
            "after": (moved(DAY, DAY), 0),
            "wall set forward": (moved(400 * DAY, 60), 1),
            "wall set back": (moved(-400 * DAY, 60), 1),
            "wall set back, after": (moved(-400 * DAY, DAY), 0),
            "boot clock ran back": (moved(DAY, -1), 1),
            "rebooted": (moved(DAY - 1, -1, "boot-2"), 1),
            "rebooted, after": (moved(DAY, -1, "boot-2"), 0),
            "rebooted, wall set back": (moved(-400 * DAY, 10 * DAY, "boot-2"), 1),
        }.values(),
    )
    def test_no_clock_that_is_set_frees_a_limit(self, store: Store, now: Instant, count: int) -> None:
        """Within a boot the boot clock decides; across a reboot the wall, and never one that was set back."""
        pay(store, "amber-fox", limits=[(DAY, 1)])
        assert used(store, now) == count
        if count:
            with pytest.raises(Limited):
                pay(store, "dry-owl", limits=[(DAY, 1)], now=now)
        else:
            pay(store, "dry-owl", limits=[(DAY, 1)], now=now)

    def test_a_wall_set_back_over_a_reboot_begins_the_window_again(self, store: Store) -> None:
        """A call of a future that never was counts for one window, from when that is found out."""
        pay(store, "amber-fox", now=moved(400 * DAY, 0))
        first, last = moved(0, 0, "boot-2"), moved(DAY, DAY, "boot-2")
        with pytest.raises(Limited):
            pay(store, "dry-owl", limits=[(DAY, 1)], now=first)
        assert (used(store, first), used(store, last)) == (1, 0)
        pay(store, "red-elk", limits=[(DAY, 1)], now=last)

    def test_every_limit_has_to_let_a_call_through(self, store: Store) -> None:
        """A window of the user's own beside that of the bundle."""
        for number in range(2):
            pay(store, f"fox-{number}", now=moved(number * 3600.0, number * 3600.0))
        now = moved(7200.0, 7200.0)
        for number, limits in enumerate(([(DAY, 3), (3600.0 + 1, 1)], [(DAY, 2), (60.0, 5)])):
            with pytest.raises(Limited):
                pay(store, f"owl-{number}", limits=limits, now=now)
        pay(store, "red-elk", limits=[(DAY, 3), (3600.0, 1)], now=now)

    def test_only_calls_alike_count(self, store: Store) -> None:
        """Those of the same action and workflow, real ones apart from those in a sandbox."""
        limits = [(DAY, 1)]
        for name, how in {
            "amber-fox": {},
            "dry-owl": {"sandbox": "http://127.0.0.1:8765"},
            "red-elk": {"workflow": "film"},
            "tall-ant": {"action": "refund"},
        }.items():
            pay(store, name, limits=limits, **how)
            with pytest.raises(Limited):
                pay(store, f"{name}-too", limits=limits, **how)
        assert (used(store), used(store, sandbox=True)) == (1, 1)

    def test_actions_of_one_limit_count_together(self, store: Store) -> None:
        """Whichever they are, and no others; each may have a limit of its own as well, which counts only its like."""
        both = (DAY, 3, ("create", "refund"))
        for number, action in enumerate(("create", "refund", "send", "create")):
            limits = [(DAY, 1)] if action == "send" else [both, (DAY, 2)]
            pay(store, f"fox-{number}", action=action, limits=limits, now=moved(number * 60.0, number * 60.0))
        now = moved(600.0, 600.0)
        with pytest.raises(Limited, match="3 calls of 'create', 'refund' count together .* their limit is 3") as caught:
            pay(store, "dry-owl", action="refund", limits=[both], now=now)
        assert caught.value.facts["limit"]["until"] == "1970-01-02T00:00:01.000Z"
        pay(store, "red-elk", action="refund", limits=[(DAY, 2)], now=now)
        with pytest.raises(Limited, match="2 calls of 'refund' count within 1d, and its limit is 2"):
            pay(store, "tall-ant", action="refund", limits=[(DAY, 9, both[2]), (DAY, 2)], now=now)

    def test_a_wall_set_back_over_a_reboot_begins_the_window_of_each_of_them_again(self, store: Store) -> None:
        """A call of another action that left in a future that never was counts for one window, not for ever."""
        both = (DAY, 1, ("create", "refund"))
        pay(store, "amber-fox", action="refund", now=moved(400 * DAY, 0))
        with pytest.raises(Limited):
            pay(store, "dry-owl", limits=[both], now=moved(0, 0, "boot-2"))
        pay(store, "red-elk", limits=[both], now=moved(DAY, DAY, "boot-2"))

    def test_a_certain_no_gives_its_place_back(self, store: Store) -> None:
        """Only that of the call that it names; doubt keeps its place."""
        first, second = pay(store, "amber-fox"), pay(store, "dry-owl")
        failure = {"action": "create", "kind": "invalid", "message": "no", "frees": first.seq}
        failed, after = follow(first, "failure", failure)
        doubt, unsure = follow(second, "doubt", {"action": "create"})
        assert used(store) == 2
        append(store, [failed], after, "waiting")
        append(store, [doubt], unsure, "in_doubt")
        assert used(store) == 1
        pay(store, "red-elk", limits=[(DAY, 2)])

    def test_erased_content_frees_nothing(self, store: Store) -> None:
        """Neither a pause nor a call that counts goes with it."""
        assert store.pause(ONE)
        session = pay(store, "dry-owl")
        entry, after = follow(session, "forgotten", {"status": "done", "left": {}})
        forget(store, entry, after, "done")
        assert used(store) == 1 and store.pauses() == [ONE]

    @pytest.mark.parametrize("body", [{"action": "create"}, {"now": NOW.as_json()}, {"action": "create", "now": [1]}])
    def test_half_an_intent_is_refused(self, store: Store, body: dict[str, object]) -> None:
        """What cannot be counted is not written."""
        session = begin(store, "amber-fox")
        intent, after = follow(session, "intent", body)
        with pytest.raises(StoreError, match="does not say what leaves"):
            append(store, [intent], after, "in_doubt")
        assert store.load("amber-fox") == session

    def test_races_let_just_the_limit_through(self, store: Store) -> None:
        """Of a thousand calls of two actions that threads let leave together, as many as their limit."""

        actions = ("create", "refund")

        def race(number: int) -> bool:
            try:
                pay(store, f"fox-{number}", action=actions[number % 2], limits=[(DAY, MOST, actions)])
            except Limited:
                return False
            return True

        with ThreadPoolExecutor(16) as threads:
            assert sum(threads.map(race, range(RACES))) == MOST
        assert sum(len(store.uses(Use("", 0, "image", each, False, NOW), DAY)) for each in actions) == MOST
