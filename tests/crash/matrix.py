"""The crash matrix: every step that can cost something, struck at every point, and what became of it."""

from __future__ import annotations

import os
import random
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Request, Sandbox
from tests import conduct
from tests.crash.points import BROKEN, FULL, KILL, Failpoints, Point, Strace, Striker
from tests.crash.scenes import Scene, Step, drain, reference, steps
from tests.crash.zygote import Ended, Zygote
from tests.playing import Player
from workflow.history import audit
from workflow.history.adopt import survey
from workflow.model.errors import WorkflowError
from workflow.model.ledger import read
from workflow.store.ledger import BESIDE

FAULTS = (KILL, FULL, BROKEN)
STRIKERS: dict[str, Callable[[Path], Striker]] = {"system calls": Strace, "failpoints": Failpoints}
AS_BEFORE, WENT_ON, IN_DOUBT = "as before", "went on", "in doubt"
TOLD = {0, 1, 7, 8}
"""Exit codes of a turn that the disk or the network failed: an answer, a fault of the store, doubt, the service's."""


Journey = tuple[int, tuple[tuple[str, str], ...]]
"""How many requests were made, and the kinds of entries with where they lead."""


@dataclass(frozen=True)
class Row:
    """What became of one step, struck at each of its points by one fault; ``wrong`` says what must not be."""

    step: str
    fault: str
    calls: int = 0
    points: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Struck:
    """What became of a step at one point."""

    outcome: str
    paid: int
    lost: int
    duplicated: int
    wrong: str


def matrix(by: str, *, faults: Iterable[str] = FAULTS, jobs: int = 0) -> Iterator[Row]:
    """Every step of the bundle at every point, several at once; rows as they are done."""
    wishes = [(by, step, fault) for fault in faults for step in steps(reference())]
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_row, wishes)


def strike(by: str, step: Step, fault: str, folder: Path, most: int | None = None, seed: int = 0) -> Row:
    """One step by one fault, at all of its points or at ``most`` of them, drawn by ``seed``."""
    with in_memory(folder) as memory, Sandbox(rounds=2, looks=2) as sandbox:
        scene = Scene(step, folder, memory, sandbox)
        scene.restore()
        with Zygote(folder, scene.environ) as zygote:
            striker = STRIKERS[by](folder)
            found = striker.points(zygote, scene.command, scene.turn, fault)
            drawn = found if most is None else random.Random(seed).sample(found, min(most, len(found)))
            return _all(Trial(scene, zygote, striker), fault, len({point.name for point in found}), drawn)


@dataclass(frozen=True)
class Trial:
    """One strike after another on the same scene."""

    scene: Scene
    zygote: Zygote
    striker: Striker
    ended: set[Journey] = field(default_factory=set)
    """The journals that were played to the end: what they lead to need not be found out a second time."""

    def at(self, point: Point) -> Struck:
        """Strike, then go on as an agent would who knows nothing of it; raises AssertionError for what must not be."""
        scene = self.scene
        scene.restore()
        before = len(paid_calls(scene.sandbox))
        ended = self.striker.strike(self.zygote, scene.command, scene.turn, point)
        drain(scene.sandbox)
        receipts = [scene.receipt] if scene.receipt else []
        receipts += _acknowledged(ended, point)
        revision = scene.revision_now()
        assert revision >= scene.revision, f"back at revision {revision}"
        if point.count % 2 and scene.name:
            _sound(self.zygote.run("resume", scene.name))
        reply = _sound(self.zygote.run(*scene.command, turn=scene.turn))
        assert reply.get("session") and scene.name in ("", reply["session"]), reply
        with scene.playing(reply["session"]) as play:
            assert len(play.engine.sessions()) == 1, "one start made two sessions"
            doubtful = play.reply.status == "in_doubt"
            paid = len(paid_calls(scene.sandbox)) - before
            self._to_the_end(play)
            lost, duplicated = self._count(play)
            wrong = _broken(play, scene.sandbox, [*receipts, *_receipt(reply)])
        outcome = IN_DOUBT if doubtful else WENT_ON if revision > scene.revision else AS_BEFORE
        return Struck(outcome, paid, lost, max(duplicated, paid - 1), wrong)

    def _to_the_end(self, play: Player) -> None:
        """Go on to the end, settling doubt by what the service really has; once for each journal that comes about."""
        came = tuple((each.kind, str((each.body or {}).get("to"))) for each in play.journal())
        made = len(self.scene.sandbox.requests)
        if (made, came) not in self.ended:
            self.scene.sandbox.settings(looks=2)
            conduct.finish(play, self.scene.sandbox)
            self.ended.add((made, came))

    def _count(self, play: Player) -> tuple[int, int]:
        """What is lost: paid for and not known, where nobody is asked for it. What is twice: paid without approval."""
        known = {(each.body or {})["set"].get("task_id") for each in play.journal("result")}
        unknown = set(conduct.tasks_of(self.scene.sandbox)) - set(self.scene.tasks) - known
        lost = 0 if play.reply.status == "in_doubt" else len(unknown)
        return lost, max(0, len(paid_calls(self.scene.sandbox)) - len(play.journal("intent")))


def explain(error: Exception) -> str:
    """What went wrong, and where: an assertion need not have words."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {error} ({Path(place.filename).name}:{place.lineno}: {place.line})"


def paid_calls(sandbox: Sandbox) -> list[Request]:
    """What the service received that costs something each time."""
    return conduct.calls(sandbox, "POST", "/tasks") + conduct.calls(sandbox, "POST", "/tasks/[^/]+/messages")


@contextmanager
def in_memory(folder: Path) -> Iterator[Path]:
    """A folder in memory, else in ``folder``: a process that dies loses nothing that the kernel has already."""
    shared = Path("/dev/shm")
    where = shared if os.access(shared, os.W_OK | os.X_OK) else folder
    with tempfile.TemporaryDirectory(prefix="crash-", dir=where) as made:
        yield Path(made)


def _all(trial: Trial, fault: str, calls: int, points: Sequence[Point]) -> Row:
    outcomes: Counter[str] = Counter()
    found: list[Struck] = []
    wrong: list[str] = []
    for point in points:
        try:
            struck = trial.at(point)
        except (AssertionError, WorkflowError) as error:
            wrong.append(f"{trial.scene.step}, {point}: {explain(error)}")
        else:
            outcomes[struck.outcome] += 1
            found.append(struck)
            wrong += [f"{trial.scene.step}, {point}: {struck.wrong}"] if struck.wrong else []
    return Row(
        step=str(trial.scene.step),
        fault=fault,
        calls=calls,
        points=len(points),
        outcomes=outcomes,
        paid=sum(each.paid for each in found),
        lost=sum(each.lost for each in found),
        duplicated=sum(each.duplicated for each in found),
        wrong=tuple(wrong),
    )


def _broken(play: Player, sandbox: Sandbox, receipts: Iterable[str]) -> str:
    """The promise that does not hold, or an acknowledged entry that is gone from the log; empty if all is well."""
    try:
        conduct.check_promises(play, sandbox)
        found = survey(play.engine)
        assert not found.reasons and not found.lines, f"the ledger and the log differ: {found}"
        state = Path(play.engine.world.store.path).parent  # type: ignore[attr-defined]  # it is in a file
        ledger = state / BESIDE
        lines = read(ledger.read_bytes()).payments if ledger.exists() else ()
        assert len(lines) >= len(paid_calls(sandbox)), "a call was paid for that the ledger does not know"
        for receipt in receipts:
            audit.verify(play.engine, play.name, receipt)
    except (AssertionError, WorkflowError) as error:
        return explain(error)
    return ""


def _row(wish: tuple[str, Step, str]) -> Row:
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        return strike(*wish, Path(folder))


def _sound(ended: Ended) -> dict[str, Any]:
    """The reply of a command that nothing struck: an answer, doubt, or a failure of the service or the ledger."""
    reply = ended.reply
    assert reply is not None, f"exit {ended.code}: {ended.out}{ended.err}"
    held = ended.code == 1 and (reply.get("error") or {}).get("class") == "ledger"
    assert held or ended.code in (0, 7, 8), f"exit {ended.code}: {ended.out}{ended.err}"
    return reply


def _acknowledged(ended: Ended, point: Point) -> list[str]:
    """The receipt that was given before the end. What the disk or the wire failed is told, with a way out."""
    reply = ended.reply
    if point.fault == KILL:
        assert ended.killed, f"nothing was struck: exit {ended.code}"
    else:
        assert ended.code in TOLD and "Traceback" not in ended.err, f"exit {ended.code}: {ended.err}"
        assert reply or "could not be written" in ended.err, f"nothing was told: {ended.err}"
    if reply is None:
        return []
    error = reply.get("error")
    assert not error or (error["type"] != "internal" and error["hint"]), error
    return _receipt(reply)


def _receipt(reply: Mapping[str, Any]) -> list[str]:
    """What the reply is acknowledged with; a reply to nothing has none."""
    return [reply["receipt"]] if reply.get("receipt") else []
