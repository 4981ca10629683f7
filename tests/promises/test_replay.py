"""Replaying: every turn of a journal, decided again offline, ends as it did; and where it would not, that is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.contract.journals import append
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import to_changed, to_generating, to_plan, to_ready
from tests.promises.test_steps import LEADS, drive
from workflow.bundle import open_bundle
from workflow.engine import Engine
from workflow.engine.redecide import Redecider, steps
from workflow.history.forget import forget
from workflow.history.replay import replay
from workflow.history.upgrade import upgrade
from workflow.model.errors import JournalTampered, SessionNotFound
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.store.memory import MemoryStore

KEY = {"ANYGEN_API_KEY": "sk-live-0123456789"}


@pytest.mark.parametrize("state", LEADS)
def test_every_state_is_reached_again(
    play: Player, sandbox: Sandbox, clock: HandClock, tmp_path: Path, state: str
) -> None:
    """Whatever led to a state, failures and doubt included, is decided the same again, and asks nobody."""
    drive(play, sandbox, clock, tmp_path, state)
    asked, entries = len(sandbox.requests), len(play.journal())
    found = replay(play.engine, play.name)
    assert found.differences == ()
    assert found.redecided >= 3 and found.turns >= 1
    assert (len(sandbox.requests), len(play.journal())) == (asked, entries)


def test_refusals_are_decided_again(play: Player, tmp_path: Path) -> None:
    """A refusal keeps what it was decided by: the revision, the words, and what was wrong with the files."""
    to_plan(play)
    assert not play.send("approve", quote="yes", revision=1).ok
    assert not play.send("approve").ok
    assert not play.send("adjust", {"words": "x", "references": [{"path": "a.png", "description": "a"}]}).ok
    assert not play.send("modify", {"words": "red"}, turn_id="t").ok
    (tmp_path / "a.png").write_bytes(b"now it is there")
    found = replay(play.engine, play.name)
    assert (found.differences, found.turns) == ((), 6)


def test_the_configuration_of_then_is_the_one_that_counts(tmp_path: Path, sandbox: Sandbox) -> None:
    """Options and strengths that a user has changed since are no difference: the journal has those of then."""
    store = MemoryStore()
    strict = player(tmp_path, REFERENCE, sandbox.url, store=store, gates={"user_approved": "asked"})
    to_plan(strict)
    assert not strict.send("approve", quote="yes").ok
    told = player(tmp_path, REFERENCE, sandbox.url, store=store, settings={"recommendations": True})
    told.name, told.reply = strict.name, strict.reply
    told.send("approve", quote="yes")
    told.watch()
    assert told.send(None).say[-1].id == "recommend_first"
    assert told.send("praised").ok
    plain = player(tmp_path, REFERENCE, sandbox.url, store=store)
    assert replay(plain.engine, strict.name).differences == ()


def test_another_wording_is_a_difference(copied: Path, tmp_path: Path) -> None:
    """Each message that would be said in other words is named, with the digests of both; nothing else is."""
    play = player(tmp_path, copied, None, environ=dict(KEY))
    to_plan(play)
    prompt = copied / "prompts/en/plan.md"
    prompt.write_text(prompt.read_text(encoding="utf-8") + "!", encoding="utf-8")
    found = replay(play.engine, play.name)
    (difference,) = found.differences
    assert (difference.kind, difference.what) == ("message", "plan")
    assert difference.recorded != difference.now
    assert found.pinned != found.used


def test_another_way_is_a_difference(copied: Path, tmp_path: Path) -> None:
    """A refused event, a state that is gone and a guard that holds no longer are each told at their entry."""
    play = player(tmp_path, copied, None, environ=dict(KEY))
    to_ready(play)
    guards = copied / "phases/confirm.py"
    guards.write_text(guards.read_text(encoding="utf-8").replace("return PASSES if", "return PASSES if not"), "utf-8")
    found = replay(play.engine, play.name)
    assert {(each.kind, each.what) for each in found.differences} == {("guard", "plan_ready"), ("route", "then")}
    yaml = copied / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    text = text.replace("deliver.generating", "deliver.making").replace("    generating:\n", "    making:\n")
    asks = "has said more about the image; send only that.\n    input: [words"
    assert asks in text
    yaml.write_text(text.replace(asks, f"{asks}, category"), "utf-8")
    kinds = {each.kind for each in replay(play.engine, play.name).differences}
    assert {"guard", "route", "refused", "state"} <= kinds


@pytest.mark.rule("R48")
def test_a_paid_call_without_its_answer_is_found(play: Player) -> None:
    """An order for which no answer is held that fits what was sent would not leave, and is told."""
    to_generating(play)
    found = {}
    for before, entry, _ in steps(play.journal()):
        if entry.kind == "intent" and before:
            for name, evidence in (("with", before.evidence), ("without", ())):
                redecider = Redecider(play.engine.world, open_bundle(REFERENCE))
                found[name] = list(redecider.differences(replace(before, evidence=evidence), entry))
    assert found["with"] == []
    assert [(each.kind, each.what, each.recorded) for each in found["without"]] == [
        ("unapproved", "create", "user_approved")
    ]


def test_the_bundle_of_then_replays_what_was_before_an_upgrade(copied: Path, tmp_path: Path) -> None:
    """Names change with an upgrade: today's bundle decides what came after it, the one of then what came before."""
    play = player(tmp_path, copied, None, environ=dict(KEY))
    to_plan(play)
    yaml = copied / "workflow.yaml"
    old = yaml.read_text(encoding="utf-8")
    new = old.replace("confirm.presenting", "confirm.showing").replace("    presenting:", "    showing:")
    yaml.write_text(new, encoding="utf-8")
    upgrade(play.engine, play.name, {"confirm.presenting": "confirm.showing"})
    play.send(None)
    play.send("approve", quote="yes", revision=2)
    (upgraded,) = play.journal("upgrade")
    today = replay(play.engine, play.name)
    assert (today.first, today.differences, today.turns) == (upgraded.seq, (), 1)
    yaml.write_text(old, encoding="utf-8")
    then = replay(play.engine, play.name, copied)
    assert (then.first, then.differences, then.turns) == (1, (), 2)


def test_what_was_erased_cannot_be_replayed(play: Player) -> None:
    """Nothing is decided from content that is gone, and that is told instead of passed over."""
    to_changed(play)
    forget(play.engine, play.name)
    with pytest.raises(SessionNotFound, match="was erased"):
        replay(play.engine, play.name)


def test_a_broken_chain_is_not_replayed(play: Player) -> None:
    """What somebody has changed in the journal is no record of what was decided."""
    to_plan(play)
    entries = play.journal()
    body = {**(entries[4].body or {}), "to": "deliver.ready"}
    play.engine = with_journal(play, [*entries[:4], replace(entries[4], body=body), *entries[5:]])
    with pytest.raises(JournalTampered, match="entry 5"):
        replay(play.engine, play.name)


class Rewritten(MemoryStore):
    """A store whose journal is another than was written."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self.rewritten = entries

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The other journal."""
        return iter(self.rewritten[after:])


def with_journal(play: Player, entries: Sequence[Entry]) -> Engine:
    """The engine of the session with these entries instead of its own."""
    store, session = Rewritten(entries), play.engine.world.store.load(play.name)
    assert session is not None
    append(store, play.journal(), session, "waiting")
    return Engine(replace(play.engine.world, store=store))
