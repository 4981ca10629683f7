"""``workflow skill coverage``: what is demanded, what keeps it, and plainly what nothing keeps."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.rules import HERE, read_rules

SKILL = "NEVER create without approval. <!-- R48 -->\n\nYou MUST sing. <!-- R99 -->\n\nYou MUST smile.\n"


@pytest.fixture
def skill(cli: Commands) -> str:
    """A prose skill with one demand of each kind."""
    (cli.folder / "SKILL.md").write_text(SKILL, encoding="utf-8")
    return "SKILL.md"


def test_each_demand_and_what_keeps_it(cli: Commands, skill: str) -> None:
    """Covered, uncovered and untied, with line and names; without --strict that is no failure."""
    ended = cli("skill", "coverage", skill, "--json")
    told = ended.json
    assert (ended.code, told["ok"], told["sums"]) == (
        0,
        True,
        {"covered": 1, "superseded": 0, "uncovered": 1, "untied": 1},
    )
    assert [(each["line"], each["standing"], each["rules"]) for each in told["demands"]] == [
        (1, "covered", ["R48"]),
        (3, "uncovered", ["R99"]),
        (5, "untied", []),
    ]
    assert told["demands"][0]["by"] == [{"kind": "gate", "name": "user_approved"}]
    assert "R49" in told["elsewhere"] and "R48" not in told["elsewhere"]


def test_strict_wants_everything_covered(cli: Commands, skill: str) -> None:
    """Exit code 3 until every demand has a number and something that keeps it; tests and quotations count."""
    assert cli("skill", "coverage", skill, "--strict", "--json").code == 3
    (cli.folder / "rules.csv").write_text('number,quote\nR98,"you must smile"\n', encoding="utf-8")
    tests = cli.folder / "tests"
    tests.mkdir()
    marks = '@pytest.mark.rule("R98", "R99")\ndef test_it(): ...\n'
    (tests / "test_it.py").write_text(marks, encoding="utf-8")
    (tests / "__init__.py").touch()
    ended = cli("skill", "coverage", skill, "--strict", "--rules", "rules.csv", "--tests", "tests", "--json")
    assert (ended.code, ended.json["ok"], ended.json["sums"]["covered"]) == (0, True, 3)
    assert ended.json["demands"][2]["by"] == [{"kind": "test", "name": "test_it.py::test_it"}]


def test_on_a_terminal_it_is_a_table(cli: Commands, skill: str, terminal: None) -> None:
    """Sentence and what keeps it, then the sums."""
    out = cli("skill", "coverage", skill).out
    assert "gate user_approved" in " ".join(out.split())
    assert "1 covered; 0 superseded; 1 uncovered; 1 untied" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.md",),
        ("",),
        ("\0",),
        (".",),
        ("binary",),
        ("SKILL.md", "--rules", "SKILL.md"),
        ("SKILL.md", "--rules", "nowhere.csv"),
        ("SKILL.md", "--rules", "broken.csv"),
        ("SKILL.md", "--tests", "SKILL.md"),
        ("SKILL.md", "--tests", "broken"),
        ("SKILL.md", "--tests", "\0"),
    ],
)
def test_what_cannot_be_read_is_named(cli: Commands, skill: str, arguments: tuple[str, ...]) -> None:
    """Each file that is none, or another kind of file, is an error with a next step."""
    (cli.folder / "binary").write_bytes(b"\xff\xfe")
    (cli.folder / "broken.csv").write_text('number,quote\nR1,"never" ends "', encoding="utf-8")
    (cli.folder / "broken").mkdir()
    (cli.folder / "broken" / "test_it.py").write_text("def (", encoding="utf-8")
    ended = cli("skill", "coverage", *arguments, "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert ended.error["hint"]


def test_the_quotations_of_the_reference_skill() -> None:
    """Each names a rule that there is, and words."""
    known = {rule.number for rule in read_rules(HERE / "rules.csv")}
    with Path(HERE / "quotes.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows and all(row["number"] in known and row["quote"].strip() for row in rows)
