"""Command lines of anything: one reply, a known exit code, no traceback, and the session stays as it is."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playing import Player, configuration
from tests.walks.engines import engine_with
from tests.walks.line import ADDRESS, Fate, Line, silent_sandbox
from workflow.cli.app import run, workflow
from workflow.cli.group import LazyGroup
from workflow.model.reply import EXIT_CODES
from workflow.store.sqlite import SqliteStore

BUNDLE = Path(__file__).parents[2]
COMMANDS = ["start", "advance", "status", "resume", "sessions", "audit", "graph", "lint", "schema", "doctor", "config"]
WORDS = [
    *("NAME", "approve", "cancel ", "log", "verify", "show", "--", "-", "--json", "--help", "--raw", "--dry-run"),
    *("--input", "--input-file", "--language", "--wait", "--limit", "--bundle", "--host", "--expect-head", "-1", "601"),
    *("", "..", "/dev/null", "/proc/self/environ", "a\0b", "\udcff", "\u202e\x1b[31m", "9" * 400, "x" * 5_000, "%s{}"),
]
ARGUMENTS = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=12)), max_size=6)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with a session that waits for an approval; the folder above it, and its name."""
    folder = tmp_path_factory.mktemp("kept")
    play = Player(engine_with(SqliteStore(folder / "state"), folder, Line(silent_sandbox(), Fate())), "", ADDRESS)
    play.start({"words": "A poster"})
    play.send("answer", {"words": "Warm"})
    return folder, play.name


@given(command=st.sampled_from(COMMANDS), arguments=ARGUMENTS)
def test_any_command_line_has_one_reply(command: str, arguments: list[str], kept: tuple[Path, str]) -> None:
    """Whatever is typed, nobody approves by it, nothing is asked of a service, and everybody gets a reason."""
    folder, name = kept
    before = SqliteStore(folder / "state").load(name)
    out, err = io.BytesIO(), io.BytesIO()
    environ = {"HOME": str(folder), "PATH": os.environ["PATH"], "PHASEGATE_STATE": str(folder / "state")}
    environ["PHASEGATE_CONFIG"] = str(configuration(folder))
    given_words = [command, *(name if each == "NAME" else each for each in arguments)]
    with (
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO())),
        redirect_stdout(io.TextIOWrapper(out, "utf-8", write_through=True)),
        redirect_stderr(io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)),
        mock.patch("socket.socket.connect", side_effect=ConnectionRefusedError) as connect,
    ):
        code = run(workflow, given_words, "workflow")
        said, told = out.getvalue().decode(), err.getvalue().decode()
    assert all(call.args[0][0] == "127.0.0.1" for call in connect.call_args_list)  # whether its sandbox answers
    assert code in {0, 1, 2, 3, 5, *EXIT_CODES.values()}
    assert "Traceback" not in said + told
    assert isinstance(workflow, LazyGroup)
    if code and ("--json" in given_words or workflow.answers_json(given_words)):
        reply = json.loads(said.splitlines()[-1])
        assert reply["ok"] is False
        assert command in {"doctor", "lint"} or reply["error"]["type"] != "internal", reply
    elif code:
        assert command in {"doctor", "lint"} or told.startswith(("✗ ", "bundle: ", "Usage: ")), told
        assert "internal fault" not in told
    after = SqliteStore(folder / "state").load(name)
    assert before is not None and after is not None
    assert (after.state, after.revision, after.data) == (before.state, before.revision, before.data)
