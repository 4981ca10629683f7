"""The boundary itself: the broker under one Unix user, the agent under another, who can only ask."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.readable import ROOT, found, missing

KEY = "sk-sandbox-0000000000000000"
LOOK = """
import json, os, sys
found = {}
for path in sys.argv[1:]:
    try:
        found[path] = bool(os.listdir(path) if path.endswith("/") else open(path, "rb").read())
    except PermissionError:
        found[path] = None
print(json.dumps(found))
"""


@dataclass
class User:
    """A user of this system who was made for this test; ``python`` is one that may be run by everybody.

    ``path`` is where the checkout and its libraries are that everybody can read.
    """

    name: str
    home: Path
    python: str
    path: str = ""

    def environ(self, **more: str) -> dict[str, str]:
        """What is known to a process of theirs, and no more."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": self.path, "LANG": "C.UTF-8", **more}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Python with these arguments, as this user."""
        return subprocess.Popen(
            [self.python, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.environ(**more),
            cwd=self.home,
            user=self.name,
            group=self.name,
            extra_groups=[],
        )

    def run(self, *arguments: str, **more: str) -> str:
        """What it prints; it must end well."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        return out


@pytest.fixture
def users() -> Iterator[tuple[User, User]]:
    """Two new users, each with a home; they are removed again."""
    if os.geteuid() != 0 or not shutil.which("useradd") or not shutil.which("userdel"):
        missing("only root can make another user, with useradd")
    folder = Path(tempfile.mkdtemp(prefix="phasegate-"))
    folder.chmod(0o755)
    made: list[User] = []
    try:
        for role in ("broker", "agent"):
            name = f"pg-{role}-{os.getpid()}"
            subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", name], check=True)
            made.append(User(name, folder / role, ""))
            made[-1].home.mkdir(mode=0o700)
            known = pwd.getpwnam(name)
            os.chown(made[-1].home, known.pw_uid, known.pw_gid)
        known = pwd.getpwnam(made[0].name)
        python, path = found(known.pw_uid, made[0].home, folder / "readable")
        broker, agent = (User(each.name, each.home, python, path) for each in made)
        yield broker, agent
    finally:
        for each in made:
            subprocess.run(["userdel", each.name], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def owned(user: User, path: Path, text: str) -> Path:
    """A file of this user's, which nobody else can read."""
    known = pwd.getpwnam(user.name)
    for folder in reversed([each for each in path.parents if each.is_relative_to(user.home)]):
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, known.pw_uid, known.pw_gid)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    os.chown(path, known.pw_uid, known.pw_gid)
    return path


def bundle(sandbox: str, folder: Path) -> Path:
    """The reference bundle whose service is the sandbox: its sessions are real ones, and need the broker's key."""
    for name in ("phases", "prompts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    (folder / "workflow.yaml").write_text(text.replace("https://www.anygen.io", sandbox), encoding="utf-8")
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return folder


def test_the_agents_user_can_only_ask(users: tuple[User, User]) -> None:
    """Neither key nor store, files nor tokens, nor the broker's memory; through MCP the whole conversation."""
    broker, agent = users
    example = str(Path(agent.path.partition(os.pathsep)[0]) / "examples/mcp_agent.py")
    key = owned(broker, broker.home / ".config/anygen/config.json", json.dumps({"api_key": KEY}))
    with Sandbox(rounds=2, looks=1) as sandbox:
        procedure = bundle(sandbox.url, broker.home.parent / "bundle")
        token = broker.run(
            "-c", "from workflow.cli.people.admin import main; main()", "token", "new", "agent", "--json"
        )
        secret = json.loads(token)["token"]
        served = broker.start("-m", "workflow", "serve", "--port", "0", "--bundle", str(procedure))
        try:
            assert served.stdout is not None
            url = served.stdout.readline().split()[1]
            told = agent.run(example, "--url", url, PHASEGATE_TOKEN=secret)
            assert "Your image is ready!" in told and KEY not in told
            cheated = agent.run(example, "--url", url, "--cheat", PHASEGATE_TOKEN=secret)
            assert "17 of 17 attempts were in vain" in cheated and KEY not in cheated
            state = broker.home / ".local/state/phasegate"
            closed = [key, state / "phasegate.db", broker.home / ".config/phasegate/tokens.json", state / "mcp.key"]
            closed += [Path(f"/proc/{served.pid}/environ"), Path(f"/proc/{served.pid}/mem")]
            folders = [f"{state}/", f"{state}-spool/", f"{broker.home}/"]
            looked = json.loads(agent.run("-c", LOOK, *map(str, closed), *folders))
            assert set(looked.values()) == {None}, looked
            assert all(each.exists() for each in closed)
            served.terminate()
            out, err = served.communicate(timeout=60)
            assert (served.returncode, out, err) == (0, "", "")
        finally:
            served.kill()
            served.communicate()
        keys = {each.headers.get("authorization") for each in sandbox.requests}
    assert keys == {f"Bearer {KEY}"}
