"""What every store promises; each store's own test module inherits it."""

from __future__ import annotations

import os
import re
import threading
from itertools import pairwise
from typing import Any

import pytest

from tests.contract.journals import (
    TIMES,
    answered,
    append,
    begin,
    follow,
    forget,
    leaving,
    replied,
    started,
    with_data,
)
from workflow.model.errors import HoldLost, JournalTampered, NameTaken, SessionBusy, StoreError, UsageError
from workflow.model.fault import MOST_FAULTS, Fault
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.journal import Entry, verify
from workflow.model.ledger import Payment
from workflow.model.ports import CALL, Store
from workflow.model.session import Session, Timer


class StoreContract:
    """Inherit, and give the fixture ``store`` an open, empty store."""

    def test_what_was_appended_is_loaded(self, store: Store) -> None:
        """Snapshot and journal come back equal, whatever the session holds."""
        first, begun = started("amber-fox", turn="t0")
        second, asked = answered(begun, turn="t1")
        third, after = replied(asked)
        append(store, [first], begun, "waiting")
        append(store, [second, third], after, "waiting")
        assert store.load("amber-fox") == after
        assert list(verify(store.entries("amber-fox"))) == [first, second, third]

    def test_nothing_is_found_in_an_empty_store(self, store: Store) -> None:
        """Unknown names are answered with nothing, not with an error."""
        assert store.load("amber-fox") is None
        assert list(store.entries("amber-fox")) == []
        assert store.find_turn("t") is None
        assert store.find_turn("t", "amber-fox") is None
        assert store.find_reply("amber-fox", 0) is None
        assert store.sessions() == []
        assert store.definition("key") is None

    def test_nothing_is_shared_with_the_caller(self, store: Store) -> None:
        """A caller that changes what it gave or got changes nothing in the store."""
        entry, begun = started("amber-fox")
        data = {"files": ["a.png"]}
        append(store, [entry], replace(begun, data=data), "waiting")
        data["files"].append("b.png")
        loaded = store.load("amber-fox")
        assert loaded is not None
        loaded.data["files"].append("c.png")
        for each in store.entries("amber-fox"):
            assert isinstance(each.body, dict)
            each.body["state"] = "elsewhere"
        again = store.load("amber-fox")
        assert again is not None and again.data == {"files": ["a.png"]}
        assert [each.body for each in store.entries("amber-fox")] == [entry.body]

    def test_entries_begin_behind_the_one_asked_for(self, store: Store) -> None:
        """A long journal is read in order, whole or from any entry on."""
        entry, session = started("amber-fox")
        written = [entry]
        for _ in range(450):
            entry, session = replied(session)
            written.append(entry)
        append(store, written, session, "waiting")
        assert list(store.entries("amber-fox")) == written
        assert list(store.entries("amber-fox", 400)) == written[400:]
        assert list(store.entries("amber-fox", 451)) == []

    def test_the_journal_may_grow_while_it_is_read(self, store: Store) -> None:
        """A reader of the journal keeps nobody from writing, itself included."""
        session = begin(store, "amber-fox")
        reader = store.entries("amber-fox")
        first = next(reader)
        entry, session = replied(session)
        append(store, [entry], session, "waiting")
        assert first.kind == "started"
        assert store.load("amber-fox") == session

    def test_a_name_is_given_once(self, store: Store) -> None:
        """A second session of the same name is refused as such, and the first stays as it is."""
        session = begin(store, "amber-fox")
        other, begun = started("amber-fox", time=TIMES[9])
        with pytest.raises(NameTaken, match="already a session amber-fox"):
            append(store, [other], begun, "waiting")
        assert store.load("amber-fox") == session
        assert len(list(store.entries("amber-fox"))) == 1

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda e, s: ([], s), id="no entries"),
            pytest.param(lambda e, s: (e[1:], s), id="a gap before the first"),
            pytest.param(lambda e, s: ([e[0], e[2]], s), id="a gap within"),
            pytest.param(lambda e, s: ([replace(e[0], previous="f" * 64), *e[1:]], s), id="another past"),
            pytest.param(lambda e, s: ([e[0], replace(e[1], previous="f" * 64), e[2]], s), id="a broken chain"),
            pytest.param(lambda e, s: ([replace(each, session="dry-owl") for each in e], s), id="another's entries"),
            pytest.param(lambda e, s: (e[:2], s), id="a snapshot ahead"),
            pytest.param(lambda e, s: (e, replace(s, head="f" * 64)), id="a snapshot with another head"),
            pytest.param(lambda e, s: (e, with_data(s, broken="\ud800")), id="a snapshot that is not JSON"),
            pytest.param(lambda e, s: (e, with_data(s, broken=float("nan"))), id="a number that is none"),
            pytest.param(lambda e, s: ([*e[:2], replace(e[2], body={"x": "\udfff"})], s), id="a body that is not JSON"),
        ],
    )
    def test_what_does_not_follow_is_refused(self, store: Store, spoil: object) -> None:
        """Entries that do not lead from the stored head to the snapshot leave no trace."""
        session = begin(store, "amber-fox")
        entries, after = _three(session)
        assert callable(spoil)
        spoiled, snapshot = spoil(entries, after)
        with pytest.raises(StoreError):
            append(store, spoiled, snapshot, "done")
        assert store.load("amber-fox") == session
        assert [each.seq for each in store.entries("amber-fox")] == [1]
        assert [each.status for each in store.sessions()] == ["waiting"]
        append(store, entries, after, "waiting")

    def test_a_lost_race_is_refused(self, store: Store) -> None:
        """Of two turns that were decided on the same head, the later one is refused."""
        session = begin(store, "amber-fox")
        winner, after = answered(session, time=TIMES[3])
        loser, never = answered(session, time=TIMES[4])
        append(store, [winner], after, "waiting")
        with pytest.raises(StoreError, match="changed meanwhile") as caught:
            append(store, [loser], never, "waiting")
        assert "again" in caught.value.hint
        assert store.load("amber-fox") == after

    def test_a_session_begins_with_its_start(self, store: Store) -> None:
        """Nothing is appended to a session that is not there."""
        _, begun = started("amber-fox")
        entry, after = answered(begun)
        with pytest.raises(StoreError, match="no session amber-fox"):
            append(store, [entry], after, "waiting")
        assert store.sessions() == []

    def test_a_turn_is_accepted_once_per_session(self, store: Store) -> None:
        """The identity of an accepted turn is taken in its session, and free in any other."""
        for name in ("amber-fox", "dry-owl"):
            session = begin(store, name)
            entry, after = answered(session, turn="t1")
            append(store, [entry], after, "waiting")
            again, twice = answered(after, turn="t1")
            with pytest.raises(StoreError, match="accepted already"):
                append(store, [again], twice, "waiting")
            assert store.load(name) == after
            assert store.find_turn("t1", name) == entry

    def test_a_turn_is_accepted_once_within_one_append(self, store: Store) -> None:
        """Two entries of one commit cannot accept the same turn either."""
        session = begin(store, "amber-fox")
        first, asked = answered(session, turn="t1")
        second, after = answered(asked, turn="t1")
        with pytest.raises(StoreError, match="accepted already"):
            append(store, [first, second], after, "waiting")
        assert store.find_turn("t1", "amber-fox") is None

    def test_a_start_is_accepted_once_in_any_session(self, store: Store) -> None:
        """Two starts that race under different names, being one turn, make one session."""
        entry, begun = started("amber-fox", turn="t0")
        append(store, [entry], begun, "waiting")
        other, twin = started("dry-owl", turn="t0")
        with pytest.raises(StoreError, match="accepted already"):
            append(store, [other], twin, "waiting")
        assert store.load("dry-owl") is None
        assert store.find_turn("t0") == entry

    def test_only_starts_are_found_without_a_name(self, store: Store) -> None:
        """A turn of one session is not found in another, nor without saying in which."""
        session = begin(store, "amber-fox")
        entry, after = answered(session, turn="t1")
        append(store, [entry], after, "waiting")
        begin(store, "dry-owl")
        assert store.find_turn("t1") is None
        assert store.find_turn("t1", "dry-owl") is None

    def test_the_reply_to_a_turn_is_found(self, store: Store) -> None:
        """It is the first one behind the entry that is asked about, in the same session."""
        session = begin(store, "amber-fox")
        entries, after = _three(session)
        last, end = replied(after)
        append(store, [*entries, last], end, "waiting")
        replies = [each for each in [*entries, last] if each.kind == "reply"]
        assert store.find_reply("amber-fox", 1) == replies[0]
        assert store.find_reply("amber-fox", replies[0].seq) == replies[1]
        assert store.find_reply("amber-fox", replies[1].seq) is None
        assert store.find_reply("dry-owl", 0) is None

    def test_sessions_are_listed_by_their_last_update(self, store: Store) -> None:
        """The latest comes first, ended ones can be left out, and the list can be read in pages."""
        statuses = ["waiting", "done", "in_doubt", "cancelled", "failed", "watching", "working"]
        for second, status in enumerate(statuses):
            begin(store, status.replace("_", "-"), status=status, time=TIMES[second])
        assert [each.status for each in store.sessions()] == statuses[::-1]
        live = [each.status for each in store.sessions(live=True)]
        assert live == ["working", "watching", "in_doubt", "waiting"]
        assert [each.status for each in store.sessions(live=True, limit=2, offset=1)] == live[1:3]
        assert store.sessions(offset=7) == []

    @pytest.mark.parametrize("search", ["", "fox", "f"])
    @pytest.mark.parametrize(
        ("status", "times", "due"),
        [
            ("waiting", {}, None),
            ("waiting", {"after": 3600.0}, "2027-01-15T09:00:00.000Z"),
            ("in_doubt", {"after": 3600.0, "deadline": 60.5, "remind": None}, "2027-01-15T08:01:00.500Z"),
            ("watching", {"remind": None}, None),
            ("done", {"deadline": 60.0}, None),
        ],
    )
    def test_lists_say_when_something_happens_by_itself(
        self, store: Store, status: str, times: dict[str, float | None], due: str | None, search: str
    ) -> None:
        """The first of a session's timers; none once it is over, and none that has run out."""
        entry, session = started("amber-fox")
        timers = {name: Timer(Instant(1_800_000_000.0, 5.0, "boot"), 0, each) for name, each in times.items()}
        append(store, [entry], replace(session, timers=timers), status)
        assert [each.due for each in store.sessions(search=search)] == [due]
        assert [each.due for each in store.sessions(status=status, search=search)] == [due]

    @pytest.mark.parametrize(
        ("now", "due"),
        {
            "as it begins": ((0, 0, "boot"), []),
            "just before": ((59, 59, "boot"), []),
            "on time": ((60, 60, "boot"), ["amber-fox"]),
            "both": ((3600, 3600, "boot"), ["amber-fox", "dry-owl"]),
            "wall set forward": ((9e9, 59, "boot"), []),
            "wall set back": ((-9e8, 60, "boot"), ["amber-fox"]),
            "rebooted": ((60, -1, "other"), ["amber-fox"]),
            "rebooted, too early": ((59, 9e9, "other"), []),
            "rebooted, wall set back": ((-9e8, 9e9, "other"), []),
        }.values(),
    )
    def test_what_is_due_is_found(self, store: Store, now: tuple[float, float, str], due: list[str]) -> None:
        """Once for all timers of a session, as the session itself counts; none that is over, or has none."""
        base = Instant(1_800_000_000.0, 5.0, "boot")
        known: dict[str, dict[str, float | None]] = {
            "amber-fox": {"remind": 60.0, "after": 60.0},
            "dry-owl": {"after": 3600.0, "deadline": None},
            "red-elk": {},
        }
        for name, times in known.items():
            entry, session = started(name)
            timers = {timer: Timer(base, 0, each) for timer, each in times.items()}
            append(store, [entry], replace(session, timers=timers), "waiting")
        entry, session = started("tall-ant")
        append(store, [entry], replace(session, timers={"after": Timer(base, 0, 60.0)}), "cancelled")
        at = Instant(base.wall + now[0], base.boot + now[1], now[2])
        assert store.due(at) == [(name, 1) for name in due]

    def test_what_is_due_follows_its_session(self, store: Store) -> None:
        """A timer that is gone, or begins again, is found no longer; one that has come is."""
        base = Instant(1_800_000_000.0, 5.0, "boot")
        later = Instant(base.wall + 100.0, base.boot + 100.0, "boot")
        session = begin(store, "amber-fox")
        for number, (timers, due) in enumerate(
            [
                ({"after": Timer(base, 0, 60.0)}, [("amber-fox", 2)]),
                ({"after": Timer(base, 0, 60.0), "deadline": Timer(base, 0, 90.0)}, [("amber-fox", 3)]),
                ({"after": Timer(later, 1, 60.0), "deadline": Timer(base, 0, 900.0)}, []),
                ({}, []),
                ({"remind": Timer(base, 0, 1.0)}, [("amber-fox", 6)]),
            ]
        ):
            entry, session = follow(replace(session, timers=timers), "move", {}, time=TIMES[number + 1])
            append(store, [entry], session, "waiting")
            assert store.due(later) == due
        entry, session = follow(session, "forgotten", {"status": "done", "left": {}}, time=TIMES[9])
        forget(store, entry, session, "done")
        assert store.due(later) == []

    def test_sessions_can_be_looked_for(self, store: Store) -> None:
        """By a part of the name or state, by state or phase, by status; all that is asked for must hold."""
        for second, name in enumerate(["amber-fox", "dry-owl", "odd-fox"]):
            session = begin(store, name, time=TIMES[second])
            if name != "odd-fox":
                entry, after = answered(session, time=TIMES[second])
                append(store, [entry], after, "waiting" if name == "amber-fox" else "done")

        def found(**wanted: Any) -> list[str]:
            return [each.name for each in store.sessions(**wanted)]

        assert found(search="fox") == ["odd-fox", "amber-fox"]
        assert found(search="presenting") == ["dry-owl", "amber-fox"]
        assert found(state="confirm") == found(state="confirm.presenting") == ["dry-owl", "amber-fox"]
        assert found(state="conf") == found(state="confirm.") == found(state="presenting") == []
        assert found(status="done") == ["dry-owl"]
        assert found(search="fox", state="confirm", status="waiting", live=True) == ["amber-fox"]
        assert found(live=True, status="done") == []
        assert found(search="fox", limit=1, offset=1) == ["amber-fox"]

    @pytest.mark.parametrize("text", ["%", "_", "FOX", "'", "' OR 1=1 --", "*", "?", '"', "\\", "a\0", "图"])
    def test_what_is_looked_for_is_taken_as_it_is(self, store: Store, text: str) -> None:
        """No character of it is a pattern, or a piece of a query."""
        begin(store, "amber-fox")
        assert store.sessions(search=text) == store.sessions(state=text) == store.sessions(status=text) == []

    def test_a_sound_store_says_so(self, store: Store) -> None:
        """The check finds nothing, empty or used, and changes nothing."""
        assert store.check() == []
        session = begin(store, "amber-fox")
        assert store.check() == []
        assert store.load("amber-fox") == session

    def test_a_summary_follows_its_session(self, store: Store) -> None:
        """It tells where the session is, since when it exists, and when it last moved; ties go by name."""
        begin(store, "dry-owl", time=TIMES[2])
        session = begin(store, "amber-fox", time=TIMES[0])
        entry, after = answered(session, time=TIMES[2])
        append(store, [entry], after, "watching")
        summary, other = store.sessions()
        assert (summary.name, summary.workflow, summary.state) == ("amber-fox", "image", "confirm.presenting")
        assert (summary.status, summary.revision) == ("watching", 1)
        assert (summary.created, summary.updated) == (TIMES[0], TIMES[2])
        assert other.name == "dry-owl"

    def test_an_ended_session_can_live_again(self, store: Store) -> None:
        """The status is that of the latest append."""
        session = begin(store, "amber-fox", status="done")
        entry, after = answered(session)
        assert store.sessions(live=True) == []
        append(store, [entry], after, "waiting")
        assert [each.name for each in store.sessions(live=True)] == ["amber-fox"]

    def test_everything_of_a_session_is_read_at_once(self, store: Store) -> None:
        """Its snapshot, its entries, and what it and its turns are listed and found by."""
        assert store.record("amber-fox") is None
        first, begun = started("amber-fox", turn="t0")
        second, after = answered(begun, turn="t1")
        third, last = replied(after)
        append(store, [first], begun, "waiting")
        append(store, [second, third], last, "watching")
        begin(store, "dry-owl")
        record = store.record("amber-fox")
        assert record is not None
        assert (record.session, record.entries) == (last, (first, second, third))
        assert (record.seq, record.head) == (3, third.hash)
        assert record.turns == {1: "t0", 2: "t1"}
        assert [record.summary] == store.sessions(search="amber-fox")

    def test_the_log_of_all_sessions_is_in_the_order_of_time(self, store: Store) -> None:
        """The latest so many, of the kinds and from the time that are asked for."""
        owl = begin(store, "dry-owl", time=TIMES[3])
        fox = begin(store, "amber-fox", time=TIMES[1])
        entry, fox = replied(fox, time=TIMES[5])
        append(store, [entry], fox, "waiting")
        entry, owl = answered(owl, time=TIMES[4])
        append(store, [entry], owl, "waiting")

        def found(**wanted: Any) -> list[tuple[str, int]]:
            return [(each.session, each.seq) for each in store.log(**wanted)]

        everything = [("amber-fox", 1), ("dry-owl", 1), ("dry-owl", 2), ("amber-fox", 2)]
        assert found() == everything
        assert found(limit=2) == everything[2:]
        assert found(since=TIMES[3]) == everything[1:]
        assert found(kinds=("started", "reply")) == [everything[0], everything[1], everything[3]]
        assert found(kinds=("started",), since=TIMES[2], limit=1) == [("dry-owl", 1)]
        assert found(since=TIMES[6]) == []

    def test_forgetting_leaves_the_chain(self, store: Store) -> None:
        """The entry is appended, what those before held is gone, and so are their turns; others stay."""
        first, begun = started("amber-fox", turn="t0")
        second, after = answered(begun, turn="t1")
        third, asked = replied(after)
        append(store, [first], begun, "waiting")
        append(store, [second, third], asked, "waiting")
        begin(store, "dry-owl")
        last, left = follow(replace(asked, data={}, shown={}, evidence=()), "forgotten", {}, time=TIMES[4])
        forget(store, last, left, "cancelled")
        store.sweep()
        assert [each.body for each in store.entries("amber-fox")] == [None, None, None, last.body]
        hashes = [each.hash for each in store.entries("amber-fox")]
        assert hashes == [first.hash, second.hash, third.hash, last.hash]
        assert store.find_turn("t0") is None and store.find_turn("t1", "amber-fox") is None
        assert store.load("amber-fox") == left
        record = store.record("amber-fox")
        assert record is not None and record.turns == {} and record.summary.status == "cancelled"
        assert [each.body is None for each in store.entries("dry-owl")] == [False]

    def test_the_latest_faults_of_a_session_are_kept(self, store: Store) -> None:
        """A session that fails for days fills no disk and pushes out no other's; forgetting erases its own."""
        fault = Fault("amber-fox", 1, "a.b", TIMES[1], "guard", "the guard 'mine':\nValueError: \u00e4")
        other = replace(fault, session="dry-owl")
        store.note_fault(other)
        for number in range(MOST_FAULTS + 5):
            store.note_fault(replace(fault, seq=number))
        kept = [replace(fault, seq=number) for number in range(5, MOST_FAULTS + 5)]
        assert store.faults("amber-fox") == kept
        assert store.faults() == [other, *kept]
        session = begin(store, "amber-fox")
        forget(store, *follow(session, "forgotten", {}), "cancelled")
        assert (store.faults("amber-fox"), store.faults()) == ([], [other])

    def test_what_does_not_follow_forgets_nothing(self, store: Store) -> None:
        """All or nothing: an entry that is not the next one erases no other."""
        session = begin(store, "amber-fox")
        entry, after = follow(replace(session, seq=7), "forgotten", {})
        with pytest.raises(StoreError):
            forget(store, entry, after, "cancelled")
        assert [each.body is None for each in store.entries("amber-fox")] == [False]

    def test_the_store_has_a_chain_of_its_own(self, store: Store) -> None:
        """One link per append, whatever session it is of, and every receipt that it once had still holds."""
        empty = store.verify()
        assert (empty.sessions, empty.links) == (0, 0)
        fox = begin(store, "amber-fox")
        first = store.verify().receipt
        begin(store, "dry-owl")
        entries, after = _three(fox)
        append(store, entries, after, "waiting")
        found = store.verify(first)
        assert (found.sessions, found.links, found.receipt.split(":")[0]) == (2, 3, "3")
        last, left = follow(replace(after, data={}, shown={}, evidence=()), "forgotten", {}, time=TIMES[4])
        forget(store, last, left, "cancelled")
        assert store.verify(found.receipt).links == 4 and store.verify(first).sessions == 2
        with pytest.raises(JournalTampered, match="does not hold the head"):
            store.verify(f"3:{'0' * 24}")
        with pytest.raises(UsageError, match="not a receipt"):
            store.verify("3")

    def test_what_is_refused_leaves_no_link(self, store: Store) -> None:
        """An append is all or nothing, its link included."""
        session = begin(store, "amber-fox")
        entry, after = answered(session, turn="t1")
        append(store, [entry], after, "waiting")
        again, twice = answered(after, turn="t1")
        with pytest.raises(StoreError):
            append(store, [again], twice, "waiting")
        assert store.verify().links == 2

    def test_a_definition_is_found_by_its_bundle(self, store: Store) -> None:
        """Whatever compiled it; a part of a digest is none."""
        store.keep_definition("abc:1", "one")
        store.keep_definition("abc:2", "two")
        store.keep_definition("abcd:1", "three")
        assert sorted(store.definitions("abc")) == ["one", "two"]
        assert store.definitions("abcd") == ("three",)
        assert store.definitions("ab") == store.definitions("") == ()

    def test_a_definition_stays_what_it_is(self, store: Store) -> None:
        """Keeping it again is nothing; keeping another one under its key is an error."""
        store.keep_definition("key", '{"a": 1}')
        store.keep_definition("key", '{"a": 1}')
        with pytest.raises(StoreError, match="key"):
            store.keep_definition("key", '{"a": 2}')
        assert store.definition("key") == '{"a": 1}'
        assert store.definition("other") is None

    def test_an_occasion_is_the_first_once(self, store: Store) -> None:
        """Each profile has each occasion for itself."""
        asked = [
            ("ann", "delivery"),
            ("ann", "delivery"),
            ("bob", "delivery"),
            ("ann", "praise"),
            ("bob", "delivery"),
        ]
        assert [store.first_time(*each) for each in asked] == [True, False, True, True, False]

    def test_a_hold_is_for_one(self, store: Store) -> None:
        """A second holder is told that the session is busy; others are free, and so is this one after."""
        with store.hold("amber-fox"):
            with pytest.raises(SessionBusy, match="amber-fox"), store.hold("amber-fox"):
                pytest.fail("held twice")
            with pytest.raises(SessionBusy), store.hold("amber-fox", wait=0.01):
                pytest.fail("held twice")
            with store.hold("dry-owl"):
                pass
        with store.hold("amber-fox"):
            pass

    @pytest.mark.parametrize("kind", ["released", "ended", "of another session", "of a part", "of nobody"])
    @pytest.mark.parametrize("how", ["append", "forget"])
    def test_only_the_holder_writes(self, store: Store, kind: str, how: str) -> None:
        """Any handle that is not the hold of this session now is refused, and nothing is written."""
        session = begin(store, "amber-fox")
        with (
            store.hold("amber-fox") as ended,
            store.hold("dry-owl") as other,
            store.hold("amber-fox", part=CALL) as part,
        ):
            handles = {"of another session": other, "of a part": part, "of nobody": None, "ended": ended}
            released = handles["released"] = ended
            if kind == "released":
                released.release()
                released.release()
            if kind != "ended":
                self._refuses(store, handles[kind], session, how)
        if kind == "ended":
            self._refuses(store, ended, session, how)
        entry, after = answered(session)
        append(store, [entry], after, "waiting")
        assert store.load("amber-fox") == after

    def _refuses(self, store: Store, handle: Any, session: Session, how: str) -> None:
        entry, after = answered(session)
        with pytest.raises(HoldLost, match="does not hold session amber-fox"):
            store.append(handle, [entry], after, "waiting") if how == "append" else store.forget(
                handle, entry, after, "cancelled"
            )
        assert store.load("amber-fox") == session and len(list(store.entries("amber-fox"))) == 1

    def test_a_hold_is_let_go_and_taken_again(self, store: Store) -> None:
        """Released, others can have the session; taken again, it is the right to append as before."""
        session = begin(store, "amber-fox")
        with store.hold("amber-fox") as held:
            held.release()
            with store.hold("amber-fox"), pytest.raises(SessionBusy, match="amber-fox"):
                held.retake()
            for _ in range(3):
                held.retake()
                with pytest.raises(SessionBusy), store.hold("amber-fox"):
                    pytest.fail("held twice")
            entry, after = answered(session)
            store.append(held, [entry], after, "waiting")
            held.release()
        with store.hold("amber-fox"):
            assert store.load("amber-fox") == after

    def test_a_part_is_held_for_itself(self, store: Store) -> None:
        """Who holds a part keeps others from that part, and from nothing else."""
        with (
            store.hold("amber-fox", part=CALL),
            store.hold("amber-fox"),
            store.hold("amber-fox", part=f"{CALL}-2"),
            pytest.raises(SessionBusy, match="amber-fox"),
            store.hold("amber-fox", part=CALL),
        ):
            pytest.fail("held twice")

    def test_the_holder_is_named(self, store: Store) -> None:
        """Who holds it and since when, for whoever asks and in the error; asking takes nothing."""
        assert store.held_by("amber-fox") is None
        for part in ("", CALL):
            with store.hold("amber-fox", part=part) as held:
                holder = store.held_by("amber-fox", part)
                assert holder is not None and holder.pid == os.getpid() and not holder.stopped
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", holder.since) and holder.command
                assert store.held_by("amber-fox", "" if part else CALL) is None
                with pytest.raises(SessionBusy, match=rf"by another turn: process {os.getpid()} \("):
                    store.hold("amber-fox", part=part).__enter__()
                held.release()
                assert store.held_by("amber-fox", part) is None
                held.retake()
                assert store.held_by("amber-fox", part) is not None
            assert store.held_by("amber-fox", part) is None

    def test_a_hold_ends_with_an_exception(self, store: Store) -> None:
        """The exception goes through as it is, and the session is free."""
        with pytest.raises(FileNotFoundError, match="mine"), store.hold("amber-fox"):
            raise FileNotFoundError("mine")
        with store.hold("amber-fox"):
            pass

    def test_a_hold_is_waited_for(self, store: Store) -> None:
        """Whoever waits gets the session as soon as its holder lets go, and no two have it at once."""
        inside, most = 0, 0

        def work() -> None:
            nonlocal inside, most
            with store.hold("amber-fox", wait=30):
                inside += 1
                most = max(most, inside)
                inside -= 1

        threads = [threading.Thread(target=work) for _ in range(8)]
        with store.hold("amber-fox"):
            for thread in threads:
                thread.start()
            assert most == 0
        for thread in threads:
            thread.join(30)
        assert (most, inside) == (1, 0)

    @pytest.mark.parametrize("name", ["", "..", "../amber", "a/b", "Amber", "amber_fox", "a" * 65, "a\0b", "a\n"])
    def test_only_names_are_held(self, store: Store, name: str) -> None:
        """Whatever could lead elsewhere is refused before anything is done with it."""
        with pytest.raises(UsageError, match="cannot be the name"), store.hold(name):
            pytest.fail("held")

    def test_threads_share_a_store(self, store: Store) -> None:
        """Every thread writes and reads; the journals are whole and each first time is one thread's."""
        names = [f"thread-{number}" for number in range(4)]
        firsts: list[bool] = []
        errors: list[BaseException] = []

        def work(name: str) -> None:
            try:
                session = begin(store, name)
                for _ in range(5):
                    entry, session = answered(session)
                    with store.hold(name) as held:
                        store.append(held, [entry], session, "waiting")
                assert store.load(name) == session
                firsts.append(store.first_time("ann", "delivery"))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert errors == []
        assert sorted(firsts) == [False, False, False, True]
        for name in names:
            journal = list(verify(store.entries(name)))
            assert len(journal) == 6
            assert all(later.previous == earlier.hash for earlier, later in pairwise(journal))

    def test_a_closed_store_says_so(self, store: Store) -> None:
        """Closing twice is nothing; using it afterwards is an error of the store."""
        begin(store, "amber-fox")
        store.close()
        store.close()
        for use in (
            lambda: store.load("amber-fox"),
            lambda: begin(store, "dry-owl"),
            lambda: list(store.entries("amber-fox")),
            lambda: store.sessions(),
            lambda: store.check(),
            lambda: store.hold("amber-fox").__enter__(),
        ):
            with pytest.raises(StoreError, match="closed"):
                use()

    def test_a_store_has_an_identity_and_is_its_own(self, store: Store) -> None:
        """The same at each look, whatever is written; another one once it was adopted."""
        first = store.identity()
        session = begin(store, "amber-fox")
        assert store.identity() == first and len(first) == 32
        assert store.foreign() == "" and store.ledger_fault() == ""
        store.check_own()
        store.check_paying(session.name)
        assert store.adopt(TIMES[1]) == []
        assert store.identity() != first
        store.check_paying(session.name)

    def test_what_was_entered_is_known(self, store: Store) -> None:
        """A payment whose intent is in the journal keeps nothing from being paid, before and after adopting."""
        first, begun = started("amber-fox")
        store.begin_ledger(TIMES[0])
        store.begin_ledger(TIMES[0])
        intent, after = leaving(begun)
        append(store, [first, intent], after, "in_doubt")
        store.enter(Payment(store.identity(), "c" * 32, "amber-fox", "create", intent.receipt, TIMES[1]))
        store.check_paying("amber-fox")
        assert store.unknown_payments() == []
        store.adopt(TIMES[2])
        store.check_paying("amber-fox")
        assert store.unknown_payments() == []


def _three(session: Session) -> tuple[list[Entry], Session]:
    """A turn with its reply and a refusal before it."""
    refusal, session = follow(session, "refusal", {"event": "approve", "reasons": ["no plan"]})
    event, session = answered(session, turn="t7")
    reply, session = replied(session)
    return [refusal, event, reply], session
