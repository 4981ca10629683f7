"""Searching by the index of the SQLite store: it finds what comparing every session finds, and keeps nothing erased."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.journals import TIMES, append, begin, follow, forget, replied, started
from workflow.model.errors import StoreError
from workflow.model.frozen import replace
from workflow.model.ports import Store
from workflow.model.session import Session
from workflow.store import search, statements
from workflow.store.memory import MemoryStore
from workflow.store.reader import SqliteReader
from workflow.store.sqlite import SqliteStore

# Two scripts with capitals, letters that fold oddly, marks, signs of the index's own language, Chinese, Thai, an emoji.
LETTERS = "aAbB .-\"'*():^+ßſİıKéе́ДдΣσς春节海报ก🎷"
WORDS = st.text(st.sampled_from(LETTERS), max_size=12)
SOUGHT = st.text(st.sampled_from(LETTERS), min_size=1, max_size=5)
STATES = st.sampled_from(["a", "a.b", "a.c", "ab.c", "b.a", "a.b.c"])
STATUSES = st.sampled_from(["waiting", "working", "done", "cancelled", "failed"])
OWNERS = st.sampled_from(["", "ann", "bob"])
NAMES = ("amber-fox", "dry-owl", "odd-fox", "misty-heron", "prime-pond")


@given(data=st.data(), few=st.sampled_from([0, 1, search.FEW]))
def test_the_index_finds_what_comparing_every_session_finds(data: st.DataObject, few: int) -> None:
    """In several scripts, for texts of any length, few or many candidates, and after words came or were erased."""
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)
        texts = [*NAMES, "understand.receiving"]
        for name in NAMES[: data.draw(st.integers(1, len(NAMES)))]:
            history = data.draw(st.lists(WORDS, min_size=1, max_size=2))
            speak(memory, name, *history)
            speak(store, name, *history)
            texts += history
        for _ in range(5):
            part = st.tuples(st.sampled_from(texts), st.integers(0, 20), st.integers(1, 9))
            cut = part.map(lambda each: each[0][each[1] : each[1] + each[2]]).filter(bool)
            text = data.draw(SOUGHT | cut | cut.map(str.swapcase))
            assert store.sessions(search=text) == memory.sessions(search=text), text


IN_VAIN = [
    *({"search": text} for text in ("nobody", "a" * 500, "presenting", '"""', "海报展览", "\0\0abc\0")),
    *({"search": text} for text in ("q", "Q", "qz", "éá", "海", "\2q", "🎷")),
    {"state": "confirm"},
    {"state": "understand.receivin"},
    {"status": "failed"},
    {"owner": "nobody"},
    {"owner": "ann", "status": "done"},
    {"live": True, "state": "understand", "status": "done"},
    {"live": True, "state": "confirm", "status": "working", "owner": "ann", "search": "nobody"},
]


@pytest.mark.parametrize("wanted", IN_VAIN, ids=str)
def test_a_list_in_vain_takes_as_many_steps_in_a_larger_store(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """SQLite's own steps are counted: among ten times as many sessions there is not one more."""
    with opened(tmp_path) as store:
        counts = []
        for size in (5, 50):
            crowd(store, size)
            counts.append(steps(store, **wanted))
            assert store.sessions(**wanted) == []
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "wanted", [{}, {"live": True}, {"state": "understand"}, {"status": "waiting"}, {"owner": "ann"}], ids=str
)
def test_a_page_takes_as_many_steps_in_a_larger_store(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """A filter that every session passes stops at the end of the page."""
    with opened(tmp_path) as store:
        counts = []
        for size in (10, 100):
            crowd(store, size)
            counts.append(steps(store, **wanted, limit=3))
            assert len(store.sessions(**wanted, limit=3)) == 3
    assert counts[0] == counts[1]


def test_one_that_passes_a_filter_is_found_among_many(tmp_path: Path) -> None:
    """The last in the list of updates, and the only one of its state and status: no other session is read."""
    with opened(tmp_path) as store:
        begin(store, "amber-fox", status="failed", time=TIMES[0])
        counts = []
        for size in (5, 50):
            crowd(store, size)
            counts.append(steps(store, status="failed", search="am"))
            assert [each.name for each in store.sessions(status="failed", search="am")] == ["amber-fox"]
    assert counts[0] == counts[1]


@given(data=st.data())
def test_each_filter_finds_what_comparing_every_session_finds(data: st.DataObject) -> None:
    """Filters of all kinds at once, on any page, among sessions of several states, statuses, owners and times."""
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as store:
        for name in NAMES[: data.draw(st.integers(0, len(NAMES)))]:
            status, owner = data.draw(STATUSES), data.draw(OWNERS)
            entry, session = started(name, time=data.draw(st.sampled_from(TIMES[:2])))
            session = replace(session, state=data.draw(STATES), owner=owner or None, about=data.draw(WORDS))
            for each in (memory, store):
                append(each, [entry], session, status)
        wanted: dict[str, Any] = {
            "live": data.draw(st.booleans()),
            "state": data.draw(st.just("") | STATES | st.sampled_from(["a", "b", "a.", "c"])),
            "status": data.draw(st.just("") | STATUSES),
            "owner": data.draw(OWNERS),
            "search": data.draw(st.just("") | SOUGHT),
            "limit": data.draw(st.integers(1, 3)),
            "offset": data.draw(st.integers(0, 3)),
        }
        assert store.sessions(**wanted) == memory.sessions(**wanted)


def test_a_search_reads_no_table_of_sessions(tmp_path: Path) -> None:
    """Candidates come from indexes, and their rows are found by their numbers."""
    with opened(tmp_path) as store:
        for found in (
            plan(store, statements.CANDIDATES, "abc", 5, '"abc"'),
            plan(store, statements.CANDIDATES_OF_A_START, "ab", 5, "ab", "ac"),
        ):
            assert "VIRTUAL TABLE" in found
            assert "SEARCH sessions USING COVERING INDEX sessions_by_state (state>?)" in found
            assert "SEARCH sessions USING COVERING INDEX sessions_by_state (state=?)" in found
            assert "SCAN sessions" not in found.replace("SCAN sessions USING COVERING INDEX sessions_by_state", "")
        query, values = statements.listing(True, "abc", "confirm", "waiting", "", [1, 2])
        listed = plan(store, query, *values)
        assert "SEARCH sessions USING INTEGER PRIMARY KEY (rowid=?)" in listed
        assert "SCAN sessions" not in listed


def test_a_text_that_many_have_is_found_by_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its candidates are more than are worth sorting: the list is read until the page is full."""
    monkeypatch.setattr(search, "FEW", 3)
    with opened(tmp_path) as store:
        for number in range(20):
            speak(store, f"fox-{number:02}", "jazz")
        assert search.candidates(store._connection(), "jazz") is None
        assert search.candidates(store._connection(), "receiving") is None
        assert search.candidates(store._connection(), "fox-07") == [8]
        assert [each.name for each in store.sessions(search="JAZZ", limit=2)] == ["fox-00", "fox-01"]


@pytest.mark.parametrize("words", ["Zaubernuss", "魔法榛子的秘密"])
def test_forgotten_words_leave_the_index(tmp_path: Path, words: str) -> None:
    """No search finds them from then on, and once the store is swept the index has no three characters of them."""
    with opened(tmp_path) as store:
        speak(store, "dry-owl", "jazz night")
        before = terms(store.path)
        session = speak(store, "amber-fox", "", words)
        assert words[:3].lower() in terms(store.path)
        entry, after = follow(replace(session, about=""), "forgotten", {})
        with store.hold("amber-fox") as held:
            store.forget(held, entry, after, "cancelled", sweep=False)
        assert store.sessions(search=words) == store.sessions(search=words[:3]) == []
        store.sweep()
        assert terms(store.path) == before | grams("amber-fox")
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert words.encode() not in left
    if not words.isascii():  # nine bytes that stand nowhere by chance
        assert not [each for each in grams(words) if each.encode() in left and statements.END[0] not in each]


def test_forgotten_words_leave_the_index_though_the_row_was_edited(tmp_path: Path) -> None:
    """What another program wrote into the row does not say which words to erase: the index is made again."""
    with opened(tmp_path) as store:
        session = speak(store, "amber-fox", "Zaubernuss")
        edit(store.path, "UPDATE sessions SET about = 'Something else'")
        entry, after = follow(replace(session, about=""), "forgotten", {})
        forget(store, entry, after, "cancelled")
        assert terms(store.path) == grams("amber-fox")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("INSERT INTO search (rowid, name, about) VALUES (2, 'jazz', 'jazz'), (9, 'jazz', 'jazz')", ["amber-fox"]),
        ("INSERT INTO search (search) VALUES ('delete-all')", []),
        ("UPDATE search_data SET block = zeroblob(9)", []),
        ("UPDATE search_data SET block = x'ffffffffffffffffff'", None),
        ("DELETE FROM search_data", None),
    ],
)
def test_an_edited_index_hides_a_session_and_changes_none(
    tmp_path: Path, statement: str, found: list[str] | None
) -> None:
    """Each candidate is compared with the text itself; an index that cannot be read is an error."""
    with opened(tmp_path) as store:
        session = speak(store, "amber-fox", "jazz")
        speak(store, "dry-owl", "blues")
        edit(store.path, statement)
    with opened(tmp_path) as store:
        if found is None:
            with pytest.raises(StoreError, match="is damaged"):
                store.sessions(search="jazz")
        else:
            assert [each.name for each in store.sessions(search="jazz")] == found
        assert len(store.sessions()) == 2
        assert store.load("amber-fox") == session
        store.verify()


def test_readers_search_by_the_index(tmp_path: Path) -> None:
    """Beside a writer and after it; checking the index writes nothing."""
    with opened(tmp_path) as store:
        speak(store, "amber-fox", "jazz")
        before = store.path.read_bytes()
        assert seen(tmp_path) == ["amber-fox"]
        assert store.path.read_bytes() == before
    before = store.path.read_bytes()
    assert seen(tmp_path) == ["amber-fox"]
    assert store.path.read_bytes() == before


def test_a_turn_that_says_nothing_new_leaves_the_index_alone(tmp_path: Path) -> None:
    """Only a session that begins, and first words that come later, are written to it."""
    with opened(tmp_path) as store:
        session = begin(store, "amber-fox")
        before = store._connection().execute("SELECT * FROM search_data").fetchall()
        entry, session = replied(session)
        append(store, [entry], session, "waiting")
        assert store._connection().execute("SELECT * FROM search_data").fetchall() == before


@contextmanager
def opened(folder: Path) -> Iterator[SqliteStore]:
    """The store in the folder, closed after it."""
    store = SqliteStore(folder)
    try:
        yield store
    finally:
        store.close()


def speak(store: Store, name: str, *history: str, owner: str | None = None) -> Session:
    """A session that begins with the first words; the others come later."""
    entry, session = started(name, time=TIMES[1])
    append(store, [entry], session := replace(session, about=history[0], owner=owner), "waiting")
    for words in history[1:]:
        entry, session = follow(replace(session, about=words), "reply", {})
        append(store, [entry], session, "waiting")
    return session


def seen(folder: Path) -> list[str]:
    """What a reader finds, in a store that it finds sound."""
    reader = SqliteReader(folder)
    try:
        assert reader.check() == []
        return [each.name for each in reader.sessions(search="JAZZ")]
    finally:
        reader.close()


def crowd(store: SqliteStore, size: int) -> None:
    """As many sessions, all of one state, status and owner."""
    for number in range(len(store.sessions(limit=1000)), size):
        speak(store, f"fox-{number}", f"A poster for jazz night {number}", owner="ann")


def steps(store: SqliteStore, **wanted: Any) -> int:
    """How many instructions SQLite's machine takes to list."""
    connection, taken = store._connection(), [0]
    store.sessions(**wanted)  # what a connection does once

    def count() -> bool:
        taken[0] += 1
        return False

    connection.set_progress_handler(count, 1)
    store.sessions(**wanted)
    connection.set_progress_handler(None)
    return taken[0]


def plan(store: SqliteStore, query: str, *values: object) -> str:
    """What SQLite does to answer it."""
    return "\n".join(str(row[3]) for row in store._connection().execute(f"EXPLAIN QUERY PLAN {query}", values))


def terms(file: Path) -> set[str]:
    """Every three characters that the index has."""
    pen = apsw.Connection(str(file))
    pen.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, search, row)")
    found = {str(row[0]) for row in pen.execute("SELECT term FROM temp.vocabulary")}
    pen.close()
    return found


def grams(text: str) -> set[str]:
    """Every three characters in a row, those that the index has at the end of a text included."""
    text += statements.END
    return {text[at : at + 3] for at in range(len(text) - 2)}


def edit(file: Path, statement: str) -> None:
    """What another program does to the database."""
    pen = apsw.Connection(str(file))
    pen.execute(statement).fetchall()
    pen.close()
