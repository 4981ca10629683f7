"""Stored rows that hold anything: told as damage, and nothing is sent, said or changed because of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.values import JSON, mutated
from tests.playing import Player
from tests.walks.engines import engine_with
from tests.walks.line import ADDRESS, Fate, Line, silent_sandbox
from workflow.engine import Engine
from workflow.history import audit
from workflow.model.errors import StoreError
from workflow.model.ports import Service
from workflow.store.sqlite import SqliteStore

BUNDLE = Path(__file__).parents[2]
WAYS = ["consenting", "presenting", "unsure", "generating", "ready"]
EACH = pytest.mark.parametrize("way", WAYS)
SOME = settings(max_examples=settings().max_examples // 5)


class Nobody:
    """A service that nobody may ask anything."""

    def call(self, *arguments: Any, **options: Any) -> NoReturn:
        """Whoever calls has believed a damaged row."""
        pytest.fail("a request left")


@dataclass(frozen=True)
class Kept:
    """A store with one session, as a folder that is copied for each example, and the turn that would pay next."""

    folder: Path
    name: str
    revision: int
    event: str
    state: str


def engine_on(folder: Path, service: Service) -> Engine:
    """An engine on the store in ``folder``; what it asks goes to ``service``."""
    return engine_with(SqliteStore(folder), folder.parent, service, kept=True)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """A session in each state from which a call can leave."""
    return {way: _made(tmp_path_factory.mktemp(way), way) for way in WAYS}


def _made(folder: Path, way: str) -> Kept:
    sandbox = silent_sandbox()
    line = Line(sandbox, Fate())
    engine = engine_on(folder / "state", line)
    play = Player(engine, str(BUNDLE), ADDRESS)
    (folder / "ref.png").write_bytes(b"a picture")
    references = [{"path": "ref.png", "description": "warm brass"}]
    play.start({"words": "A poster", "references": references})
    if way != "consenting":
        play.send("consent", quote="yes")
        play.send("answer", {"words": "Warm"})
    if way == "unsure":
        line.script.append("lost")
    if way in ("unsure", "generating", "ready"):
        play.send("approve", quote="yes")
    if way == "ready":
        play.send("check")
        play.send("check")
    event = {"consenting": "consent", "unsure": "found", "generating": "check", "ready": "modify"}.get(way, "approve")
    engine.world.store.close()
    return Kept(folder, play.name, play.reply.revision or 0, event, play.reply.state or "")


@contextmanager
def copied(kept: Kept) -> Iterator[Path]:
    """A fresh copy of the store."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(kept.folder / "ref.png", folder)
        yield Path(shutil.copytree(kept.folder / "state", Path(folder) / "state"))


def asked(engine: Engine, kept: Kept) -> Iterator[Callable[[], object]]:
    """Whatever can be asked of a session."""
    play = Player(engine, str(BUNDLE), ADDRESS, name=kept.name)
    words = {"words": "Blue"} if kept.event == "modify" else {}
    given = {"task_url": f"{ADDRESS}/task/task_0123456789ab"} if kept.event == "found" else words
    yield lambda: play.send(kept.event, given, quote=given.get("words", "yes"), revision=kept.revision)
    yield lambda: engine.status(kept.name)
    yield lambda: play.send(None)
    yield lambda: engine.resume(kept.name)
    yield lambda: engine.look(kept.name)
    yield lambda: audit.verify(engine, kept.name)


def rows(folder: Path, query: str, *values: Any) -> list[Any]:
    """What the database gives or does, behind the back of the store."""
    connection = apsw.Connection(str(folder / "phasegate.db"))
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


@EACH
@SOME
@given(data=st.data())
def test_a_snapshot_that_is_another_value_is_no_session(data: st.DataObject, way: str, stores: dict[str, Kept]) -> None:
    """One value in it is replaced, missing or new: each turn says that the store is damaged, and does nothing."""
    with copied(stores[way]) as folder:
        [(text,)] = rows(folder, "SELECT snapshot FROM sessions")
        other = data.draw(mutated(json.loads(text)))
        _spoil(folder, stores[way], json.dumps(other))


@EACH
@SOME
@given(at=st.integers(0, 1_000_000), bit=st.integers(0, 6))
def test_a_snapshot_with_a_flipped_bit_is_no_session(at: int, bit: int, way: str, stores: dict[str, Kept]) -> None:
    """A single bit, wherever it is."""
    with copied(stores[way]) as folder:
        [(text,)] = rows(folder, "SELECT snapshot FROM sessions")
        raw = bytearray(text, "utf-8")
        raw[at % len(raw)] ^= 1 << bit
        _spoil(folder, stores[way], raw.decode("utf-8", "replace"))


@EACH
@SOME
@given(value=JSON)
def test_a_snapshot_of_any_json_is_no_session(value: Any, way: str, stores: dict[str, Kept]) -> None:
    """Something else altogether."""
    with copied(stores[way]) as folder:
        _spoil(folder, stores[way], json.dumps(value))


def _spoil(folder: Path, kept: Kept, snapshot: str) -> None:
    """Whatever is asked of the session, the answer is that it cannot be read; the rows stay as they are."""
    rows(folder, "UPDATE sessions SET snapshot = ?", snapshot)
    before = rows(folder, "SELECT * FROM sessions"), rows(folder, "SELECT * FROM entries")
    engine = engine_on(folder, Nobody())
    for ask in asked(engine, kept):
        with pytest.raises(StoreError) as caught:
            ask()
        assert caught.value.hint and kept.name in caught.value.message
    assert [each.name for each in engine.sessions()] == [kept.name]
    engine.world.store.close()
    assert (rows(folder, "SELECT * FROM sessions"), rows(folder, "SELECT * FROM entries")) == before


@EACH
@SOME
@given(data=st.data())
def test_an_entry_that_is_another_value_lets_nothing_be_paid(
    data: st.DataObject, way: str, stores: dict[str, Kept]
) -> None:
    """One value in the journal is replaced, missing or new: it is found out before a call that needs evidence."""
    with copied(stores[way]) as folder:
        seq, text = data.draw(st.sampled_from(rows(folder, "SELECT seq, body FROM entries")))
        other = json.dumps(data.draw(mutated(json.loads(text))))
        rows(folder, "UPDATE entries SET body = ? WHERE seq = ?", other, seq)
        _ask_all(folder, stores[way])


@EACH
@pytest.mark.parametrize("column", ["kind", "time", "digest", "hash", "seq", "head"])
def test_a_chain_that_was_changed_lets_nothing_be_paid(way: str, stores: dict[str, Kept], column: str) -> None:
    """Each column of an entry, and the head and the sequence that the session is saved with."""
    with copied(stores[way]) as folder:
        if column in ("seq", "head"):
            rows(folder, f"UPDATE sessions SET {column} = {column} + 1")
        else:
            kind = "BLOB" if column in ("digest", "hash") else "TEXT"
            rows(folder, f"UPDATE entries SET {column} = CAST('x' AS {kind}) WHERE seq = 2")
        _ask_all(folder, stores[way])


@SOME
@given(data=st.data())
def test_a_kept_definition_that_is_another_value_is_not_followed(data: st.DataObject, stores: dict[str, Kept]) -> None:
    """The machine that was checked and kept is the machine that runs, or none: a gate less in it opens nothing."""
    kept = stores["presenting"]
    with copied(kept) as folder:
        [(text,)] = rows(folder, "SELECT content FROM definitions")
        rows(folder, "UPDATE definitions SET content = ?", json.dumps(data.draw(mutated(json.loads(text)))))
        engine = engine_on(folder, Nobody())
        with pytest.raises(StoreError, match="another definition") as caught:
            next(asked(engine, kept))()
        assert caught.value.hint
        engine.world.store.close()


def _ask_all(folder: Path, kept: Kept) -> None:
    """Nothing but errors of the store is raised, no call that needs evidence leaves, and `verify` finds it."""
    engine = engine_on(folder, Nobody() if kept.event in ("approve", "modify", "consent") else _quiet())
    for ask in asked(engine, kept):
        with suppress(StoreError):
            ask()
    with pytest.raises(StoreError) as caught:
        audit.verify(engine, kept.name)
    assert caught.value.hint
    engine.world.store.close()


def _quiet() -> Line:
    """A service that answers no look."""
    line = Line(silent_sandbox(), Fate())
    line.script.extend(["unheard"] * 20)
    return line
