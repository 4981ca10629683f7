"""A command on a terminal of its own, and somebody who types."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds until a terminal that says nothing is given up."""
AGAIN = 3.0
"""Seconds until Ctrl-C is typed again: just before a read begins, Python takes note of it only behind the next key."""


class Terminal:
    """A process whose stdin, stdout and stderr are one terminal of 80 columns; killed where a test leaves it."""

    def __init__(self, *command: str) -> None:
        self.shown = ""
        self._read = 0
        self._process, self._end = pty.fork()
        if self._process == 0:
            os.environ.update(PYTHONPATH=str(ROOT), TERM="dumb", COLUMNS="80", LANG="C.UTF-8")
            os.execv(sys.executable, [sys.executable, *command])

    def expect(self, text: str) -> None:
        """Read until ``text`` is shown, behind what was expected before."""
        until = time.monotonic() + PATIENCE
        while (place := self.shown.find(text, self._read)) < 0:
            assert self._more(until), f"{text!r} was not shown:\n{self.shown}"
        self._read = place + len(text)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._end, f"{text}\r".encode())

    def interrupt(self) -> int:
        """Type Ctrl-C until it ends; the exit code."""
        for _ in range(round(PATIENCE / AGAIN)):
            os.write(self._end, b"\x03")
            until = time.monotonic() + AGAIN
            while select.select([self._end], [], [], max(0.0, until - time.monotonic()))[0]:
                if not self._more(until + AGAIN):
                    return self.end()
        return self.end()

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and type the answer to it."""
        self.expect(question)
        self.type(text)

    def end(self) -> int:
        """Read to the end; the exit code."""
        until = time.monotonic() + PATIENCE
        while self._more(until):
            pass
        _, status = os.waitpid(self._process, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)

    def _more(self, until: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            os.kill(self._process, 9)
            raise AssertionError(f"nothing more in {PATIENCE:.0f} seconds:\n{self.shown}")
        try:
            read = os.read(self._end, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += read.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(read)


def admin(*arguments: str) -> Terminal:
    """``workflow-admin ARGUMENTS`` on a terminal."""
    return Terminal("-c", "from workflow.cli.people.admin import main; main()", *arguments)


def workflow(*arguments: str) -> Terminal:
    """``workflow ARGUMENTS`` on a terminal."""
    return Terminal("-m", "workflow", *arguments)
