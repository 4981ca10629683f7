"""Random turns, deaths, second callers and clock steps, compared turn by turn with a reference model."""

from __future__ import annotations

import tempfile
from collections import deque
from copy import copy
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conduct import check_promises
from tests.playing import HandClock, Player
from tests.walks.engines import engine_with
from tests.walks.line import (
    ADDRESS,
    DOWN,
    LOST,
    NO,
    OK,
    UNHEARD,
    UNREACHABLE,
    Fate,
    Killed,
    Line,
    MortalStore,
    silent_sandbox,
    tasks,
)
from tests.walks.model import POSSIBLE, WITHIN, Model
from workflow.machine.wishes import MOST
from workflow.model.digest import sha256
from workflow.model.errors import SessionBusy
from workflow.model.journal import fold
from workflow.model.reply import Reply
from workflow.model.session import Session, Turn, Wish

BUNDLE = Path(__file__).parents[2]
FILES = ["ref.png", "other.png"]
EVENTS = sorted({"retry", "note", "nonsense", "start", "late", "check", *sum(POSSIBLE.values(), ())})
GATED = {"approve", "create_now", "found", "happened", "did_not_happen", "consent", "modify", "repeat"}
DAY, YEARS = 86_400.0, 20 * 365.25 * 86_400.0


class Runs:
    """Runs of the reference bundle by two callers on one store, beside the model of them; a method for each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sandbox, self.fate, self.clock = folder, silent_sandbox(), Fate(), HandClock()
        self.line = Line(self.sandbox, self.fate)
        self.store = MortalStore(self.fate)
        self.count, self.since, self.watching_since = 0, 0, 0.0
        self.disk: dict[str, str] = {}
        for name in FILES:
            self.save(name)
        self.model = Model(self.sandbox, self.disk)
        self.reply = Reply()
        self.callers = [self.caller(), self.caller()]
        self.line.meanwhile = self.disturb

    def caller(self) -> Player:
        """A process of its own on the same store, whose service is the line."""
        engine = engine_with(self.store, self.folder, self.line, self.clock)
        return Player(engine, str(BUNDLE), ADDRESS)

    def begin(self, files: list[str], script: list[str], death: tuple[int, bool] | None) -> None:
        """Another run, where the one before has ended, and was looked at."""
        self.check()
        self.since = len(self.sandbox.requests)
        self.reply = Reply()
        self.model = Model(self.sandbox, self.disk)
        for each in self.callers:
            each.name = ""
        self.turn("start", files, FILES, script, death, False)

    def go_on(
        self,
        which: int,
        files: list[str],
        agreed: list[str],
        script: list[str],
        death: tuple[int, bool] | None,
        again: bool,
    ) -> None:
        """One of the events that are possible here; the end only now and then."""
        if self.model.over or (self.model.ended and which % 3 == 0):
            self.begin(files, script, death)
            return
        possible = [each for each in self.model.possible if each not in ("cancel", "finish")] * 8
        possible += self.model.possible
        self.turn(possible[which % len(possible)], files, agreed, script, death, again)

    def press(self, event: str) -> None:
        """An event that is not possible here, or an answer without the person's words: refused, nothing is done."""
        if not self.model.at or (event in self.model.possible and event not in GATED):
            return
        given = {"words": "Warm"} if event in ("answer", "adjust", "modify", "start") else {}
        self.refused(Turn(event, given, expect_revision=self.reply.revision, seen=self.reply.seen), "refused")

    def be_late(self, which: int, behind: int) -> None:
        """An event that was meant for another revision: stale, nothing is done."""
        if self.model.over:
            return
        event = self.model.possible[which % len(self.model.possible)]
        turn = Turn(event, self.given(event, []), quote="yes", expect_revision=(self.reply.revision or 0) - behind)
        self.refused(turn, "stale")

    def let_time_pass(self, seconds: float, jump: float) -> None:
        """Time goes by, the wall may jump besides; a turn without an event keeps the deadline, and only that."""
        self.clock.pass_(seconds)
        self.clock.wall += jump
        if self.model.over:
            return
        before = self.model.at
        self.reply = self.callers[0].engine.advance(self.callers[0].name, Turn())
        self.model.wait(self.clock.boot - self.watching_since)
        self.compare(before)

    def keep(self) -> None:
        """A wish for a change: kept until the session is over, and nothing moves for it."""
        if not self.model.at:
            return
        self.count += 1
        before, kept = self.model.at, len(self.wishes())
        turn = Turn("note", {"words": f"Wish number {self.count}", "for": "modify"}, turn_id=f"t{self.count}")
        reply = self.callers[0].engine.advance(self.callers[0].name, turn)
        taken = not self.model.over and kept < MOST
        assert (len(self.wishes()), reply.state) == (kept + taken, before)
        assert reply.ok == taken
        self.reply = reply if taken else self.reply

    def wishes(self) -> tuple[Wish, ...]:
        """What waits in the session."""
        session = self.store.load(self.callers[0].name)
        return session.wishes if session else ()

    def save(self, name: str) -> None:
        """The person saves another picture under the same name."""
        self.count += 1
        content = f"picture {self.count}".encode()
        (self.folder / name).write_bytes(content)
        self.disk[name] = sha256(content)

    def spoil(self) -> None:
        """What the service works at is going to fail."""
        for task in tasks(self.sandbox):
            self.sandbox._service.doom_task(task)
            self.sandbox._service.doom_reply(task)

    def check(self) -> None:
        """At most one paid call for each answer, nothing sent without consent, and the journal is the session."""
        if not self.model.at:
            return
        check_promises(self.callers[0], self.sandbox, self.since)
        seen = self.sandbox.requests[self.since :]
        assert sum(each.path.endswith("/tasks") for each in seen) <= self.model.orders
        assert sum(each.method == "POST" and each.path.endswith("/messages") for each in seen) <= self.model.changes
        assert {part.sha256 for each in seen for part in each.files} <= self.model.ever_agreed
        self.check_doubts()

    def check_doubts(self) -> None:
        """A doubt ends by the person's own answer, or because the call was found; by nothing else."""
        session: Session | None = None
        told = False
        for entry in self.store.entries(self.callers[0].name):
            before, session, body = session, fold(session, entry), entry.body or {}
            if entry.kind == "doubt":
                told = False
            told = told or any(each["gate"] == "outcome_told" for each in body.get("evidence", ()))
            if before and before.doubt and not session.doubt:
                assert told or body["verdicts"]["was_sent"] is True

    def turn(
        self,
        event: str,
        files: list[str],
        agreed: list[str],
        script: list[str],
        death: tuple[int, bool] | None,
        again: bool,
    ) -> None:
        """One accepted turn by one caller; sent again by the other one if its process died, or to see it replayed."""
        self.count += 1
        turn = self.make(event, files, agreed)
        one, other = self.callers if self.count % 2 else self.callers[::-1]
        before, calls = copy(self.model), len(self.sandbox.requests)
        self.line.script = deque(script if death is None else [])
        self.model.script = deque(self.line.script)
        self.fate.left, self.fate.after = death or (None, False)
        died = False
        try:
            self.take(one, turn)
        except Killed:
            died = True
            self.take(other, turn)
        self.fate.left = None
        self.follow(event, turn, files)
        if died:
            self.accept_doubt(before)
        self.compare(before.at)
        assert self.model.orders - before.orders + self.model.changes - before.changes <= 1
        if again and not died:
            calls = len(self.sandbox.requests)
            repeated = other.engine.start(turn) if event == "start" else other.engine.advance(other.name, turn)
            assert repeated.as_json() == self.reply.as_json() | {"replayed": True}
            assert len(self.sandbox.requests) == calls
        self.line.script.clear()
        self.model.script.clear()

    def make(self, event: str, files: list[str], agreed: list[str]) -> Turn:
        """The turn of an event, as a sensible caller would send it."""
        given = self.given(event, files)
        quote = given["words"] if event == "modify" else "yes, please"
        items = None
        if event == "consent":
            chosen = [name for name in agreed if name in self.model.pending]
            items = tuple(chosen or self.model.pending)
        return Turn(
            event,
            given,
            quote=quote,
            items=items,
            turn_id=f"t{self.count}",
            expect_revision=self.reply.revision,
            seen=self.reply.seen,
        )

    def given(self, event: str, files: list[str]) -> dict[str, Any]:
        """What an event takes; words are never the same twice."""
        if event in ("start", "answer", "adjust", "modify"):
            references = [{"path": name, "description": f"what {name} shows"} for name in files]
            return {"words": f"Make it number {self.count}", **({"references": references} if files else {})}
        if event in ("found", "open"):
            found = [task for task in tasks(self.sandbox) if task != self.model.task]
            return {"task_url": f"{ADDRESS}/task/{found[-1] if found else 'task_unknown'}"}
        return {}

    def take(self, caller: Player, turn: Turn) -> None:
        """The turn, and that it was heard."""
        if turn.event == "start":
            self.reply = caller.engine.start(turn, bundle=caller.bundle, sandbox=ADDRESS, profile="tester")
        else:
            self.reply = caller.engine.advance(caller.name, turn)
        for each in self.callers:
            each.name, each.reply = self.reply.session or "", self.reply
        caller.engine.confirm(self.reply)

    def follow(self, event: str, turn: Turn, files: list[str]) -> None:
        """The same event in the model."""
        words, model = str(turn.input.get("words", "")), self.model
        if event in ("start", "answer", "adjust"):
            model.say(words, files)
        elif event == "modify":
            model.modify(words, files)
        elif event == "repeat":
            model.repeat()
        elif event == "consent":
            model.consent(list(turn.items or ()))
        elif event in ("approve", "create_now"):
            model.order()
        elif event in ("cancel", "finish"):
            model.end(event)
        else:
            getattr(model, event)()

    def accept_doubt(self, before: Model) -> None:
        """After a death in a paid call the run may also be in doubt; after one in a look, the look may be lost."""
        state = self.reply.state or ""
        doubts = {"deliver.generating": "create.unsure", "revise.applying": "revise.unsure"}
        if state == doubts.get(self.model.at) and before.at not in (self.model.at, state):
            self.model.at = state
            self.model.task = before.task
        if before.at in (*WITHIN, "deliver.late", "revise.late") and state == before.at:
            self.model.at = state
            self.model.trouble = self.model.trouble or (before.trouble and self.trouble())

    def compare(self, before: str) -> None:
        """The engine is where the model is."""
        assert (self.reply.state, self.trouble()) == (self.model.at, self.model.trouble)
        if self.model.at in WITHIN and before != self.model.at:
            self.watching_since = self.clock.boot

    def trouble(self) -> bool:
        """Whether the run waits behind a failed call."""
        session = self.store.load(self.callers[0].name)
        return session is not None and session.trouble is not None

    def refused(self, turn: Turn, kind: str) -> None:
        """The turn is refused as such: the session stays where it is, and nothing is asked of the service."""
        caller = self.callers[self.count % 2]
        before, calls = self.model.at, len(self.sandbox.requests)
        reply = caller.engine.advance(caller.name, turn)
        assert reply.error is not None and reply.error.type == kind, reply
        assert (reply.state, reply.revision, len(self.sandbox.requests)) == (before, self.reply.revision, calls)

    def disturb(self) -> None:
        """A second caller while a call is on its way is told that the session is busy, except during a watch's look."""
        name, other = self.callers[0].name, self.callers[1].engine
        if name and self.store.load(name) and not other.load(name).state.watch:
            left, self.fate.left = self.fate.left, None
            try:
                other.advance(name, Turn())
            except SessionBusy:
                return
            finally:
                self.fate.left = left
            raise AssertionError("two callers had the session at once")


def step(name: str, /, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A step: the name of a method, and what it takes."""
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


SCRIPTS = [
    *[list[str]()] * 6,
    *([each] for each in (NO, DOWN, LOST, LOST, UNHEARD, UNREACHABLE)),
    *([OK, each] for each in (NO, LOST, UNHEARD)),
    *([LOST, each] for each in (NO, LOST, UNHEARD)),
    *([each] * 3 for each in (LOST, UNHEARD, UNREACHABLE)),
    [OK, OK, DOWN],
    [UNHEARD, LOST, OK, DOWN],
]
"""How the next calls end, those of one turn; what is not said ends well."""

GO_ON = step(
    "go_on",
    which=st.sampled_from(range(100)),
    files=st.sampled_from([[], [], [], FILES[:1], FILES]),
    agreed=st.sampled_from([FILES, FILES, FILES[:1], FILES[1:]]),
    script=st.sampled_from(SCRIPTS),
    death=st.one_of(st.none(), st.none(), st.none(), st.tuples(st.sampled_from(range(9)), st.booleans())),
    again=st.booleans(),
)
OTHERS = (
    step("press", event=st.sampled_from(EVENTS)),
    step("be_late", which=st.sampled_from(range(10)), behind=st.sampled_from([-1, 1, 2])),
    step(
        "let_time_pass",
        seconds=st.sampled_from([1.0, 479.0, 481.0, 1201.0]),
        jump=st.sampled_from([0.0, DAY, -DAY, YEARS, -YEARS]),
    ),
    step("save", name=st.sampled_from(FILES)),
    step("spoil"),
    step("keep"),
    step("keep"),
)
STEPS = st.lists(st.one_of(*[GO_ON] * 12, *OTHERS), min_size=30, max_size=40)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
@given(steps=STEPS)
def test_every_turn_does_what_the_model_says(steps: list[tuple[str, dict[str, Any]]]) -> None:
    """Whatever is answered, lost, refused, repeated or killed: the run is where the model is, and no promise breaks."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        for name, arguments in steps:
            getattr(runs, name)(**arguments)
        runs.check()
