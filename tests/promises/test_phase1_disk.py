"""What a whole run touches on disk, by the interpreter's own account: what was named, and what is ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox

REFERENCE = Path(__file__).parents[2]

RUN = """
import json, os, sys
events = []
WATCHED = {"open", "os.listdir", "os.scandir", "glob.glob", "glob.glob/2", "os.walk", "os.chmod", "os.mkdir",
           "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "shutil.copyfile", "pathlib.Path.glob",
           "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}
def hook(event, args):
    if event in WATCHED:
        path = args[0] if args else ""
        flags = args[2] if event == "open" and isinstance(args[2], int) else 0
        events.append([event, path if isinstance(path, (str, bytes, os.PathLike)) else repr(path), flags])
sys.addaudithook(hook)
from pathlib import Path
from workflow import Turn, open_engine
home, bundle = Path(sys.argv[1]), sys.argv[2]
engine = open_engine(environ=os.environ, base=home / "work")
file = {"path": "ref.png", "description": "a moon"}
reply = engine.start(Turn("start", {"words": "A poster", "references": [file]}), bundle=bundle)
def send(event, given={}, quote=None):
    turn = Turn(event, given, quote=quote, expect_revision=reply.revision, seen=reply.seen)
    return engine.advance(reply.session, turn)
reply = send("consent", quote="yes")
reply = send("answer", {"words": "in blue"})
reply = send("approve", quote="go ahead")
while not engine.look(reply.session).moved:
    pass
reply = engine.advance(reply.session, Turn())
reply = send("modify", {"words": "darker"}, quote="darker")
while not engine.look(reply.session).moved:
    pass
reply = engine.advance(reply.session, Turn())
engine.world.store.close()
seen = [[event, os.fsdecode(path), flags] for event, path, flags in events]
print(json.dumps({"state": reply.state, "events": seen, "prefixes": [*sys.path, sys.prefix, sys.base_prefix]}))
"""


@dataclass(frozen=True)
class Traced:
    """One run in a process of its own: what it opened, listed and asked, and what HOME was before and after."""

    home: Path
    bundle: Path
    state: str
    events: list[tuple[str, Path, int]]
    requests: list[Request]
    before: dict[str, str]
    after: dict[str, str]

    def paths(self, *kinds: str) -> set[Path]:
        """The paths of these events, those of the interpreter and of installed code left out."""
        return {path for kind, path, _ in self.events if kind in kinds}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A live session of a copied bundle, with a file, a change and a key, beside much that was never named."""
    home = tmp_path_factory.mktemp("person")
    bundle = home / "bundle"
    for name in ("phases", "prompts"):
        shutil.copytree(REFERENCE / name, bundle / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("work/ref.png", "work/other.png", "Pictures/holiday.png", ".ssh/id_ed25519", ".netrc", ".bashrc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"the content of {name}", encoding="utf-8")
    (home / ".config" / "anygen").mkdir(parents=True)
    key = home / ".config" / "anygen" / "config.json"
    key.write_text('{"api_key": "sk-live-0123456789", "theirs": [1]}', encoding="utf-8")
    key.chmod(0o600)
    with Sandbox(rounds=2, looks=1) as sandbox:
        text = (REFERENCE / "workflow.yaml").read_text(encoding="utf-8")
        (bundle / "workflow.yaml").write_text(text.replace("https://www.anygen.io", sandbox.url), encoding="utf-8")
        before = snapshot(home)
        environ = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(REFERENCE), "LANG": "C.UTF-8"}
        command = [sys.executable, "-P", "-c", RUN, str(home), str(bundle)]
        done = subprocess.run(command, env=environ, cwd=home / "work", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        own = tuple(Path(each).resolve() for each in found["prefixes"] if each)
        events = [(kind, Path(os.path.abspath(path)), flags) for kind, path, flags in found["events"]]
        foreign = [each for each in events if not any(each[1].is_relative_to(folder) for folder in own)]
        yield Traced(home, bundle, found["state"], foreign, sandbox.requests, before, snapshot(home))


def snapshot(home: Path) -> dict[str, str]:
    """Every file below, with its mode and content."""
    return {
        str(path.relative_to(home)): f"{path.stat().st_mode:o} {path.read_bytes()!r}"
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def state_of(home: Path) -> Path:
    """Where sessions are kept."""
    return home / ".local" / "state" / "phasegate"


@pytest.mark.rule("R12")
def test_only_what_was_named_is_opened(traced: Traced) -> None:
    """Of the person's files the run opens the one that was named; else its own state, bundle, settings and key."""
    assert traced.state == "revise.changed"
    assert {part.filename for request in traced.requests for part in request.files} == {"ref.png"}
    of_person = {path for path in traced.paths("open") if path.is_relative_to(traced.home)}
    ours = (state_of(traced.home), traced.bundle)
    others = {path for path in of_person if not any(path.is_relative_to(folder) for folder in ours)}
    assert others == {
        traced.home / "work" / "ref.png",
        traced.home / ".config" / "anygen" / "config.json",
    }
    elsewhere = {path for path in traced.paths("open") if not path.is_relative_to(traced.home)}
    assert {path for path in elsewhere if not path.is_relative_to("/proc") and not path.is_relative_to("/dev")} == set()


@pytest.mark.rule("R13")
def test_no_folder_is_listed(traced: Traced) -> None:
    """No folder but the bundle's and the state's is listed, scanned or searched; no other program is run."""
    listed = traced.paths("os.listdir", "os.scandir", "glob.glob", "glob.glob/2", "os.walk", "pathlib.Path.glob")
    ours = (state_of(traced.home), traced.bundle)
    assert [path for path in listed if not any(path.is_relative_to(folder) for folder in ours)] == []
    assert traced.paths("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn") == set()


@pytest.mark.rule("R6", "R14", "R79")
def test_nothing_is_written_but_the_state(traced: Traced) -> None:
    """No file of HOME is changed, made or fetched: no configuration, no picture; the result stays at its link."""
    kept = f"{state_of(traced.home).relative_to(traced.home)}{os.sep}"
    changed = {
        name
        for name in traced.before.keys() | traced.after.keys()
        if traced.before.get(name) != traced.after.get(name) and not name.startswith(kept)
    }
    assert changed == set()
    assert any(name.startswith(kept) for name in traced.after)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    written = {path for kind, path, flags in traced.events if kind == "open" and flags & writing}
    assert [path for path in written if not path.is_relative_to(state_of(traced.home))] == []
    assert [request.path for request in traced.requests if not request.path.startswith("/v1/openapi/")] == []
