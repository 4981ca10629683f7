"""The turns that can cost something, as the bundle declares them; and a session that stands right before one."""

from __future__ import annotations

import copy
import shutil
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, configuration, player
from tests.promises.test_steps import drive, turn_of
from workflow.bundle import Bundle, open_bundle
from workflow.compose import open_engine
from workflow.local.settings import Settings
from workflow.machine.definition import State
from workflow.machine.reach import doubt_only
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
_AGO = 3_000.0
"""Seconds before now at which a scene is set: the clocks of those who come later never go backwards."""


@dataclass(frozen=True, order=True)
class Step:
    """A turn that performs ``spends``, the actions that are no mere reading, or settles a doubt (then nothing).

    ``state`` is where the run waits before it; empty for the start.
    """

    state: str
    event: str
    spends: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.state or 'nothing'} · {self.event}"


def steps(bundle: Bundle) -> list[Step]:
    """Every step of the bundle that can perform an action which is no mere reading, and those that settle a doubt."""
    definition = bundle.definition
    effects = {name: action.effect for name, action in bundle.registry.actions.items()}
    paid = {name for name, effect in effects.items() if effect != "read"}
    doubtful = doubt_only(definition)
    found = [("", "start", definition.start)]
    for state in definition.states.values():
        if state.works:
            repeated = state.do in paid and state.failed and state.failed.otherwise is None
            found += [(state.name, "retry", state.name)] if repeated or (state.do in paid and not state.failed) else []
        else:
            found += [(state.name, event, to) for event, to in state.on.items()]
    made = [Step(state, event, _spent(bundle, to, paid)) for state, event, to in found]
    return [step for step in made if step.spends or step.state in doubtful]


class Scene:
    """A session right before ``step``, and its service: both can be put back as they were.

    ``folder`` is where the commands run and the person's files are, ``memory`` where the store is.
    """

    def __init__(self, step: Step, folder: Path, memory: Path, sandbox: Sandbox) -> None:
        self.step, self.folder, self.sandbox = step, folder, sandbox
        self.state, self._pristine, self._copy = (memory / name for name in ("state", "pristine", "copy"))
        self._configuration = configuration(folder / "config")
        self.name, self.revision, self.receipt = "", 0, ""
        self.clock = HandClock(wall=time.time() - _AGO)
        self.turn: dict[str, Any] = {}
        self._set()

    @property
    def environ(self) -> dict[str, str]:
        """What a command needs to work on this session."""
        return {
            "HOME": str(self.folder),
            "PHASEGATE_STATE": str(self.state),
            "PHASEGATE_CONFIG": str(self._configuration),
            "PHASEGATE_SANDBOX": self.sandbox.url,
        }

    @property
    def command(self) -> tuple[str, ...]:
        """The command of the step, but for its turn."""
        if not self.name:
            return ("start", "--bundle", str(REFERENCE))
        return ("advance", self.name, self.step.event)

    def restore(self) -> None:
        """The store and the service as they were before the step."""
        drain(self.sandbox)
        shutil.rmtree(self.state, ignore_errors=True)
        if self._pristine.exists():
            shutil.copytree(self._pristine, self.state)
        self.sandbox.clear()
        with self.sandbox._lock:
            self.sandbox._service.tasks = copy.deepcopy(self.tasks)
            self.sandbox._recorded.clear()
            self.sandbox._recorded.extend(self.requests)

    def revision_now(self) -> int:
        """The revision that is stored, 0 for nothing; read from a copy, so that the next process finds all as it is."""
        shutil.rmtree(self._copy, ignore_errors=True)
        if not self.state.exists():
            return 0
        shutil.copytree(self.state, self._copy)
        store = SqliteStore(self._copy)
        try:
            return max((each.revision for each in store.sessions()), default=0)
        finally:
            store.close()

    @contextmanager
    def playing(self, name: str = "") -> Iterator[Player]:
        """The session in this process, in the time of the machine."""
        settings = Settings(file=self._configuration, state=self.state)
        engine = open_engine(settings=settings, environ=self.environ, base=self.folder)
        play = Player(engine, str(REFERENCE), self.sandbox.url, name=name or self.name)
        try:
            if play.name:
                play.reply = engine.status(play.name)
            yield play
        finally:
            engine.world.store.close()

    def _set(self) -> None:
        store = SqliteStore(self.state)
        play = player(self.folder, REFERENCE, self.sandbox.url, store=store, clock=self.clock)
        _reach(self.step, play, self.sandbox, self.clock, self.folder)
        self.sandbox.clear()
        given, quote = turn_of(self.step.event, self.sandbox)
        self.turn = {"input": given}
        if play.name:
            self.name, self.revision = play.name, play.reply.revision or 0
            self.receipt = play.reply.receipt or ""
            self.turn |= {"seen": play.engine.status(play.name).seen}
        else:
            self.turn |= {"turn_id": "the first"}
        if self.step.event in _asking():
            self.turn |= {"evidence": {"quote": quote}}
        self.tasks = copy.deepcopy(self.sandbox._service.tasks)
        self.requests = self.sandbox.requests
        store.close()
        if play.name:
            shutil.copytree(self.state, self._pristine)


def drain(sandbox: Sandbox) -> None:
    """Wait until the service has heard all that was on its way; who sent it is gone."""
    with urllib.request.urlopen(f"{sandbox.url}/__sandbox__/faults", timeout=30) as answer:
        answer.read()  # connections are accepted in order: those before this one are being answered
    server = sandbox._server
    assert server is not None
    for worker in list(server._workers):
        worker.join(30)


def _spent(bundle: Bundle, start: str, paid: set[str]) -> tuple[str, ...]:
    """What is performed from a state on, until the run rests, if every call is answered."""
    states = bundle.definition.states
    found: dict[str, None] = {}
    todo, seen = [start], set()
    while todo:
        name = todo.pop()
        state: State = states[name]
        if name in seen or not state.works:
            continue
        seen.add(name)
        if state.do in paid:
            found[str(state.do)] = None
        todo += state.then.targets if state.then else ()
    return tuple(sorted(found))


def _reach(step: Step, play: Player, sandbox: Sandbox, clock: HandClock, folder: Path) -> None:
    """Bring the run to where the step is taken; a step that repeats a failed call stands behind one."""
    if not step.state:
        return
    uploading = step.state.endswith(".uploading")
    if uploading:
        drive(play, sandbox, clock, folder, step.state.replace("uploading", "consenting"))
        sandbox.fault("server-error", on="upload")
        play.send("consent", quote="yes, send it")
    else:
        drive(play, sandbox, clock, folder, step.state)
    assert play.reply.state == step.state, play.reply


def _asking() -> Mapping[str, str]:
    """The events that answer a gate."""
    events = open_bundle(REFERENCE).definition.events
    return {name: event.gate for name, event in events.items() if event.gate}


def reference() -> Bundle:
    """The bundle whose steps are struck."""
    return open_bundle(REFERENCE)
