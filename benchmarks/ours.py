"""Phasegate in process: the whole engine on its SQLite store, nothing turned off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.work import words
from workflow.compose import open_engine
from workflow.local.settings import Settings
from workflow.model.journal import Entry
from workflow.model.ports import Held
from workflow.model.reply import Reply
from workflow.model.session import Session, Turn
from workflow.store.sqlite import SqliteStore

BUNDLE = Path(__file__).parent / "bundle"
NOWHERE = "http://127.0.0.1:9"
"""With a sandbox's address a session has a key; no turn of the bundle makes a call."""


class RecordingStore(SqliteStore):
    """Remembers each commit, so that the floor can be made to write the same bytes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.commits: list[tuple[Sequence[Entry], Session]] = []

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Remembered, then written."""
        self.commits.append((tuple(entries), session))
        super().append(held, entries, session, status)


class Ours:
    """One session, another for each ``run``, or that of this name; each turn loads it, and quotes the reply before."""

    def __init__(self, folder: Path, store: SqliteStore | None = None, name: str = "", run: str = "first") -> None:
        self.store = store or SqliteStore(folder)
        settings = Settings(file=folder / "config.toml", state=folder)
        self.engine = open_engine(store=self.store, environ={"HOME": str(folder)}, base=folder, settings=settings)
        first = Turn("start", {"words": words(0)}, turn_id=run)
        begin = self.engine.status(name) if name else self.engine.start(first, bundle=str(BUNDLE), sandbox=NOWHERE)
        self._reply = _accepted(begin)
        self.name = begin.session or ""

    def turn(self, number: int) -> str:
        """A plain turn."""
        return self._take(Turn("answer", {"words": words(number)}, expect_revision=self._reply.revision))

    def pay(self, number: int) -> str:
        """A turn with an answer to a gate, an intent and a result; possible where the offer stands."""
        return self._take(
            Turn("approve", quote="Yes, go ahead", expect_revision=self._reply.revision, seen=self._reply.seen)
        )

    def to_offer(self) -> None:
        """Go on to the state from which can be paid."""
        while self._reply.state != "order.offering":
            self.turn(0)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _take(self, turn: Turn) -> str:
        self._reply = _accepted(self.engine.advance(self.name, turn))
        self.engine.confirm(self._reply)
        return self._reply.say[0].text


def opened(folder: Path, variant: str) -> Ours:
    """There is one way to use it."""
    return Ours(folder)


def _accepted(reply: Reply) -> Reply:
    if reply.error:
        raise RuntimeError(f"the turn was refused: {reply.error.message}")
    return reply
