"""Six users talk as people do: nothing is uploaded, ordered or said that they did not ask for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from phases.anygen.sandbox import Sandbox
from tests.evals.conversation import EVALS, Conversation, scenarios
from tests.evals.surfaces import Home, client, shell, ticking
from workflow.model.frozen import as_dict
from workflow.model.strict_json import printed_json
from workflow.store.sqlite import SqliteStore

SCENARIOS = scenarios()
MOST = 700
"""Bytes of a reply on average, without the text of its messages."""


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("surface", ["shell", "mcp"])
def test_a_conversation_keeps_every_rule(tmp_path: Path, name: str, surface: str) -> None:
    """Uploads, orders, words and messages are as the scenario demands, by the log alone."""
    played = play(tmp_path, SCENARIOS[name], surface)
    ended = check(tmp_path, name, played)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def play(folder: Path, scenario: Mapping[str, Any], surface: str) -> Conversation:
    """The scenario, played by its script on this surface."""
    home = folder / "home"
    home.mkdir()
    for file in scenario["files"]:
        (home / file).write_bytes(f"a picture: {file}".encode())
    with Sandbox() as sandbox:
        for fault in scenario["faults"]:
            sandbox.fault(**fault)

        async def talk() -> Conversation:
            items = [item for line in scenario["user"] for item in line.get("items", ())]
            here = Home(home, sandbox.url)
            async with shell(here) if surface == "shell" else client(here, ticking(items)) as on:
                conversation = Conversation(on, scenario)
                await conversation.play()
                return conversation

        return anyio.run(talk)


def check(folder: Path, name: str, played: Conversation) -> subprocess.CompletedProcess[str]:
    """What the checker of ``evals/`` says of it."""
    store = SqliteStore(folder / "home" / "state")
    logs = []
    for session in played.names:
        logs.append(folder / f"{session}.jsonl")
        lines = [json.dumps(as_dict(entry)) for entry in store.entries(session)]
        logs[-1].write_text("\n".join(lines), encoding="utf-8")
    store.close()
    said, replies = folder / "said.txt", folder / "replies.jsonl"
    said.write_text("\n".join(played.said), encoding="utf-8")
    replies.write_text("\n".join(line.strip() for line in played.surface.printed), encoding="utf-8")
    scenario = EVALS / "scenarios" / f"{name}.json"
    files = ["--said", str(said), "--replies", str(replies)]
    command = [sys.executable, "-I", str(EVALS / "check.py"), str(scenario), *map(str, logs), *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", SCENARIOS)
def test_replies_are_short_in_each_conversation(tmp_path: Path, name: str) -> None:
    """Without the text of messages, and with the folder of the test as short as a real one."""
    printed = [json.loads(line) for line in play(tmp_path, SCENARIOS[name], "shell").surface.printed]
    for reply in printed:
        reply["say"] = [{**said, "text": ""} for said in reply.get("say", ())]
    text = [printed_json(reply).replace(str(tmp_path), "/tmp/x") for reply in printed]
    assert sum(len(each.encode()) for each in text) / len(text) <= MOST
