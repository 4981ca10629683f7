"""Runs reading commands in one surrounding, as a program of its own: it may mount, and be another user.

It gets one JSON object as its argument, and prints one. It imports nothing of the tests, so that a user who cannot
read the checkout can be given its text.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

SIZE = 4 * 1024 * 1024
"""Bytes of the disk that is filled."""
WRITER = """
import sys
from pathlib import Path
from workflow.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
assert store.sessions()
print("open", flush=True)
sys.stdin.read()
"""
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}


def main(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Set the scene, run each command, and tell how each ended and what was changed in the folder of the store."""
    folder = Path(spec["folder"])
    with ExitStack() as scene:
        if spec["disk"] == "full":
            _fill(folder)
        if spec["writer"]:
            scene.enter_context(_writer(folder))
        if spec["disk"] == "full":
            _fill_up(folder)
        if spec["disk"] == "read-only":
            _run("mount", "--bind", str(folder), str(folder))
            _run("mount", "-o", "remount,ro,bind", str(folder))
        os.environ["PHASEGATE_STATE"] = str(folder)
        before = _listing(folder)
        ended = {name: _ended(name, command) for name, command in spec["commands"].items()}
        after = _listing(folder)
        ended |= {name: _ended(name, command) for name, command in spec["later"].items()}
        changed = {name: [before.get(name), after.get(name)] for name in before | after}
    return {"ended": ended, "changed": {name: each for name, each in changed.items() if each[0] != each[1]}}


def _fill(folder: Path) -> None:
    """Put what is in the folder on a small disk of its own."""
    kept = folder.with_name(f"{folder.name}-kept")
    _run("cp", "-a", str(folder), str(kept))
    _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "none", str(folder))
    _run("cp", "-a", f"{kept}/.", str(folder))


def _fill_up(folder: Path) -> None:
    """Leave no byte of it."""
    with open(folder / "filler", "wb", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


@contextmanager
def _writer(folder: Path) -> Iterator[None]:
    """Another process that has the store open for turns."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "open\n"
        try:
            yield
        finally:
            process.communicate("")


def _ended(name: str, command: Sequence[str]) -> dict[str, Any]:
    if command[0] == "mcp":
        return _asked(command[1:])
    if command[0] == "complete":
        return _completed(command[1:])
    from workflow.cli.app import run, workflow
    from workflow.cli.people.admin import admin

    group = {"workflow": workflow, "workflow-admin": admin}[command[0]]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(group, list(command[1:]), command[0])
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _completed(words: Sequence[str]) -> dict[str, Any]:
    """What the shell would offer after these words."""
    environ = {"_WORKFLOW_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    code = "from workflow.cli.app import workflow; workflow.main(prog_name='workflow')"
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ | environ, capture_output=True, text=True)
    return {"code": ended.returncode, "out": ended.stdout, "err": ended.stderr}


def _asked(requests: Sequence[str]) -> dict[str, Any]:
    """What the MCP server answers; each request is its method and its parameters as JSON."""
    given = [("initialize", HELLO), *(tuple(json.loads(each)) for each in requests)]
    command = [sys.executable, "-m", "workflow", "mcp"]
    pipe = subprocess.PIPE
    answers = []
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as server:
        assert server.stdin and server.stdout and server.stderr
        for number, (method, params) in enumerate(given):
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            server.stdin.write(json.dumps(request) + "\n")
            if not number:
                server.stdin.write('{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
            server.stdin.flush()
            for line in server.stdout:
                if json.loads(line).get("id") == number:
                    answers.append(json.loads(line))
                    break
        server.stdin.close()
        err = server.stderr.read()
    return {"code": server.returncode, "out": json.dumps(answers[1:]), "err": err}


def _listing(folder: Path) -> dict[str, Any]:
    """Everything that is there: kind and mode, owner, size, and when it was written."""
    found = {str(each.relative_to(folder)): each.lstat() for each in (folder, *folder.rglob("*"))}
    return {name: [s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns] for name, s in found.items()}


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
