"""Names that differ only in what nobody sees: the file is found, or the reason names those that are there."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from workflow.local.files import Offered, offer

SHOT = "Screenshot 2026-11-30 at 3.07.12\u202fPM.png"
NAMES = {
    "a screenshot of macOS": SHOT,
    "decomposed": unicodedata.normalize("NFD", "Entwürfe für Zoë.png"),
    "composed": unicodedata.normalize("NFC", "Entwürfe für Zoë.png"),
    "hangul": unicodedata.normalize("NFD", "한국어.png"),
    "a space that does not break": "a\u00a0b.png",
    "an ideographic space": "海报\u3000二.png",
    "a thin space": "a\u2009b.png",
    "a zero-width space": "a\u200bb.png",
    "a byte order mark": "\ufeffa.png",
    "a mark of direction": "a\u200eb.png",
}


def written(name: str) -> list[str]:
    """The name as a person, a model and another system would write it."""
    plain = "".join(" " if unicodedata.category(char) == "Zs" else char for char in name)
    plain = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return [unicodedata.normalize(form, plain) for form in ("NFC", "NFD")]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("where", ["a file", "a folder"])
def test_the_only_one_that_reads_so_is_meant(tmp_path: Path, name: str, where: str) -> None:
    """Whatever form it is written in: what is recorded is the file's own name, and its bytes."""
    file = tmp_path / name if where == "a file" else tmp_path / name / "logo.png"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"the logo")
    for other in written(name):
        found = offer(str(tmp_path / other / "logo.png" if where == "a folder" else other), base=tmp_path, forbidden=())
        assert isinstance(found, Offered) and (found.path, found.name) == (str(file), file.name), found


def test_a_name_that_is_there_comes_first(tmp_path: Path) -> None:
    """Two files may differ in nothing that can be seen: each is found by its own name."""
    (tmp_path / "a b.png").write_bytes(b"ordinary")
    (tmp_path / "a\u00a0b.png").write_bytes(b"other")
    for name in ("a b.png", "a\u00a0b.png"):
        found = offer(name, base=tmp_path, forbidden=())
        assert isinstance(found, Offered) and found.name == name


def test_of_several_none_is_taken(tmp_path: Path) -> None:
    """Nothing is guessed: they are named so that they can be told apart."""
    (tmp_path / "a\u2009b.png").write_bytes(b"one")
    (tmp_path / "a\u00a0b.png").write_bytes(b"another")
    reason = str(offer("a b.png", base=tmp_path, forbidden=()))
    assert f"2 names in {tmp_path} read like it" in reason
    assert r"'a\xa0b.png', 'a\u2009b.png'" in reason


@pytest.mark.parametrize("name", ["a2.png", "A.png", "а.png", "a.PNG", "a.png ", "ﬁ.png"])
def test_what_reads_otherwise_is_another_file(tmp_path: Path, name: str) -> None:
    """Case, digits, letters of other scripts and ligatures are seen: no such file, and where it was looked for."""
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "a².png").write_bytes(b"a")
    (tmp_path / "fi.png").write_bytes(b"fi")
    assert offer(name, base=tmp_path, forbidden=()) == f"there is no such file: {name!r} is not in {tmp_path}"


def test_our_own_folders_stay_closed(tmp_path: Path) -> None:
    """A name that reads like one of them leads to nothing that its own name does not lead to."""
    own = tmp_path / "of\u00a0ours"
    own.mkdir()
    (own / "key.json").write_bytes(b"secret")
    assert offer("of ours/key.json", base=tmp_path, forbidden=(own,)) == "files of this folder are never read"
    (tmp_path / "logo\u00a0a.png").symlink_to(own / "key.json")
    assert offer("logo a.png", base=tmp_path, forbidden=(own,)) == "it is a link; name the file itself"


def test_a_turn_names_a_screenshot_with_an_ordinary_space(cli: Commands, sandbox: Sandbox) -> None:
    """The whole way: the question names the file, and consent is bound to its bytes."""
    (cli.folder / SHOT).write_bytes(b"a screen")
    typed = [{"path": SHOT.replace("\u202f", " "), "description": "How it should look"}]
    reply = cli.turn("start", input={"words": "A poster", "references": typed})
    assert reply["state"] == "understand.consenting"
    told = cli.turn("advance", reply["session"], "consent", evidence={"quote": "yes"}, seen=reply["seen"])
    assert told["ok"] and [each.path for each in sandbox.requests if each.path.endswith("upload")]
