"""``workflow init``: what it writes works at once, and it writes over nothing."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli import terminals
from tests.cli.conftest import Commands
from workflow.author.stand import candidate, set_up
from workflow.bundle import loader
from workflow.bundle.editor_schema import for_editors


@pytest.fixture(autouse=True)
def here(cli: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, set after that of the commands."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_what_it_writes_works_at_once(cli: Commands, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lint has nothing to say, the scenarios pass, and a first run goes to its end, as the README says."""
    ended = cli("init", "my-chairs", "--title", 'Chairs: "blue" & more', "--json")
    assert ended.code == 0 and ended.json["bundle"] == str(here / "my-chairs")
    assert {"workflow.yaml", "README.md", "phases/my_chairs.py", "bundle.schema.json"} <= set(ended.json["files"])
    assert cli("lint", "my-chairs", "--json").code == 0
    played = cli("test", "my-chairs", "--json").json
    assert played["ok"] and [each["name"] for each in played["scenarios"]] == ["accepted", "lost-answer"]
    definition = candidate(here / "my-chairs").bundle.definition
    assert (definition.workflow, definition.title) == ("my-chairs", 'Chairs: "blue" & more')
    with set_up(candidate(here / "my-chairs")) as stand:
        monkeypatch.setenv("PHASEGATE_SANDBOX", stand.sandbox.url)
        first = cli("start", "--bundle", "my-chairs", "--input-file", cli.write({"input": {"wish": "a chair"}}))
        agreed = {"evidence": {"quote": "yes, please"}, "seen": first.json["seen"]}
        then = cli("advance", first.json["session"], "accept", "--input-file", cli.write(agreed))
    assert (first.code, first.json["state"]) == (0, "my_chairs.asking")
    assert (then.code, then.json["status"]) == (0, "done")


NAMES = ["tea", "office-chairs", "my-starter", "starter", "order", "a1-b2", "a" * 40]
"""Names that a bundle may have: a title, a phase, a module, a host and a variable are made of each."""
ODD = ["over", "sandbox", "null", "true", "false", "on", "yes", "class", "import", "none", "phases", "title", "nan"]
"""Names that are something else to YAML, to Python or to the starter itself."""
TITLES = ["$wish ${page} $", "Chairs: \"blue\" & 'more'", "# Not a heading", "{a}", "starter", "[x](y)", "Tee für 2 €"]


@pytest.mark.parametrize("name", [*NAMES, *ODD])
def test_any_name_makes_a_sound_bundle(cli: Commands, here: Path, name: str) -> None:
    """Lint and scenarios pass, and nothing is left of the starter's own name."""
    assert cli("init", name, "--json").code == 0
    assert cli("lint", name, "--json").json == {
        **cli("lint", name, "--json").json,
        "ok": True,
        "problems": [],
        "warnings": [],
    }
    assert cli("test", name, "--json").json["ok"]
    definition = candidate(here / name).bundle.definition
    assert (definition.workflow, definition.title) == (name, name.replace("-", " ").capitalize())
    plain = name.replace("-", "_") if name not in ODD[:5] else "order"
    assert (here / name / "phases" / f"{plain}.py").is_file() and f"{plain}.asking" in definition.states
    assert definition.service.base_url == f"https://{name}.example"
    assert definition.service.key_env == f"{plain.upper()}_KEY"
    if "starter" not in name:
        texts = [file.read_text() for file in (here / name).rglob("*.*") if "schema" not in file.name]
        assert not any("starter" in text.lower() for text in texts)


@pytest.mark.parametrize("title", TITLES)
def test_any_title_makes_a_sound_bundle(cli: Commands, here: Path, title: str) -> None:
    """It is said in messages as it stands, whatever its characters mean to YAML and to prompts."""
    assert cli("init", "mine", "--title", title, "--json").code == 0
    assert cli("lint", "mine", "--json").code == 0
    assert candidate(here / "mine").bundle.definition.title == title
    (played,) = cli("test", "mine", "--scenario", "accepted", "--json").json["scenarios"]
    assert played["ok"] and any(f"says offer: {title}: you asked" in line for line in played["transcript"])


@pytest.mark.parametrize(
    ("options", "environ", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "de_DE.UTF-8"}, "de"),
        ([], {"LANG": "de_DE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ([], {"LANG": "fr_FR.UTF-8"}, "en"),
        ([], {"LANG": "deutsch"}, "en"),
        (["--language", "de"], {}, "de"),
        (["--language", "en"], {"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_it_has_the_messages_of_one_language(
    cli: Commands,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environ: dict[str, str],
    language: str,
) -> None:
    """That of the option, else the author's own where there is one, else English; and it is whole."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    assert cli("init", "mine", *options, "--json").code == 0
    assert [each.name for each in (here / "mine" / "prompts").iterdir()] == [language]
    assert candidate(here / "mine").bundle.definition.languages == (language,)
    assert cli("lint", "mine", "--json").code == 0 and cli("test", "mine", "--json").code == 0


def test_the_configuration_names_the_authors_language(cli: Commands, here: Path) -> None:
    """As it does for users."""
    (cli.folder / "config" / "config.toml").write_text('language = "de-AT"\n', encoding="utf-8")
    assert cli("init", "mine", "--json").code == 0
    assert [each.name for each in (here / "mine" / "prompts").iterdir()] == ["de"]


def test_a_copy_keeps_its_languages(cli: Commands, here: Path) -> None:
    """Nothing is left out of a bundle that is complete; a language that there is not is refused."""
    assert (
        "keeps its own languages"
        in cli("init", "mine", "--from", "anygen-image", "--language", "de", "--json").error["message"]
    )
    assert "'fr' is not one of 'en', 'de'" in cli("init", "mine", "--language", "fr", "--json").error["message"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("folder", ["mine", "two words", "it's"])
def test_what_it_prints_can_be_typed(cli: Commands, here: Path, terminal: None, folder: str) -> None:
    """Each command on the screen, and each of the README, as a shell reads it."""
    ended = cli("init", "mine", "--folder", folder)
    typed = [shlex.split(line) for line in ended.out.splitlines() if line.startswith("  workflow ")]
    assert [words[1] for words in typed] == ["lint", "test", "graph"]
    readme = (here / folder / "README.md").read_text(encoding="utf-8")
    told = [shlex.split(line, comments=True) for line in readme.splitlines() if line.startswith("workflow ")]
    assert {words[1] for words in told} == {"lint", "graph", "test", "simulate"}
    for words in [*typed, *told]:
        assert cli(*words[1:]).code == 0, words


def test_walks_reach_every_state_of_it(cli: Commands) -> None:
    """As `workflow simulate` walks unless it is told otherwise: the doubt and the way out too, and nothing breaks."""
    cli("init", "mine", "--json")
    walked = cli("simulate", "mine", "--json")
    assert walked.code == 0
    assert walked.json["coverage"]["states"] == {"covered": 6, "of": 6, "missing": []}


def test_editors_find_their_schemas(cli: Commands, here: Path) -> None:
    """The first line of each YAML file names a schema that is there, for an editor or as it is published."""
    cli("init", "mine", "--json")
    for file in (here / "mine").rglob("*.yaml"):
        named = file.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")[2]
        assert named in ("bundle.schema.json", "../scenario.schema.json")
        schema = json.loads((file.parent / named).read_text(encoding="utf-8"))
        if named == "bundle.schema.json":
            assert schema == for_editors(loader.schema(), {})
        else:
            assert schema == cli("schema", "scenario", "--json").json


def test_a_copy_of_the_packaged_bundle_is_whole(cli: Commands, here: Path) -> None:
    """Its own name aside it is the same; nothing that stands beside the bundle is copied."""
    assert cli("init", "my-images", "--from", "anygen-image", "--json").code == 0
    assert cli("lint", "my-images", "--json").code == 0
    assert cli("test", "my-images", "--scenario", "chinese", "--json").code == 0
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
    assert "not empty" in cli("init", "full", "--json").error["message"]
    assert "no folder" in cli("init", "file", "--json").error["message"]
    assert [each.name for each in (here / "full").iterdir()] == ["note"]
    assert cli("init", "mine", "--folder", "empty", "--json").code == 0


@pytest.mark.parametrize("name", ["", "Mine", "../up", "a b", "1st", "-x-", "a--b", "a" * 41, "a/b", "\x1b[31m"])
def test_names_are_checked_before_anything_is_written(cli: Commands, here: Path, name: str) -> None:
    """Only a plain word becomes a folder and a word in commands."""
    assert "cannot be the name" in cli("init", "--", name).why
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("title", ["\x1b[31mred", "\udcff", "x" * 201])
def test_a_title_is_one_line_of_text(cli: Commands, here: Path, title: str) -> None:
    """Nothing that a terminal or a file could not hold."""
    assert "cannot be a title" in cli("init", "mine", "--title", title, "--json").error["message"]
    assert list(here.iterdir()) == []


def test_a_name_is_needed_where_nobody_can_be_asked(cli: Commands) -> None:
    """In a pipe no question is put."""
    assert "needs a name" in cli("init", "--json").error["message"]


def test_an_unknown_origin_names_those_there_are(cli: Commands, here: Path) -> None:
    """Nothing is written for it."""
    error = cli("init", "mine", "--from", "nothing", "--json").error
    assert "starter" in error["hint"] and list(here.iterdir()) == []


def test_on_a_terminal_it_asks(here: Path) -> None:
    """For the name and the title; what is only confirmed is the default."""
    terminal = terminals.workflow("init")
    terminal.expect("Name of the bundle")
    terminal.type("chairs\r")
    terminal.expect("Title, for people")
    terminal.type("\r")
    terminal.expect("workflow lint chairs")
