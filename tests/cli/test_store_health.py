"""A store that cannot be used: every command says so in one reply, with what to do, and nothing is sent."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.store.connection import SCHEMA

ROOT = Path(__file__).parents[2]


def _sql(file: Path, statements: str) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statements).fetchall()
    connection.close()


def _text(file: Path) -> None:
    file.write_text("shopping list: milk, bread\n" * 200)


def _short_text(file: Path) -> None:
    file.write_text("milk\n")


def _other_database(file: Path) -> None:
    file.unlink()
    _sql(file, "PRAGMA application_id = 42; CREATE TABLE recipes (title); INSERT INTO recipes VALUES ('soup')")


def _newer(file: Path) -> None:
    _sql(file, f"PRAGMA user_version = {SCHEMA + 1}")


def _half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _pages(file: Path) -> None:
    with file.open("r+b") as raw:
        for start in range(4096, file.stat().st_size, 4096):
            raw.seek(start)
            raw.write(b"\xff" * 400)


def _header(file: Path) -> None:
    with file.open("r+b") as raw:
        raw.write(b"\0" * 100)


DAMAGE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a text": (_text, "is not a database", "another state folder"),
    "a short text": (_short_text, "is not a database", "another state folder"),
    "another program's database": (_other_database, "another program", "another state folder"),
    "a newer schema": (_newer, "newer version", "Upgrade"),
    "half the file": (_half, "is damaged", "backup"),
    "overwritten pages": (_pages, "is damaged", "backup"),
    "an empty header": (_header, "is not a database", "another state folder"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_store_that_was_spoiled_is_said_to_be(cli: Commands, sandbox: Sandbox, how: str) -> None:
    """Exit code 1, what is wrong and what to do, the same from each command; the file is left as it is."""
    spoil, fault, hint = DAMAGE[how]
    plan = cli.planned()
    cli.planned()
    file = cli.folder / "state" / "phasegate.db"
    _sql(file, "PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    spoil(file)
    before, requests = file.read_bytes(), len(sandbox.requests)
    turn = cli.write({"evidence": {"quote": "yes"}, "seen": plan["seen"], "input": {}})
    name = plan["session"]
    for command in (
        ["advance", name, "approve", "--input-file", turn],
        ["advance", name],
        ["status", name],
        ["resume", name],
        ["watch", name],
        ["sessions"],
        ["audit", "log", name],
        ["audit", "verify", name],
    ):
        ended = cli(*command, "--json")
        assert ended.code == 1, command
        assert ended.error["type"] == "store"
        assert fault in ended.error["message"] and str(file) in ended.error["message"]
        assert hint in ended.error["hint"]
    found = next(each for each in cli("doctor", "--json").json["checks"] if each["name"] == "store")
    assert found["state"] == "bad" and fault in found["what"] and hint in found["hint"]
    assert (file.read_bytes(), len(sandbox.requests)) == (before, requests)


@pytest.mark.parametrize("lost", [1, 1_000, 4_096])
def test_a_file_that_lost_its_end_is_found_by_the_doctor(cli: Commands, sandbox: Sandbox, lost: int) -> None:
    """A page that no turn needs may be missing for long; the doctor reads them all."""
    cli.planned()
    file = cli.folder / "state" / "phasegate.db"
    _sql(file, "PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(file, file.stat().st_size - lost)
    found = next(each for each in cli("doctor", "--json").json["checks"] if each["name"] == "store")
    assert found["state"] == "bad" and "damaged" in found["what"] and "backup" in found["hint"]


def test_a_disk_that_fills_up_before_a_paid_turn(cli: Commands, sandbox: Sandbox) -> None:
    """What cannot be recorded is not ordered; with room the same turn goes through, and is paid once."""
    plan = cli.planned()
    turn = {"evidence": {"quote": "yes, go ahead"}, "seen": plan["seen"]}
    requests = len(sandbox.requests)
    for _ in range(2):
        code, reply = _advance(plan["session"], turn, room=0)
        assert (code, reply["error"]["type"]) == (1, "store")
        assert "pace" in reply["error"]["hint"] or "disk" in reply["error"]["hint"]
        assert len(sandbox.requests) == requests
    code, reply = _advance(plan["session"], turn, room=None)
    assert (code, reply["state"]) == (0, "deliver.generating")
    assert [each.path.endswith("/tasks") for each in sandbox.requests[requests:]] == [True]


@pytest.mark.parametrize("room", [8_192, 16_384, 24_576, 32_768, 49_152])
def test_a_disk_that_fills_up_within_a_paid_turn(cli: Commands, sandbox: Sandbox, room: int) -> None:
    """Wherever the room ends: one order at most, never one that is forgotten; with room again the run goes on."""
    plan = cli.planned()
    turn = {"evidence": {"quote": "yes, go ahead"}, "seen": plan["seen"]}
    requests = len(sandbox.requests)
    code, reply = _advance(plan["session"], turn, room=room)
    assert code in (0, 1) and (code == 0 or reply["error"]["type"] == "store")
    ordered = sum(each.path.endswith("/tasks") for each in sandbox.requests[requests:])
    code, reply = _advance(plan["session"], turn, room=None)
    again = sum(each.path.endswith("/tasks") for each in sandbox.requests[requests:])
    assert (reply["state"], again) in [("deliver.generating", 1), ("create.unsure", 1)]
    assert reply["state"] == "deliver.generating" or ordered == 1


def _advance(name: str, turn: dict[str, Any], *, room: int | None) -> tuple[int, dict[str, Any]]:
    """``workflow advance`` as a process that can make no file longer than the longest that is there, and so much."""
    state = Path(os.environ["PHASEGATE_STATE"])
    longest = max(
        (state / each).stat().st_size for each in ("phasegate.db-wal", "phasegate.db") if (state / each).exists()
    )

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room and longest + room, room and longest + room))

    ended = subprocess.run(
        [sys.executable, "-m", "workflow", "advance", name, "approve", "--json", "--input", "-"],
        input=json.dumps(turn).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
        preexec_fn=limit,
    )
    assert b"Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stdout)
