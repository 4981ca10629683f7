"""The watchdog of calls: one thread for all that are under way, none when there are none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

from workflow.service.connection import WATCHDOG, Wire

ROOT = Path(__file__).parents[2]


def test_one_thread_watches_all_calls() -> None:
    """It is there from the first to the last of them, and not behind it."""
    with WATCHDOG.over(Wire(60)):
        with WATCHDOG.over(Wire(60)):
            assert len(_watching()) == 1
        assert len(_watching()) == 1
    assert _watching() == []


def test_a_call_that_comes_later_may_be_over_sooner() -> None:
    """Its connection is shut down at its own time; that of the other stays."""
    long, short = Wire(60), Wire(0.05)
    kept, _other = socket.socketpair()
    ours, theirs = socket.socketpair()
    with kept, _other, ours, theirs, WATCHDOG.over(long), WATCHDOG.over(short):
        long._watch(kept)
        short._watch(ours)
        theirs.settimeout(10)
        assert theirs.recv(1) == b""
        assert (short.expired, long.expired) == (True, False)
        long.close()
        short.close()


def test_a_call_that_is_done_is_left_alone() -> None:
    """Behind its end its time may pass; the next call has a watchdog of its own."""
    done = Wire(0.05)
    with WATCHDOG.over(done):
        pass
    ours, theirs = socket.socketpair()
    with ours, theirs, WATCHDOG.over(Wire(60)), WATCHDOG.over(next_ := Wire(0.1)):
        next_._watch(ours)
        theirs.settimeout(10)
        assert theirs.recv(1) == b""
        next_.close()
    assert not done.expired


def test_a_child_watches_its_own_calls() -> None:
    """What its parent had under way when it forked is not the child's to end."""
    done = subprocess.run((sys.executable, "-c", _FORKS), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def _watching() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "phasegate-watchdog"]


_FORKS = """
import os, socket, sys
from workflow.service.connection import WATCHDOG, Wire
with WATCHDOG.over(Wire(60)):
    child = os.fork()
    if not child:
        ours, theirs = socket.socketpair()
        with WATCHDOG.over(mine := Wire(0.05)):
            mine._watch(ours)
            theirs.settimeout(10)
            os._exit(theirs.recv(1) != b"")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
