"""Every command once, each in a process of its own: what it is given, and how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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
    "workflow test": ("--scenario", "declined-file"),
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
    "workflow play": (),
    "workflow page": ("--approver", "nobody"),
    "workflow completion": ("bash",),
    "workflow help": (),
    "workflow-admin adopt": ("--yes",),
    "workflow-admin approve": (),
    "workflow-admin completion": ("bash",),
    "workflow-admin help": (),
    "workflow-admin forget": ("amber-fox", "--yes"),
    "workflow-admin log": (),
    "workflow-admin pause": ("--all",),
    "workflow-admin prune": ("--older-than", "90d", "--yes"),
    "workflow-admin approver passphrase": (),
    "workflow-admin approver list": (),
    "workflow-admin approver remove": (),
    "workflow-admin approver add": (),
    "workflow-admin approver role": ("owner", "manager", "--take"),
    "workflow-admin resolve": (),
    "workflow-admin token list": (),
    "workflow-admin token new": ("agent",),
    "workflow-admin page": ("--approver", "owner"),
    "workflow-admin browser list": (),
    "workflow-admin browser revoke": ("1f2e3d4c",),
    "workflow-admin device list": (),
    "workflow-admin device confirm": ("1f2e",),
    "workflow-admin device revoke": ("1f2e",),
    "workflow-admin store migrate": (),
    "workflow-admin token revoke": ("agent",),
    "workflow-admin unpause": ("--all",),
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
FORKS = """
import importlib, json, os, sys
import workflow.cli.people.admin, workflow.engine

class Recording(type(os.environ)):
    known = set()
    def __getitem__(self, name):
        self.note(name)
        return super().__getitem__(name)
    def __contains__(self, name):
        self.note(name)
        return super().__contains__(name)
    def note(self, name):
        if name not in self.known:
            self.known.add(name)
            with open(HERE, "a") as file:
                file.write(name + chr(10))

for cell in json.load(sys.stdin):
    if not os.fork():
        os.chdir(cell["here"])
        HERE = os.path.abspath("variables")
        os.environ.clear()
        os.environ.update(cell["environ"])
        os.dup2(os.open("turn.json", os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        if cell["unread"]:
            end, given = os.pipe()
            os.close(end)
            os.dup2(given, 1)
        if cell["recorded"]:
            os.environ.__class__ = Recording
        if cell["person"]:
            sys.stdout.isatty = lambda: True
        sys.argv = cell["arguments"]
        importlib.import_module(cell["module"]).main()
    number, status = os.wait()
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
"""The interpreter starts once, so that not every process has to import everything again."""


class Ended(NamedTuple):
    """How a command ended; ``out`` and ``told`` (with stderr) show bytes that are not UTF-8 as escapes.

    ``variables`` are those of the environment that it looked at, if that was recorded.
    """

    code: int
    out: str
    told: str
    variables: frozenset[str] = frozenset()

    @property
    def fault(self) -> str:
        """The type of the error in its one reply; empty if there is none."""
        try:
            reply = json.loads(self.out.splitlines()[-1])
        except (ValueError, IndexError):
            return ""
        error = reply.get("error") if isinstance(reply, dict) else None
        return str(error["type"]) if error else ""

    @property
    def sound(self) -> bool:
        """Whether it ended as a command may: with no fault of ours and no traceback."""
        return self.fault != "internal" and "internal fault" not in self.told and "Traceback" not in self.told


@dataclass(frozen=True)
class Everything:
    """Runs every command below ``folder``, as the user ``uid`` where one is given."""

    folder: Path
    python: str
    path: str
    uid: int | None = None

    def run(
        self,
        surroundings: Mapping[str, str],
        *,
        start: Mapping[str, str] | None = None,
        unread: bool = False,
        person: bool = False,
        recorded: bool = False,
    ) -> dict[str, Ended]:
        """How each command ends, each in a folder of its own; ``{}`` in a variable is that folder.

        ``start`` is what the interpreter itself needs to know from its start. Nobody reads stdout if ``unread``,
        and a ``person`` does as at a terminal.
        """
        cells = [
            self._cell(name, surroundings) | {"unread": unread, "person": person, "recorded": recorded}
            for name in CELLS
        ]
        owner: dict[str, Any] = {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid else {}
        done = subprocess.run(
            [self.python, "-c", FORKS],
            input=json.dumps(cells).encode(),
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": self.path, **(start or {})},
            cwd=self.folder,
            timeout=240,
            check=True,
            **owner,
        )
        codes = map(int, done.stdout.split())
        return {name: _ended(code, Path(cell["here"])) for name, code, cell in zip(CELLS, codes, cells, strict=True)}

    def _cell(self, name: str, surroundings: Mapping[str, str]) -> dict[str, Any]:
        here = Path(tempfile.mkdtemp(dir=self.folder))
        (here / "turn.json").write_text(WORDS, encoding="utf-8")
        (here / "config.toml").write_text("", encoding="utf-8")
        for each in (here, *here.iterdir()):
            os.chown(each, self.uid or -1, self.uid or -1)
        program, *words = name.split()
        named = {variable: value.format(here) for variable, value in surroundings.items()}
        return {
            "here": str(here),
            "environ": {"PATH": "/usr/bin:/bin", "PYTHONPATH": self.path, **named},
            "module": PROGRAMS[program],
            "arguments": [program, *words, *CELLS[name]],
        }


def _ended(code: int, here: Path) -> Ended:
    out, err = ((here / name).read_bytes().decode("utf-8", "backslashreplace") for name in ("out", "err"))
    read = here / "variables"
    names = read.read_text(encoding="utf-8").splitlines() if read.exists() else ()
    return Ended(code, out, out + err, frozenset(names))
