"""The contenders of ``command``: how each begins a run, and what is started for each of its turns."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.ours import BUNDLE, NOWHERE
from benchmarks.work import words
from phases.anygen.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
LOBSTER = "@clawdbot/lobster@2026.5.22"
"""The npm package, at the version it was last measured with."""


class NotThere(Exception):
    """A contender cannot be had here; the text says why."""


@dataclass(frozen=True)
class Invocation:
    """What is started in an environment of its own, with what on stdin."""

    arguments: Sequence[str]
    environ: Mapping[str, str]
    stdin: str = ""


Program = Generator[Invocation, str, None]
"""Yields what is started for each turn, is sent what that printed, and raises if it was no turn."""

Begin = Callable[[Path], Program]
"""Begins a run in an empty folder."""


def here() -> Mapping[str, Begin]:
    """The floor and Phasegate as it lies here, in the Python that runs."""
    return _ours(sys.executable, [sys.executable, "-m", "workflow"])


def installed() -> Mapping[str, Begin]:
    """The floor and Phasegate installed from its wheel, in an environment of its own; then the peers."""
    folder = Path(sys.prefix) / "wheel"
    venv.create(folder, clear=True, with_pip=True)
    python = str(folder / "bin" / "python")
    constraints = str(ROOT / "benchmarks" / "requirements.txt")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints, str(ROOT))
    subprocess.run(pip, check=True)
    peers = {
        "Burr": partial(_peer, "burr"),
        "LangGraph": partial(_peer, "langgraph"),
        "DBOS": partial(_peer, "dbos"),
    }
    return {**_ours(python, [str(folder / "bin" / "workflow")]), "Lobster, resume": _resume, **peers}


def _ours(python: str, workflow: Sequence[str]) -> dict[str, Begin]:
    return {
        "python -c pass": partial(_pass, python),
        "Phasegate, advance": partial(_advance, workflow),
        "Phasegate, status": partial(_status, workflow),
        "Phasegate, advance with a call": partial(_calling, workflow),
    }


def _pass(python: str, folder: Path) -> Program:
    while True:
        yield Invocation((python, "-c", "pass"), _environ(folder))


def _advance(workflow: Sequence[str], folder: Path) -> Program:
    environ, name, revision = _started(workflow, folder)
    for number in count(1):
        turn = {"input": {"words": words(number)}, "expect_revision": revision}
        printed = yield Invocation((*workflow, "advance", name, "answer", "--input", "-"), environ, json.dumps(turn))
        revision = _accepted(printed)["revision"]


def _status(workflow: Sequence[str], folder: Path) -> Program:
    environ, name, _ = _started(workflow, folder)
    while True:
        _accepted((yield Invocation((*workflow, "status", name), environ)))


def _calling(workflow: Sequence[str], folder: Path) -> Program:
    """Each turn of the reference bundle asks its service, which has another question; the service runs beside it."""
    with Sandbox(rounds=1_000_000) as service:
        environ = _environ(folder, PHASEGATE_SANDBOX=service.url, **_paths(workflow))
        name, revision = _begun(workflow, environ)
        for number in count(1):
            turn = {"input": {"words": words(number)}, "expect_revision": revision}
            command = (*workflow, "advance", name, "answer", "--input", "-")
            revision = _accepted((yield Invocation(command, environ, json.dumps(turn))))["revision"]


def _started(workflow: Sequence[str], folder: Path) -> tuple[Mapping[str, str], str, int]:
    environ = _environ(folder, PHASEGATE_BUNDLE=str(BUNDLE), PHASEGATE_SANDBOX=NOWHERE, **_paths(workflow))
    return environ, *_begun(workflow, environ)


def _begun(workflow: Sequence[str], environ: Mapping[str, str]) -> tuple[str, int]:
    """A session's name and its revision."""
    turn = {"input": {"words": words(0)}, "turn_id": "first"}
    reply = _accepted(_printed(Invocation((*workflow, "start", "--input", "-"), environ, json.dumps(turn))))
    return reply["session"], reply["revision"]


def _paths(workflow: Sequence[str]) -> Mapping[str, str]:
    """Where the interpreter finds the package, if it is not installed."""
    return {"PYTHONPATH": str(ROOT)} if "-m" in workflow else {}


def _accepted(printed: str) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(printed)
    if not reply["ok"]:
        raise RuntimeError(f"the turn was refused: {reply['error']['message']}")
    return reply


def _peer(system: str, folder: Path) -> Program:
    if importlib.util.find_spec(system) is None:
        raise NotThere(f"{system} is not installed")
    environ = _environ(folder, PYTHONPATH=str(ROOT))
    for number in count():
        command = (sys.executable, "-m", "benchmarks.one_turn", system, str(folder), str(number))
        invocation = Invocation(command, environ)
        printed = (yield invocation) if number else _printed(invocation)
        if not printed.strip():
            raise RuntimeError(f"{system} said nothing")


def _resume(folder: Path) -> Program:
    """Each turn resumes a workflow of two approvals at the first: it is taken, and comes to rest at the second."""
    lobster = _lobster()
    environ = _environ(folder, LOBSTER_STATE_DIR=str(folder / "state"))
    file = folder / "turn.lobster"
    file.write_text(_TWO_APPROVALS, encoding="utf-8")
    while True:
        begun = _printed(Invocation((lobster, "run", "--mode", "tool", "--file", str(file)), environ))
        token = json.loads(begun)["requiresApproval"]["resumeToken"]
        printed = yield Invocation((lobster, "resume", "--token", token, "--approve", "yes"), environ)
        if json.loads(printed)["status"] != "needs_approval":
            raise RuntimeError("the workflow did not come to rest at its second approval")


def _lobster() -> str:
    folder = Path(sys.prefix) / "lobster"
    npm = shutil.which("npm")
    if npm is None:
        raise NotThere("npm is not installed")
    done = subprocess.run((npm, "install", "--silent", "--prefix", str(folder), LOBSTER), capture_output=True)
    if done.returncode != 0:
        raise NotThere(f"npm could not install {LOBSTER}")
    return str(folder / "node_modules" / ".bin" / "lobster")


def _printed(invocation: Invocation) -> str:
    """What a process prints that does not count."""
    done = subprocess.run(
        invocation.arguments, env=invocation.environ, input=invocation.stdin, capture_output=True, text=True, check=True
    )
    return done.stdout


def _environ(folder: Path, **more: str) -> dict[str, str]:
    """Nothing of the user's but where programs are; no contender calls home."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **_QUIET, **more}


_QUIET = {"BURR_TELEMETRY_ENABLED": "false", "LANGSMITH_TRACING": "false"}
_TWO_APPROVALS = """\
name: turn
steps:
  - id: first
    approval: Shall it go on?
  - id: second
    approval: And now?
"""
