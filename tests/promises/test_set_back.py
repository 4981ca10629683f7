"""A store that was restored, copied or moved pays for nothing until a person has adopted it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import change, creates, sends, to_ready
from tests.promises.places import (
    approve,
    at,
    backup,
    duplicate,
    like,
    payments,
    planned,
    restore,
    set_back,
    settled,
)
from tests.promises.test_phase1_files import picture
from workflow.history import audit, proof
from workflow.history.adopt import GONE, survey
from workflow.history.fork import fork
from workflow.machine.approvals import best
from workflow.machine.paid_call import name_of
from workflow.model.errors import SetBack


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder."""
    return tmp_path / "state"


def plain_copy(state: Path, file: Path) -> Path:
    """A copy of the database that bears no mark, as a snapshot of the disk would be."""
    source, copy = apsw.Connection(str(state / "phasegate.db")), apsw.Connection(str(file))
    with copy.backup("main", source, "main") as progress:
        progress.step()
    source.close()
    copy.close()
    return file


def expected(play: Player) -> str:
    """The name of the order that the session would make now."""
    engine = play.engine
    definition = engine.world.open_bundle(play.bundle).definition
    session = engine.stored(play.name)
    by = best(definition, session, "create", {}, engine.world.clock.now())
    return name_of(engine.world.store.identity(), session, "create", by)


@pytest.mark.parametrize("copied", [backup, lambda play, file: plain_copy(file.parent / "state", file)])
@pytest.mark.parametrize("turn_id", [None, "the same"])
@pytest.mark.parametrize("process", ["the same", "another"])
def test_restored_beneath_a_process_that_paid(
    tmp_path: Path,
    state: Path,
    sandbox: Sandbox,
    clock: HandClock,
    copied: Callable[..., Path],
    turn_id: str | None,
    process: str,
) -> None:
    """The process that saw the payment, and one that did not: neither pays again for the same approval."""
    play = planned(tmp_path, sandbox, clock)
    file = copied(play, tmp_path / "copy.db")
    assert approve(play, turn_id=turn_id).state == "deliver.generating"
    restore(file, state)
    after = play if process == "the same" else like(play, tmp_path, sandbox, clock)
    assert after.engine.status(after.name).state == "confirm.presenting"
    assert set_back(approve(after, turn_id=turn_id), sandbox)
    assert set_back(after.send("retry"), sandbox)
    assert len(payments(state)) == 1


def test_everything_can_be_read_in_a_copy(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Status, journals, proofs, looks and another backup."""
    play = planned(tmp_path, sandbox, clock)
    approve(play)
    restore(backup(play, tmp_path / "copy.db"), state)
    after = like(play, tmp_path, sandbox, clock)
    assert after.engine.status(after.name).status == "watching"
    assert audit.verify(after.engine, after.name).entries == len(after.journal())
    assert proof.prove(after.engine, after.name).holds
    after.watch()
    assert after.send(None).state == "deliver.ready"
    backup(after, tmp_path / "another.db")


def test_a_copied_folder_and_its_original_both_go_on(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """The original pays, whichever comes first; the copy never does."""
    play = planned(tmp_path, sandbox, clock)
    duplicate(state, tmp_path / "other")
    copy = like(play, tmp_path, sandbox, clock, "other")
    assert set_back(approve(copy), sandbox, 0)
    assert approve(play).state == "deliver.generating"
    assert set_back(copy.send("retry"), sandbox)
    assert "was moved or copied from" in copy.engine.world.store.foreign()


def test_nothing_that_was_asked_about_leaves_a_copy(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock, asked: Callable[[str], list[object]]
) -> None:
    """A file that was consented to is not sent from it either."""
    play = at(tmp_path, sandbox, clock)
    play.start({"words": "A poster", "references": [picture(tmp_path, "a.png")]})
    duplicate(state, tmp_path / "other")
    copy = like(play, tmp_path, sandbox, clock, "other")
    assert set_back(copy.send("consent", quote="yes, send it"), sandbox, 0)
    assert asked("upload") == []


def test_an_older_copy_of_an_adopted_store(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Restored, adopted, paid; then what it was before comes back: it is stopped, and the payment is asked about."""
    play = planned(tmp_path, sandbox, clock)
    kept = plain_copy(state, tmp_path / "raw.db")
    marked = backup(play, tmp_path / "copy.db")
    for again in (kept, marked):
        restore(marked, state)
        second = like(play, tmp_path, sandbox, clock)
        settled(second, "did_not_happen")
        second.reply = second.engine.status(second.name)
        paid = len(creates(sandbox))
        assert second.send("approve", quote="yes").ok and len(creates(sandbox)) == paid + 1
        entry = second.journal("intent")[-1].receipt
        restore(again, state)
        third = like(play, tmp_path, sandbox, clock)
        assert set_back(approve(third), sandbox, paid + 1)
        assert entry in [line.payment.entry for line in survey(third.engine).open]


def test_what_a_store_was_before_it_was_adopted(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Nothing was paid since, and the copy bears no mark: the line that adopting wrote stops it."""
    play = planned(tmp_path, sandbox, clock)
    kept, marked = plain_copy(state, tmp_path / "raw.db"), backup(play, tmp_path / "copy.db")
    restore(marked, state)
    settled(like(play, tmp_path, sandbox, clock))
    restore(kept, state)
    assert set_back(approve(like(play, tmp_path, sandbox, clock)), sandbox, 0)


def test_a_moved_folder_pays_after_it_was_adopted(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """The approval of before is void; the plan is shown again, and its approval pays once."""
    play = planned(tmp_path, sandbox, clock)
    state.rename(tmp_path / "elsewhere")
    moved = like(play, tmp_path, sandbox, clock, "elsewhere")
    assert set_back(approve(moved), sandbox, 0)
    assert settled(moved).voided == (moved.name,)
    reply = moved.send("retry")
    assert (reply.state, moved.says()[-1], creates(sandbox)) == ("confirm.presenting", "plan", [])
    assert moved.send("approve", quote="Yes, now").state == "deliver.generating"
    assert len(creates(sandbox)) == 1 and proof.prove(moved.engine, moved.name).holds


def test_a_live_process_whose_folder_was_moved_away(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """It pays for nothing: its store is not there any more."""
    play = planned(tmp_path, sandbox, clock)
    state.rename(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="phasegate.db|holds"):
        approve(play)
    assert creates(sandbox) == []


def test_a_state_folder_behind_a_link(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Its real path counts: through the link or not it is the same store, and a link to a copy leads to a copy."""
    (tmp_path / "state").symlink_to(tmp_path / "one")
    (tmp_path / "one").mkdir(mode=0o700)
    play = planned(tmp_path, sandbox, clock)
    duplicate(tmp_path / "one", tmp_path / "two")
    assert approve(like(play, tmp_path, sandbox, clock, "one")).state == "deliver.generating"
    (tmp_path / "state").unlink()
    (tmp_path / "state").symlink_to(tmp_path / "two")
    assert set_back(approve(like(play, tmp_path, sandbox, clock)), sandbox)


def test_a_session_that_the_store_has_lost(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Its payment shows that the store was set back, and no other session pays until a person has seen it."""
    first = planned(tmp_path, sandbox, clock)
    file = plain_copy(state, tmp_path / "copy.db")
    second = planned(tmp_path, sandbox, clock)
    approve(second)
    restore(file, state)
    assert set_back(approve(first), sandbox)
    assert [line.stands for line in survey(first.engine).lines] == [GONE]
    settled(first)
    first.send("retry")
    assert first.send("approve", quote="Yes, now").state == "deliver.generating"


def test_a_change_is_guarded_like_an_order(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """The words of a change are its approval; restored, they order nothing twice."""
    play = at(tmp_path, sandbox, clock)
    to_ready(play)
    file = backup(play, tmp_path / "copy.db")
    change(play)
    restore(file, state)
    after = like(play, tmp_path, sandbox, clock)
    after.reply = after.engine.status(after.name)
    assert set_back(change(after), sandbox)
    assert len(sends(sandbox)) == 1


def test_names_of_a_retry_a_refusal_and_a_fork(
    tmp_path: Path, copied: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Held behind a missing key and retried: one name. Asked again after a certain no: another. A fork: another."""
    key = {"ANYGEN_API_KEY": "sk-sandbox-0000000000000000"}
    play = replace(at(tmp_path, sandbox, clock, environ=key), bundle=str(copied), sandbox=None)
    play.start({"words": "A poster"})
    play.send("answer", {"words": "Warm"})
    keyless = replace(like(play, tmp_path, sandbox, clock), bundle=str(copied), sandbox=None)
    reply = keyless.send("approve", quote="yes, go ahead")
    assert reply.error and reply.error.kind == "no_key"
    first = expected(play)
    sandbox.fault("credits", on="create")
    assert play.send("retry", revision=None, seen=reply.seen).state == "confirm.presenting"
    forked = fork(play.engine, play.name)
    play.send("approve", quote="yes, again")
    other = replace(play, name=forked.session or "", reply=forked)
    other.send("approve", quote="yes, this one too")
    names = [each.call for each in payments(tmp_path / "state")]
    assert names[0] == first and len(names) == len(set(names)) == 3
    assert {(entry.body or {})["call"] for each in (play, other) for entry in each.journal("intent")} == set(names)


def test_a_plain_turn_knows_no_ledger(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """No file, no entry and no commit is added by anything that pays for nothing."""
    play = planned(tmp_path, sandbox, clock)
    play.send("adjust", {"words": "Cooler"})
    pen = apsw.Connection(str(state / "phasegate.db"))
    before = pen.execute("SELECT count(*) FROM links").get
    play.send(None)
    assert not list(state.glob("ledger*"))
    kinds = [entry.kind for entry in play.journal()]
    assert set(kinds) <= {"started", "event", "move", "result", "reply", "confirm"}
    assert pen.execute("SELECT count(*) FROM links").get == before
    pen.close()


@pytest.mark.parametrize("identities", ["DELETE FROM identity", "UPDATE identity SET path = x'2f'"])
def test_a_store_without_an_identity_of_its_own(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock, identities: str
) -> None:
    """A missing or foreign row pays for nothing."""
    play = planned(tmp_path, sandbox, clock)
    pen = apsw.Connection(str(state / "phasegate.db"))
    pen.execute(identities)
    pen.close()
    with pytest.raises(Exception, match="identit|moved or copied"):
        approve(play)
        play.engine.world.store.check_own()
    assert creates(sandbox) == []


def test_a_foreign_store_is_named(tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """A copy by `backup` stays one wherever it is put, also where the store was."""
    play = planned(tmp_path, sandbox, clock)
    file = backup(play, tmp_path / "copy.db")
    assert play.engine.world.store.foreign() == ""
    restore(file, state)
    with pytest.raises(SetBack, match="a copy that `workflow backup` made"):
        play.engine.world.store.check_own()
    shutil.rmtree(state)
