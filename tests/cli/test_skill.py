"""``workflow skill``: written where it may be, found to be old or edited, and never over what is somebody else's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from workflow.author.skill import FILE

ROOT = Path(__file__).parents[2]
NAME = "anygen-image"


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    """A copy of a small bundle, to be changed."""
    return Path(shutil.copytree(ROOT / "tests/courier", tmp_path / "bundle"))


def change(bundle: Path) -> None:
    """Another wording: another digest."""
    message = bundle / "prompts/en/stopped.md"
    message.write_text(message.read_text(encoding="utf-8") + "Goodbye.\n", encoding="utf-8")


def test_a_skill_is_written_and_current(cli: Commands) -> None:
    """The folder is made; writing it again gives the same bytes, another target others."""
    ended = cli("skill", "export", "--target", "claude", f"skills/{NAME}", "--json")
    file = cli.folder / "skills" / NAME / FILE
    assert (ended.code, ended.json["skill"], ended.json["notices"]) == (0, str(file), [])
    text = file.read_bytes()
    assert cli("skill", "check", f"skills/{NAME}", "--json").json["standing"] == "current"
    assert cli("skill", "export", "--target", "claude", f"skills/{NAME}", "--json").code == 0
    assert file.read_bytes() == text
    assert cli("skill", "export", "--target", "openclaw", f"skills/{NAME}", "--json").code == 0
    assert file.read_bytes() != text
    assert [each.name for each in file.parent.iterdir()] == [FILE]


def test_a_changed_bundle_makes_it_old(cli: Commands, tea: Path) -> None:
    """A word changed in a message: check ends with 6, doctor warns, and a new export mends both."""
    export = ("skill", "export", "--target", "generic", "--bundle", str(tea), "courier")
    assert cli(*export).code == 0
    assert f"--bundle {tea} " in (cli.folder / "courier" / FILE).read_text(encoding="utf-8")
    assert cli("skill", "check", "courier", "--json").code == 0
    change(tea)
    ended = cli("skill", "check", "courier", "--json")
    assert (ended.code, ended.json["ok"], ended.json["standing"]) == (6, False, "older")
    told = [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "skill"]
    assert [(each["state"], "export" in each["hint"]) for each in told] == [("warning", True)]
    assert cli(*export).code == 0
    told = [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "skill"]
    assert [each["state"] for each in told] == ["ok"]


def test_doctor_leaves_out_what_is_gone(cli: Commands, tea: Path) -> None:
    """A skill that was removed is nobody's concern; one whose bundle is gone is told of."""
    cli("skill", "export", "--target", "generic", "--bundle", str(tea), "courier", "--json")
    shutil.rmtree(tea)
    (told,) = [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "skill"]
    assert told["state"] == "warning" and "is not there" in told["what"]
    shutil.rmtree(cli.folder / "courier")
    assert not [each for each in cli("doctor", "--json").json["checks"] if each["name"] == "skill"]


@pytest.mark.parametrize("left", ["a file", "a skill", "an edited skill", "no folder"])
def test_nothing_of_others_is_overwritten(cli: Commands, left: str) -> None:
    """A folder with anything that was not written here, or was edited since, stays as it is."""
    folder = cli.folder / NAME
    if left == "an edited skill":
        cli("skill", "export", "--target", "claude", NAME, "--json")
        file = folder / FILE
        file.write_text(file.read_text(encoding="utf-8") + "And more.\n", encoding="utf-8")
    elif left == "no folder":
        file = folder
        file.write_text("mine", encoding="utf-8")
    else:
        folder.mkdir()
        file = folder / (FILE if left == "a skill" else "notes.txt")
        file.write_text(f"---\nname: {NAME}\n---\nmine", encoding="utf-8")
    before = file.read_bytes()
    ended = cli("skill", "export", "--target", "claude", NAME, "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert "Nothing was changed" in ended.error["hint"] and file.read_bytes() == before


def test_an_edited_skill_is_told_from_an_old_one(cli: Commands, tea: Path) -> None:
    """Even after the bundle has changed as well: what somebody wrote would be lost, so it is said first."""
    cli("skill", "export", "--target", "generic", "--bundle", str(tea), "courier", "--json")
    file = cli.folder / "courier" / FILE
    file.write_text(file.read_text(encoding="utf-8").replace("NEVER", "Never"), encoding="utf-8")
    change(tea)
    assert cli("skill", "check", "courier", "--json").json["standing"] == "edited"


def test_a_folder_by_another_name_is_refused(cli: Commands) -> None:
    """The specification wants the folder called like the skill; the way out is named."""
    ended = cli("skill", "export", "--target", "claude", "skills", "--json")
    assert (ended.code, [each.name for each in cli.folder.iterdir()]) == (2, ["config"])
    assert ended.error["hint"] == f"Write it to {cli.folder / 'skills' / NAME}."


@pytest.mark.parametrize("folder", ["", "nowhere", "\0", "a\nb"])
def test_a_folder_without_a_skill(cli: Commands, folder: str) -> None:
    """There is nothing of ours: said in words."""
    assert cli("skill", "check", folder, "--json").error["type"] == "usage"


def test_a_folder_that_cannot_be_written(cli: Commands) -> None:
    """A file stands where a folder should: an error that names it."""
    (cli.folder / "file").write_text("", encoding="utf-8")
    ended = cli("skill", "export", "--target", "claude", f"file/{NAME}", "--json")
    assert (ended.code, "cannot be written" in ended.error["message"]) == (2, True)


def test_a_record_that_cannot_be_kept_is_a_notice(cli: Commands) -> None:
    """The skill is written all the same; only doctor will not know of it."""
    (cli.folder / "state").write_text("", encoding="utf-8")
    ended = cli("skill", "export", "--target", "claude", NAME, "--json")
    assert ended.code == 0 and "doctor" in ended.json["notices"][0]
    assert (cli.folder / NAME / FILE).is_file()


def test_on_a_terminal_it_is_said_in_a_line(cli: Commands, terminal: None) -> None:
    """Where it was written; how it stands, and what to do."""
    assert f"{NAME} for Claude Code:" in cli("skill", "export", "--target", "claude", NAME).out
    assert "current:" in cli("skill", "check", NAME).out
    (cli.folder / NAME / FILE).write_bytes((cli.folder / NAME / FILE).read_bytes() + b"x")
    ended = cli("skill", "check", NAME)
    assert "edited:" in ended.out and "→ It was edited" in ended.out


def test_a_damaged_record_is_read_past(cli: Commands) -> None:
    """Lines that are no paths hide none of the others."""
    cli("skill", "export", "--target", "claude", NAME, "--json")
    record = cli.folder / "state" / "skills.jsonl"
    record.write_text("{\n5\n" + json.dumps(str(cli.folder / NAME)) + "\n", encoding="utf-8")
    assert [each["state"] for each in cli("doctor", "--json").json["checks"] if each["name"] == "skill"] == ["ok"]
