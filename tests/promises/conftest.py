"""The reference bundle against its sandbox, and another bundle against its own service."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player

REFERENCE = Path(os.environ.get("PHASEGATE_BUNDLE_UNDER_TEST", Path(__file__).parents[2]))
"""The reference bundle, or the mutant of it that a run of `tests.mutants` puts in its place."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The service's offline twin: ready at the second prepare, done at the second look."""
    with Sandbox(rounds=2, looks=2) as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    """Time that passes only when the test says so."""
    return HandClock()


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session of the reference bundle that is about to start; files are named relative to ``tmp_path``."""
    return player(tmp_path, REFERENCE, sandbox.url, clock=clock)


@pytest.fixture
def asked(sandbox: Sandbox) -> Callable[[str], list[Request]]:
    """What the service was asked by one call, oldest first: upload, prepare, create, task, send, messages."""

    def of(call: str) -> list[Request]:
        route = re.compile(_ROUTES[call])
        return [each for each in sandbox.requests if route.fullmatch(f"{each.method} {each.path}")]

    return of


@pytest.fixture
def copied(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A copy of the reference bundle whose service *is* the sandbox: sessions of it are live, and need a key."""
    folder = tmp_path / "bundle"
    for name in ("phases", "prompts"):
        shutil.copytree(REFERENCE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (REFERENCE / "workflow.yaml").read_text(encoding="utf-8")
    assert "https://www.anygen.io" in text
    (folder / "workflow.yaml").write_text(text.replace("https://www.anygen.io", sandbox.url), encoding="utf-8")
    return folder


_ROUTES = {
    "upload": "POST /v1/openapi/files/upload",
    "prepare": "POST /v1/openapi/tasks/prepare",
    "create": "POST /v1/openapi/tasks",
    "task": "GET /v1/openapi/tasks/[^/]+",
    "send": "POST /v1/openapi/tasks/[^/]+/messages",
    "messages": "GET /v1/openapi/tasks/[^/]+/messages",
}
