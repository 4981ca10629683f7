"""The soak: agents, a watcher and a person on the sessions of one store, and kill -9 at any moment."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Sandbox
from tests import conduct
from tests.crash.matrix import explain, in_memory, paid_calls
from tests.crash.scenes import REFERENCE, drain
from tests.crash.zygote import Ended, Zygote
from tests.playing import Player
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.history import audit
from workflow.local.settings import Settings
from workflow.model.errors import WorkflowError
from workflow.model.reply import Reply

ACTORS = ("agent", "second agent", "watcher", "person")
SESSIONS = 3
"""Sessions at once; one that is over makes room for another."""
KILLED = 0.5
"""How likely a process is to be killed, if it lives as long as its time."""
THINKING = 0.1
"""Seconds that the service takes for a paid call: else hardly a process would die in one."""
EXPECTED = (0, 3, 6, 7, 8)
"""Exit codes: an answer, refused, busy or stale, in doubt, the service's failure."""


@dataclass(frozen=True)
class Soaked:
    """What came of it; ``receipts`` were acknowledged, and each was looked for in the logs afterwards."""

    seed: int
    processes: int
    killed: int
    sessions: int
    turns: int
    approvals: int
    paid: int
    doubts: int
    receipts: int
    lost: int
    duplicated: int
    wrong: tuple[str, ...]


@dataclass
class Live:
    """A session that is acted on: what was last heard of it, and what was ever acknowledged."""

    play: Player
    sandbox: Sandbox
    receipts: set[str] = field(default_factory=set)
    users: int = 0
    over: bool = False


def soak(processes: int, seed: int) -> Soaked:
    """So many processes, in the order that chance and the machine make of ``seed``."""
    with tempfile.TemporaryDirectory(prefix="crash-") as made, in_memory(Path(made)) as memory:
        stage = Stage(Path(made), memory, processes, seed)
        try:
            with ThreadPoolExecutor(len(ACTORS)) as pool:
                for each in [pool.submit(stage.act, actor) for actor in ACTORS]:
                    each.result()
        finally:
            stage.close()
        return stage.result()


class Stage:
    """What the actors share."""

    def __init__(self, folder: Path, memory: Path, processes: int, seed: int) -> None:
        self._folder, self._state, self._seed = folder, memory / "state", seed
        self._left = self._processes = processes
        self._lock = threading.RLock()
        self._live: list[Live] = []
        self._usual = 0.1  # seconds that a process lives, by those that were left alone
        self._counts: Counter[str] = Counter()
        self._wrong: list[str] = []
        settings = Settings(file=folder / "config" / "config.toml", state=self._state)
        self._engine: Engine = open_engine(settings=settings, environ={"HOME": str(folder)}, base=folder)
        for _ in range(SESSIONS):
            self._begin()

    def act(self, actor: str) -> None:
        """One process after another, until all have been."""
        chance = random.Random(f"{self._seed} {actor}")
        folder = self._folder / actor.replace(" ", "-")
        folder.mkdir()
        with Zygote(folder, {"HOME": str(folder), "PHASEGATE_STATE": str(self._state)}) as zygote:
            while self._take():
                with self._chosen(chance) as live:
                    self._send(zygote, live, chance, *self._wish(actor, live, chance))

    def close(self) -> None:
        """Play what is left to the end, and give everything back."""
        for live in self._live:
            self._judge(live)
        self._live.clear()
        self._engine.world.store.close()

    def result(self) -> Soaked:
        """The figures."""
        names = ("killed", "sessions", "turns", "approvals", "paid", "doubts", "receipts", "lost", "duplicated")
        counted = {name: self._counts[name] for name in names}
        return Soaked(seed=self._seed, processes=self._processes, wrong=tuple(self._wrong), **counted)

    def _take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _begin(self) -> None:
        sandbox = Sandbox(rounds=2, looks=1).start()
        for call in ("create", "send"):
            sandbox.fault("slow-headers", on=call, times=0, seconds=THINKING)
        play = Player(self._engine, str(REFERENCE), sandbox.url)
        play.start({"words": conduct.WORDS}, host="claude-code")
        self._live.append(Live(play, sandbox, {play.reply.receipt or ""}))

    @contextmanager
    def _chosen(self, chance: random.Random) -> Iterator[Live]:
        """A session to act on; the last one to leave a session that is over takes it away."""
        with self._lock:
            live = chance.choice(self._live)
            live.users += 1
        try:
            yield live
        finally:
            with self._lock:
                live.users -= 1
                if live.over and not live.users:
                    self._live.remove(live)
                    self._judge(live)
                    self._begin()

    def _wish(self, actor: str, live: Live, chance: random.Random) -> tuple[tuple[str, ...], dict[str, Any] | None]:
        """The command that the actor runs now, as sensible as what was last heard allows."""
        with self._lock:
            reply, name = live.play.reply, live.play.name
            if actor == "watcher":
                return (("watch", name) if reply.status == "watching" else ("status", name)), None
            doubtful = reply.state == "create.unsure" and reply.status == "in_doubt"
            try:
                event = "" if doubtful else conduct.usual(live.play)
            except (AssertionError, KeyError):
                return ("resume", name), None
        if chance.random() < 0.2:
            return ("resume", name), None
        turn: dict[str, Any] = {"seen": reply.seen}
        given = self._truth(live) if doubtful else (event, conduct.GIVEN.get(event, {}))
        turn["input"] = given[1].get("input", {})
        gate = next(each.gate for each in reply.next if each.event == given[0])
        if gate:
            turn["evidence"] = {"quote": given[1]["quote"]}
        return ("answer" if actor == "person" and gate else "advance", name, given[0]), turn

    def _truth(self, live: Live) -> tuple[str, dict[str, Any]]:
        """What the person sees in the account when all that was under way has arrived."""
        drain(live.sandbox)
        known = self._engine.data(live.play.name).get("task_id")
        found = [task for task in conduct.tasks_of(live.sandbox) if task != known]
        if not found:
            return "did_not_happen", {"quote": "no, there is nothing"}
        return "found", {"input": {"task_url": f"{live.sandbox.url}/task/{found[-1]}"}, "quote": "it is here"}

    def _send(
        self, zygote: Zygote, live: Live, chance: random.Random, command: tuple[str, ...], turn: dict[str, Any] | None
    ) -> None:
        process, began = zygote.begin(command, turn), time.monotonic()
        doomed = chance.random() < KILLED
        if doomed and not zygote.ends_within(chance.uniform(0, THINKING + 1.5 * self._usual)):
            with suppress(ProcessLookupError):  # it was quicker
                os.kill(process, signal.SIGKILL)
        ended = zygote.end()
        with self._lock:
            if not doomed:
                self._usual = 0.9 * self._usual + 0.1 * (time.monotonic() - began)
            self._counts["killed"] += ended.killed
            if not ended.killed and (ended.code not in EXPECTED or "Traceback" in ended.err):
                self._wrong.append(f"{' '.join(command)}: exit {ended.code}: {ended.out}{ended.err}")
            self._hear(live, ended)

    def _hear(self, live: Live, ended: Ended) -> None:
        """What was acknowledged must stay; what is newer than what was known is what is known."""
        told = ended.reply
        if told is None or not told.get("session"):
            return
        reply = Reply.from_json(told)
        if reply.receipt:
            live.receipts.add(reply.receipt)
        if _place(reply) >= _place(live.play.reply):
            live.play.reply = reply
        live.over = live.over or reply.state == "over.finished"

    def _judge(self, live: Live) -> None:
        """Play a session to its end, and hold against its log and its service what must be."""
        play = live.play
        try:
            drain(live.sandbox)
            play.reply = self._engine.resume(play.name)
            conduct.finish(play, live.sandbox)
            conduct.check_promises(play, live.sandbox)
            audit.verify(self._engine, play.name)
        except (AssertionError, WorkflowError) as error:
            self._wrong.append(f"{play.name}: {explain(error)}")
        self._count(live)
        live.sandbox.stop()

    def _count(self, live: Live) -> None:
        journal = live.play.journal()
        results = [each.body["set"] for each in journal if each.kind == "result" and each.body]
        known = {each.get("task_id") for each in results}
        paid, intents = len(paid_calls(live.sandbox)), sum(each.kind == "intent" for each in journal)
        self._counts.update(
            sessions=1,
            turns=sum(each.kind in ("started", "event") for each in journal),
            approvals=sum(bool((each.body or {}).get("evidence")) for each in journal if each.kind == "event"),
            paid=paid,
            doubts=sum(each.kind == "doubt" for each in journal),
            receipts=len(live.receipts),
            lost=len(live.receipts - {each.receipt for each in journal})
            + len(set(conduct.tasks_of(live.sandbox)) - known),
            duplicated=max(0, paid - intents),
        )


def _place(reply: Reply) -> tuple[int, int]:
    """How new a reply is."""
    return reply.revision or 0, int((reply.receipt or "0:").partition(":")[0])
