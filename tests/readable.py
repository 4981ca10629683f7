"""The checkout where another user can run it: a home of root's is closed to everybody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]


def missing(why: str) -> NoReturn:
    """What the test needs is not there: on a machine for CI that is a failure, elsewhere it is left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; on this machine the test must not be left out")
    pytest.skip(why)


def found(uid: int, home: Path, copies: Path) -> tuple[str, str]:
    """A Python of this version that this user can run in ``home``, and where it finds the checkout and libraries.

    Where they are closed to the user, both are copied to ``copies``.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in _paths(copies):
        for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
            command = [python, "-c", "import workflow.mcp_server.broker"]
            environ = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
            try:
                ended = subprocess.run(
                    command,
                    user=uid,
                    group=uid,
                    extra_groups=[],
                    env=environ,
                    cwd=home,
                    capture_output=True,
                    timeout=120,
                )
            except OSError:
                continue
            if ended.returncode == 0:
                return python, path
    missing(f"another user can run no {version} with this checkout and its libraries")


def copied(folder: Path) -> str:
    """The checkout and its libraries, copied to a folder where everybody can read them; the path of both."""
    for name in ("workflow", "phases", "prompts", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(sysconfig.get_paths()["purelib"], folder / "libraries", symlinks=True)
    shutil.copy(ROOT / "workflow.yaml", folder)
    for each in (folder, *folder.rglob("*")):
        if not each.is_symlink():
            each.chmod(0o755 if each.is_dir() else 0o644)
    return os.pathsep.join([str(folder), str(folder / "libraries")])


def _paths(copies: Path) -> Iterator[str]:
    """Where the checkout is, and if that is not enough, a copy of it."""
    yield os.pathsep.join([str(ROOT), sysconfig.get_paths()["purelib"]])
    yield copied(copies)
