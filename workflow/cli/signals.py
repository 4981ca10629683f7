"""Signals that end a command immediately: what the system does by itself for all but a container's first process."""

from __future__ import annotations

import os


def end_as_first() -> None:
    """As PID 1, for which the kernel's own actions do not exist, let SIGTERM and SIGHUP end the process."""
    if os.getpid() == 1:
        end_immediately("SIGTERM", "SIGHUP")


def end_immediately(*names: str) -> None:
    """Let each of these signals end the process with 128 + its number, unless the caller wants it ignored.

    Nothing is tidied up, as nothing is after a kill: what was acknowledged is in the store.
    """
    import signal  # a turn does not pay for it

    for name in names:
        number = signal.Signals[name]
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: os._exit(128 + number))
