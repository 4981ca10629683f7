"""Sessions of earlier days are still sessions: today's code folds, verifies and decides their journals the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.contract.journals import append
from tests.golden.make import FOLDER, JOURNEYS, played
from tests.playing import player
from workflow.engine import Engine
from workflow.history import audit
from workflow.history.replay import replay
from workflow.model.journal import Entry, fold
from workflow.store.memory import MemoryStore

KEPT = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def kept(name: str) -> list[Entry]:
    """A journal as it was written then."""
    return [Entry(**json.loads(line)) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def engine_with(entries: Sequence[Entry], folder: Path) -> Engine:
    """An engine whose store holds this one session."""
    session = None
    for entry in entries:
        session = fold(session, entry)
    assert session is not None
    store = MemoryStore()
    append(store, entries, session, "waiting")
    return player(folder, Path(), None, store=store).engine


def form(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """The kinds of the entries in order, and what each says something about."""
    return [(entry.kind, sorted(entry.body or {})) for entry in entries]


def test_every_journey_is_kept() -> None:
    """There is a journal for each journey, and together they hold every kind of entry that a turn can write."""
    assert sorted(JOURNEYS) == KEPT
    kinds = {entry.kind for name in KEPT for entry in kept(name)}
    assert kinds >= {"started", "event", "move", "intent", "result", "failure", "doubt", "reply", "refusal", "language"}


@pytest.mark.parametrize("name", KEPT)
def test_a_golden_session_holds(name: str, tmp_path: Path) -> None:
    """Its chain holds, and decided again every turn ends as it did; only the wording may be another by now."""
    entries = kept(name)
    engine = engine_with(entries, tmp_path)
    session = entries[0].session
    assert audit.verify(engine, session, entries[-1].receipt).entries == len(entries)
    found = replay(engine, session)
    assert found.entries == len(entries) and found.turns
    reworded = found.pinned != found.used
    assert [each for each in found.differences if each.kind != "message" or not reworded] == []


@pytest.mark.parametrize("name", KEPT)
def test_todays_journal_has_the_form_of_the_golden_one(name: str, sandbox: Sandbox) -> None:
    """The same journey, played today, writes the same entries about the same things."""
    assert form(played(JOURNEYS[name], sandbox).journal()) == form(kept(name))
