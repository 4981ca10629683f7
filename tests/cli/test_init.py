"""``workflow init``: what it writes works at once, and it writes over nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import terminals
from tests.cli.conftest import Commands
from workflow.author.stand import candidate, set_up


@pytest.fixture(autouse=True)
def here(cli: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, set after that of the commands."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_what_it_writes_works_at_once(cli: Commands, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lint has nothing to say, the scenarios pass, and a first run goes to its end, as the README says."""
    ended = cli("init", "my-chairs", "--title", 'Chairs: "blue" & more')
    assert ended.code == 0 and ended.json["bundle"] == str(here / "my-chairs")
    assert {"workflow.yaml", "README.md", "phases/order.py", "bundle.schema.json"} <= set(ended.json["files"])
    assert cli("lint", "my-chairs").code == 0
    played = cli("test", "my-chairs").json
    assert played["ok"] and [each["name"] for each in played["scenarios"]] == ["lost-answer", "order"]
    definition = candidate(here / "my-chairs").bundle.definition
    assert (definition.workflow, definition.title) == ("my-chairs", 'Chairs: "blue" & more')
    with set_up(candidate(here / "my-chairs")) as stand:
        monkeypatch.setenv("PHASEGATE_SANDBOX", stand.sandbox.url)
        first = cli("start", "--bundle", "my-chairs", "--input-file", cli.write({"input": {"wish": "a chair"}}))
        agreed = {"evidence": {"quote": "yes, please"}, "seen": first.json["seen"]}
        then = cli("advance", first.json["session"], "accept", "--input-file", cli.write(agreed))
    assert (first.code, first.json["state"]) == (0, "order.asking")
    assert (then.code, then.json["status"]) == (0, "done")


def test_walks_reach_every_state_of_it(cli: Commands) -> None:
    """As `workflow simulate` walks unless it is told otherwise: the doubt and the way out too, and nothing breaks."""
    cli("init", "mine")
    walked = cli("simulate", "mine")
    assert walked.code == 0
    assert walked.json["coverage"]["states"] == {"covered": 6, "of": 6, "missing": []}


def test_editors_find_their_schemas(cli: Commands, here: Path) -> None:
    """The first line of each YAML file names a schema that is there, and is what `workflow schema` prints."""
    cli("init", "mine")
    for file in (here / "mine").rglob("*.yaml"):
        named = file.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")[2]
        assert named in ("bundle.schema.json", "../scenario.schema.json")
        schema = json.loads((file.parent / named).read_text(encoding="utf-8"))
        assert schema == cli("schema", Path(named).name.partition(".")[0]).json


def test_a_copy_of_the_packaged_bundle_is_whole(cli: Commands, here: Path) -> None:
    """Its own name aside it is the same; nothing that stands beside the bundle is copied."""
    assert cli("init", "my-images", "--from", "anygen-image").code == 0
    assert cli("lint", "my-images").code == 0
    assert cli("test", "my-images", "--scenario", "chinese").code == 0
    assert candidate(here / "my-images").bundle.definition.workflow == "my-images"
    names = {each.name for each in (here / "my-images").iterdir()}
    assert names == {
        "workflow.yaml",
        "phases",
        "prompts",
        "scenarios",
        "bundle.schema.json",
        "scenario.schema.json",
    }


def test_a_folder_that_is_not_empty_is_left_alone(cli: Commands, here: Path) -> None:
    """Neither a file nor a folder with something in it is written to; an empty folder is."""
    (here / "full").mkdir()
    (here / "full" / "note").write_text("mine", encoding="utf-8")
    (here / "file").write_text("mine", encoding="utf-8")
    (here / "empty").mkdir()
    assert "not empty" in cli("init", "full").error["message"]
    assert "no folder" in cli("init", "file").error["message"]
    assert [each.name for each in (here / "full").iterdir()] == ["note"]
    assert cli("init", "mine", "--folder", "empty").code == 0


@pytest.mark.parametrize("name", ["", "Mine", "../up", "a b", "1st", "-x-", "a--b", "a" * 41, "a/b", "\x1b[31m"])
def test_names_are_checked_before_anything_is_written(cli: Commands, here: Path, name: str) -> None:
    """Only a plain word becomes a folder and a word in commands."""
    assert "cannot be the name" in cli("init", "--", name).error["message"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("title", ["\x1b[31mred", "\udcff", "x" * 201])
def test_a_title_is_one_line_of_text(cli: Commands, here: Path, title: str) -> None:
    """Nothing that a terminal or a file could not hold."""
    assert "cannot be a title" in cli("init", "mine", "--title", title).error["message"]
    assert list(here.iterdir()) == []


def test_a_name_is_needed_where_nobody_can_be_asked(cli: Commands) -> None:
    """In a pipe no question is put."""
    assert "needs a name" in cli("init").error["message"]


def test_an_unknown_origin_names_those_there_are(cli: Commands, here: Path) -> None:
    """Nothing is written for it."""
    error = cli("init", "mine", "--from", "nothing").error
    assert "starter" in error["hint"] and list(here.iterdir()) == []


def test_on_a_terminal_it_asks(here: Path) -> None:
    """For the name and the title; what is only confirmed is the default."""
    terminal = terminals.workflow("init")
    terminal.expect("Name of the bundle")
    terminal.type("chairs\r")
    terminal.expect("Title, for people")
    terminal.type("\r")
    terminal.expect("workflow lint chairs")
