"""Names of sessions and paths of bundles that try to lead elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from workflow.model.errors import UsageError
from workflow.model.session_names import is_name
from workflow.store.locks import check_name
from workflow.store.sqlite import SqliteStore

NAMES = {
    "traversal": "../../etc/passwd",
    "traversal with a name": "../amber-fox",
    "absolute": "/etc/passwd",
    "backslashes": "..\\amber-fox",
    "percent": "%2e%2e%2famber-fox",
    "NUL": "amber-fox\0",
    "newline": "amber-fox\n",
    "carriage return": "amber-fox\r",
    "escape": "amber-\x1b[2Jfox",
    "Cyrillic": "аmber-fox",
    "full width": "ａmber-fox",
    "other digits": "amber-fox-٣",
    "other hyphen": "amber\u2010fox",
    "zero width": "amber\u200b-fox",
    "override": "\u202exof-rebma",
    "tag characters": "amber-fox\U000e0061",
    "upper case": "AMBER-FOX",
    "dotless": "amber-fıx",
    "long": "a" * 65,
    "very long": "amber-" * 100_000,
    "many words": "a-" * 6 + "a",
    "not text": "amber-\udcff",
    "option": "--help=amber",
    "blank": " amber-fox",
    "dots": "...",
    "SQL": "x' OR '1'='1",
    "glob": "amber-*",
    "underscore": "amber_fox",
}
COMMANDS = (
    *(("status",), ("resume",), ("advance",), ("watch",), ("audit", "log"), ("audit", "verify")),
    ("watch", "--announce-skip"),
)


@pytest.mark.parametrize("kind", NAMES)
def test_session_name_that_is_none(kind: str, tmp_path: Path) -> None:
    """It is no name, it makes no path, and no file is made for it."""
    assert not is_name(NAMES[kind])
    with pytest.raises(UsageError):
        check_name(NAMES[kind])
    store = SqliteStore(tmp_path / "state")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(UsageError), store.hold(NAMES[kind]):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_session_name_at_a_command(cli: Commands, sandbox: Sandbox, command: tuple[str, ...]) -> None:
    """Not found, or a usage error: short, without what hides, and every other session is as it was."""
    known = cli.planned()["session"]
    before = cli("status", known).out
    for kind, name in NAMES.items():
        ended = cli(*command, "--", name)
        assert ended.code in (2, 5), kind
        told = ended.out + ended.err
        assert len(told) < 2000, kind
        assert not any(char in told for char in "\0\x1b\u202e\u200b\r\U000e0061"), kind
    assert cli("status", known).out == before
    assert [each["name"] for each in cli("sessions", "--json").json["sessions"]] == [known]


PATHS = {
    "NUL": "bundle\0",
    "nothing": "nowhere",
    "traversal": "../../../../../../etc",
    "a file": "workflow.yaml",
    "a device": "/dev",
    "processes": "/proc/self",
    "look-alike": "bundlе",
    "very long": "a" * 5000,
    "very deep": "a/" * 3000,
    "not text": "bundle-\udcff",
    "newline": "bundle\n",
    "escape": "bundle\x1b[2J",
    "a user": "~root",
    "variables": "$HOME/bundle",
    "an address": "https://elsewhere.invalid/bundle",
    "blank": " ",
}


@pytest.mark.parametrize("kind", PATHS)
def test_bundle_path_that_is_none(cli: Commands, sandbox: Sandbox, kind: str) -> None:
    """A clear error with exit code 2 from every way in; nothing is started, fetched or run, no trace of ours shown."""
    turn = cli.write({"input": {"words": "A poster"}})
    for arguments in (("start", "--bundle", PATHS[kind], "--input-file", turn), ("lint", PATHS[kind])):
        ended = cli(*arguments)
        assert ended.code == 2, arguments
        assert "Traceback" not in ended.out + ended.err and "internal" not in ended.out
        assert not any(char in ended.out + ended.err for char in "\0\x1b")
    assert cli("sessions", "--json").json["sessions"] == []
    assert sandbox.requests == []


def test_bundle_of_the_working_directory_is_not_taken(cli: Commands, sandbox: Sandbox) -> None:
    """A bundle is code: one that lies where somebody stands runs nothing by lying there."""
    (cli.folder / "workflow.yaml").write_text("format: 1\nworkflow: planted\n", encoding="utf-8")
    (cli.folder / "phases").mkdir()
    (cli.folder / "phases" / "__init__.py").write_text("open('ran', 'w').close()\n", encoding="utf-8")
    assert cli.planned()["state"] == "confirm.presenting"
    assert not (cli.folder / "ran").exists()
    assert os.listdir(cli.folder / "phases") == ["__init__.py"]
