"""The ledger's files: one beside the store, and one elsewhere if the configuration names it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow.local.private import open_trusted, read_up_to
from workflow.model.errors import LedgerUnusable, SetBack, StoreError
from workflow.model.journal import receipt
from workflow.model.ledger import Ledger, LedgerDamaged, Payment, is_whole, opening, read, written
from workflow.model.surface import Machine
from workflow.store import read_body

BESIDE = "ledger.jsonl"
"""The name of the file beside the store."""
LONGEST = 64 * 1024
"""Bytes at its end in which an unfinished line is looked for."""
PATIENCE, _PAUSE = 5.0, 0.01
"""Seconds to wait for another process that uses a ledger, and between two tries."""
MOST = 256 * 1024**2
"""Bytes of a ledger; a payment takes some 300."""
ADOPT = Machine("Look at what was paid for, then run `workflow-admin adopt`.")


def check_known(session: str, paid: Iterable[Payment], known: Container[str]) -> None:
    """Raise :class:`SetBack` if a ledger knows a call of the session whose intent is not among those of its journal."""
    unknown = [each for each in paid if each.session == session and each.entry not in known]
    if unknown:
        last = unknown[-1]
        message = (
            f"{session} was set back: the ledger knows a call of '{last.action}' at {last.time} that its log does not"
        )
        raise SetBack(message, ADOPT)


def journalled(store: str, intents: Iterable[Sequence[Any]]) -> Iterator[Payment]:
    """The paid calls of a store's journals; of those whose content was erased nothing is left to write.

    ``intents`` are (session, sequence, hash, time, text of the body).
    """
    for session, seq, hash_, when, text in intents:
        body = read_body(session, seq, text)
        if body is not None:
            yield Payment(store, body["call"], session, body["action"], receipt(seq, hash_.hex()), when)


class Ledgers:
    """All ledgers of a store. Each of them has to be whole and to know the store before a paid call leaves.

    ``owner`` is the uid of the store's owner, whose ledgers can be read as well as one's own.
    """

    def __init__(self, beside: Path, elsewhere: Path | None = None, *, owner: int | None = None) -> None:
        named = [elsewhere] if elsewhere and os.path.realpath(elsewhere) != os.path.realpath(beside) else []
        others = (LedgerFile(path, links=True, owner=owner) for path in named)
        self.files = (LedgerFile(beside, links=False, owner=owner), *others)

    def load(self, *, salvage: bool = False) -> dict[str, Ledger]:
        """What each file says, by its path."""
        return {str(file.path): file.load(salvage=salvage) for file in self.files}

    def begin(self, store: str, when: str) -> None:
        """Let each ledger know ``store``; a ledger that does not exist is made."""
        for file in self.files:
            file.begin(store, when)

    def enter(self, payment: Payment) -> None:
        """Write a payment down, durably in each ledger; raises :class:`LedgerUnusable` where that is not possible."""
        for file in self.files:
            file.append([payment.as_json()])

    def restart(self, store: str, after: str, when: str, known: Sequence[Payment]) -> list[str]:
        """Write what is ``known`` to each ledger that lost it, and begin ``store``; a damaged ledger is moved aside.

        ``after`` is what the store was before: a copy that is still that one is an older copy from now on.

        Returns the names of the files that were moved.
        """
        moved = []
        for file in self.files:
            try:
                ledger = file.load()
            except DamagedLedger:
                moved.append(file.move_aside())
                ledger = Ledger()
            there = {(each.session, each.entry) for each in ledger.payments}
            lost = [each.as_json() for each in known if (each.session, each.entry) not in there]
            file.append([*lost, opening(store, when, after)])
        return moved

    def settle(self, store: str, before: str, when: str) -> None:
        """Note that a person has settled what each ledger knows of ``store`` under an id that it had ``before``."""
        for file in self.files:
            file.append([opening(store, when, before)])


class DamagedLedger(SetBack):
    """A ledger that has a damaged line."""


class LedgerFile:
    """One append-only file; ``links`` says whether a link may lead to it."""

    def __init__(self, path: Path, *, links: bool, owner: int | None = None) -> None:
        self.path = path
        self._links = links
        self._owner = owner

    def load(self, *, salvage: bool = False) -> Ledger:
        """What it says, nothing if it does not exist; raises :class:`SetBack` for a damaged one.

        ``salvage`` leaves out damaged lines, for a person who looks at what is left.
        """
        with self._open(make=False) as file:
            return Ledger() if file is None else self._read(file, salvage)

    def begin(self, store: str, when: str) -> None:
        """Let it know ``store``, unless it does; whether it is whole was found out by :meth:`load`."""
        with self._open(make=True) as file:
            assert file is not None
            content = self._content(file)
            if f'"store":"{store}"'.encode() not in content[: content.rfind(b"\n") + 1]:
                self._write(file, [opening(store, when)])

    def append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Write whole lines and wait for the disk; raises :class:`LedgerUnusable`, also where a part was written."""
        with self._open(make=True) as file:
            assert file is not None
            self._write(file, lines)

    def move_aside(self) -> str:
        """Give a damaged ledger another name beside it, and return that name."""
        number = 1
        while os.path.lexists(aside := f"{self.path}.damaged-{number}"):
            number += 1
        try:
            os.rename(self.path, aside)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be moved aside: {error.strerror}", "Move it yourself.") from error
        return aside

    def _read(self, file: int, salvage: bool) -> Ledger:
        try:
            return read(self._content(file), salvage=salvage)
        except LedgerDamaged as error:
            raise DamagedLedger(f"line {error.number} of the ledger {self.path} is damaged", ADOPT) from error

    def _content(self, file: int) -> bytes:
        try:
            os.lseek(file, 0, os.SEEK_SET)
            content = read_up_to(file, MOST)
        except OSError as error:
            raise LedgerUnusable(f"{self.path} cannot be read: {error.strerror or error}", "Check the disk.") from error
        if len(content) > MOST:
            hint = Machine("Move it away, then run `workflow-admin adopt`, which begins another.")
            raise SetBack(f"{self.path} is larger than {MOST // 1024**2} MiB", hint)
        return content

    def _write(self, file: int, lines: Sequence[Mapping[str, Any]]) -> None:
        content = b"".join(written(line) for line in lines)
        try:
            size = os.fstat(file).st_size
            end = os.pread(file, LONGEST, max(0, size - LONGEST))
            rest = end[end.rfind(b"\n") + 1 :]
            if is_whole(rest):  # its line break alone is gone
                content = b"\n" + content
            elif rest:  # a line that was never finished, so that its call never left
                os.ftruncate(file, size - len(rest))
            if size == 0:
                _keep_name(self.path.parent)
            if os.write(file, content) != len(content):
                raise OSError(errno.ENOSPC, "only a part of the line was written")
            os.fsync(file)
        except OSError as error:
            hint = "Free some space, or fix the disk. Then try again."
            raise LedgerUnusable(f"{self.path} cannot be written: {error.strerror or error}", hint) from error

    @contextmanager
    def _open(self, *, make: bool) -> Iterator[int | None]:
        """The file, with its lock; None if it does not exist and is not to be made."""
        file = open_trusted(self.path, LedgerUnusable, make=make, links=self._links, owner=self._owner)
        if file is None:
            yield None
            return
        try:
            self._lock(file, fcntl.LOCK_EX if make else fcntl.LOCK_SH)
            yield file
        finally:
            os.close(file)

    def _lock(self, file: int, how: int) -> None:
        """Wait for others who read or write it, and never longer than a person waits for a cancellation."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    told = f"{self.path} is in use by another process for more than {PATIENCE:.0f} s"
                    raise LedgerUnusable(told, "Find the process that holds it, or end it. Then try again.") from error
                time.sleep(_PAUSE)
            except OSError as error:
                told = f"{self.path} cannot be used: {error.strerror or error}"
                raise LedgerUnusable(told, "Check the disk.") from error


def _keep_name(folder: Path) -> None:
    """Make the name of a new file durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
