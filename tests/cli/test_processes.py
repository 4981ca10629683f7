"""The whole conversation, one process per turn: what an agent's host does, with nothing kept between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox

ROOT = Path(__file__).parents[2]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Ready at the third prepare, done at the first look, so that no watch has to pause."""
    with Sandbox(rounds=3, looks=1) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, service: Sandbox) -> Run:
    """``workflow ARGUMENTS`` as a process of its own, its turn on stdin; gives its one reply."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "PHASEGATE_SANDBOX": service.url,
    }
    (tmp_path / "home").mkdir()

    def command(*arguments: str, code: int = 0, **turn: Any) -> dict[str, Any]:
        given = [*arguments, "--input", "-"] if turn else list(arguments)
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-m", "workflow", *given],
            input=json.dumps(turn).encode(),
            capture_output=True,
            env=environ,
            cwd=tmp_path,
            timeout=60,
        )
        assert ended.returncode == code, ended.stderr.decode()
        reply: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return reply

    return command


def calls(requests: list[Request]) -> list[str]:
    """What the service was asked, without ids."""
    return [
        f"{each.method} {'/'.join(part for part in each.path.split('/')[3:] if '_' not in part)}" for each in requests
    ]


def texts(request: Request) -> list[str]:
    """The text parts of the last message that was sent."""
    parts = request.json["messages"][-1]["content"]
    return [part["text"] for part in parts if part["type"] == "text"]


@pytest.mark.rule("R38", "R81")
def test_two_references_three_rounds_one_adjustment_two_modifications(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    """Every turn a process; the service saw exactly these requests, each with what was said so far."""
    (tmp_path / "sky.png").write_bytes(b"a neon skyline")
    (tmp_path / "logo.png").write_bytes(b"the logo of the band")
    references = [
        {"path": "sky.png", "description": "A neon skyline"},
        {"path": "logo.png", "description": "The band's logo"},
    ]
    reply = run("start", "--host", "openclaw", input={"words": "A festival poster", "references": references})
    name = reply["session"]
    assert reply["state"] == "understand.consenting" and service.requests == []

    def advance(event: str, quote: str | None = None, items: list[str] | None = None, **given: Any) -> dict[str, Any]:
        turn: dict[str, Any] = {"input": given, "seen": reply["seen"]}
        evidence = {"quote": quote} | ({"items": items} if items else {})
        return run("advance", name, event, **turn, **({"evidence": evidence} if quote else {}))

    reply = advance("consent", "yes, both", ["sky.png", "logo.png"])
    reply = advance("answer", words="Vibrant colours")
    reply = advance("answer", words="A2, upright")
    assert reply["state"] == "confirm.presenting"
    reply = advance("adjust", words="More blue")
    assert reply["state"] == "confirm.presenting"
    reply = advance("approve", "yes, go ahead")
    assert reply["status"] == "watching"
    for change in ("Make it darker", "Add a moon"):
        assert run("watch", name)["say"][0]["unsaid"]
        reply = run("advance", name)
        assert reply["say"] and "repeat" not in reply["say"][0]
        reply = advance("modify", change, words=change)
    run("watch", name)
    reply = run("advance", name)
    assert [said["id"] for said in reply["say"]] == ["changed_with_reply"]
    reply = advance("finish")
    assert reply["status"] == "done"
    assert run("audit", "verify", name, "--json", "--expect-head", reply["receipt"])["ok"]

    upload, prepare = "POST files/upload", "POST tasks/prepare"
    look, send, read = "GET tasks", "POST tasks/messages", "GET tasks/messages"
    change_round = [send, read, look]
    assert calls(service.requests) == [upload] * 2 + [prepare] * 4 + ["POST tasks", look] + change_round * 2
    prepares = [request for request in service.requests if request.path.endswith("/prepare")]
    assert [len(request.json["messages"]) for request in prepares] == [1, 3, 5, 7]
    assert texts(prepares[0]) == ["A festival poster", "A neon skyline", "The band's logo"]
    assert [texts(request) for request in prepares[1:]] == [["Vibrant colours"], ["A2, upright"], ["More blue"]]
    created = next(request for request in service.requests if request.path.endswith("/tasks"))
    assert all(len(request.json["file_tokens"]) == 2 for request in [*prepares, created])
    messages = [request for request in service.requests if request.path.endswith("/messages")]
    assert [each.json["content"] for each in messages if each.json] == ["Make it darker", "Add a moon"]
    assert len({each.path for each in messages}) == 1


@pytest.mark.rule("R41")
def test_a_second_process_repeats_a_turn_and_pays_nothing(run: Run, service: Sandbox) -> None:
    """The approval, sent again by another process: the recorded reply, and still one order."""
    service.settings(rounds=1)
    plan = run("start", input={"words": "A poster"})
    assert plan["state"] == "confirm.presenting"
    turn = {"evidence": {"quote": "yes"}, "seen": plan["seen"]}
    first = run("advance", plan["session"], "approve", **turn)
    again = run("advance", plan["session"], "approve", **turn)
    assert again == first | {"replayed": True}
    assert calls(service.requests).count("POST tasks") == 1
