"""Where a turn is struck: at a system call of the kernel's, or at a named failpoint of our own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from tests.crash.zygote import PATIENCE, Ended, Zygote

KILL, FULL, BROKEN = "SIGKILL", "ENOSPC", "EIO"
DISK = ["pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate", "fallocate"]
NAMES = ["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat"]
MODES = ["chmod", "fchmod", "fchmodat"]
OTHER = ["write", "writev", "openat", "flock", "connect", "sendto", "sendmsg", "shutdown", "exit_group"]
WRITES = (*DISK, *NAMES, *MODES, *OTHER)
"""The calls that change something outside of the process, and its end. An `openat` counts if it may create."""

NO_FAULT = {FULL: {"flock", "connect", "sendto", "sendmsg", "shutdown", "unlink", "unlinkat"}, BROKEN: {"shutdown"}}
"""What these calls never answer."""


@dataclass(frozen=True)
class Point:
    """The ``count``-th time that a process does ``name``, and what strikes it there."""

    name: str
    count: int
    fault: str = KILL

    def __str__(self) -> str:
        return f"{self.fault} at {self.name} {self.count}"


class Striker(Protocol):
    """A way to strike a command."""

    def points(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], fault: str) -> list[Point]:
        """Run the command unharmed, and see what it passes."""

    def strike(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], point: Point) -> Ended:
        """Run the command, and strike it there."""


class Strace:
    """Strikes system calls, through ``strace --inject``: a call that kills is not carried out any more.

    A full disk stays full: of writing to files, every call from that one on fails. A broken one fails once.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "strace.log"

    def points(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], fault: str) -> list[Point]:
        """Every call of the process's first thread that changes something; the others make none."""
        wanted = ",".join(f"?{name}" for name in WRITES)
        process, _ = self._run(zygote, command, turn, "-e", f"trace={wanted}", "-o", str(self._log))
        return [
            Point(name, count, fault)
            for name, count in _calls(self._log.read_text("utf-8", "replace").splitlines(), process)
            if name not in NO_FAULT.get(fault, ()) and (fault == KILL or name != "exit_group")
        ]

    def strike(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], point: Point) -> Ended:
        """At the call itself, in the kernel."""
        how = f"signal={KILL}" if point.fault == KILL else f"error={point.fault}"
        lasting = "+" if point.fault == FULL and point.name in DISK else ""
        inject = f"inject={point.name}:{how}:when={point.count}{lasting}"
        return self._run(zygote, command, turn, "-e", f"trace={point.name}", "-e", inject, "-o", os.devnull)[1]

    def _run(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], *options: str) -> tuple[int, Ended]:
        process = zygote.begin(command, turn, stopped=True)
        with subprocess.Popen(
            ["strace", "-f", *options, "-p", str(process)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as tracer:
            assert tracer.stderr
            told = tracer.stderr.readline()
            if b"attached" not in told:
                os.kill(process, signal.SIGKILL)
                zygote.end()
                raise RuntimeError(f"strace cannot trace: {told.decode().strip()}")
            os.kill(process, signal.SIGUSR1)
            ended = zygote.end()
            tracer.stderr.read()
            tracer.wait(PATIENCE)
        return process, ended


class Failpoints:
    """Kills at the named points of `failpoints`, where there is no strace, or to say in words where it was."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "failpoints.log"

    def points(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], fault: str) -> list[Point]:
        """The points that are passed, in order; no fault but death can be had at them."""
        self._log.write_text("")
        zygote.begin(command, turn, fuse={"log": str(self._log)})
        zygote.end()
        passed: Counter[str] = Counter()
        found = []
        for name in self._log.read_text("utf-8").splitlines():
            passed[name] += 1
            found.append(Point(name, passed[name]))
        return found if fault == KILL else []

    def strike(self, zygote: Zygote, command: Sequence[str], turn: Mapping[str, Any], point: Point) -> Ended:
        """At the point, by the process's own hand."""
        zygote.begin(command, turn, fuse={"name": point.name, "count": point.count})
        return zygote.end()


@cache
def can_trace() -> bool:
    """Whether strace is here, and allowed to do its work: some containers forbid it."""
    found = shutil.which("strace")
    if found is None:
        return False
    tried = subprocess.run([found, "-qq", "-e", "trace=none", "true"], capture_output=True)
    return tried.returncode == 0


_CALL = re.compile(r"(\d+) +(\w+)\((.*)")


def _calls(lines: Sequence[str], process: int) -> Iterator[tuple[str, int]]:
    """Name and count of each call; strace counts for itself by thread and by call, those that do not create too."""
    passed: Counter[str] = Counter()
    for line in lines:
        call = _CALL.match(line)
        if call is None or int(call[1]) != process:
            continue
        passed[call[2]] += 1
        if call[2] != "openat" or "O_CREAT" in call[3]:
            yield call[2], passed[call[2]]
