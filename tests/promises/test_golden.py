"""Sessions of earlier days are still sessions: today's code folds, verifies and decides their journals the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contract.journals import append
from tests.golden.make import FOLDER, JOURNEYS, frozen, main, opened, played
from tests.playing import player
from workflow.engine import Engine
from workflow.history import audit
from workflow.history.replay import replay
from workflow.model.digest import sha256
from workflow.model.frozen import replace
from workflow.model.journal import KINDS, Entry
from workflow.model.journal import replay as folded
from workflow.store.memory import MemoryStore

KEPT = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def kept(name: str) -> list[Entry]:
    """A journal as it was written then."""
    return [Entry(**json.loads(line)) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def engine_with(entries: Sequence[Entry], folder: Path) -> Engine:
    """An engine whose store holds this one session."""
    *_, (_, session) = folded(entries)
    assert session is not None
    store = MemoryStore()
    append(store, entries, session, session.forgotten or "waiting")
    engine = player(folder, Path(), None, store=store).engine
    return Engine(replace(engine.world, open_bundle=opened)) if session.path else engine


def form(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """The kinds of the entries in order, and what each says something about."""
    return [(entry.kind, sorted(entry.body or {})) for entry in entries]


ELSEWHERE = {"adopted", "bundle", "odd", "overtaken", "unproven", "unsaid", "upgrade", "wish"}
"""Kinds of entries that no journey writes; their own tests do."""


def test_every_journey_is_kept() -> None:
    """There is a journal for each journey, and together they hold every kind of entry but those that are named."""
    assert sorted(JOURNEYS) == KEPT == sorted(frozen())
    kinds = {entry.kind for name in KEPT for entry in kept(name)}
    assert kinds == set(KINDS) - ELSEWHERE


@pytest.mark.parametrize("name", KEPT)
def test_a_golden_journal_is_frozen(name: str) -> None:
    """Byte for byte: sessions of then are in stores, and nobody writes those again."""
    assert sha256((FOLDER / f"{name}.jsonl").read_bytes()) == frozen()[name]


def test_what_is_kept_is_not_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The helper names each, and changes none."""
    before = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    assert main() == 0
    assert capsys.readouterr().out.count("is frozen, and stays as it is") == len(KEPT)
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", KEPT)
def test_a_golden_session_holds(name: str, tmp_path: Path) -> None:
    """Its chain holds, and decided again every turn ends as it did; only the wording may be another by now."""
    entries = kept(name)
    engine = engine_with(entries, tmp_path)
    session = entries[0].session
    assert audit.verify(engine, session, entries[-1].receipt).entries == len(entries)
    if entries[-1].kind == "forgotten":
        return  # nothing is left to decide
    found = replay(engine, session)
    assert found.entries == len(entries) and found.turns
    reworded = found.pinned != found.used
    assert [each for each in found.differences if each.kind != "message" or not reworded] == []


@pytest.mark.parametrize("name", KEPT)
def test_todays_journal_has_the_form_of_the_golden_one(name: str) -> None:
    """The same journey, played today, writes these entries in this order; they may say more, and never less."""
    with JOURNEYS[name].twin() as twin:
        today = iter(form(played(JOURNEYS[name], twin).journal()))
    for kind, fields in form(kept(name)):
        assert any(now == kind and set(fields) <= set(said) for now, said in today), f"{kind} without {fields}"
