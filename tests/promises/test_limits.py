"""A limit lets so many paid calls through in a window, over all sessions of its bundle, whatever races or crashes."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import creates, to_generating
from tests.promises.places import approve, at, backup, like, planned, restore, settled
from tests.promises.test_pauses import pause
from workflow.engine.preview import preview
from workflow.engine.redecide import Redecider, steps
from workflow.history.forget import forget
from workflow.history.fork import fork
from workflow.model.brakes import Limit
from workflow.model.errors import StoreError
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.store.ledger import LedgerFile
from workflow.store.sqlite import SqliteStore

DAY = 86_400.0
ONE = {"create": Limit(DAY, 1)}


def full(reply: Reply, until: str = "") -> bool:
    """The call did not leave; the agent is told why and when the next one may, the person hears it."""
    assert reply.error is not None and (reply.error.kind, reply.error.type) == ("limited", "service"), reply
    assert "the next one may leave at" in reply.error.message and until in reply.error.message
    assert "`retry`" in reply.error.hint and reply.status == "waiting"
    return [each.id for each in reply.say][-1:] in (["limited"], [])


def another(folder: Path, sandbox: Sandbox, clock: HandClock, **options: Any) -> Player:
    """A session whose next answer pays, in the store that others have paid from."""
    return planned(folder, sandbox, clock, **{"limits": ONE, **options})


def test_the_approval_is_kept_until_the_limit_lets_it_through(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Refused again and again, nothing leaves and nobody answers twice; a day later it leaves."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    assert approve(first).ok
    clock.pass_(3600)
    for _ in range(3):
        assert full(approve(second) if not second.journal("failure") else second.send("retry"), "2027-01-16T08:00:0")
    clock.pass_(DAY)
    assert second.send("retry").ok and len(creates(sandbox)) == 2
    (answer,) = [entry for entry in second.journal("event") if (entry.body or {})["event"] == "approve"]
    assert (answer.body or {})["evidence"]


def test_the_entries_say_what_counted(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Of the call that left and of the one that did not, so that a replay decides the same."""
    two = {"create": Limit(DAY, 2)}
    for number in range(3):
        play = another(tmp_path, sandbox, clock, limits=two)
        approve(play)
        if number < 2:
            (intent,) = play.journal("intent")
            assert (intent.body or {})["limits"] == [{"per": DAY, "most": 2, "used": number}]
    (failure,) = play.journal("failure")
    assert play.journal("intent") == []
    told = (failure.body or {})["limit"]
    assert (told["per"], told["most"], told["used"]) == (DAY, 2, 2) and told["until"].startswith("2027-01-16")


@pytest.mark.parametrize(("most", "kinds"), [(1, ["limited"]), (2, []), (None, [])])
def test_a_stricter_limit_shows_in_a_replay(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, most: int | None, kinds: list[str]
) -> None:
    """A call of then that the limit of now had held back: the recorded count decides, not today's."""
    two = {"create": Limit(DAY, 2)}
    for _ in range(2):
        play = another(tmp_path, sandbox, clock, limits=two)
        approve(play)
    bundle = play.engine.world.open_bundle(play.bundle)
    limits = {} if most is None else {"create": Limit(DAY, most)}
    changed = replace(bundle, digest="f" * 64, definition=replace(bundle.definition, limits=limits))
    again = Redecider(play.engine.world, changed)
    found = [each.kind for before, entry, _ in steps(play.journal()) for each in again.differences(before, entry)]
    assert found == kinds


def test_sandbox_calls_and_real_ones_count_apart(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, copied: Path
) -> None:
    """A trial uses nothing up, and a limit can be tried out."""
    store, key = SqliteStore(tmp_path / "state"), {"ANYGEN_API_KEY": "sk-some-key-for-now-0001"}
    options: dict[str, Any] = {"store": store, "clock": clock, "limits": ONE}
    trial = player(tmp_path, copied, sandbox.url, **options)
    real = player(tmp_path, copied, None, environ=key, **options)
    assert to_generating(trial).ok and to_generating(real).ok
    assert full(to_generating(player(tmp_path, copied, sandbox.url, **options)))
    assert full(to_generating(player(tmp_path, copied, None, environ=key, **options)))
    assert len(creates(sandbox)) == 2


def test_doubt_keeps_its_place_whatever_is_said_of_it(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Nobody's word that it did not happen lets another call through: only the service's own no does."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    sandbox.fault("drop-after", on="create")
    assert approve(first).status == "in_doubt"
    assert full(approve(second))
    assert first.send("did_not_happen", quote="no, it is not in the list").state == "confirm.presenting"
    assert full(second.send("retry"))


def test_a_certain_no_gives_its_place_back(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """The next call leaves."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    sandbox.fault("success-false-200", on="create")
    assert approve(first).state == "confirm.presenting"
    body = first.journal("failure")[-1].body or {}
    assert body["frees"] == first.journal("intent")[-1].seq
    assert approve(second).ok


def test_a_call_that_the_ledger_did_not_take_gives_its_place_back(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It certainly did not leave."""
    play = another(tmp_path, sandbox, clock)

    def torn(*values: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    append = LedgerFile.append
    monkeypatch.setattr(LedgerFile, "append", torn)
    assert approve(play).error is not None and creates(sandbox) == []
    monkeypatch.setattr(LedgerFile, "append", append)
    assert play.send("retry").ok and len(creates(sandbox)) == 1


def test_a_full_disk_counts_nothing(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intent that could not be written used nothing up."""
    from workflow.store import brakes

    play, count = another(tmp_path, sandbox, clock), brakes.count

    def no_room(*values: Any) -> None:
        count(*values)
        if values[1][-1].kind == "intent":
            raise StoreError("the disk is full")

    monkeypatch.setattr(brakes, "count", no_room)
    with pytest.raises(StoreError):
        approve(play)
    monkeypatch.undo()
    after = like(play, tmp_path, sandbox, clock, limits=ONE)
    after.reply = after.engine.status(after.name)
    assert approve(after).ok and len(creates(sandbox)) == 1


def test_a_program_that_dies_after_the_intent_has_counted(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether that call left, so it counts."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)

    def dies(*values: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqliteStore, "enter", dies)
    with pytest.raises(KeyboardInterrupt):
        approve(first)
    monkeypatch.undo()
    assert full(approve(second)) and creates(sandbox) == []


def test_neither_erasing_nor_forking_frees_a_limit(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """What a session held is gone, and its call counts; a fork is a session of the same bundle."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    approve(first)
    first.watch()
    first.send(None)
    assert first.send("finish").status == "done"
    forget(first.engine, first.name)
    second.reply = fork(second.engine, second.name)
    second.name = second.reply.session or ""
    assert full(second.send("approve", quote="yes"))


def test_a_restored_store_counts_what_it_knows(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Calls before the backup count in it; nothing leaves it before it is adopted."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    approve(first)
    restore(backup(first, tmp_path / "copy.db"), tmp_path / "state")
    after = like(second, tmp_path, sandbox, clock, limits=ONE)
    settled(after)
    assert full(after.send("approve", quote="yes", seen=after.engine.status(after.name).seen))
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize(
    ("wall", "boot", "boot_id"),
    [(-40 * DAY, 60.0, "boot-1"), (40 * DAY, 60.0, "boot-1"), (-40 * DAY, 60.0, "boot-2"), (60.0, 60.0, "boot-2")],
)
def test_no_clock_that_is_set_frees_a_limit(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, wall: float, boot: float, boot_id: str
) -> None:
    """Set back or forward, over a reboot set back: the call is held back all the same."""
    first = another(tmp_path, sandbox, clock)
    approve(first)
    clock.wall, clock.boot, clock.boot_id = clock.wall + wall, clock.boot + boot, boot_id
    second = another(tmp_path, sandbox, clock)
    assert full(approve(second)) and len(creates(sandbox)) == 1
    clock.pass_(DAY)
    assert second.send("retry").ok and len(creates(sandbox)) == 2


def test_a_dry_run_says_what_would_be_held_back(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """By a full limit and by a pause, and nothing is counted for it."""
    first, second = another(tmp_path, sandbox, clock), another(tmp_path, sandbox, clock)
    turn = Turn("approve", quote="yes, go ahead", seen=second.reply.seen)
    assert preview(second.engine, second.name, turn).trouble is None
    assert preview(second.engine, second.name, turn).request is not None
    assert approve(first).ok
    held = preview(second.engine, second.name, turn)
    assert (held.trouble, held.request) == ("limited", None)
    pause(second.engine, "all", "")
    held = preview(second.engine, second.name, turn)
    assert (held.trouble, held.request, len(creates(sandbox))) == ("paused", None, 1)


def test_races_through_the_engine_let_just_the_limit_through(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Sessions that are approved together: as many calls reach the service as the limit lets through."""
    limits = {"create": Limit(DAY, 5)}
    plays = [another(tmp_path, sandbox, clock, limits=limits) for _ in range(24)]
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(approve, plays))
    assert sum(reply.ok for reply in replies) == 5 == len(creates(sandbox))
    assert all(full(reply) for reply in replies if not reply.ok)


@pytest.mark.parametrize(
    ("bundles", "mine", "through"),
    [(1, None, 1), (2, 1, 1), (1, 5, 1), (None, 2, 2), (2, 2, 2)],
    ids=["bundle", "lowered", "raised in vain", "mine alone", "alike"],
)
def test_a_limit_of_the_user_only_lowers(
    tmp_path: Path,
    sandbox: Sandbox,
    clock: HandClock,
    copied: Path,
    bundles: int | None,
    mine: int | None,
    through: int,
) -> None:
    """The bundle's limit and the user's: each has to let a call through; one that changes nothing is named."""
    if bundles:
        with (copied / "workflow.yaml").open("a", encoding="utf-8") as file:
            file.write(f"\nlimits: {{create: {{per: 24h, most: {bundles}}}}}\n")
    limits = {"create": Limit(DAY, mine)} if mine else {}
    store, left = SqliteStore(tmp_path / "state"), 0
    for _ in range(3):
        play = player(tmp_path, copied, sandbox.url, store=store, clock=clock, limits=limits)
        notices = play.start({"words": "A poster for a jazz night"}).notices
        raised = [each for each in notices if each.startswith("The configuration cannot raise the limit of 'create'")]
        assert bool(raised) == bool(bundles and mine and mine > bundles)
        play.send("answer", {"words": "Blue and gold"})
        left += play.send("approve", quote="Yes, go ahead").ok
    assert left == through == len(creates(sandbox))


@pytest.mark.parametrize(
    ("action", "told"), [("create", []), ("upload", ["upload"]), ("creat", ["creat"])], ids=["paid", "free", "unknown"]
)
def test_the_user_is_told_of_limits_that_change_nothing(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, action: str, told: list[str]
) -> None:
    """As for gates: at the start of a session, by name."""
    reply = at(tmp_path, sandbox, clock, limits={action: Limit(DAY, 1)}).start({"words": "A poster"})
    wanted = [f"The configuration limits '{name}', which is not a paid call of this bundle." for name in told]
    assert [each for each in reply.notices if each.startswith("The configuration")] == wanted


def test_the_bundle_under_test_has_no_limit_of_its_own() -> None:
    """What these tests count is the user's own limit."""
    assert "limits:" not in (REFERENCE / "workflow.yaml").read_text(encoding="utf-8")
