"""A reader that leaves, and encodings that lack characters: every command ends quietly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.surroundings.everything import Everything

ROOT = Path(__file__).parents[2]
HOME = {"HOME": "{}"}
UNREAD = 141


@pytest.fixture
def everything(tmp_path: Path) -> Everything:
    """Every command, as the user who runs the tests."""
    return Everything(tmp_path, sys.executable, str(ROOT))


def test_a_reader_that_leaves_ends_a_command_quietly(everything: Everything) -> None:
    """As with `| head`: the exit code is that of SIGPIPE, and nothing is said about it."""
    read = everything.run(HOME)
    for name, ended in everything.run(HOME, unread=True).items():
        assert ended.sound and "BrokenPipe" not in ended.told and "Exception ignored" not in ended.told, (name, ended)
        assert ended.code == (UNREAD if read[name].out else read[name].code), (name, ended)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_the_encoding_cannot_express_is_escaped(everything: Everything, encoding: str) -> None:
    """What each command shows a person, in an encoding that lacks some of its characters: the rest stands there."""
    shown = everything.run(HOME, start={"PYTHONIOENCODING": encoding}, person=True)
    assert {name: ended for name, ended in shown.items() if not ended.sound or "UnicodeEncode" in ended.told} == {}
    assert "\\u2192" in shown["workflow doctor"].out and "python" in shown["workflow doctor"].out
