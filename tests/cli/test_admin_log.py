"""``workflow-admin log``: an author reads where the code of a bundle failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.promises.test_faults_of_code import SAYS, working
from workflow.bundle import open_bundle
from workflow.service.sandbox.table import Answers


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bundle whose action reads a datum that has no value; its sandbox runs."""
    bundle = working(tmp_path / "working", "reads an unset datum")
    sandbox = Answers(open_bundle(bundle).definition)
    sandbox.start()
    monkeypatch.setenv("PHASEGATE_SANDBOX", sandbox.url)
    yield bundle
    sandbox.stop()


def failed(cli: Commands, folder: Path) -> str:
    """The name of a session whose action failed."""
    begun = cli.turn("start", "--bundle", str(folder), input={"words": "a poster"})
    name, seen = begun["session"], begun["seen"]
    reply = cli.turn("advance", name, "approve", evidence={"quote": "yes, please"}, seen=seen)
    assert reply["error"]["class"] == "internal"
    assert isinstance(name, str)
    return name


def test_the_traceback_of_a_session(cli: Commands, folder: Path) -> None:
    """With and without the session's name; a name that no session has is an error."""
    assert cli.admin("log", "--json").json["faults"] == []
    name = failed(cli, folder)
    (found,) = cli.admin("log", name, "--json").json["faults"]
    assert found["session"] == name and SAYS["reads an unset datum"] in found["trace"]
    assert cli.admin("log", "--json").json["faults"] == [found]
    assert cli.admin("log", "dry-owl", "--json").error["type"] == "not_found"


def test_nothing_foreign_is_obeyed_by_the_terminal(cli: Commands, folder: Path, request: pytest.FixtureRequest) -> None:
    """What the code raised is printed behind a margin, and its control characters are written out."""
    code = folder / "phases" / "odd.py"
    code.write_text(code.read_text().replace('call.data["price"]', 'raise ValueError("\\x1b[2J\\u202e")'))
    name = failed(cli, folder)
    request.getfixturevalue("terminal")
    shown = cli.admin("log").out
    assert f"UTC  {name}, after entry" in shown and "│ " in shown
    assert "\\u{1b}[2J\\u{202e}" in shown and "\x1b" not in shown
