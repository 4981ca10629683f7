"""Lock files: what could go wrong between two holders."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from workflow.errors import SessionBusy, StoreError
from workflow.store.holds import hold_file, take_turn


def test_a_lock_on_a_removed_file_is_no_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened the file just before its holder removed it opens the new one."""
    lock = fcntl.flock
    holder = hold_file(tmp_path, "amber-fox", 0)
    holder.__enter__()

    def late(file: int, how: int) -> None:
        monkeypatch.undo()
        holder.__exit__(None, None, None)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with (
        hold_file(tmp_path, "amber-fox", 0),
        pytest.raises(SessionBusy),
        hold_file(tmp_path, "amber-fox", 0),
    ):
        pytest.fail("held twice")
    assert list(tmp_path.iterdir()) == []


def test_a_holder_removes_its_own_file_only(tmp_path: Path) -> None:
    """Where somebody else removed it meanwhile, the file of the next holder stays."""
    first, second = (hold_file(tmp_path, "amber-fox", 0) for _ in range(2))
    first.__enter__()
    (tmp_path / "amber-fox.lock").unlink()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(SessionBusy), hold_file(tmp_path, "amber-fox", 0):
        pytest.fail("held twice")
    second.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none; nothing is held then, and the hint says where to go."""

    def refuse(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for attempt in (hold_file(tmp_path, "amber-fox", 0), take_turn(tmp_path / "writers.lock")):
        with pytest.raises(StoreError, match="No locks available") as caught, attempt:
            pytest.fail("held")
        assert "local disk" in caught.value.hint
