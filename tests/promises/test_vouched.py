"""What a process verified itself it need not verify again, and nothing that was edited is believed for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from workflow.engine.verified import MOST, Vouched
from workflow.model.digest import sealed
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.frozen import replace
from workflow.model.journal import Entry, fold
from workflow.model.session import Session, Turn
from workflow.store.sqlite import SqliteStore


class CountingStore(SqliteStore):
    """Remembers from which entry on journals were read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[int] = []

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """Remembered, then read."""
        self.read.append(after)
        return super().entries(name, after)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    """In files, so that somebody else can write to it."""
    with_count = CountingStore(tmp_path / "state")
    yield with_count
    with_count.close()


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, store: CountingStore, clock: HandClock) -> Player:
    """A session whose plan is shown: the next answer pays."""
    play = player(tmp_path, REFERENCE, sandbox.url, store=store, clock=clock)
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    assert play.reply.state == "confirm.presenting"
    return play


def in_another_process(play: Player, tmp_path: Path, sandbox: Sandbox, store: CountingStore) -> Player:
    """The same session, known to nobody: another engine on the store."""
    other = player(tmp_path, REFERENCE, sandbox.url, store=store)
    other.name, other.reply = play.name, other.engine.status(play.name)
    return other


def edit(store: CountingStore, name: str, old: str, new: str) -> None:
    """Put another text into the snapshot, sealed as if it were the true one."""
    pen = apsw.Connection(str(store.path))
    ((text,),) = pen.execute("SELECT snapshot FROM sessions WHERE name = ?", (name,))
    known = json.loads(text)
    del known["~sha256"]
    plain = json.dumps(known, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert old in plain
    pen.execute("UPDATE sessions SET snapshot = ? WHERE name = ?", (sealed(plain.replace(old, new)), name))
    pen.close()


def test_a_session_of_this_process_is_paid_for_without_reading_its_journal(play: Player, store: CountingStore) -> None:
    """From its start on, all of it was written here."""
    store.read.clear()
    assert play.send("approve", quote="yes, go ahead").ok
    assert store.read == []


def test_what_another_process_wrote_is_verified_once(
    play: Player, tmp_path: Path, sandbox: Sandbox, store: CountingStore
) -> None:
    """The first time all of it, then only what came from elsewhere since."""
    other = in_another_process(play, tmp_path, sandbox, store)
    store.read.clear()
    assert other.send("approve", quote="yes, go ahead").ok
    assert store.read == [0]
    stored = store.load(play.name)
    assert stored is not None
    known = other.engine.world.vouched
    known.check(store, stored)
    assert store.read == [0]
    play.engine.advance(play.name, Turn(), language="zh-CN")
    later = store.load(play.name)
    assert later is not None and later.seq > stored.seq
    known.check(store, later)
    assert store.read == [0, stored.seq]


@pytest.mark.parametrize(("old", "new"), [("jazz", "rock"), ('"revision":2', '"revision":2.0')])
def test_an_edited_session_is_not_paid_for(
    play: Player, sandbox: Sandbox, store: CountingStore, old: str, new: str
) -> None:
    """Not even where Python takes the one for the other, and not in the process that had vouched for the true one."""
    edit(store, play.name, old, new)
    turn = Turn("approve", quote="yes, go ahead", turn_id="pay", expect_revision=2)
    with pytest.raises(StoreError, match="not what its journal adds up to"):
        play.engine.advance(play.name, turn)
    assert not [each for each in sandbox.requests if (each.method, each.path) == ("POST", "/v1/openapi/tasks")]


def test_a_store_that_was_set_back_is_verified_anew(
    play: Player, tmp_path: Path, sandbox: Sandbox, store: CountingStore
) -> None:
    """Behind a restored backup another way was gone: what is known does not fit, and is no reason to refuse."""
    kept = [*store.entries(play.name)]
    known, folded = Vouched(), None
    for entry in kept:
        folded = fold(folded, entry)
    assert folded is not None
    elsewhere = replace(folded, head="f" * 64)
    known.follow(None, elsewhere)
    stored = store.load(play.name)
    assert stored is not None
    store.read.clear()
    known.check(store, stored)
    assert 0 in store.read
    known.follow(None, replace(folded, seq=folded.seq + 9))
    known.check(store, stored)


def test_a_broken_chain_is_found_in_what_is_new(play: Player, store: CountingStore) -> None:
    """Only what was verified is taken on trust."""
    stored = store.load(play.name)
    assert stored is not None
    known, before = Vouched(), None
    for entry in store.entries(play.name):
        before = fold(before, entry) if entry.seq < stored.seq else before
    known.follow(None, before or stored)
    pen = apsw.Connection(str(store.path))
    pen.execute("UPDATE entries SET body = replace(body, 'by', 'of') WHERE seq = ?", (stored.seq,))
    pen.close()
    with pytest.raises(JournalTampered):
        known.check(store, stored)


def test_only_so_many_sessions_are_remembered(store: CountingStore) -> None:
    """The one that was dealt with longest ago is forgotten, and then verified as if it had never been known."""
    known = Vouched()
    for number in range(MOST + 1):
        name = f"run-{number}"
        known.follow(None, Session(name, "w", "b", "", "en", "a.b"))
    first = Session("run-0", "w", "b", "", "en", "a.b")
    with pytest.raises(JournalTampered):
        known.check(store, first)
    known.check(store, replace(first, name=f"run-{MOST}"))
