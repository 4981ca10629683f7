"""The rule coverage program, on folders of tests made up here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import rules

LIST = "number,in,enforced by,needs test,title\nR1,N,E,yes,First\nR2,N,E,yes,Second\nR3,N,S,no,Third\n"


def run(folder: Path, source: str) -> int:
    """The exit code for one test file and the three rules of ``LIST``."""
    (folder / "rules.csv").write_text(LIST, encoding="utf-8")
    (folder / "test_made_up.py").write_text(source, encoding="utf-8")
    return rules.main(["--tests", str(folder), "--rules", str(folder / "rules.csv")])


def test_all_needed_rules_covered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Marks of functions, classes, modules and single cases all count; an exempt rule needs none."""
    source = """
class TestBoth:
    pytestmark = [pytest.mark.rule("R1")]
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule("R2")), 2])
    def test_it(self, x): ...
"""
    assert run(tmp_path, source) == 0
    out = capsys.readouterr().out
    assert "R1   First   test_made_up.py::TestBoth::test_it" in out
    assert "2 of 2 rules that need a test have one; 3 rules in all" in out


def test_uncovered_rules_are_all_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each needed rule without a test is an error of its own."""
    assert run(tmp_path, "def test_it(): ...\n") == 1
    assert capsys.readouterr().err.splitlines() == [
        "R1: no test asserts it (First)",
        "R2: no test asserts it (Second)",
    ]


@pytest.mark.parametrize("mark", ["skip", "xfail(reason='later')"])
def test_a_skipped_test_covers_nothing(tmp_path: Path, mark: str) -> None:
    """A test that does not run, or may fail, asserts no rule."""
    source = f'@pytest.mark.rule("R1", "R2")\n@pytest.mark.{mark}\ndef test_it(): ...\n'
    assert run(tmp_path, source) == 1


@pytest.mark.parametrize(
    ("marks", "fault"),
    [
        ('"R1", "R2", "R3", "R4"', "4 rules in one test; at most 3"),
        ('"R99"', "there is no rule 'R99'"),
        ("NAME", "a rule mark takes plain strings"),
    ],
)
def test_wrong_marks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], marks: str, fault: str) -> None:
    """Too many, unknown and computed rule numbers fail even where all rules are covered."""
    covered = '@pytest.mark.rule("R1", "R2")\ndef test_all(): ...\n'
    assert run(tmp_path, f"{covered}@pytest.mark.rule({marks})\ndef test_it(): ...\n") == 1
    assert fault in capsys.readouterr().err


def test_the_list_is_whole() -> None:
    """R1 to R95, once each and in order, with short titles."""
    listed = rules.read_rules(rules.HERE / "rules.csv")
    assert [rule.number for rule in listed] == [f"R{number}" for number in range(1, 96)]
    assert all(0 < len(rule.title.split()) <= 12 for rule in listed)
    assert [rule.number for rule in listed if not rule.needed] == ["R26", "R95"]
