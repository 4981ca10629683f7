"""Playing a session in a test: a clock that is set by hand, and a caller that quotes revisions by itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from phases.anygen.sandbox import Sandbox
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.history import audit
from workflow.local.clock import SystemClock
from workflow.local.settings import Settings
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ports import Store
from workflow.model.reply import Option, Reply
from workflow.model.session import Turn
from workflow.store.memory import MemoryStore


@dataclass
class HandClock:
    """Time that passes only when it is told to; ``slept`` lists every pause that was asked for, in seconds."""

    wall: float = 1_800_000_000.0
    boot: float = 1_000.0
    boot_id: str = "boot-1"
    slept: list[float] = field(default_factory=list)

    def now(self) -> Instant:
        """This moment."""
        return Instant(self.wall, self.boot, self.boot_id)

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        """Let time go by on both clocks."""
        self.wall += seconds
        self.boot += seconds


def at_the_time() -> HandClock:
    """A clock for sessions that processes go on with: an hour behind theirs, so that no wait gets ahead of them."""
    now = SystemClock().now()
    return HandClock(now.wall - 3600, now.boot - 3600, now.boot_id)


def settings_in(folder: Path, **values: Any) -> Settings:
    """Settings of nobody in particular, kept in this folder."""
    return Settings(file=folder / "config" / "config.toml", state=folder / "state", **values)


def configuration(folder: Path) -> Path:
    """A configuration that exists, for ``PHASEGATE_CONFIG``: it sets nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "config.toml"
    file.write_text("# Nothing is set: the defaults apply.\n", encoding="utf-8")
    return file


def at_home(folder: Path) -> Path:
    """Let the store in this folder, which is a copy, take it for the place where it was made."""
    pen = apsw.Connection(str(folder / "phasegate.db"))
    pen.execute("UPDATE identity SET path = ?", (os.fsencode(os.path.realpath(folder / "phasegate.db")),))
    pen.close()
    return folder


@contextmanager
def gone(sandbox: Sandbox) -> Iterator[None]:
    """Nothing listens at its address, and nothing else begins to meanwhile."""
    sandbox.stop()
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", int(sandbox.url.rpartition(":")[2])))
        yield


@dataclass
class Player:
    """Drives one session: each call is one turn; ``reply`` is the last answer."""

    engine: Engine
    bundle: str
    sandbox: str | None
    name: str = ""
    reply: Reply = field(default_factory=Reply)
    heard: bool = True
    """Whether replies are confirmed as said, as the command does after printing."""

    def start(
        self,
        input: Mapping[str, Any],
        *,
        language: str | None = None,
        host: str = "generic",
        turn_id: str | None = None,
    ) -> Reply:
        """Begin; the session's name is remembered."""
        turn = Turn("start", input, turn_id=turn_id)
        self.reply = self.engine.start(
            turn, bundle=self.bundle, language=language, host=host, sandbox=self.sandbox, profile="tester"
        )
        self.name = self.reply.session or ""
        return self.reply

    def send(
        self,
        event: str | None,
        input: Mapping[str, Any] | None = None,
        *,
        quote: str | None = None,
        items: Sequence[str] | None = None,
        revision: int | None = -1,
        turn_id: str | None = None,
        language: str | None = None,
        strength: str = "relayed",
        seen: str | None = "",
        translation: str | None = None,
    ) -> Reply:
        """One turn; quotes the revision and the token of the reply before unless told otherwise."""
        expected = self.reply.revision if revision == -1 and event else revision
        turn = Turn(
            event,
            dict(input or {}),
            quote=quote,
            items=tuple(items) if items is not None else None,
            turn_id=turn_id,
            expect_revision=None if expected == -1 else expected,
            seen=self.reply.seen if seen == "" and event else seen or None,
            strength=strength,
            translation=translation,
        )
        self.reply = self.engine.advance(self.name, turn, language=language)
        if self.heard:
            self.engine.confirm(self.reply)
        return self.reply

    def watch(self, most: int = 500) -> int:
        """Watch as a monitor would, on the clock of the test; returns the number of looks."""
        for count in range(1, most + 1):
            found = self.engine.look(self.name)
            if found.moved:
                return count
            self.engine.world.clock.sleep(found.every)
        raise AssertionError(f"nothing moved in {most} looks")

    def journal(self, *kinds: str) -> list[Entry]:
        """The entries, or those of these kinds."""
        return [entry for entry in audit.entries(self.engine, self.name) if not kinds or entry.kind in kinds]

    def texts(self) -> list[str]:
        """What the last reply says, message by message."""
        return [said.text for said in self.reply.say]

    def says(self) -> list[str]:
        """The names of the messages in the last reply."""
        return [said.id for said in self.reply.say]

    def option(self, event: str) -> Option:
        """What the last reply says of an event."""
        return next(option for option in self.reply.next if option.event == event)


def player(
    folder: Path,
    bundle: Path,
    sandbox: str | None,
    *,
    store: Store | None = None,
    clock: HandClock | None = None,
    environ: Mapping[str, str] | None = None,
    **settings: Any,
) -> Player:
    """A player with an engine of its own, in a folder of its own."""
    engine = open_engine(
        store=store or MemoryStore(),
        clock=clock or HandClock(),
        environ={"HOME": str(folder), **(environ or {})},
        base=folder,
        settings=settings_in(folder, **settings),
    )
    return Player(engine, str(bundle), sandbox)
