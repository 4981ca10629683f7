"""The commands on a store in PostgreSQL: a whole conversation, a race of two processes, and what people are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.database import Server
from tests.promises.journeys import MORE, WORDS, creates

ROOT = Path(__file__).parents[2]
SECRET = "s3cr~t"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A service on loopback."""
    with Sandbox(rounds=2, looks=2) as twin:
        yield twin


class Host:
    """One host: its own folder, the shared database, and the real command."""

    def __init__(self, folder: Path, database: str, sandbox: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.environ = {"HOME": str(folder), "PATH": os.environ["PATH"], "PHASEGATE_STORE": database}
        self.environ |= {"PHASEGATE_SANDBOX": sandbox} if sandbox else {}

    def begin(self, *arguments: str, said: Any = None, admin: bool = False) -> subprocess.Popen[str]:
        """Start a command; ``said`` is what it reads."""
        module = ["-c", "from workflow.cli.people.admin import main; main()"] if admin else ["-m", "workflow"]
        process = subprocess.Popen(
            [sys.executable, *module, *arguments],
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        if said is not None:
            process.stdin.write(json.dumps(said))
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, *arguments: str, said: Any = None, admin: bool = False) -> str:
        """What a command prints, which ends well."""
        process = self.begin(*arguments, said=said, admin=admin)
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, out + error
        return out if "--json" in arguments else " ".join(out.split())

    def turn(self, *arguments: str, said: Any = None) -> dict[str, Any]:
        """The reply to a turn."""
        reply: dict[str, Any] = json.loads(self.run(*arguments, "--json", said=said))
        return reply


def planned(host: Host) -> str:
    """A session whose plan waits for approval."""
    reply = host.turn("start", "--input", "-", said={"input": {"words": WORDS}})
    name = str(reply["session"])
    host.turn("advance", name, "answer", "--input", "-", said={"input": {"words": MORE}})
    return name


def yes(host: Host, name: str) -> dict[str, Any]:
    """What an agent sends to approve the plan that it has just read."""
    return {"evidence": {"quote": "Yes, go ahead"}, "seen": host.turn("status", name)["seen"]}


def test_an_operator_prepares_a_database_and_is_told_what_it_is(postgres: Server, tmp_path: Path) -> None:
    """Without tables every command says how they are made; with them `doctor` says what it found."""
    host = Host(tmp_path / "a", postgres.address(postgres.create()))
    process = host.begin("sessions")
    out, error = process.communicate(timeout=300)
    assert process.returncode != 0 and "`workflow-admin store migrate`" in " ".join((out + error).split())
    assert "made the schema, number 1" in host.run("store", "migrate", admin=True)
    assert "the schema is there already" in host.run("store", "migrate", admin=True)
    assert json.loads(host.run("sessions", "--json"))["sessions"] == []
    checks = json.loads(host.begin("doctor", "--json").communicate(timeout=300)[0])["checks"]
    store = next(each for each in checks if each["name"] == "store")
    assert store["state"] == "ok" and "PostgreSQL 18" in store["what"], store


def test_a_whole_conversation(postgres: Server, sandbox: Sandbox, tmp_path: Path) -> None:
    """Begun on one host, continued and watched on another, with every look that people have; one payment."""
    database = postgres.store()
    one, two = (Host(tmp_path / name, database, sandbox.url) for name in "ab")
    name = planned(one)
    reply = two.turn("advance", name, "approve", "--input", "-", said=yes(two, name))
    assert reply["session"] == name
    two.run("watch", name)
    assert one.turn("advance", name)["state"].startswith("deliver")
    assert [each["name"] for each in json.loads(one.run("sessions", "--json"))["sessions"]] == [name]
    assert "1 session" in two.run("audit", "verify", "--store")
    one.run("audit", "verify", name)
    one.run("audit", "log", name)
    assert len(creates(sandbox)) == 1
    ledgers = [host.folder / ".local/state/phasegate/ledger.jsonl" for host in (one, two)]
    assert [each.exists() for each in ledgers] == [False, True]


def test_two_hosts_race_for_one_approval(postgres: Server, sandbox: Sandbox, tmp_path: Path) -> None:
    """Both approve the same plan at the same time: one call is paid for."""
    database = postgres.store()
    hosts = [Host(tmp_path / name, database, sandbox.url) for name in "ab"]
    name = planned(hosts[0])
    answers = [yes(host, name) for host in hosts]
    turn = ("advance", name, "approve", "--input", "-", "--json")
    racing = [host.begin(*turn, said=answer) for host, answer in zip(hosts, answers, strict=True)]
    ends = [process.communicate(timeout=300) for process in racing]
    assert 0 in [process.returncode for process in racing], ends
    assert len(creates(sandbox)) == 1
    assert "1 session" in hosts[0].run("audit", "verify", "--store")


def test_no_command_shows_the_password(tmp_path: Path) -> None:
    """Neither what fails nor what describes the surroundings."""
    host = Host(tmp_path / "a", f"postgresql://ann:{SECRET}@127.0.0.1:1/shop?connect_timeout=2")
    for command in (["sessions"], ["doctor"], ["config"], ["config", "--json"], ["audit", "verify", "--store"]):
        out, error = host.begin(*command).communicate(timeout=300)
        assert SECRET not in out + error, command
        assert "postgresql://ann@127.0.0.1:1/shop" in out + error, command
    out, error = host.begin("mcp", "--print-config", "claude-code").communicate(timeout=300)
    assert SECRET not in out + error and "PHASEGATE_STORE holds a password" in error
