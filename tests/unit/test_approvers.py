"""The file of approvers: what is kept of a passphrase, and what a wrong one costs."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.playing import HandClock
from workflow.local import approvers as module
from workflow.local.approvers import FILE, LONGEST_WAIT, Approvers, Device, Trial
from workflow.model.errors import CredentialsError, UsageError
from workflow.model.frozen import replace
from workflow.model.signature import coded, holding

RIGHT, WRONG = "harbour lamp on water", "harbour lamp on fire!"
SINCE = "2027-01-15T08:00:00.000Z"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt as it is, at a cost that a test can pay."""
    monkeypatch.setattr(module, "COST", 2**4)


@pytest.fixture
def clock() -> HandClock:
    """Time that passes only when the test says so."""
    return HandClock()


@pytest.fixture
def alice(tmp_path: Path, clock: HandClock) -> Approvers:
    """A file in which alice has a passphrase."""
    made = Approvers(tmp_path / "config", clock)
    made.add("alice", RIGHT, SINCE)
    return made


def again(known: Approvers, clock: HandClock) -> Approvers:
    """The same file, as a new process finds it."""
    return Approvers(known.file.parent, clock)


def rewritten(known: Approvers, change: Callable[[dict[str, Any]], object]) -> None:
    """The file with something in it changed."""
    content = json.loads(known.file.read_text())
    change(content)
    known.file.write_text(json.dumps(content))


def test_the_right_one_proves_and_another_does_not(alice: Approvers, clock: HandClock) -> None:
    """Whoever composes letters otherwise has typed the same."""
    assert alice.prove("alice", RIGHT) == Trial("alice", True)
    alice.add("bob", "caf\u00e9 in der Stra\u00dfe", SINCE)
    assert again(alice, clock).prove("bob", "cafe\u0301 in der Stra\u00dfe").proven
    for typed in (WRONG, "", RIGHT.upper(), f"{RIGHT} ", RIGHT[:-1]):
        clock.pass_(LONGEST_WAIT)
        assert not alice.prove("alice", typed).proven


def test_the_file_holds_nothing_that_was_typed_and_is_its_owners_alone(alice: Approvers, clock: HandClock) -> None:
    """0600 under any umask, a salt of its own for each, and nothing left beside it; wrong ones are not kept either."""
    before = os.umask(0)
    try:
        alice.add("bob", RIGHT, SINCE)
    finally:
        os.umask(before)
    alice.prove("alice", WRONG)
    text = alice.file.read_text()
    assert stat.S_IMODE(alice.file.stat().st_mode) == 0o600
    assert RIGHT not in text and WRONG not in text and RIGHT.encode().hex() not in text
    first, second = (json.loads(text)["approvers"][name] for name in ("alice", "bob"))
    assert first["salt"] != second["salt"] and first["digest"] != second["digest"]
    assert [each.name for each in alice.file.parent.iterdir()] == [FILE]
    assert first["digest"] not in repr(alice.known())


def test_each_wrong_one_waits_twice_as_long_and_a_new_process_does_too(alice: Approvers, clock: HandClock) -> None:
    """1, 2, 4 … seconds, at most a quarter of an hour; before its time not even the right one is looked at."""
    due = 1.0
    for count in range(1, 14):
        trial = again(alice, clock).prove("alice", WRONG)
        assert trial == Trial("alice", False, count, min(due, LONGEST_WAIT))
        clock.pass_(trial.wait - 0.5)
        early = again(alice, clock).prove("alice", RIGHT)
        assert (early.proven, early.wrong, early.wait) == (False, 0, 0.5)
        clock.pass_(0.5)
        due *= 2
    assert again(alice, clock).prove("alice", RIGHT).proven
    assert again(alice, clock).prove("alice", WRONG).wait == 1.0


def test_neither_a_reboot_nor_a_clock_set_back_shortens_the_wait(alice: Approvers, clock: HandClock) -> None:
    """Across a reboot the wall counts, and time that runs backwards counts as none."""
    for _ in range(4):
        clock.pass_(alice.prove("alice", WRONG).wait)
    alice.prove("alice", WRONG)
    clock.wall -= 86_400
    clock.boot, clock.boot_id = 1.0, "boot-2"
    assert alice.prove("alice", RIGHT).wait == 16.0
    clock.wall += 86_400 + 17
    assert alice.prove("alice", RIGHT).proven


def test_a_try_that_dies_has_counted(alice: Approvers, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written down before it is looked at, so that killing the process in time gains nothing."""

    def die(*typed: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_digest", die)
        with pytest.raises(KeyboardInterrupt):
            alice.prove("alice", WRONG)
    assert again(alice, clock).known()[0].wrong == 1
    assert again(alice, clock).prove("alice", RIGHT).wait == 1.0


def test_of_many_at_once_one_is_looked_at(alice: Approvers, clock: HandClock) -> None:
    """They wait in a row, and those behind the first come too early."""
    trials: list[Trial] = []
    threads = [
        threading.Thread(target=lambda: trials.append(again(alice, clock).prove("alice", WRONG))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(trial.wrong for trial in trials) == [0] * 7 + [1]


def test_a_passphrase_is_changed_and_removed_by_who_knows_it(alice: Approvers, clock: HandClock) -> None:
    """A wrong one counts there as anywhere."""
    assert alice.change("alice", WRONG, "another lamp on water", SINCE).wrong == 1
    clock.pass_(1)
    assert alice.change("alice", RIGHT, "another lamp on water", SINCE).proven
    assert alice.remove("alice", RIGHT).wrong == 1
    clock.pass_(1)
    assert alice.remove("alice", "another lamp on water").proven
    assert alice.known() == ()


@pytest.mark.parametrize("name", ["", "Alice", "a b", "../x", "-a", "a" * 33, "é"])
def test_a_name_that_is_none(alice: Approvers, name: str) -> None:
    """It is written into the log, so it is plain."""
    with pytest.raises(UsageError, match="cannot be the name of an approver"):
        alice.add(name, RIGHT, SINCE)


@pytest.mark.parametrize("typed", ["", "short", " " * 40, "x" * 1001])
def test_a_passphrase_that_is_none(alice: Approvers, typed: str) -> None:
    """Too short or too long; no error repeats it."""
    with pytest.raises(UsageError) as refused:
        alice.add("bob", typed, SINCE)
    assert not typed.strip() or typed not in str(refused.value)


def test_who_has_one_gets_no_other_and_who_is_unknown_is_named(alice: Approvers) -> None:
    """Both errors say what to do instead."""
    with pytest.raises(UsageError, match="is an approver already"):
        alice.add("alice", WRONG, SINCE)
    assert alice.prove("alice", RIGHT).proven
    with pytest.raises(UsageError, match="no approver 'bob'") as unknown:
        alice.prove("bob", RIGHT)
    assert unknown.value.hint == "Known: alice."


def test_a_file_that_others_could_read_is_closed_and_one_they_could_write_is_not_believed(alice: Approvers) -> None:
    """As the key's file; but a passphrase that somebody else may have put there proves nothing."""
    alice.file.chmod(0o644)
    assert alice.prove("alice", RIGHT).proven
    assert stat.S_IMODE(alice.file.stat().st_mode) == 0o600
    assert "was open to other users" in alice.notices[0] and "Consider a new passphrase" in alice.notices[0]
    alice.file.chmod(0o620)
    with pytest.raises(CredentialsError, match="can be written by other users"):
        alice.prove("alice", RIGHT)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(v=2),
        lambda content: content.pop("approvers"),
        lambda content: content["approvers"]["alice"].update(cost=2**40),
        lambda content: content["approvers"]["alice"].update(cost=17),
        lambda content: content["approvers"]["alice"].update(cost=True),
        lambda content: content["approvers"]["alice"].update(salt="00"),
        lambda content: content["approvers"]["alice"].update(digest=""),
        lambda content: content["approvers"]["alice"].update(wrong=-1),
        lambda content: content["approvers"]["alice"].update(tried=["x", 0, ""]),
        lambda content: content["approvers"]["alice"].update(more=1),
        lambda content: content["approvers"]["alice"].pop("wrong"),
        lambda content: content["approvers"].update({"Not a name": content["approvers"]["alice"]}),
        lambda content: content.update(approvers=[]),
    ],
)
def test_a_file_that_is_not_as_it_was_written_proves_nothing(
    alice: Approvers, change: Callable[[dict[str, Any]], object]
) -> None:
    """It is an error that names the file, never a crash and never a yes."""
    rewritten(alice, change)
    with pytest.raises(CredentialsError, match="is not as it was written") as refused:
        alice.prove("alice", RIGHT)
    assert refused.value.hint


def test_where_tries_cannot_be_counted_nothing_is_looked_at(alice: Approvers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full makes no free tries."""
    looked: list[str] = []
    monkeypatch.setattr(module, "_digest", lambda *typed: looked.append("looked"))

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialsError, match="No space left"):
        alice.prove("alice", RIGHT)
    assert looked == []


DEVICE = Device("phone", "https://approve.example.org", "b25l", "a2V5", SINCE)


def test_devices_outlive_a_new_passphrase_and_end_with_their_person(alice: Approvers, clock: HandClock) -> None:
    """Only a confirmed one is somebody's, and each belongs to one person."""
    alice.add("bob", RIGHT, SINCE)
    alice.pair("alice", DEVICE)
    assert alice.people() == {}
    for name in ("alice", "bob"):
        with pytest.raises(UsageError, match="paired already"):
            alice.pair(name, DEVICE)
    assert not alice.confirm("alice", WRONG, DEVICE.fingerprint, SINCE).proven and alice.people() == {}
    clock.pass_(LONGEST_WAIT)
    assert alice.confirm("alice", RIGHT, DEVICE.fingerprint, SINCE).proven
    held = {holding(DEVICE.fingerprint): ("alice",)}
    assert again(alice, clock).people() == held
    assert alice.change("alice", RIGHT, "another lamp on water", SINCE).proven and alice.people() == held
    alice.give("alice", "another lamp on water", "manager")
    assert alice.people() == {"manager": ("alice",), **held}
    alice.remove("alice", "another lamp on water")
    assert alice.people() == {}


def test_a_counter_goes_on_or_was_never_there(alice: Approvers) -> None:
    """0 for ever is no counter; one that stays or goes back belongs to a copy."""
    alice.pair("alice", DEVICE)
    assert alice.count("alice", DEVICE, 0) and alice.count("alice", DEVICE, 0)
    assert alice.count("alice", DEVICE, 5)
    assert [alice.count("alice", DEVICE, each) for each in (5, 4, 0, 6)] == [False, False, False, True]
    alice.revoke("alice", DEVICE.fingerprint)
    assert not alice.count("alice", DEVICE, 9)


def test_the_file_never_grows_beyond_what_is_read(alice: Approvers, clock: HandClock) -> None:
    """A device too many is refused by name, and what there was can be read still."""
    for number in range(module.MOST_DEVICES):
        alice.pair("alice", replace(DEVICE, credential=coded(bytes([number])), name="x" * module.LONGEST_NAME))
    with pytest.raises(UsageError, match="no room for another"):
        alice.pair("alice", replace(DEVICE, credential=coded(b"more")))
    long = "a2V5" * 4000
    for number in range(4):
        alice.add(f"bob-{number}", RIGHT, SINCE)
    with pytest.raises(UsageError, match="no room for more"):
        for number in range(4):
            alice.pair(f"bob-{number}", replace(DEVICE, credential=coded(b"y%d" % number), key=long))
    assert len(again(alice, clock).known()) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"key": "not base64url!"},
        {"credential": ""},
        {"counter": -1},
        {"counter": "1"},
        {"confirmed": 1},
        {"name": "x" * 100},
        {"more": 1},
    ],
)
def test_a_device_that_nobody_wrote_stops_everything(
    alice: Approvers, clock: HandClock, change: dict[str, Any]
) -> None:
    """As with everything in this file: what is odd is not believed, and not passed over."""
    alice.pair("alice", DEVICE)
    rewritten(alice, lambda content: content["approvers"]["alice"]["devices"][0].update(change))
    with pytest.raises(CredentialsError, match="not as it was written"):
        again(alice, clock).people()
