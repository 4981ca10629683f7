"""Named failpoints: the engine on ports that kill their process, just before or just after what they do.

They are put in by composing the engine anew in the process that is to die: no code of production knows of them.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from workflow.bundle import Bundle
from workflow.cli.agent import turns
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.local.settings import read_settings
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Connection, Held, Response, Service, Upload
from workflow.model.session import Session
from workflow.store.sqlite import SqliteStore


class Fuse:
    """Counts the points that are passed, by name; blows at the ``count``-th of one, or writes all down to ``log``."""

    def __init__(self, *, name: str = "", count: int = 0, log: str = "") -> None:
        self._target = (name, count)
        self._log = Path(log) if log else None
        self._passed: Counter[str] = Counter()

    def at(self, name: str) -> None:
        """Pass the point of this name; the process may end here, by SIGKILL."""
        self._passed[name] += 1
        if (name, self._passed[name]) == self._target:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._log:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        """Two points: before it and after it; what fails has only the first."""
        self.at(f"before {what}")
        yield
        self.at(f"after {what}")


class FusedStore(SqliteStore):
    """The store of every turn, with a point on both sides of each write and each hold."""

    def __init__(self, folder: Path, fuse: Fuse) -> None:
        self._fuse = fuse
        with fuse.around("opening the store"):
            super().__init__(folder)

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """Hold the session, as ever."""
        return self._fused_hold(super().hold(name, wait, part))

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write; the point is named after what is written, such as ``before event+intent``."""
        with self._fuse.around("+".join(entry.kind for entry in entries)):
            super().append(held, entries, session, status)

    def keep_definition(self, key: str, content: str) -> None:
        """Keep it."""
        with self._fuse.around("definition"):
            super().keep_definition(key, content)

    def first_time(self, profile: str, occasion: str) -> bool:
        """Record it."""
        with self._fuse.around("occasion"):
            return super().first_time(profile, occasion)

    def begin_ledger(self, time: str) -> None:
        """Make it."""
        with self._fuse.around("making the ledger"):
            super().begin_ledger(time)

    def enter(self, payment: Payment) -> None:
        """Write it down: before this the call has not left, and after it nobody knows."""
        with self._fuse.around("ledger line"):
            super().enter(payment)

    @contextmanager
    def _fused_hold(self, held: AbstractContextManager[Held]) -> Iterator[Held]:
        with self._fuse.around("hold"):
            hold = held.__enter__()
        try:
            yield hold
        finally:
            with self._fuse.around("release"):
                held.__exit__(None, None, None)


class FusedService:
    """The service, with a point before the request leaves and one after its answer is there."""

    def __init__(self, service: Service, fuse: Fuse) -> None:
        self._service = service
        self._fuse = fuse

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        upload: Upload | None = None,
        timeout: float,
    ) -> Response:
        """One request."""
        with self._fuse.around("call"):
            return self._service.call(
                method, path, query=query, headers=headers, json=json, upload=upload, timeout=timeout
            )


def install(wish: Mapping[str, Any]) -> None:
    """Let the commands of this process open an engine on fused ports; ``wish`` is what `Fuse` takes."""
    fuse = Fuse(**wish)

    def fused(**given: Any) -> Engine:
        settings = given.pop("settings", None) or read_settings(os.environ)
        engine = open_engine(settings=settings, store=FusedStore(settings.state_folder, fuse), **given)
        connect = engine.world.connect

        def connected(bundle: Bundle, session: Session) -> Connection:
            real = connect(bundle, session)
            return Connection(real.base_url, lambda: FusedService(real.make_service(), fuse), real.key, real.notices)

        return Engine(replace(engine.world, connect=connected))

    vars(turns)["open_engine"] = fused
