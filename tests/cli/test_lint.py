"""``workflow lint``: every problem of a bundle with its place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from workflow.bundle import find_problems

RED = re.compile(r"\x1b\[[0-9;]*31m")
COURIER = Path(__file__).parent.parent / "courier"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A bundle with three faults."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    text = text.replace("if: can_carry\n", "if: can_cary\n", 1).replace("say: offer", "say: ofer", 1)
    yaml.write_text(text, encoding="utf-8")
    (folder / "prompts" / "de" / "lost.md").unlink()
    return folder


def test_a_good_bundle_has_no_problems(cli: Commands) -> None:
    """Exit code 0 and an empty list."""
    ended = cli("lint", str(COURIER), "--json")
    assert (ended.code, ended.json) == (0, {"v": 1, "ok": True, "bundle": str(COURIER), "problems": [], "warnings": []})


def test_the_packaged_bundle_is_checked_without_an_argument(cli: Commands, terminal: None) -> None:
    """The reference bundle is the default, and has no problems."""
    ended = cli("lint")
    assert (ended.code, ended.out.split(" in ")[0]) == (0, "no problems")


def test_the_users_choice_is_checked_before_the_packaged_one(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, broken: Path
) -> None:
    """PHASEGATE_BUNDLE, by its whole path."""
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(broken))
    ended = cli("lint", "--json")
    assert (ended.code, ended.json["bundle"]) == (2, str(broken))


def test_all_problems_come_at_once_with_their_places(cli: Commands, broken: Path) -> None:
    """Path, line, column and message of each, as data."""
    ended = cli("lint", str(broken), "--json")
    problems = ended.json["problems"]
    assert (ended.code, ended.json["ok"]) == (2, False)
    lines = (broken / "workflow.yaml").read_text(encoding="utf-8").splitlines()
    guard = next(each for each in problems if "can_cary" in each["message"])
    assert lines[guard["line"] - 1][guard["column"] - 1 :].startswith("can_cary")
    assert "did you mean 'can_carry'?" in guard["message"]
    assert {"path", "line", "column", "code", "message", "hint", "trace", "also"} == set(guard)
    assert any("ofer" in each["message"] for each in problems)
    assert any("lost" in each["message"] for each in problems)


def test_each_problem_is_a_line_that_can_be_opened(
    cli: Commands, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``file:line:column: error: …`` from where one stands, in a pipe as on a terminal, and a count at the end."""
    for place, folder in ((broken.parent, "bundle/"), (broken, ""), (broken / "phases", f"{broken}/")):
        monkeypatch.chdir(place)
        *lines, count = cli("lint", str(broken)).out.splitlines()
        assert re.match(
            rf"{folder}workflow.yaml:[0-9]+:[0-9]+: error: unknown guard 'can_cary'; did .* \[names\]$", lines[0]
        )
        for line in lines:
            file, number, column = line.strip().split(":")[:3]
            assert Path(file).is_file() or "lost" in line
            assert int(number) > 0 and int(column) > 0
        assert count == f"3 errors in {folder.rstrip('/') or '.'}"


def test_problems_are_annotations_for_github(cli: Commands, broken: Path) -> None:
    """A workflow command for each, with what would end it early written out, and the count below."""
    *lines, count = cli("lint", "bundle", "--format", "github").out.splitlines()
    assert count == "3 errors in bundle" and len(lines) == 3
    assert all(line.startswith("::error file=bundle/") and ",line=" in line and ",col=" in line for line in lines)
    assert lines[0].endswith("title=names::unknown guard 'can_cary'; did you mean 'can_carry'?")
    (broken / "prompts" / "en" / "offer.md").write_text("100% ${no}\n", encoding="utf-8")
    assert not [line for line in cli("lint", "bundle", "--format", "github").out.splitlines() if "100% " in line]


def test_json_is_a_format_too(cli: Commands, broken: Path) -> None:
    """The same as `--json`."""
    assert cli("lint", "bundle", "--format", "json").out == cli("lint", "bundle", "--json").out
    assert cli("lint", "bundle", "--format", "xml").code == 2


@pytest.mark.parametrize(
    ("given", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colours_are_for_terminals_that_want_them(
    cli: Commands, broken: Path, terminal: None, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], coloured: bool
) -> None:
    """`NO_COLOR` and a terminal that has none are heeded; `--no-color` says the same."""
    for name, value in {"TERM": "xterm-256color", **given}.items():
        monkeypatch.setenv(name, value)
    assert bool(RED.search(cli("lint", str(broken)).out)) is coloured
    assert not RED.search(cli("lint", str(broken), "--no-color").out)


def _letters_dropped(text: str) -> list[tuple[str, str]]:
    """Each name of a document with a letter missing, once: what was typed, and the whole text with it."""
    found: dict[str, str] = {}
    for match in re.finditer(r"(?<![\w./])[a-z][a-z0-9_]{3,}(?:\.[a-z_]+)?(?!\w)", re.sub("#.*", "", text)):
        word = match.group()
        if word not in found:
            found[word] = text[: match.start()] + word[:2] + word[3:] + text[match.end() :]
    return list(found.items())


KEPT = {"start": 2, "title": 2}
"""Words whose slip is two problems: one name says what must be there, the other is one of another kind."""


def test_one_slip_is_one_problem(tmp_path: Path) -> None:
    """Any letter dropped from any name of a bundle: nothing that only follows from it is told beside it."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    cascades = {}
    for word, text in _letters_dropped(yaml.read_text(encoding="utf-8")):
        yaml.write_text(text, encoding="utf-8")
        problems = find_problems(folder)
        if len(problems) > KEPT.get(word, 1):
            cascades[word] = [str(each) for each in problems]
    assert cascades == {}


def test_two_slips_are_two_problems_and_what_does_not_follow_is_told(tmp_path: Path) -> None:
    """A state and a message misspelt, and an event that nothing offers, which is wrong with or without them."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    text = text.replace("order.booking", "order.bokking", 1).replace("say: offer", "say: ofer", 1)
    text = text.replace("\nevents:\n", "\nevents:\n  unused: {}\n", 1)
    yaml.write_text(text, encoding="utf-8")
    told = sorted(each.message.partition(": ")[2] for each in find_problems(folder))
    assert told == [
        "the event 'unused' is offered nowhere",
        "unknown message 'ofer'; did you mean 'offer'?",
        "unknown state 'order.bokking'; did you mean 'order.booking'?",
    ]


def test_a_name_that_resembles_nothing_hides_what_may_follow_from_it(tmp_path: Path) -> None:
    """Where nobody can tell what was meant, states behind it are not called unreachable."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8").replace("order.offering", "zzz.qqq", 1), encoding="utf-8")
    (problem,) = find_problems(folder)
    assert problem.message.endswith("unknown state 'zzz.qqq'") and problem.code == "names"


def test_every_place_of_a_slip_is_told(cli: Commands, tmp_path: Path) -> None:
    """A datum that is declared under a misspelt name is used in the YAML, the Python and the prompts."""
    folder = tmp_path / "bundle"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = folder / "workflow.yaml"
    yaml.write_text(re.sub("(?m)^  weight:", "  weght:", yaml.read_text(encoding="utf-8")), encoding="utf-8")
    (problem,) = cli("lint", "bundle", "--json").json["problems"]
    assert "'weight'" in problem["message"] and {each["path"] for each in problem["also"]} >= {"phases/order.py"}
    assert "    bundle/phases/order.py:13:30: note: here too" in cli("lint", "bundle").out.splitlines()


@pytest.mark.parametrize("path", ["/nowhere", "/", "/tmp/\udcff", "/etc/passwd"])
def test_what_is_no_bundle_is_a_problem(cli: Commands, path: str) -> None:
    """A folder that is not there, or holds no bundle, is named; one reply, exit code 2."""
    ended = cli("lint", path, "--json")
    assert (ended.code, ended.json["ok"], len(ended.json["problems"])) == (2, False, 1)
