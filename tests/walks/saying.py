"""Random interleavings of all who may speak: ``python -m tests.walks.saying --rounds N``.

A main session that takes turns, monitors that look, sub-agents that speak; each step of one may come between any two
of another, any of them may die before, between or after, and time passes. Counted is what the user has heard.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from phases.anygen.sandbox import SANDBOX_KEY, Request
from phases.anygen.sandbox.service import Declined, Service
from tests.playing import HandClock, settings_in
from workflow.bundle import Bundle, open_bundle
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.machine.superseded import of_waits
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.ports import Connection, Held, Response, Upload
from workflow.model.reply import Reply
from workflow.model.session import Session, Turn
from workflow.model.strict_json import write_json
from workflow.store.memory import MemoryStore

BUNDLE = Path(__file__).parents[2]
URL = "http://127.0.0.1:1"
HOSTS = ("openclaw", "openclaw", "openclaw-subagent", "openclaw-subagent", "claude-code", "generic")
CHANGES = ("Darker", "Add a moon", "Bigger letters")
ENDPOINTS = {"prepare": "prepare", "tasks": "create", "messages": "send"}

Steps = Generator[None, None, None]
"""Somebody at work: between two steps anybody else may do theirs, or death may come."""


class Killed(BaseException):
    """The process is gone; nothing in it gets to tidy up."""


class MortalStore(MemoryStore):
    """Lets the writing process die just before or just after a write, now and then."""

    dice: random.Random | None = None

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, unless this is where the process dies."""
        fate = self.dice.random() if self.dice else 1.0
        if fate < 0.02:
            raise Killed
        super().append(held, entries, session, status)
        if fate < 0.05:
            raise Killed


class Wire:
    """The sandbox's service without its wire: calls in memory, as the engine's own HTTP layer would make them."""

    def __init__(self, service: Service) -> None:
        self._service = service

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
        """One request, and its answer."""
        parts = path.removeprefix("/v1/openapi/").split("/")
        endpoint = ENDPOINTS[parts[-1]] if method == "POST" else "messages" if parts[-1] == "messages" else "task"
        named = {name: str(value) for name, value in (query or {}).items()}
        asked = Request(method, path, named, {"authorization": f"Bearer {SANDBOX_KEY}"}, json, (), {}, 0.0)
        try:
            status, body = 200, self._service.perform(endpoint, asked, parts[1] if len(parts) > 1 else "")
        except Declined as declined:
            status, body = declined.status, declined.body
        return Response(status, {}, write_json(body).encode(), None)


class Round:
    """One session and everybody around it; the seed decides all of it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = HandClock()
        self.store = MortalStore()
        self.service = Service(rounds=1, looks=self.dice.randint(1, 4))
        self.service.url = URL
        self.engine = self._process()
        self.heard: list[tuple[str, bool, str]] = []
        """What reached the user: the owed message, whether it was marked as perhaps said, and who told it."""
        self.unmarked = 0
        """Open questions that were put again as if they were new."""
        self.deaths = 0
        self.latest = self.engine.start(
            Turn("start", {"words": "A poster"}), host=self.dice.choice(HOSTS), sandbox=URL, profile="tester"
        )
        self.name = self.latest.session or ""
        self._hear(self.latest, "main")
        self._untold: Turn | None = None
        self._main = self._conversation()
        self._monitors: list[Steps] = []

    def play(self) -> None:
        """Everybody in some order, deaths included; then what is begun is ended, and the main session is alone."""
        self.store.dice = self.dice
        for _ in range(self.dice.randint(20, 60)):
            self._come()
            self._step(self.dice.choice([self._main, *self._monitors]))
            if self.dice.random() < 0.1:
                self.clock.pass_(self.dice.choice([1, 30, 61, 500, 1300]))
            if self.dice.random() < 0.05:
                self.engine = self._process()
            if self.dice.random() < 0.05:
                self._doom()
        self.store.dice = None
        self.service.looks = 1
        for steps in (*self._monitors, self._main):
            for _ in steps:
                pass
        for _ in range(3):  # a turn that was lost, then news, then nothing
            for _ in self._turn(self._untold or Turn()):
                pass

    def owed(self) -> list[str]:
        """Every message that was ever owed to the user."""
        entries = self.store.entries(self.name)
        return [f"{entry.seq}.{n}" for entry in entries for n, _ in enumerate((entry.body or {}).get("owe", ()))]

    def superseded(self) -> set[str]:
        """The messages that gave way to a later one: each may have been said before, or told of a wait that is over."""
        waits, said, gone = of_waits(_opened().definition), set[str](), set[str]()
        names: dict[str, str] = {}
        for entry in self.store.entries(self.name):
            body = entry.body or {}
            for each in body.get("gone", ()):
                assert each in said or names[each] in waits, f"{each} ({names[each]}) was said by nobody"
                gone.add(each)
            names |= {f"{entry.seq}.{n}": name for n, name in enumerate(body.get("owe", ()))}
            if entry.kind == "reply":
                said |= {*body["claimed"], *body["said"]}
        return gone

    def overlaps(self) -> set[str]:
        """The messages that were claimed again before an earlier claim was confirmed, or whose reply was taken back."""
        claimed: set[str] = set()
        said: set[str] = set()
        twice: set[str] = set()
        for entry in self.store.entries(self.name):
            body = entry.body or {}
            if entry.kind == "reply":
                twice |= claimed & {*body["claimed"], *body["said"]}
                claimed = (claimed | set(body["claimed"])) - set(body["said"])
                said |= set(body["said"])
            elif entry.kind == "unsaid":
                twice |= said
            elif entry.kind == "confirm":
                claimed -= set(body["said"])
        return twice

    def _conversation(self) -> Steps:
        """One turn of the main session; one whose reply was lost is sent again as it was."""
        yield from self._turn(self._untold or self._next_turn())

    def _turn(self, turn: Turn) -> Steps:
        """A turn, its reply to the user, the confirmation."""
        self._untold = turn
        reply = self.engine.advance(self.name, turn)
        yield
        self._hear(reply, "main")
        self.latest, self._untold = reply, None
        yield
        self.engine.confirm(reply)

    def _next_turn(self) -> Turn:
        """What a sensible agent does next; more often than not it asks what is new."""
        offered = {each.event for each in self.latest.next}
        revision, seen = self.latest.revision, self.latest.seen
        if "approve" in offered:
            return Turn("approve", quote="Yes", expect_revision=revision, seen=seen)
        event = self.dice.choice([None, None, *(each for each in ("modify", "check", "retry") if each in offered)])
        if event == "modify":
            words = self.dice.choice(CHANGES)
            return Turn("modify", {"words": words}, quote=words, expect_revision=revision, seen=seen)
        return Turn(event, expect_revision=revision if event else None, seen=seen)

    def _come(self) -> None:
        """Now and then another monitor, of a kind that the host can run."""
        ways = [each["how"] for each in self.latest.watch.get("ways", ())] if self.latest.watch else []
        if ways and len(self._monitors) < 3 and self.dice.random() < 0.5:
            self._monitors.append(self._watch(speaks=self.dice.choice(ways) == "subagent"))

    def _watch(self, *, speaks: bool) -> Steps:
        """Look until something has happened; a monitor that speaks claims it, says it, confirms it."""
        while not self.engine.look(self.name).moved:
            yield
        if speaks:
            yield
            reply = self.engine.speak_as_watcher(self.name)
            yield
            self._hear(reply, "watcher")
            yield
            self.engine.confirm(reply)

    def _step(self, steps: Steps) -> None:
        """The next step of somebody, or their death."""
        try:
            if self.dice.random() < 0.08:
                raise Killed
            next(steps)
        except (Killed, StopIteration) as end:
            self.deaths += isinstance(end, Killed)
            steps.close()
            if steps is self._main:
                self._main = self._conversation()
            else:
                self._monitors.remove(steps)

    def _doom(self) -> None:
        """The service fails at what it is doing."""
        for task in self.service.tasks:
            self.service.doom_task(task)
            self.service.doom_reply(task)

    def _hear(self, reply: Reply, by: str) -> None:
        """The user hears a reply; which of the owed messages these were, the journal knows."""
        if not reply.say:
            return
        seq = int((reply.receipt or "").partition(":")[0])
        entry = next(self.store.entries(self.name, seq - 1))
        made_before = int((reply.seen or "").partition("-")[0]) < seq  # a reply that has an entry was made before it
        body = entry.body if made_before and entry.body else {"claimed": [], "said": []}
        told = [*body["claimed"], *body["said"]]
        again = reply.say[len(told) :]  # the open question, which no turn has shown to have arrived
        self.unmarked += sum(not said.maybe_said for said in again)
        self.heard += [(each, said.maybe_said, by) for each, said in zip(told, reply.say, strict=False)]

    def _process(self) -> Engine:
        """A process of its own on the same store."""
        engine = open_engine(
            store=self.store, clock=self.clock, environ={"HOME": "/nowhere"}, base=Path("/"), settings=_SETTINGS
        )
        wire = Wire(self.service)
        connection = Connection(URL, lambda: wire, lambda: SANDBOX_KEY)
        engine.world = replace(engine.world, open_bundle=_bundle, connect=lambda bundle, session: connection)
        return engine


def count(seeds: Iterable[int]) -> Counter[str]:
    """What came of these rounds; ``twice`` and ``never`` break the promise."""
    sums: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    for seed in seeds:
        played = Round(seed)
        played.play()
        sums += Counter(rounds=1, deaths=played.deaths)
        sums["twice"] += played.unmarked
        overlaps, superseded = played.overlaps(), played.superseded()
        for owed in played.owed():
            tellings = [(marked, by) for told, marked, by in played.heard if told == owed]
            plain = sum(not marked for marked, _ in tellings)
            sums["messages"] += 1
            sums["told by a monitor"] += any(by == "watcher" for _, by in tellings)
            sums["offered as maybe said"] += plain < len(tellings)
            sums["told before and offered as maybe said"] += bool(plain) and plain < len(tellings)
            sums["twice"] += plain > 1
            sums["superseded"] += not tellings and owed in superseded
            sums["never"] += not tellings and owed not in superseded
            sums["marked outside the window"] += plain < len(tellings) and owed not in overlaps
            if plain > 1 or (not tellings and owed not in superseded):
                print(f"seed {seed}: {owed} {tellings}", file=sys.stderr)
    return sums


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was counted; 1 if anything was said twice or never."""
    parser = argparse.ArgumentParser(prog="python -m tests.walks.saying", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000, help="how many sessions")
    parser.add_argument("--seed", type=int, default=0, help="of the first; each next one has the next")
    chosen = parser.parse_args(arguments)
    begun = time.perf_counter()
    sums = count(range(chosen.seed, chosen.seed + chosen.rounds))
    for name in COUNTED:
        print(f"{sums[name]:>9,}  {name}")
    print(f"{time.perf_counter() - begun:9.1f}  seconds")
    return 1 if any(sums[name] for name in BROKEN) else 0


BROKEN = ("twice", "never", "marked outside the window")
COUNTED = (
    *("rounds", "deaths", "messages", "told by a monitor", "offered as maybe said"),
    *("told before and offered as maybe said", "superseded", *BROKEN),
)
_SETTINGS = settings_in(Path("/nowhere"))


@cache
def _opened() -> Bundle:
    return open_bundle(BUNDLE)


def _bundle(path: str) -> Bundle:
    return _opened()


if __name__ == "__main__":
    sys.exit(main())
