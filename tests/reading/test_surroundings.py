"""What only reads needs no right to write: every command, in every surrounding that a store can be met in.

A table: commands over surroundings over what is left of the last writer. Each cell has its exit code and a text that it
must show; and in no cell is anything in the store's folder created or changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands, cli, sandbox
from tests.mcp.test_second_user import User, users
from tests.readable import missing
from workflow.store.sqlite import SqliteStore

__all__ = ["cli", "sandbox", "users"]
STAGE = (Path(__file__).parent / "stage.py").read_text("utf-8")
LEFT = ("closed", "a log", "a log and its index", "a writer")
"""What is left of the last writer: nothing but the database; what it wrote last is in the log; or it is still there."""
DISKS = ("ordinary", "read-only", "full")


@dataclass
class Place:
    """A store of two sessions, in each way that it can be left; the second one's last entries are in the log alone."""

    folder: Path
    first: str
    second: str
    head: str

    def left(self, how: str) -> Path:
        """A folder with the store as it was left."""
        return self.folder / how.replace(" ", "-")


@pytest.fixture
def place(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A finished session in the database, and another one in its log; the store itself is gone from where it was."""
    state = cli.folder / "state"
    first = cli.planned()
    cli.approved(first)
    assert cli("watch", first["session"]).code == 0
    keeper = apsw.Connection(str(state / "phasegate.db"))  # so that no command is the last to close the store
    keeper.execute("SELECT count(*) FROM sessions").fetchall()
    keeper.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
    second = cli.planned()
    kept = Place(cli.folder / "left", first["session"], second["session"], second["receipt"])
    kept.folder.mkdir(mode=0o755)
    shutil.copytree(state, kept.left("a log and its index"))
    shutil.copytree(state, kept.left("a log"))
    (kept.left("a log") / "phasegate.db-shm").unlink()
    assert (kept.left("a log") / "phasegate.db-wal").stat().st_size
    keeper.close()
    SqliteStore(state).close()
    assert not (state / "phasegate.db-wal").exists()
    shutil.copytree(state, kept.left("closed"))
    shutil.copytree(state, kept.left("a writer"))
    for each in LEFT:
        kept.left(each).chmod(0o700)
    cli.folder.chmod(0o755)
    yield kept


def commands(place: Place, elsewhere: Path) -> Mapping[str, list[str]]:
    """Everything that only reads, by a name of its own."""
    name, done = place.second, place.first
    read = [json.dumps(["resources/read", {"uri": f"workflow://sessions/{name}{part}"}]) for part in ("", "/audit")]
    tools = [("workflow_status", {"session": name}), ("workflow_sessions", {}), ("workflow_audit", {"session": name})]
    called = [json.dumps(["tools/call", {"name": tool, "arguments": given}]) for tool, given in tools]
    return {
        "status": ["workflow", "status", name, "--json"],
        "status of the latest": ["workflow", "status"],
        "status --raw": ["workflow", "status", name, "--raw", "--json"],
        "sessions": ["workflow", "sessions"],
        "sessions --search": ["workflow", "sessions", "--search", name],
        "audit log": ["workflow", "audit", "log", name],
        "audit log of all": ["workflow", "audit", "log"],
        "audit verify": ["workflow", "audit", "verify", name, "--expect-head", place.head],
        "audit verify --store": ["workflow", "audit", "verify", "--store"],
        "audit prove": ["workflow", "audit", "prove", done],
        "audit export": ["workflow", "audit", "export", name, "--html", "--to", str(elsewhere / "export")],
        "backup": ["workflow", "backup", str(elsewhere / "copy.db")],
        "replay": ["workflow", "replay", done],
        "upgrade-check": ["workflow", "upgrade-check"],
        "graph": ["workflow", "graph", "--session", name],
        "a dry run": ["workflow", "advance", name, "cancel", "--dry-run"],
        "approve, the list": ["workflow-admin", "approve"],
        "resolve, the list": ["workflow-admin", "resolve"],
        "completion": ["complete", "workflow", "status", ""],
        "resources": ["mcp", *read, json.dumps(["resources/read", {"uri": f"workflow://sessions/{name}/diagram"}])],
        "tools": ["mcp", *called],
        "doctor": ["workflow", "doctor", "--json"],
    }


SAYS_MORE = {"audit prove", "replay", "resolve, the list", "audit verify --store", "backup", "upgrade-check"}
"""What these show is not the second session's name."""
MCP_TURN = json.dumps(["tools/call", {"name": "workflow_advance", "arguments": {"session": "{name}"}}])
TURNS = {"a turn": ["advance", "{name}"], "a start": ["start", "--input-file", "{turn}"], "a fork": ["fork", "{name}"]}
"""What writes is refused where nothing may be written, with the reason, and changes nothing either."""


def check(place: Place, told: str, *, missed: str) -> None:
    """Each command ended well and knew the session that only the log holds, and nothing was changed.

    ``missed`` is what doctor finds bad about saving: the store, the disk, or nothing.
    """
    found = json.loads(told)
    faults = []
    for name, ended in found["ended"].items():
        if name == "a turn over MCP":
            if '\\"type\\":\\"store\\"' not in ended["out"]:
                faults.append((name, ended))
            continue
        if name in TURNS:
            if ended["code"] != 1 or json.loads(ended["out"])["error"]["type"] != "store":
                faults.append((name, ended))
            continue
        shown = name in SAYS_MORE or place.second in ended["out"]
        if name != "doctor" and (ended["code"] != 0 or not shown):
            faults.append((name, ended))
    assert not faults
    checks = {each["name"]: each for each in json.loads(found["ended"]["doctor"]["out"])["checks"]}
    assert "2 sessions" in checks["store"]["what"]
    assert ("no turn can be saved" in checks["store"]["what"]) is (missed == "store")
    assert (checks["disk"]["state"] == "bad") is (missed == "disk")
    assert found["changed"] == {}


def spec(place: Place, folder: Path, left: str, disk: str, elsewhere: Path, *, turns: bool) -> str:
    """What the stage is told."""
    turn = elsewhere / "turn.json"
    turn.write_text(json.dumps({"input": {"words": "A poster"}}))
    given = {
        name: ["workflow", *(each.format(name=place.second, turn=turn) for each in command)]
        for name, command in TURNS.items()
    }
    given["a turn over MCP"] = ["mcp", MCP_TURN.replace("{name}", place.second)]
    asked = {**commands(place, elsewhere), **(given if turns else {})}
    # Where the store is the user's own, the server opens it for turns.
    later = {name: command for name, command in asked.items() if command[0] == "mcp" and not turns}
    asked = {name: command for name, command in asked.items() if name not in later}
    told = {"folder": str(folder), "disk": disk, "writer": left == "a writer", "commands": asked, "later": later}
    return json.dumps(told)


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("disk", DISKS)
def test_on_every_disk(place: Place, tmp_path: Path, disk: str, left: str) -> None:
    """An ordinary one, one that is mounted read-only, and one without a free byte."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = spec(place, place.left(left), left, disk, elsewhere, turns=disk == "read-only")
    ended = subprocess.run([*apart(), sys.executable, "-c", STAGE, told], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    check(place, ended.stdout, missed={"read-only": "store", "full": "disk"}.get(disk, ""))


def apart() -> list[str]:
    """How to run something that may mount: as root, or where a user may be root within a namespace of their own."""
    ways = (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]) if shutil.which("unshare") else ()
    for way in ways:
        if subprocess.run([*way, "true"], check=False, capture_output=True).returncode == 0:
            return way
    return missing("neither root nor a user who may mount within a namespace")


@pytest.mark.parametrize("left", LEFT[:3])
def test_root_reads_the_store_of_a_user(place: Place, tmp_path: Path, left: str) -> None:
    """Nobody else may read it, and whose it is is said; nothing in it becomes root's."""
    if os.geteuid() != 0:
        missing("only root can read what is another user's alone")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(["chown", "-R", "54321:54321", str(place.left(left))], check=True)
    told = spec(place, place.left(left), left, "ordinary", elsewhere, turns=True)
    ended = subprocess.run([sys.executable, "-c", STAGE, told], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    check(place, ended.stdout, missed="store")
    found = json.loads(ended.stdout)["ended"]
    assert "belongs to another user (uid 54321)" in json.loads(found["status"]["out"])["notices"][0]
    assert "belongs to another user (uid 54321)" in found["audit verify"]["err"]


@pytest.mark.parametrize("left", LEFT[:3])
def test_a_user_reads_by_the_rights_of_a_group(place: Place, users: tuple[User, User], left: str) -> None:
    """An auditor with the right to read, and no more."""
    owner, auditor = users
    folder, elsewhere = owner.home / "state", auditor.home / "elsewhere"
    owner.home.chmod(0o755)
    shutil.copytree(place.left(left), folder)
    elsewhere.mkdir()
    told = spec(place, folder, left, "ordinary", elsewhere, turns=True)
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o750 if each.is_dir() else 0o640)
    for whose, where in ((f"{owner.name}:{auditor.name}", folder), (f"{auditor.name}:{auditor.name}", elsewhere)):
        subprocess.run(["chown", "-R", whose, str(where)], check=True)
    check(place, auditor.run("-c", STAGE, told), missed="store")
