"""Random walks against the sandbox: whatever is sent, breaks, dies or waits, the promises hold after every step."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from phases.anygen.sandbox.faults import KINDS
from tests.conduct import ANSWERS, CHANGE, GIVEN, REFERENCE, WORDS, answer, check_promises, tasks_of, usual
from tests.playing import HandClock, player
from workflow.model.errors import UsageError
from workflow.model.journal import Entry
from workflow.model.ports import Held
from workflow.model.reply import ENDED, Reply
from workflow.model.session import Session
from workflow.store.memory import MemoryStore

BUNDLE = Path(__file__).parents[2]
CALLS = ("upload", "prepare", "create", "task", "send", "messages")
EVENTS = [
    *("start", "answer", "consent", "decline", "create_now", "approve", "adjust", "modify", "found", "happened"),
    *("did_not_happen", "check", "finish", "cancel", "praised", "asked_for_more", "retry", "late", "task_completed"),
    *("again", "repeat", "note", "nonsense", ""),
]
INPUTS: list[dict[str, Any]] = [
    {},
    {"words": "Warm"},
    {"words": CHANGE},
    {"words": " "},
    {"words": "Warm", "references": [REFERENCE]},
    {"words": "Warm", "references": [{"path": "other.png", "description": "a moon"}, REFERENCE]},
    {"words": "Warm", "references": [{"path": "missing.png", "description": "nothing"}]},
    {"words": "Warm", "references": [{"path": "ref.png"}]},
    {"task_url": "TASK"},
    {"task_url": "http://127.0.0.1:1/task/task_000000000000000000000000"},
    {"task_url": "javascript:alert(1)"},
    {"category": "slides"},
    {"words": 5},
    {"words": CHANGE, "for": "modify"},
    {"words": "Warm", "for": "adjust"},
    {"words": CHANGE, "for": "modify", "drop": True},
]
FAULTS = [(name, call) for call in CALLS for name in KINDS if call in KINDS[name].calls]
NEXT = {
    "understand.consenting": "upload",
    "understand.asking": "prepare",
    "confirm.presenting": "create",
    "deliver.generating": "task",
    "deliver.ready": "send",
    "revise.unchanged": "send",
    "revise.applying": "messages",
}
"""State → the call that its usual answer leads to."""
OFTEN = ("leak-id", "drop-after", "drop-before", "credits")
"""Faults that lead somewhere else than most."""
FASTER: dict[str, dict[str, Any]] = {
    "slow-headers": {"seconds": 0.01},
    "slow-body": {"seconds": 0.01},
    "gzip-bomb": {"size": 2_097_152},
}
ALLOWED = {"refused", "stale", "credentials", "service"}


class Killed(BaseException):
    """The process is gone; nothing in it gets to tidy up."""


class DyingStore(MemoryStore):
    """Lets the process die just before or just after the write that is so many writes away."""

    left: int | None = None
    after = False

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, unless this is where the process dies."""
        dies = self.left == 0
        self.left = None if dies or self.left is None else self.left - 1
        if dies and not self.after:
            raise Killed
        super().append(held, entries, session, status)
        if dies:
            raise Killed


class Walk:
    """One run after another on one store and one sandbox; a method for everything that anybody may do."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.base, self.sandbox = folder, sandbox
        self.since = 0
        self.clock = HandClock()
        self.store = DyingStore()
        self.play = player(self.base, BUNDLE, self.sandbox.url, store=self.store, clock=self.clock)

    def begin(self, given: dict[str, Any], host: str, language: str, rounds: int) -> None:
        """A run with or without files."""
        self.change_file("ref.png", b"one")
        self.change_file("other.png", b"two")
        self.sandbox.settings(rounds=rounds)
        self.since = len(self.sandbox.requests)
        self.turn(lambda: self.play.start({**given, "words": WORDS}, host=host, language=language))

    def go_on(self, fault: int | None, left: int | None, after: bool) -> None:
        """What a sensible agent would do, so that walks get far: hear what there is to say, then answer.

        The service may be broken just where it will be asked, and the process may die in the turn.
        """
        if any("something new to say" in notice for notice in self.play.reply.notices):
            self.turn(lambda: self.play.send(None))
        if self.play.reply.state not in ANSWERS:
            return
        call = NEXT.get(self.play.reply.state)
        if fault is not None and call:
            names = [name for name in (*KINDS, *OFTEN, *OFTEN, *OFTEN) if call in KINDS[name].calls]
            name = names[fault % len(names)]
            self.sandbox.fault(name, on=call, **FASTER.get(name, {}))
        self.store.left, self.store.after = left, after
        self.turn(lambda: answer(self.play, usual(self.play)))
        self.store.left = None

    def change(self) -> None:
        """A change to the image rather than the end; another run where one has ended."""
        if self.play.reply.state in ("deliver.ready", "revise.changed", "revise.unchanged"):
            self.turn(lambda: answer(self.play, "modify"))
        elif self.play.reply.status in ENDED:
            self.begin(INPUTS[5], "generic", "en", 1)

    def send(
        self,
        event: str | int,
        given: dict[str, Any] | None,
        quote: str | None,
        behind: int | None,
        turn_id: str | None,
        language: str | None,
    ) -> None:
        """Any event, or one of those that are offered, with anything or the usual, meant for any revision."""
        if isinstance(event, int):
            offered = [option.event for option in self.play.reply.next] or EVENTS
            event = offered[event % len(offered)]
        if given is None:
            given = GIVEN.get(event, {}).get("input", {})
        if given.get("task_url") == "TASK":
            tasks = tasks_of(self.sandbox)
            given = {"task_url": f"{self.sandbox.url}/task/{tasks[-1] if tasks else 'task_unknown'}"}
        revision = None if behind is None else (self.play.reply.revision or 0) - behind
        how: dict[str, Any] = {"quote": quote, "revision": revision, "turn_id": turn_id, "language": language}
        self.turn(lambda: self.play.send(event, given, **how))

    def press(self) -> None:
        """Every gate that is open is tried without the person's words; it does not give."""
        for event in [option.event for option in self.play.reply.next if option.who == "person"]:
            self.turn(partial(self.play.send, event, GIVEN.get(event, {}).get("input", {})))

    def repeat(self, event: str) -> None:
        """The turn that led here once more, as an agent does whose answer was lost."""
        revision = (self.play.reply.revision or 1) - 1
        self.turn(lambda: self.play.send(event, quote="yes, go ahead", revision=revision))

    def say_nothing(self, language: str | None) -> None:
        """A turn without an event."""
        self.turn(lambda: self.play.send(None, language=language))

    def look(self, speaks: bool) -> None:
        """A monitor looks, and says what is new where it speaks for itself."""

        def watch() -> Reply:
            self.play.engine.look(self.play.name)
            if speaks:
                return self.play.engine.speak_as_watcher(self.play.name)
            return self.play.engine.status(self.play.name)

        self.turn(watch)

    def wait(self, seconds: int) -> None:
        """Time passes, for a monitor that was missed and for deadlines."""
        self.clock.pass_(seconds)

    def break_service(self, which: tuple[str, str], times: int) -> None:
        """The service will go wrong at some call."""
        name, call = which
        self.sandbox.fault(name, on=call, times=times, **FASTER.get(name, {}))

    def mend_service(self) -> None:
        """The service is well again."""
        self.sandbox.clear()

    def change_file(self, name: str, content: bytes) -> None:
        """The person saves another picture under the same name."""
        (self.base / name).write_bytes(content)

    def restart(self) -> None:
        """Another process on the same store."""
        before = self.play
        self.play = player(self.base, BUNDLE, self.sandbox.url, store=self.store, clock=self.clock)
        self.play.name, self.play.reply = before.name, before.reply

    def turn(self, take: Callable[[], Reply]) -> None:
        """One turn, or the death of its process; only the caller's own faults are exceptions."""
        try:
            reply = take()
        except UsageError:
            return
        except Killed:
            self.store.left = None
            self.restart()
            self.play.reply = self.play.engine.status(self.play.name)
            return
        self.play.reply = reply
        assert reply.error is None or reply.error.type in ALLOWED, reply.error
        for said in reply.say:
            rest = re.sub(rf"{self.sandbox.url}/task/task_[0-9a-f]{{24}}(?![\w-])", "", said.text)
            assert not re.search(r"(?:task|tk|ps)_[0-9a-f]{8,}", rest), said.text
        assert SANDBOX_KEY[:10] not in json.dumps(reply.as_json())


def step(name: str, /, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A step of a walk: the name of a method, and what it takes."""
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


BEGIN = step(
    "begin",
    given=st.sampled_from([INPUTS[1], INPUTS[4], INPUTS[5]]),
    host=st.sampled_from(["generic", "openclaw", "openclaw-subagent"]),
    language=st.sampled_from(["en", "zh-CN", "fr"]),
    rounds=st.integers(1, 2),
)
GO_ON = step(
    "go_on",
    fault=st.one_of(st.none(), st.sampled_from(range(200))),
    left=st.sampled_from([None, None, None, None, 0, 1, 2, 3]),
    after=st.booleans(),
)
SEND = step(
    "send",
    event=st.one_of(st.sampled_from(range(5)), st.sampled_from(range(5)), st.sampled_from(EVENTS)),
    given=st.one_of(st.none(), st.none(), st.sampled_from(INPUTS)),
    quote=st.sampled_from([None, None, "", "yes", "yes", CHANGE]),
    behind=st.sampled_from([None, 0, 0, 0, 0, 0, 1, -1]),
    turn_id=st.sampled_from([None, None, None, "a", "b"]),
    language=st.sampled_from([None, None, None, "zh-CN", "en", "fr", "no tag"]),
)
OTHERS = st.one_of(
    step("change"),
    step("press"),
    step("press"),
    step("repeat", event=st.sampled_from(["approve", "create_now", "consent", "cancel", "did_not_happen"])),
    step("say_nothing", language=st.sampled_from([None, "zh-CN", "en"])),
    step("look", speaks=st.booleans()),
    step("wait", seconds=st.sampled_from([1, 61, 481, 1201])),
    step("break_service", which=st.sampled_from(FAULTS), times=st.integers(1, 3)),
    step("mend_service"),
    step("change_file", name=st.sampled_from(["ref.png", "other.png"]), content=st.sampled_from([b"one", b"new", b""])),
    step("restart"),
)
STEPS = st.lists(st.one_of(GO_ON, GO_ON, GO_ON, SEND, SEND, OTHERS), min_size=20, max_size=30)


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(begin=BEGIN, steps=STEPS)
def test_no_walk_breaks_a_promise(begin: tuple[str, dict[str, Any]], steps: list[tuple[str, dict[str, Any]]]) -> None:
    """No path of turns, faults, deaths and restarts leads to a call without evidence of its own, or to a leak."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(rounds=2, looks=2) as sandbox:
        walk = Walk(Path(folder), sandbox)
        for name, arguments in [begin, *steps]:
            getattr(walk, name)(**arguments)
            check_promises(walk.play, sandbox, walk.since)
