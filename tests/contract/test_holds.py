"""Lock files: what could go wrong between two holders."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.model.errors import HoldLost, SessionBusy, StoreError
from workflow.model.ports import Holder
from workflow.store.locks import Holds, take_turn


def test_a_lock_on_a_removed_file_is_no_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened the file just before its holder removed it opens the new one."""
    lock = fcntl.flock
    holder = Holds(tmp_path).hold("amber-fox", 0)
    holder.__enter__()

    def late(file: int, how: int) -> None:
        monkeypatch.undo()
        holder.__exit__(None, None, None)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with (
        Holds(tmp_path).hold("amber-fox", 0),
        pytest.raises(SessionBusy),
        Holds(tmp_path).hold("amber-fox", 0),
    ):
        pytest.fail("held twice")
    assert list(tmp_path.iterdir()) == []


def test_a_holder_removes_its_own_file_only(tmp_path: Path) -> None:
    """Where somebody else removed it meanwhile, the file of the next holder stays."""
    first, second = (Holds(tmp_path).hold("amber-fox", 0) for _ in range(2))
    first.__enter__()
    (tmp_path / "amber-fox.lock").unlink()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(SessionBusy), Holds(tmp_path).hold("amber-fox", 0):
        pytest.fail("held twice")
    second.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none; nothing is held then, and the hint says where to go."""

    def refuse(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for attempt in (Holds(tmp_path).hold("amber-fox", 0), take_turn(tmp_path / "writers.lock")):
        with pytest.raises(StoreError, match="No locks available") as caught, attempt:
            pytest.fail("held")
        assert "local disk" in caught.value.hint


def test_the_file_of_a_session_that_is_held_again_stays_open_until_it_is_closed(tmp_path: Path) -> None:
    """It is no lock while nobody holds it: anybody can have it in between, and removes it then as ever."""
    ours, theirs = Holds(tmp_path), Holds(tmp_path)
    for _ in range(2):
        with ours.hold("amber-fox", 0):
            pass
    assert [each.name for each in tmp_path.iterdir()] == ["amber-fox.lock"]
    with theirs.hold("amber-fox", 0), pytest.raises(SessionBusy), ours.hold("amber-fox", 0):
        pytest.fail("held twice")
    for _ in range(3):
        with ours.hold("amber-fox", 0), pytest.raises(SessionBusy), theirs.hold("amber-fox", 0):
            pytest.fail("held twice")
    ours.close()
    ours.close()
    assert list(tmp_path.iterdir()) == []


def test_no_more_files_stay_open_than_allowed(tmp_path: Path) -> None:
    """The one that was held longest ago is removed for the next."""
    holds = Holds(tmp_path, most=2)
    for name in ("amber-fox", "dry-owl", "teal-peak") * 2 + ("teal-peak", "dry-owl") * 2:
        with holds.hold(name, 0):
            pass
    assert sorted(each.name for each in tmp_path.iterdir()) == ["dry-owl.lock", "teal-peak.lock"]
    holds.close()


def test_a_child_shares_no_hold_with_its_parent(tmp_path: Path) -> None:
    """A lock belongs to the open file, and a fork has the same one: the child must open it anew."""
    holds = Holds(tmp_path)
    for _ in range(2):
        with holds.hold("amber-fox", 0):
            pass
    reading, writing = os.pipe()
    with holds.hold("amber-fox", 0):
        child = os.fork()
        if child == 0:
            try:
                with holds.hold("amber-fox", 0):
                    os.write(writing, b"held twice")
            except SessionBusy:
                os.write(writing, b"busy")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 100) == b"busy"
    os.close(reading)
    os.close(writing)
    holds.close()


def test_a_hold_whose_file_was_removed_is_none(tmp_path: Path) -> None:
    """A cleaner removes the file: the handle is refused, whether or not somebody made a new one; it can be retaken."""
    ours, theirs = Holds(tmp_path), Holds(tmp_path)
    with ours.hold("amber-fox", 0) as held:
        ours.check(held, "amber-fox")
        (tmp_path / "amber-fox.lock").unlink()
        with pytest.raises(HoldLost):
            ours.check(held, "amber-fox")
        with theirs.hold("amber-fox", 0) as other:
            with pytest.raises(HoldLost):
                ours.check(held, "amber-fox")
            with pytest.raises(SessionBusy):
                held.retake()
            theirs.check(other, "amber-fox")
            with pytest.raises(HoldLost):
                ours.check(other, "amber-fox")
        held.retake()
        ours.check(held, "amber-fox")


HOLDER = """
import sys
from pathlib import Path
from workflow.store.locks import Holds
with Holds(Path(sys.argv[1])).hold("amber-fox", 0):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the session."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.send_signal(signal.SIGCONT)
        process.kill()


def test_a_stopped_holder_is_named(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """SIGSTOP: the session stays held, and the error names the process, and the command that lets it continue."""
    holds = Holds(tmp_path)
    assert (holds.held_by("amber-fox") or Holder(0)).stopped is False
    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    with pytest.raises(SessionBusy, match=rf"process {holder.pid} \(python\), which was stopped") as caught:
        holds.hold("amber-fox", 0).__enter__()
    assert f"kill -CONT {holder.pid}" in caught.value.hint


def test_the_dead_hold_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """kill -9 leaves the file with the name in it; nobody holds the session, not even a process of the same number."""
    holds = Holds(tmp_path)
    assert (holds.held_by("amber-fox") or Holder(0)).pid == holder.pid
    holder.kill()
    holder.wait()
    assert (tmp_path / "amber-fox.lock").exists()
    assert holds.held_by("amber-fox") is None
    (tmp_path / "amber-fox.lock").write_text(f"{os.getpid()} 1 2026-01-01T00:00:00Z workflow watch\n")
    assert holds.held_by("amber-fox") is None


@pytest.mark.parametrize("text", [b"", b"\n", b"1\n", b"\xff" * 600, b"9999999999 1 2026-01-01T00:00:00Z x\n"])
def test_a_file_that_names_nobody_is_asked_of_the_kernel(tmp_path: Path, text: bytes) -> None:
    """Held on a full disk, or from another container: busy without a name; not held: nobody."""
    holds = Holds(tmp_path)
    with holds.hold("amber-fox", 0):
        (tmp_path / "amber-fox.lock").write_bytes(text)
        assert holds.held_by("amber-fox") is not None
        with pytest.raises(SessionBusy, match="in use by another turn"):
            holds.hold("amber-fox", 0).__enter__()
    (tmp_path / "amber-fox.lock").write_bytes(text)
    assert holds.held_by("amber-fox") is None


def test_no_words_stand_in_a_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program and its command are named, never an argument, which may be anybody's words."""
    monkeypatch.setattr(sys, "argv", ["/opt/bin/workflow", "A poster for ann@example.org", "advance"])
    with Holds(tmp_path).hold("amber-fox", 0):
        text = (tmp_path / "amber-fox.lock").read_text()
    assert "workflow" in text and "poster" not in text and "@" not in text
