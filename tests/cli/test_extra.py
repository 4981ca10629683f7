"""What installs the MCP library after the fact: the command that is told, typed, however Phasegate was installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_MCP = "import sys, runpy; sys.modules['mcp'] = None; runpy.run_module('workflow', run_name='__main__')"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""No index is asked; what the extra needs is there already, and pip says so."""


class Place:
    """An environment of its own: it sees the packages of the tests, except where it has its own."""

    def __init__(self, folder: Path) -> None:
        self.python = str(folder / "bin" / "python")
        self.home = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        inside = next(folder.glob("lib/python*/site-packages"))
        (inside / "packages_of_the_tests.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")

    def run(self, *command: str, shell: bool = False) -> subprocess.CompletedProcess[str]:
        """A command in this environment, which asks no index."""
        known = {**os.environ, **OFFLINE, "HOME": str(self.home), "PHASEGATE_STATE": str(self.home / "state")}
        what = command[0] if shell else command
        return subprocess.run(what, shell=shell, cwd=self.home, env=known, capture_output=True, text=True, check=False)

    def pip(self, *arguments: str) -> None:
        """Install, with pip as it is shared by pipx: it lies outside."""
        ended = self.run(self.python, "-m", "pip", "install", "--no-deps", "--ignore-installed", *arguments)
        assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def address(wheel: Path) -> Iterator[str]:
    """The wheel behind HTTP, on loopback."""
    handler = partial(_Quiet, directory=str(wheel.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{wheel.name}"
        server.shutdown()
        serving.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


Ways = dict[str, Callable[[Path, str], tuple[str, ...]]]
WAYS: Ways = {
    "a folder": lambda wheel, address: (str(ROOT),),
    "a file": lambda wheel, address: (str(wheel),),
    "an address": lambda wheel, address: (address,),
    "an index": lambda wheel, address: ("--find-links", str(wheel.parent), "phasegate"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_command_that_is_told_installs_the_extra(tmp_path: Path, wheel: Path, address: str, way: str) -> None:
    """Typed as it stands there, it finds Phasegate where it came from, and what the extra needs."""
    place = Place(tmp_path / "with a blank")
    place.pip(*WAYS[way](wheel, address))
    command = told_in(place)
    assert ("phasegate[mcp] @ " in command) is (way != "an index")
    installs(place, command)


def test_the_checkout_of_the_tests_gets_the_packages_themselves(tmp_path: Path) -> None:
    """It is editable: its code stays where it is, and what the extra needs comes beside it."""
    place = Place(tmp_path)
    place.python = sys.executable
    installs(place, told_in(place))


def told_in(place: Place) -> str:
    """The command that `workflow mcp` tells without the library."""
    told = place.run(place.python, "-c", WITHOUT_MCP, "mcp")
    (command,) = re.findall("as the extra 'mcp': `([^`]+)`", told.stderr)
    assert told.returncode == 2 and "`workflow mcp` needs the package mcp, version 2.3 or later" in told.stderr
    assert isinstance(command, str)
    return command


def installs(place: Place, command: str) -> None:
    """The command, typed: pip has found the extra and all that it needs."""
    ended = place.run(command, shell=True)
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"Requirement already satisfied: mcp<3,>=2\.3", ended.stdout)
    assert place.run(place.python, "-m", "workflow", "mcp", "--help").returncode == 0


def test_a_folder_that_is_gone_is_not_named(tmp_path: Path, wheel: Path) -> None:
    """The packages of the extra are named instead."""
    place, moved = Place(tmp_path / "venv"), tmp_path / wheel.name
    moved.write_bytes(wheel.read_bytes())
    place.pip(str(moved))
    moved.unlink()
    hint = place.run(place.python, "-c", WITHOUT_MCP, "mcp").stderr.partition("→")[2]
    assert "'mcp<3,>=2.3'" in hint and "phasegate" not in hint.replace(str(tmp_path), "")


def test_a_python_without_pip_gets_it_first(tmp_path: Path, wheel: Path) -> None:
    """As uv makes them."""
    place = Place(tmp_path / "venv")
    place.pip(str(wheel))
    without = f"import sys; sys.modules['pip'] = None; {WITHOUT_MCP}"
    hint = place.run(place.python, "-c", without, "mcp").stderr
    assert f"`{place.python} -m ensurepip && {place.python} -m pip install " in hint
