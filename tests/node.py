"""Node.js for tests: where its packages are, and what is done where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]
NODE_FOLDER = ROOT / ".venv/.cache/node/node_modules"


def node_path() -> str:
    """Where the packages are: NODE_PATH, or the folder that the Makefile fills."""
    return os.environ.get("NODE_PATH") or str(NODE_FOLDER)


def missing(why: str) -> NoReturn:
    """What the test needs is not there: on a machine for CI that is a failure, elsewhere it is left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; on this machine the test must not be left out")
    pytest.skip(why)


def javascript(script: str, installs: str, given: str = "") -> str:
    """What a script prints that reads ``given``; ``installs`` is the command that brings the packages it needs."""
    if shutil.which("node") is None:
        missing("node is not here")
    ended = run_javascript(script, given)
    if ended.returncode != 0 and "MODULE_NOT_FOUND" in ended.stderr:
        missing(f"the packages of this test are not here; `{installs}` installs them")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def run_javascript(script: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """The script in Node.js, with the packages that are installed for the tests."""
    environ = {**os.environ, "NODE_PATH": node_path()}
    return subprocess.run(["node", "-e", script], input=given, capture_output=True, text=True, env=environ, timeout=120)
