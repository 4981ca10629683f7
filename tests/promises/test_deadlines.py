"""Deadlines are the engine's: they hold over processes and reboots, and no jump of the wall clock moves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import (
    again,
    change,
    looks,
    on_disk,
    readings,
    remembered,
    to_generating,
    to_plan,
    to_ready,
)
from workflow.engine.waiting import standing
from workflow.history import audit
from workflow.model.frozen import replace
from workflow.model.instant import iso

DAY = 86_400.0
YEARS = 20 * 365.25 * DAY
JUMPS = pytest.mark.parametrize("jump", [DAY, -DAY, YEARS, -YEARS], ids=["day", "-day", "years", "-years"])


@JUMPS
@pytest.mark.rule("R65")
def test_the_walls_clock_ends_no_wait(play: Player, sandbox: Sandbox, clock: HandClock, jump: float) -> None:
    """Somebody sets the clock, a day or twenty years: the image has its twenty minutes, no more and no less."""
    sandbox.settings(looks=999)
    to_generating(play, host="claude-code")
    clock.pass_(600)
    clock.wall += jump
    assert play.send(None).state == "deliver.generating"
    assert not play.engine.look(play.name).moved
    clock.pass_(599)
    assert play.send(None).state == "deliver.generating"
    clock.pass_(1)
    assert play.send(None).state == "deliver.late"


@JUMPS
@pytest.mark.rule("R84")
def test_the_walls_clock_ends_no_change(play: Player, sandbox: Sandbox, clock: HandClock, jump: float) -> None:
    """The same for a change: 480 s by the clock that nobody sets."""
    to_ready(play, host="claude-code")
    sandbox.settings(looks=999)
    change(play)
    clock.wall += jump
    clock.pass_(479)
    assert play.send(None).state == "revise.applying"
    clock.pass_(1)
    assert play.send(None).state == "revise.late"


@JUMPS
@pytest.mark.rule("R59", "R61")
def test_the_walls_clock_makes_no_monitor_absent(play: Player, clock: HandClock, jump: float) -> None:
    """A monitor has its minute to appear, whatever the wall says; then it is missed all the same."""
    to_generating(play, host="openclaw")
    clock.wall += jump
    assert play.send(None).say == ()
    clock.pass_(61)
    play.send(None)
    assert play.says() == ["started_unwatched"]


@pytest.mark.rule("R65")
def test_over_a_reboot_the_wall_counts(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """The machine was off for a while: the clock since boot begins again, and the time that passed is the wall's."""
    sandbox.settings(looks=999)
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun)
    rebooted = HandClock(wall=clock.wall + 1199, boot=5.0, boot_id="boot-2")
    after = again(begun, tmp_path, rebooted)
    assert after.send(None).state == "deliver.generating"
    rebooted.pass_(1)
    assert after.send(None).state == "deliver.late"
    assert len(looks(sandbox)) == 1


@pytest.mark.rule("R65")
def test_a_long_uptime_is_no_passed_deadline(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """After a reboot the new clock may well be ahead of the old one: it is not compared with it."""
    sandbox.settings(looks=999)
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun)
    rebooted = HandClock(wall=clock.wall + 60, boot=clock.boot + 9_000, boot_id="boot-2")
    assert again(begun, tmp_path, rebooted).send(None).state == "deliver.generating"
    assert looks(sandbox) == []


@pytest.mark.parametrize("jump", [-60.0, -DAY, -YEARS], ids=["-minute", "-day", "-years"])
@pytest.mark.rule("R65")
def test_a_wall_set_back_over_a_reboot_begins_the_wait_anew_once(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, jump: float
) -> None:
    """No clock knows how long the machine was off: the wait has its whole time once more, and then it is over."""
    sandbox.settings(looks=999)
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun, host="claude-code")
    clock.pass_(600)
    rebooted = HandClock(wall=clock.wall + jump - 600, boot=5.0, boot_id="boot-2")
    after = again(begun, tmp_path, rebooted)
    assert after.send(None).state == "deliver.generating"
    for jumped in (0.0, YEARS, -YEARS):
        rebooted.wall += jumped
        rebooted.pass_(399)
        assert after.send(None).state == "deliver.generating"
    rebooted.pass_(3)
    assert after.send(None).state == "deliver.late"
    assert [entry.body and entry.body["since"][2] for entry in after.journal("clock")] == ["boot-2"]


@pytest.mark.rule("R59", "R61")
def test_a_wall_set_back_over_a_reboot_hides_no_absent_monitor(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """The minute that a monitor has to appear begins anew as well, once."""
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun, host="openclaw")
    rebooted = HandClock(wall=clock.wall - YEARS, boot=5.0, boot_id="boot-2")
    after = again(begun, tmp_path, rebooted)
    assert after.send(None).say == ()
    rebooted.pass_(61)
    after.send(None)
    assert after.says() == ["started_unwatched"]


@JUMPS
def test_the_end_of_a_wait_is_told_by_the_wall_that_there_is(
    play: Player, sandbox: Sandbox, clock: HandClock, jump: float
) -> None:
    """The wall was set: `until` is as far ahead as the wait really is, and is not called over before it is."""
    sandbox.settings(looks=999)
    to_generating(play, host="claude-code")
    clock.pass_(600)
    clock.wall += jump
    for passed, left in ((0, 600), (599, 1), (2, -1)):
        clock.pass_(passed)
        reply = play.engine.status(play.name)
        found = standing(play.engine, play.name).waiting
        assert reply.watch is not None and found is not None
        assert (reply.watch["until"], found.overdue) == (iso(replace(clock.now(), wall=clock.wall + left)), left < 0)


@JUMPS
def test_the_log_is_in_the_order_of_its_entries(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, jump: float
) -> None:
    """Times in the journal are the wall's and may run backwards; entries are read by their number, and hold."""
    sandbox.settings(looks=999)
    play = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_plan(play)
    clock.wall += jump
    play.send("approve", quote="Yes, go ahead")
    clock.wall -= 2 * jump
    clock.pass_(30)
    play.send("check")
    entries = play.journal()
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    times = [entry.time for entry in entries]
    assert times != sorted(times)
    assert audit.verify(play.engine, play.name).entries == len(entries)


@pytest.mark.rule("R65", "R76")
def test_the_deadline_is_in_the_journal(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """No process had to live through the wait: the next one, after twenty minutes, looks once more and says late."""
    sandbox.settings(looks=999)
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(begun, host="claude-code")
    clock.pass_(1200)
    after = again(begun, tmp_path, clock)
    reply = after.send(None)
    assert (reply.state, reply.status, after.says()) == ("deliver.late", "waiting", ["late"])
    assert len(looks(sandbox)) == 1
    assert remembered(after)["task_status"] == "processing"


@pytest.mark.rule("R65", "R74")
def test_a_passed_deadline_counts_after_one_more_look(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The image got ready while nobody looked: after an hour the user hears that it is there, not that it is late."""
    sandbox.settings(looks=1)
    to_generating(play, host="claude-code")
    clock.pass_(3600)
    play.send(None)
    assert (play.reply.state, play.says(), len(looks(sandbox))) == ("deliver.ready", ["ready"], 1)


@pytest.mark.rule("R75")
def test_the_last_look_may_find_a_failure(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """It failed while nobody looked: told as failed, not as late."""
    to_generating(play, host="claude-code")
    sandbox.fault("task-failed", on="task")
    clock.pass_(3600)
    play.send(None)
    assert (play.reply.state, play.says()) == ("deliver.no_image", ["generation_failed"])


@pytest.mark.rule("R84", "R86")
def test_the_last_look_for_a_change(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The change was made while nobody looked: one reading after the deadline finds it."""
    to_ready(play, host="claude-code")
    sandbox.settings(looks=1)
    change(play)
    clock.pass_(DAY)
    play.send(None)
    assert (play.reply.state, play.says(), len(readings(sandbox))) == ("revise.changed", ["changed_with_reply"], 1)


def test_a_last_look_that_cannot_be_made_ends_the_wait_all_the_same(
    play: Player, sandbox: Sandbox, clock: HandClock
) -> None:
    """The service is gone when the time is over: late, not stuck, and the image can be looked for later."""
    to_generating(play, host="claude-code")
    clock.pass_(1200)
    sandbox.stop()
    assert play.send(None).state == "deliver.late"
    sandbox.start()
    sandbox.settings(looks=1)
    assert play.send("check").state == "deliver.ready"


@pytest.mark.rule("R88")
def test_each_change_has_a_deadline_of_its_own(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Eight minutes count from the order of this change; a turn that moves nothing does not begin them anew."""
    to_ready(play, host="claude-code")
    change(play)
    clock.pass_(400)
    play.watch()
    play.send(None)
    sandbox.settings(looks=999)
    change(play, "Bold lettering")
    for _ in range(4):
        clock.pass_(110)
        assert play.send("check").state == "revise.applying"
    clock.pass_(40)
    play.send(None)
    assert (play.reply.state, play.says()) == ("revise.late", ["change_late"])


@pytest.mark.rule("R67", "R76", "R78")
def test_a_look_on_request_is_the_last_look(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The user asks after the time is over: one look, and it is told once that it takes longer."""
    sandbox.settings(looks=999)
    to_generating(play)
    clock.pass_(1500)
    reply = play.send("check")
    assert (reply.state, play.says(), len(looks(sandbox))) == ("deliver.late", ["late"], 1)
    assert (play.send("check").state, play.says()) == ("deliver.waiting", ["still_generating_unwatched"])
    assert len(looks(sandbox)) == 2


@pytest.mark.rule("R74", "R78")
def test_a_look_on_request_after_the_deadline_finds_the_image(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """The user asks an hour later, and the image is there: one look, one message."""
    sandbox.settings(looks=1)
    to_generating(play)
    clock.pass_(3600)
    reply = play.send("check")
    assert (reply.state, reply.error, play.says(), len(looks(sandbox))) == ("deliver.ready", None, ["ready"], 1)
