"""Streams that are closed, full or gone: an exit code and a word, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """One line of shell, in which ``workflow`` is the command."""
    script = f'workflow() {{ "{sys.executable}" -m workflow "$@"; }}; {line}'
    known = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, env=known, cwd=tmp_path, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("workflow sessions >&-", 0),
        ("workflow status nobody >&-", 5),
        ("workflow sessions >/dev/full", 1),
        ("workflow status nobody >/dev/full", 1),
        ("workflow advance nobody check --input - <&-", 2),
        ("workflow sessions --offset 99999999999999999999", 2),
        ("workflow advance nobody --wait nan", 2),
        ("mkdir gone && cd gone && rmdir ../gone && workflow sessions", 0),
    ],
)
def test_odd_streams_end_in_an_exit_code(tmp_path: Path, line: str, code: int) -> None:
    """What cannot be read or written is told where it can be, and nothing looks like a crash."""
    ended = run(tmp_path, line)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr and "internal fault" not in ended.stdout + ended.stderr


def test_a_state_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    """A folder in which nothing can be made: named, with the next step."""
    (tmp_path / "turn.json").write_text('{"input": {"words": "A poster"}}', encoding="utf-8")
    begin = f"workflow start --json --input-file {tmp_path / 'turn.json'}"
    ended = run(tmp_path, begin, PHASEGATE_STATE="/proc/nowhere/state")
    assert ended.returncode == 1
    assert '"type":"store"' in ended.stdout and "/proc/nowhere" in ended.stdout


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device", "endless", "of the system", "a socket", "nowhere"])
@pytest.mark.parametrize("command", ["advance amber-fox adjust --input-file", "start --input-file", "skill coverage"])
def test_a_file_that_is_none_is_not_waited_for(tmp_path: Path, kind: str, command: str) -> None:
    """A pipe that nobody writes to, a device that never ends: an error, at once, that repeats nothing of it."""
    file = tmp_path / "named"
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a folder":
        file.mkdir()
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(file))
    elif kind != "nowhere":
        named = {"a device": "/dev/null", "endless": "/dev/zero", "of the system": "/proc/self/environ"}
        file.symlink_to(named[kind])
    ended = run(tmp_path, f"workflow {command} {file}", ANYGEN_API_KEY="sk-of-nobody-1234567890")
    assert ended.returncode == 2 and "sk-of-nobody" not in ended.stdout + ended.stderr
    told = json.loads(ended.stdout)["error"]["message"] if "input" in command else ended.stderr
    assert "named" in told and "Traceback" not in told


def test_json_on_a_pipe_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    """The name of a session as somebody typed it comes back in the error: escaped, and the same."""
    typed = "x\u009b31m\u202e\u200b"
    ended = run(tmp_path, f"workflow status '{typed}'")
    assert ended.stdout.strip().isprintable() and typed[0] in json.loads(ended.stdout)["error"]["message"]
