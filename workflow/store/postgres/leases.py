"""Holds as leases: rows that end by the database's clock, renewed while they are held, each with a fence of its own."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from workflow.model.errors import StoreError
from workflow.model.ports import LONGEST_CALL, Held, Holder
from workflow.store.holder import myself, place, read_elsewhere, read_holder
from workflow.store.locks import busy, check_name, lost
from workflow.store.postgres import statements
from workflow.store.postgres.connection import Connection, Connections, fetch_one

LEASE = 30.0
"""Seconds that a hold lasts after it was last renewed, which happens three times as often."""
_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
"""Seconds between two attempts: the first, and the longest that it doubles up to."""


class Leases:
    """The holds of one process. ``lease`` is how many seconds each lasts if nobody renews it."""

    def __init__(self, connections: Connections, lease: float = LEASE) -> None:
        self._connections = connections
        self.lease = lease
        self._begin()

    def _begin(self) -> None:
        self.process = os.getpid()
        self._changed = threading.Condition()
        self._held: set[Lease] = set()
        self._renewer: threading.Thread | None = None

    @contextmanager
    def hold(self, name: str, wait: float, part: str = "") -> Iterator[Lease]:
        """Hold session ``name``, or only this ``part`` of it; raises :class:`SessionBusy` after ``wait`` seconds."""
        check_name(name)
        held = Lease(self, name, part)
        held.retake(wait)
        try:
            yield held
        finally:
            held.release()

    def keep(self, connection: Connection, held: Held, name: str, *, calls: bool) -> None:
        """Within an append's transaction: raise :class:`HoldLost` if it is held by another; renew it otherwise.

        ``calls`` says that a paid call leaves next: the lease then outlasts the longest one, so that nobody else has
        the session while it can still leave or be answered. What is appended after it makes the lease short again.
        """
        if not (isinstance(held, Lease) and held.stands(self, name)):
            raise lost(name)
        lease = self.lease + (LONGEST_CALL if calls else 0.0)
        if connection.execute(statements.KEEP, held.row(lease)).rowcount != 1:
            raise lost(name)

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds session ``name`` now; one of this machine that has died holds nothing."""
        check_name(name)
        with self._connections.one() as connection:
            row = fetch_one(connection, statements.HOLDER, name, part)
        return _holder(*row[:3]) if row else None

    def take(self, name: str, part: str) -> int | None:
        """The fence of a new hold; None if another has it."""
        values = {"name": name, "part": part, "lease": self.lease, "host": socket.gethostname(), "place": place()}
        values["process"] = myself().decode()
        with self._connections.one() as connection:
            row = connection.execute(statements.TAKE, {**values, "dead": -1}).fetchone()
            if row is None:
                found = fetch_one(connection, statements.HOLDER, name, part)
                if found and _holder(*found[:3]) is None:
                    row = connection.execute(statements.TAKE, {**values, "dead": found[3]}).fetchone()
        return None if row is None else int(row[0])

    def give_back(self, held: Lease) -> None:
        """Delete the row; where the database is away, the lease ends by itself."""
        with suppress(StoreError), self._connections.one() as connection:
            connection.execute(statements.RELEASE, held.row(0.0))

    def note(self, held: Lease, *, renews: bool) -> None:
        """Renew this hold from now on, or no more."""
        if self.process != os.getpid():
            self._begin()
        with self._changed:
            (self._held.add if renews else self._held.discard)(held)
            if renews and self._renewer is None:
                self._renewer = threading.Thread(target=self._renew, name="phasegate-leases", daemon=True)
                self._renewer.start()

    def close(self) -> None:
        """Renew nothing any more; idempotent."""
        if self.process != os.getpid():
            return
        with self._changed:
            renewer, self._renewer = self._renewer, None
            self._changed.notify_all()
        if renewer is not None and renewer is not threading.current_thread():
            renewer.join()

    def _renew(self) -> None:
        """Three times in each lease; the thread ends when there is nothing to renew."""
        while True:
            with self._changed:
                self._changed.wait(self.lease / 3)
                if not self._held or self._renewer is not threading.current_thread():
                    if self._renewer is threading.current_thread():
                        self._renewer = None
                    return
                held = list(self._held)
            for each in held:
                with suppress(StoreError), self._connections.one() as connection:
                    connection.execute(statements.RENEW, each.row(self.lease))


class Lease:
    """A hold in hand, by its fence."""

    def __init__(self, leases: Leases, name: str, part: str = "") -> None:
        self.name = name
        self._leases = leases
        self._part = part
        self._fence: int | None = None
        self._process = os.getpid()

    def row(self, lease: float) -> dict[str, object]:
        """Which row it is, for the statements; a hold that was let go is none."""
        fence = -1 if self._fence is None else self._fence
        return {"name": self.name, "part": self._part, "fence": fence, "lease": lease}

    def release(self) -> None:
        """Let go; idempotent."""
        if self._fence is not None and self._process == os.getpid():
            self._leases.note(self, renews=False)
            self._leases.give_back(self)
        self._fence = None

    def retake(self, wait: float = 0.0) -> None:
        """Take it, or take it again; raises :class:`SessionBusy` if another has it for ``wait`` seconds."""
        self.release()
        until, pause = time.monotonic() + wait, _PAUSE
        self._process = os.getpid()
        while (fence := self._leases.take(self.name, self._part)) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise busy(self.name, self._leases.held_by(self.name, self._part))
            time.sleep(min(pause * random.uniform(0.5, 1.0), left))
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._fence = fence
        self._leases.note(self, renews=True)

    def stands(self, leases: Leases, name: str) -> bool:
        """Whether it can be the right to append to this session; the database says whether it still is."""
        mine = (self._leases, self.name, self._part, self._process) == (leases, name, "", os.getpid())
        return mine and self._fence is not None


def _holder(host: str, where: str, process: str) -> Holder | None:
    """Who that is; None for a process of this machine that is known to be gone."""
    if where and where == place():
        holder, alive = read_holder(process.encode())
        return holder if alive else None
    return read_elsewhere(process, host)
