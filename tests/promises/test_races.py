"""Two callers at one session: one of them advances it, the others are told; what is paid is paid once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from phases.anygen.sandbox import Request, Sandbox
from tests.conduct import WORDS, answer, check_promises
from tests.playing import HandClock, Player, at_the_time, configuration, player
from tests.promises.conftest import REFERENCE
from workflow.cli.app import run, workflow
from workflow.model.errors import SessionBusy
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.store import locks as holds
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore

Asked = Callable[[str], list[Request]]
THREADS = 100
ROUNDS = 200 if settings.get_current_profile_name() == "long" else 8
YES = {"evidence": {"quote": "yes, go ahead"}}


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "sqlite"])
@pytest.mark.rule("R48", "R50")
def test_a_hundred_approvals_at_once_round_after_round(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked, disk: bool
) -> None:
    """Each round a plan, approved by a hundred callers in the same moment: as many orders as rounds, not one more."""
    store = SqliteStore(tmp_path / "kept") if disk else MemoryStore()
    play = player(tmp_path, REFERENCE, sandbox.url, store=store, clock=clock)
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    barrier = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(1, ROUNDS + 1):
            assert play.reply.state == "confirm.presenting"
            turns = [
                Turn(
                    "approve",
                    quote="yes",
                    turn_id=f"{number}.{each % 3}",
                    expect_revision=play.reply.revision,
                    seen=play.reply.seen,
                )
                for each in range(THREADS)
            ]
            results = list(pool.map(lambda turn: _at_once(play, turn, barrier), turns))
            accepted = [each for each in results if isinstance(each, Reply) and each.ok and not each.replayed]
            assert [each.state for each in accepted] == ["deliver.generating"]
            assert len(asked("create")) == number
            _back_to_a_plan(play, sandbox, accepted[0])
    check_promises(play, sandbox)


def _at_once(play: Player, turn: Turn, barrier: threading.Barrier) -> Reply | SessionBusy:
    barrier.wait(30)
    try:
        return play.engine.advance(play.name, turn)
    except SessionBusy as busy:
        return busy


def _back_to_a_plan(play: Player, sandbox: Sandbox, reply: Reply) -> None:
    """The image fails, and the person asks for another."""
    play.reply = reply
    sandbox.fault("task-failed", on="task")
    assert play.send("check").state == "deliver.no_image"
    answer(play, "adjust")


@pytest.fixture
def kept(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Player:
    """A session that waits for the approval of its plan, in the store that commands use."""
    monkeypatch.setenv("PHASEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PHASEGATE_CONFIG", str(configuration(tmp_path)))
    play = player(tmp_path, REFERENCE, sandbox.url, store=SqliteStore(tmp_path / "state"), clock=at_the_time())
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    return play


class Pauses:
    """Time for those who wait for a hold: it passes with each pause, and after so many of them something happens."""

    def __init__(self, then: Callable[[], object], after: int) -> None:
        self.now, self.slept = 1_000.0, list[float]()
        self._then, self._after = then, after

    def monotonic(self) -> float:
        """Seconds of a clock of its own."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.now += seconds
        self.slept.append(seconds)
        if len(self.slept) == self._after:
            self._then()


@pytest.mark.parametrize(("command", "event"), [("advance", ["cancel"]), ("advance", []), ("resume", [])])
@pytest.mark.parametrize("seconds", [0, 2, 600])
def test_a_busy_session_is_waited_for_no_longer_than_asked(
    kept: Player,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seconds: int,
    command: str,
    event: list[str],
) -> None:
    """Held all the time: exit code 6 after so many seconds, at once if none are given; nothing done, nothing sent."""
    before, requests = kept.engine.world.store.load(kept.name), len(sandbox.requests)
    pauses = Pauses(lambda: None, 0)
    monkeypatch.setattr(holds, "time", pauses)
    with kept.engine.world.store.hold(kept.name):
        waits = ["--wait", str(seconds)] if seconds else []
        assert run(workflow, [command, kept.name, *event, *waits], "workflow") == 6
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "busy" and kept.name in error["message"] and error["hint"]
    assert sum(pauses.slept) == pytest.approx(seconds)
    assert (kept.engine.world.store.load(kept.name), len(sandbox.requests)) == (before, requests)


def test_who_waits_goes_on_as_soon_as_the_session_is_free(
    kept: Player, asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The holder lets go within the time: the turn is taken, once."""
    with ExitStack() as held:
        held.enter_context(kept.engine.world.store.hold(kept.name))
        pauses = Pauses(held.close, 5)
        monkeypatch.setattr(holds, "time", pauses)
        file = tmp_path / "turn.json"
        file.write_text(json.dumps({**YES, "seen": kept.reply.seen}))
        arguments = ["advance", kept.name, "approve", "--wait", "60", "--input-file", str(file)]
        assert run(workflow, arguments, "workflow") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "deliver.generating"
    assert (len(pauses.slept), len(asked("create"))) == (5, 1)


@contextmanager
def paying(sandbox: Sandbox) -> Iterator[threading.Event]:
    """The service takes an order and does not answer before the block ends; set once the order is there."""
    arrived, go = threading.Event(), threading.Event()
    perform = sandbox._service.perform

    def slow(endpoint: str, *args: Any, **options: Any) -> Any:
        if endpoint == "create":
            arrived.set()
            assert go.wait(60)
        return perform(endpoint, *args, **options)

    sandbox._service.perform = slow  # type: ignore[method-assign]
    try:
        yield arrived
    finally:
        go.set()


def approve(play: Player, seen: str | None, *options: str) -> subprocess.Popen[bytes]:
    """``workflow advance … approve`` as a process of its own, its turn given."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "workflow", "advance", play.name, "approve", "--input", "-", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REFERENCE), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({**YES, "seen": seen}).encode())
    process.stdin.close()
    process.stdin = None
    return process


def ended(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any]]:
    """Exit code and reply of a process that ends by itself."""
    out, err = process.communicate(timeout=60)
    assert err == b""
    return process.returncode, json.loads(out)


def test_of_two_processes_one_advances_and_the_other_is_told(kept: Player, sandbox: Sandbox, asked: Asked) -> None:
    """The paid call is on its way: the same turn from another process is busy at once; afterwards it is replayed."""
    seen = kept.reply.seen
    with paying(sandbox) as arrived:
        first = approve(kept, seen)
        assert arrived.wait(60)
        code, busy = ended(approve(kept, seen))
        assert (code, busy["error"]["type"]) == (6, "busy")
        waits = approve(kept, seen, "--wait", "60")
    code, reply = ended(first)
    assert (code, reply["state"]) == (0, "deliver.generating")
    assert ended(waits) == (0, reply | {"replayed": True})
    assert ended(approve(kept, seen)) == (0, reply | {"replayed": True})
    assert len(asked("create")) == 1


def test_the_turn_of_a_process_that_was_killed_is_not_taken_again(kept: Player, sandbox: Sandbox, asked: Asked) -> None:
    """kill -9 while the order is at the service: who waits finds it in doubt, and so does each repeat; one order."""
    seen = kept.reply.seen
    with paying(sandbox) as arrived:
        first = approve(kept, seen)
        assert arrived.wait(60)
        waits = approve(kept, seen, "--wait", "60")
        first.kill()
        first.communicate(timeout=60)
        code, reply = ended(waits)
    assert (code, reply["state"], reply["status"]) == (7, "create.unsure", "in_doubt")
    for _ in range(2):
        code, again = ended(approve(kept, seen))
        assert (code, again["replayed"]) == (7, True)
        assert again == reply | {"replayed": True}
    assert len(asked("create")) == 1
    kept.reply = kept.engine.status(kept.name)
    check_promises(kept, sandbox)


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "sqlite"])
def test_a_name_that_another_start_has_just_chosen_is_left_to_it(tmp_path: Path, sandbox: Sandbox, disk: bool) -> None:
    """Two people who begin in the same moment get two sessions, and none of them an error."""
    store = SqliteStore(tmp_path / "kept") if disk else MemoryStore()
    play = player(tmp_path, REFERENCE, sandbox.url, store=store)
    chosen = iter(["amber", "fox", "teal", "owl"])
    play.engine.world = replace(play.engine.world, choose=lambda words: next(chosen))
    with store.hold("amber-fox"):
        play.start({"words": WORDS})
    assert (play.name, play.reply.error) == ("teal-owl", None)
    store.close()
