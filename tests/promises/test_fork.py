"""Forking: an earlier point again, without paying, uploading or saying anything twice (promises 1, 2 and 4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.journeys import (
    change,
    creates,
    looks,
    remembered,
    sends,
    to_changed,
    to_generating,
    to_plan,
    to_ready,
)
from workflow.history import audit
from workflow.history.fork import fork
from workflow.history.replay import replay
from workflow.model.errors import BundleChanged, UsageError
from workflow.model.reply import Reply
from workflow.store.memory import MemoryStore

KEY = {"ANYGEN_API_KEY": "sk-live-0123456789"}


def forked(play: Player, at: int | None = None) -> Player:
    """A player of the fork; ``reply`` is what it begins with."""
    reply = fork(play.engine, play.name, at)
    return Player(play.engine, play.bundle, play.sandbox, reply.session or "", reply)


def rest(play: Player, state: str) -> int:
    """The entry at which the run came to a state for the first time."""
    return next(entry.seq for entry in play.journal() if (entry.body or {}).get("to") == state)


@pytest.mark.rule("R48")
def test_a_fork_before_an_order_asks_anew(play: Player, sandbox: Sandbox) -> None:
    """The plan is put again; the old answer pays for nothing, a new one once, and the parent stays as it was."""
    to_ready(play)
    before = play.engine.world.store.load(play.name)
    copy = forked(play, rest(play, "confirm.presenting"))
    assert (copy.reply.state, copy.says(), copy.reply.revision) == ("confirm.presenting", ["plan"], 2)
    assert any("'create' (entry" in notice for notice in copy.reply.notices)
    assert not copy.option("approve").gate.have  # type: ignore[union-attr]
    assert len(creates(sandbox)) == 1
    assert copy.send("approve", quote="yes, another").state == "deliver.generating"
    assert len(creates(sandbox)) == 2
    assert play.engine.world.store.load(play.name) == before


def test_a_fork_names_its_parent(play: Player) -> None:
    """The first entry says which session, which entry, and the head of the chain there; both chains hold."""
    to_plan(play)
    copy = forked(play)
    (started,) = copy.journal("started")
    there = play.journal()[-1]
    assert started.body
    assert started.body["parent"] == {"session": play.name, "seq": there.seq, "head": there.hash}
    assert copy.name != play.name
    for name in (play.name, copy.name):
        audit.verify(play.engine, name)


@pytest.mark.rule("R55")
def test_what_was_done_is_carried_over_as_facts(play: Player, sandbox: Sandbox) -> None:
    """A fork behind an order shares the image: it waits for it to the same deadline, and orders nothing."""
    to_generating(play)
    copy = forked(play)
    assert (copy.reply.state, copy.reply.status) == ("deliver.generating", "watching")
    assert copy.reply.watch and play.reply.watch
    assert copy.reply.watch["until"] == play.reply.watch["until"]
    copy.watch()
    assert copy.send(None).state == "deliver.ready"
    assert remembered(copy)["task_id"] == remembered(play)["task_id"]
    assert len(creates(sandbox)) == 1


def test_a_late_fork_looks_once_more(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The deadline is the parent's: forked long after it, the run makes its one more look."""
    to_generating(play)
    clock.pass_(1201)
    assert forked(play).reply.state == "deliver.late"
    assert len(looks(sandbox)) == 1


@pytest.mark.rule("R32", "R33")
def test_a_file_is_not_sent_twice(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Bytes that were uploaded are there for the fork too, and the plan with them."""
    (tmp_path / "ref.png").write_bytes(b"a picture")
    play.start({"words": "A poster", "references": [{"path": "ref.png", "description": "brass"}]})
    play.send("consent", quote="yes")
    copy = forked(play)
    assert copy.send("answer", {"words": "blue"}).state == "confirm.presenting"
    assert len([each for each in sandbox.requests if each.path.endswith("/files/upload")]) == 1


def test_an_unspent_approval_stays_behind(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Approved, and no key to pay with: the fork stands behind the same trouble, and asks the person again."""
    store = MemoryStore()
    play = player(tmp_path, copied, None, store=store, environ=dict(KEY))
    to_plan(play)
    poor = player(tmp_path, copied, None, store=store)
    poor.name, poor.reply = play.name, play.reply
    assert poor.send("approve", quote="yes").state == "create.creating"
    copy = forked(poor)
    assert (copy.reply.state, copy.reply.exit_code) == ("create.creating", 4)
    assert [len(run.engine.load(run.name).session.evidence) for run in (poor, copy)] == [1, 0]
    rich = Player(play.engine, play.bundle, None, copy.name, copy.reply)
    assert rich.send("retry").state == "confirm.presenting"
    assert creates(sandbox) == []


def test_consent_stays_behind(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """A fork keeps no answer of a gate that an action needs, whatever that costs: the person is asked again."""
    store = MemoryStore()
    (tmp_path / "ref.png").write_bytes(b"a picture")
    poor = player(tmp_path, copied, None, store=store)
    poor.start({"words": "A poster", "references": [{"path": "ref.png", "description": "brass"}]})
    assert poor.send("consent", quote="yes").state == "understand.uploading"
    copy = forked(poor)
    rich = player(tmp_path, copied, None, store=store, environ=dict(KEY))
    rich.name, rich.reply = copy.name, copy.reply
    assert rich.send("retry").state == "understand.consenting"
    assert not [each for each in sandbox.requests if each.path.endswith("/files/upload")]
    assert rich.send("consent", quote="yes").state == "understand.asking"
    assert len([each for each in sandbox.requests if each.path.endswith("/files/upload")]) == 1


def test_nothing_is_said_twice(play: Player) -> None:
    """Where nothing is asked, what was said before the fork is only shown again, marked so."""
    to_generating(play)
    copy = forked(play)
    assert [said.repeat for said in copy.reply.say] == [True]
    assert copy.journal("reply") == []


@pytest.mark.parametrize(("kind", "state"), [("intent", "confirm.presenting"), ("result", "confirm.presenting")])
def test_within_a_turn_the_last_rest_counts(play: Player, sandbox: Sandbox, kind: str, state: str) -> None:
    """Between an order and its result there is no place to begin: the fork stands before it, and says so."""
    to_generating(play)
    at = next(entry.seq for entry in play.journal(kind) if entry.body and entry.body["action"] == "create")
    copy = forked(play, at)
    assert copy.reply.state == state
    assert any("'create'" in notice for notice in copy.reply.notices)
    assert remembered(copy).get("task_id") is None
    assert len(creates(sandbox)) == 1


def test_nobody_forks_away_from_doubt(play: Player, sandbox: Sandbox) -> None:
    """While it is not known whether an image was ordered, no session begins before that order."""
    to_plan(play)
    at = len(play.journal())
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="yes")
    before = len(play.engine.sessions())
    reply: Reply = fork(play.engine, play.name, at)
    assert (reply.ok, reply.exit_code) == (False, 3)
    assert reply.error and f"workflow-admin resolve {play.name}" in reply.error.hint
    assert len(play.engine.sessions()) == before
    play.send("did_not_happen", quote="no")
    assert forked(play, at).reply.state == "confirm.presenting"


def test_a_fork_in_doubt_is_in_doubt(play: Player, sandbox: Sandbox) -> None:
    """What was not known at that point is not known in the fork: the person is asked there too."""
    sandbox.settings(looks=99)
    to_plan(play)
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="yes")
    copy = forked(play)
    assert (copy.reply.status, copy.reply.exit_code, copy.says()) == ("in_doubt", 7, ["unsure_created"])
    (task,) = sandbox._service.tasks
    copy.send("found", {"task_url": f"{sandbox.url}/task/{task}"}, quote="here it is")
    assert copy.reply.state == "deliver.generating"
    assert len(creates(sandbox)) == 1
    assert play.engine.status(play.name).status == "in_doubt"


def test_a_fork_changes_the_shared_image_only_by_its_own_order(play: Player, sandbox: Sandbox) -> None:
    """A change ordered in the parent is not ordered again by a fork of the time before or after it."""
    to_changed(play)
    ready = forked(play, rest(play, "deliver.ready"))
    assert ready.reply.state == "deliver.ready"
    changed = forked(play)
    assert changed.reply.state == "revise.changed"
    assert len(sends(sandbox)) == 1
    change(changed, "Now larger")
    assert [each.json["content"] for each in sends(sandbox)][1:] == ["Now larger"]


def test_a_fork_of_a_fork_replays(play: Player) -> None:
    """Its journal begins with facts, and everything decided after them is decided the same again."""
    to_plan(play)
    copy = forked(forked(play))
    copy.send("adjust", {"words": "red"})
    copy.send("approve", quote="yes")
    found = replay(copy.engine, copy.name)
    assert (found.differences, found.turns) == ((), 2)


@pytest.mark.parametrize(("at", "told"), [(0, "has no entry 0"), (99, "has no entry 99"), (1, "had not come to rest")])
def test_where_nothing_can_begin(play: Player, at: int, told: str) -> None:
    """An entry that is none, or before the first rest, is refused with the way out, and nothing is kept."""
    play.start({"words": "A poster"})
    with pytest.raises(UsageError, match=told) as refused:
        fork(play.engine, play.name, at)
    assert play.name in refused.value.hint or "Begin at entry" in refused.value.hint
    assert len(play.engine.sessions()) == 1


def test_a_place_that_the_bundle_no_longer_has(copied: Path, tmp_path: Path) -> None:
    """A fork into a state that is gone is refused, and says so."""
    play = player(tmp_path, copied, None, environ=dict(KEY))
    play.start({"words": "A poster"})
    at = len(play.journal())
    play.send("answer", {"words": "blue"})
    yaml = copied / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8").replace("understand.asking", "understand.inquiring")
    yaml.write_text(text.replace("    asking:\n", "    inquiring:\n"), encoding="utf-8")
    with pytest.raises(BundleChanged, match="the state 'understand.asking' is gone"):
        fork(play.engine, play.name, at)
