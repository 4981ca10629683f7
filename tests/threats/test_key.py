"""A canary for a key: over the whole fault matrix it is in no output, log, traceback or file."""

from __future__ import annotations

import logging
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from phases.anygen.sandbox.faults import KINDS
from tests.conduct import begin
from tests.faults.matrix import CALLS, MATRIX, REFUSED, bring, faults_of, struck
from tests.playing import at_home, at_the_time, player
from workflow.cli.app import run, workflow
from workflow.local.clock import SystemClock
from workflow.machine.lookalikes import coded
from workflow.model.errors import ActionError
from workflow.model.strict_json import write_json
from workflow.service.http import Http
from workflow.store.sqlite import SqliteStore

KEY = "sk-ag-Canary7f3a9c2e11aa4b66d0"
SHAPES = [shape.encode() for shape in (KEY, KEY[:10], *coded(KEY))]
"""What is looked for in every byte that was written: the key, its beginning, and what it looks like in codes."""
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Stage:
    """A saved session that is about to perform an action, in a folder that is copied for each fault."""

    folder: Path
    session: str
    event: str
    turn: dict[str, Any]


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    """One service for all faults; it takes any key."""
    with Sandbox(rounds=2, looks=2) as running:
        yield running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, service: Sandbox) -> Path:
    """The reference bundle with that service as its own, so that its sessions send the person's key."""
    folder = tmp_path_factory.mktemp("live")
    for name in ("phases", "prompts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    (folder / "workflow.yaml").write_text(text.replace("https://www.anygen.io", service.url), encoding="utf-8")
    return folder


def staged(folder: Path, live: Path, service: Sandbox, action: str) -> Stage:
    """Play a session with the canary until the action is next."""
    environ = {"ANYGEN_API_KEY": KEY}
    play = player(folder, live, None, store=SqliteStore(folder / "state"), clock=at_the_time(), environ=environ)
    begin(play, folder)
    _, event, given = bring(play, service, action)
    turn = {"input": given.get("input", {}), "expect_revision": play.reply.revision, "seen": play.reply.seen}
    if "quote" in given:
        turn["evidence"] = {"quote": given["quote"]}
    play.engine.world.store.close()
    return Stage(folder, play.name, event, turn)


def echoing(row: str) -> dict[str, Any]:
    """Options by which a fault gives the key away, where it can."""
    if row == REFUSED:
        return {}
    known = KINDS[faults_of(row)[0]].options
    gives = {"error": f"{known.get('error')} {KEY}", "to": f"https://elsewhere.invalid/{KEY}", "file_name": KEY}
    gives |= {"url": f"https://elsewhere.invalid/{KEY}"} | ({"status": KEY} if known.get("status") == "paused" else {})
    return {name: value for name, value in gives.items() if name in known}


def written(folder: Path) -> bytes:
    """Every byte of every file below the folder, and every file's name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\0".join(part for path in files for part in (str(path).encode(), path.read_bytes()))


@pytest.mark.rule("R11", "R7")
@pytest.mark.parametrize("action", CALLS)
def test_canary_key_over_the_whole_fault_matrix(
    action: str,
    live: Path,
    service: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each fault strikes a command in this process: nothing it prints, logs or stores holds the key in any shape."""
    caplog.set_level(logging.DEBUG)
    stage = staged(tmp_path / "stage", live, service, action)
    monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    monkeypatch.setattr(SystemClock, "sleep", lambda clock, seconds: None)  # pauses between attempts
    for number, row in enumerate(row for row, struck_action in MATRIX if struck_action == action):
        folder = tmp_path / str(number)
        shutil.copytree(stage.folder, folder)
        at_home(folder / "state")
        monkeypatch.setenv("PHASEGATE_STATE", str(folder / "state"))
        (folder / "turn.json").write_text(write_json(stage.turn), encoding="utf-8")
        service.clear()
        before = len(service.requests)
        with struck(service, row, CALLS[action], **echoing(row)):
            code = run(
                workflow,
                ["advance", stage.session, stage.event, "--input-file", str(folder / "turn.json")],
                "workflow",
            )
        shown = capfd.readouterr()
        assert code in (0, 4, 7, 8), (row, shown)
        assert all(each.headers["authorization"] == f"Bearer {KEY}" for each in service.requests[before:])
        for name in ("audit", "status"):
            run(workflow, ["audit", "log", stage.session] if name == "audit" else ["status", stage.session], "workflow")
        later = capfd.readouterr()
        everything = (shown.out + shown.err + later.out + later.err + caplog.text).encode() + written(folder)
        assert stage.session.encode() in everything
        found = [shape for shape in SHAPES if shape in everything]
        assert not found, (row, found)
        assert "Traceback" not in shown.err + later.err
        caplog.clear()


@pytest.mark.rule("R11")
@pytest.mark.parametrize("row", sorted({row for row, action in MATRIX if action in ("prepare", "create")}))
def test_canary_key_in_tracebacks(row: str, service: Sandbox) -> None:
    """What a failed call raises, with its causes and the values that it carries, does not know the key."""
    service.clear()
    http = Http(service.url, lambda: KEY)
    with struck(service, row, "document", **echoing(row)) if _strikes(row) else struck(service, REFUSED, ""):
        try:
            answer = http.call("GET", "/v1/openapi/document", timeout=0.25)
        except ActionError as error:
            told = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error.args)
        else:
            told = answer.body.decode("utf-8", "replace") + repr(answer.headers)
    assert not [shape for shape in SHAPES if shape.decode() in told]


def _strikes(row: str) -> bool:
    return row != REFUSED and "document" in KINDS[faults_of(row)[0]].calls


@pytest.mark.rule("R11")
@pytest.mark.parametrize("shape", [str.upper, lambda key: key.encode().hex(), lambda key: key[::-1]])
def test_key_in_a_turn_in_another_shape_is_not_recorded(
    shape: Any, live: Path, tmp_path: Path, service: Sandbox
) -> None:
    """In capital letters, backwards or in hex: the turn is refused, and no entry holds it."""
    play = player(tmp_path, live, None, environ={"ANYGEN_API_KEY": KEY})
    play.start({"words": "A poster"})
    with pytest.raises(Exception, match="holds the service's key"):
        play.send("answer", {"words": f"use {shape(KEY)}"})
    assert shape(KEY) not in str([entry.body for entry in play.journal()])
