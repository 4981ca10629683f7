"""A user id that the system does not know, without HOME: each command works, or says which variable to set."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.docs.tables import commands
from tests.readable import found, missing

UID = 54321
"""No entry of the system's list of users has it."""
WORDS = '{"input": {"words": "A poster"}}'
PROGRAMS = {"workflow": "workflow.cli.app", "workflow-admin": "workflow.cli.people.admin"}
CELLS: Mapping[str, Sequence[str]] = {
    "workflow start": ("--input", "-"),
    "workflow advance": ("amber-fox",),
    "workflow status": (),
    "workflow resume": (),
    "workflow sessions": (),
    "workflow watch": ("--all",),
    "workflow fork": ("amber-fox",),
    "workflow audit export": ("amber-fox",),
    "workflow audit log": (),
    "workflow audit prove": ("amber-fox",),
    "workflow audit verify": (),
    "workflow replay": ("amber-fox",),
    "workflow backup": ("copy.db",),
    "workflow graph": (),
    "workflow init": ("tea",),
    "workflow lint": (),
    "workflow test": ("--scenario", "declined"),
    "workflow simulate": ("--walks", "1", "--steps", "2"),
    "workflow schema": ("reply",),
    "workflow mcp": (),
    "workflow serve": ("--bind", "192.0.2.1"),
    "workflow sandbox": ("--faults",),
    "workflow demo": ("--yes", "--json"),
    "workflow skill check": ("skills/anygen-image",),
    "workflow skill coverage": ("turn.json",),
    "workflow skill export": ("--target", "claude", "skills/anygen-image"),
    "workflow config": (),
    "workflow upgrade-check": (),
    "workflow doctor": (),
    "workflow completion": ("bash",),
    "workflow-admin adopt": ("--yes",),
    "workflow-admin approve": (),
    "workflow-admin forget": ("amber-fox", "--yes"),
    "workflow-admin log": (),
    "workflow-admin passphrase change": (),
    "workflow-admin passphrase list": (),
    "workflow-admin passphrase remove": (),
    "workflow-admin passphrase set": (),
    "workflow-admin resolve": (),
    "workflow-admin token list": (),
    "workflow-admin token new": ("agent",),
    "workflow-admin token revoke": ("agent",),
    "workflow-admin upgrade": ("amber-fox",),
    "workflow-admin api config set": ("api_key",),
    "workflow-admin api config get": ("api_key",),
    "workflow-admin api config delete": ("api_key",),
    "workflow-admin api config path": (),
    "workflow-admin api upload": ("turn.json",),
    "workflow-admin api prepare": ("-m", "A poster"),
    "workflow-admin api create": ("-p", "A poster"),
    "workflow-admin api poll": ("--task-id", "t"),
    "workflow-admin api send-message": ("--task-id", "t", "-m", "Blue"),
    "workflow-admin api get-messages": ("--task-id", "t"),
}
"""What each command is given: enough to reach what it does."""
IN_HOME = {f"workflow-admin api config {what}" for what in ("set", "get", "delete", "path")}
"""The service's own file of its key is in the home of its user; no variable of ours says where else."""


FORKS = """
import importlib, json, os, sys
import workflow.cli.people.admin, workflow.engine
for cell in json.load(sys.stdin):
    if not os.fork():
        os.chdir(cell["here"])
        os.environ.clear()
        os.environ.update(cell["environ"])
        os.dup2(os.open("turn.json", os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.argv = cell["arguments"]
        importlib.import_module(cell["module"]).main()
    number, status = os.wait()
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
"""Each command in a process of its own, which need not import everything again."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    told: str


@dataclass(frozen=True)
class Somebody:
    """A user id without a name, who has one folder that nothing leads to."""

    folder: Path
    python: str
    path: str

    def all(self, surroundings: Mapping[str, str]) -> dict[str, Ended]:
        """How each command ends, each in a folder of its own; ``{}`` in a variable is that folder."""
        cells = [self._cell(name, surroundings) for name in CELLS]
        done = subprocess.run(
            [self.python, "-c", FORKS],
            input=json.dumps(cells),
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": self.path},
            cwd=self.folder,
            user=UID,
            group=UID,
            extra_groups=[],
            timeout=240,
            check=True,
        )
        codes = map(int, done.stdout.split())
        return {name: _ended(code, Path(cell["here"])) for name, code, cell in zip(CELLS, codes, cells, strict=True)}

    def _cell(self, name: str, surroundings: Mapping[str, str]) -> dict[str, Any]:
        here = Path(tempfile.mkdtemp(dir=self.folder))
        (here / "turn.json").write_text(WORDS, encoding="utf-8")
        (here / "config.toml").write_text("", encoding="utf-8")
        for each in (here, *here.iterdir()):
            os.chown(each, UID, UID)
        program, *words = name.split()
        named = {variable: value.format(here) for variable, value in surroundings.items()}
        return {
            "here": str(here),
            "environ": {"PATH": "/usr/bin:/bin", "PYTHONPATH": self.path, **named},
            "module": PROGRAMS[program],
            "arguments": [program, *words, *CELLS[name]],
        }


def _ended(code: int, here: Path) -> Ended:
    out, err = ((here / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return Ended(code, out, out + err)


@pytest.fixture(scope="module")
def somebody() -> Iterator[Somebody]:
    """What root alone can make: a process of a user id that is nobody's."""
    if os.geteuid() != 0:
        missing("only root can run a process of a user id that has no entry")
    folder = Path(tempfile.mkdtemp(prefix="phasegate-"))
    folder.chmod(0o755)
    try:
        (folder / "runs").mkdir()
        os.chown(folder / "runs", UID, UID)
        python, path = found(UID, folder / "runs", folder / "readable")
        yield Somebody(folder / "runs", python, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def usual(somebody: Somebody) -> dict[str, Ended]:
    """How each command ends for the same user with a home."""
    return somebody.all({"HOME": "{}"})


def test_every_command_is_tried() -> None:
    """One that is added has to say what it is given here."""
    assert set(CELLS) == set(commands()) - {"workflow-admin api"}


def fault(ended: Ended) -> str:
    """The type of the error in its one reply; empty if there is none."""
    try:
        reply = json.loads(ended.out.splitlines()[-1])
    except (ValueError, IndexError):
        return ""
    error = reply.get("error") if isinstance(reply, dict) else None
    return str(error["type"]) if error else ""


def test_with_two_variables_nothing_needs_a_home(somebody: Somebody, usual: dict[str, Ended]) -> None:
    """PHASEGATE_STATE and PHASEGATE_CONFIG say where all of ours is: each command ends as it does with a home."""
    for name, ended in somebody.all({"PHASEGATE_STATE": "{}/state", "PHASEGATE_CONFIG": "{}/config.toml"}).items():
        assert fault(ended) != "internal" and "Traceback" not in ended.told, (name, ended)
        if name in IN_HOME:
            assert ended.code == 2 and "Set HOME" in ended.told, (name, ended)
        else:
            assert (ended.code, fault(ended)) == (usual[name].code, fault(usual[name])), (name, ended, usual[name])


def test_with_nothing_each_command_works_or_says_what_to_set(somebody: Somebody, usual: dict[str, Ended]) -> None:
    """What needs no folder of the user's works; what needs one names the variable."""
    works = set()
    for name, ended in somebody.all({}).items():
        assert fault(ended) != "internal" and "Traceback" not in ended.told, (name, ended)
        if any(f"Set {way}" in ended.told for way in ("PHASEGATE_STATE to", "PHASEGATE_CONFIG to", "HOME to")):
            assert ended.code != 0, (name, ended)
        else:
            assert (ended.code, fault(ended)) == (usual[name].code, fault(usual[name])), (name, ended, usual[name])
            works.add(name.removeprefix("workflow "))
    assert {"graph", "init", "lint", "test", "simulate", "schema", "demo", "config", "completion"} <= works
