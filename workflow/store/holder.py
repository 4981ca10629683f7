"""Who holds a lock: what a lock file says, and whether the process that it names lives."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from time import gmtime, strftime, time

from workflow.model.ports import Holder

_WORD = re.compile(r"[a-z][a-z-]{0,30}")
_LINE = re.compile(r"(\d{1,10}) (\d{1,20}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([\w. -]{1,80})\n", re.ASCII)
_STOPPED = "Tt"
"""How the kernel calls a process that a signal or a debugger stopped."""


def myself() -> bytes:
    """This process, as one line of a lock file: its id, its start, the time now, its command without arguments."""
    since = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time()))
    return f"{_me(os.getpid())} {since} {_command(tuple(sys.argv[:2]))}\n".encode()


@lru_cache(maxsize=1)
def place() -> str:
    """Where the ids of processes are those of this one: the boot, and the namespace; empty where nobody can tell."""
    try:
        return (
            f"{Path('/proc/sys/kernel/random/boot_id').read_text('ascii').strip()} {os.readlink('/proc/self/ns/pid')}"
        )
    except (OSError, ValueError):
        return ""


def read_elsewhere(text: str, host: str) -> Holder:
    """Who is named by a line of another place, where this machine cannot look."""
    match = _LINE.match(text)
    return Holder(int(match[1]), match[4], match[3], host=host) if match else Holder(0, host=host)


def read_holder(text: bytes) -> tuple[Holder, bool]:
    """Who is named by the first line of a lock file, and whether that process lives; another line names nobody."""
    match = _LINE.match(text.decode("ascii", "replace"))
    if match is None:
        return Holder(0), False
    pid, start = int(match[1]), match[2]
    state, began = _seen(pid)
    alive = bool(state) and start == began
    return Holder(pid, match[4], match[3], alive and state in _STOPPED), alive


@lru_cache(maxsize=1)
def _me(pid: int) -> str:
    return f"{pid} {_seen(pid)[1]}"


@lru_cache(maxsize=1)
def _command(argv: tuple[str, ...]) -> str:
    """The program and its command, never what was given to it: that may be anybody's words."""
    path = Path(argv[0] if argv else "")
    program = path.parent.name if path.name == "__main__.py" else path.name.removeprefix("-c").removeprefix("-m")
    words = [re.sub(r"[^\w.-]", "", program, flags=re.ASCII).lstrip("-")[:40] or "python"]
    words += [each for each in argv[1:] if _WORD.fullmatch(each)]
    return " ".join(words)


def _seen(pid: int) -> tuple[str, str]:
    """The letter of a process's state and the tick at which it began, which tells it from a later one of its number.

    Both are empty for a process that is gone or a zombie; a system without /proc knows no ticks.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return ("", "") if fields[0] in "ZX" else (fields[0], fields[19])
    except (OSError, IndexError):
        pass
    if os.path.exists("/proc/self/stat"):
        return "", ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "", ""
    except (OSError, OverflowError):
        pass
    return "?", "0"
