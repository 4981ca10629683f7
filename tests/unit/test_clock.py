"""The clock of the machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from workflow.local import clock
from workflow.local.clock import SystemClock
from workflow.model.ports import Clock


def test_now_is_told_by_both_clocks() -> None:
    """The wall's time is that of the system; the boot clock only goes on."""
    system: Clock = SystemClock()
    before, first, second, after = time.time(), system.now(), system.now(), time.time()
    assert before <= first.wall <= after
    assert second.boot >= first.boot > 0
    assert 0 <= second.since(first) < 60


def test_a_boot_has_one_name() -> None:
    """Two processes of one boot, as two clocks, agree on it, so that the boot clock counts between them."""
    assert SystemClock().now().boot_id == SystemClock().now().boot_id != ""


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_the_boot_clock_counts_suspension() -> None:
    """Where the system has a clock that goes on while the machine sleeps, it is that one."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SystemClock().now().boot <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_boot_without_a_name_is_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """Where the system does not name its boots, the boot clock counts within a process only."""
    if content is not None:
        (tmp_path / "boot_id").write_bytes(content)
    monkeypatch.setattr(clock, "_BOOT_ID", str(tmp_path / "boot_id"))
    assert SystemClock().now().boot_id == SystemClock().now().boot_id == clock._PROCESS


def test_without_a_boot_clock_the_monotonic_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands still while the machine sleeps, but never goes back."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = time.monotonic()
    assert before <= SystemClock().now().boot <= time.monotonic()


def test_sleep_waits() -> None:
    """No shorter than asked."""
    before = time.monotonic()
    SystemClock().sleep(0.001)
    assert time.monotonic() - before >= 0.001
