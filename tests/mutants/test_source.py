"""The table of source mutants follows the code; `make mutants MUTANTS=source` tries them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants.source import SURVIVORS, TABLE, Mutation
from tests.mutants.source_trial import MOST_SURVIVORS, ROOT, Outcome, Tree, judge, shares, stale

AREAS = ("machine", "engine", "store", "service", "local", "mcp_server", "history", "model")


def test_every_mutant_is_one_change_of_the_code_as_it_is() -> None:
    """Its text stands there exactly once; `python -m tests.mutants source --list-stale` names the others."""
    assert list(stale(TABLE)) == []


def test_the_table_is_large_enough() -> None:
    """A hundred and more, each with a name of its own, in every room that guards something."""
    assert len(TABLE) >= 100 and len({each.name for each in TABLE}) == len(TABLE)
    files = [each.file for each in TABLE]
    assert all(any(file.startswith(f"workflow/{area}/") for file in files) for area in AREAS)
    assert set(SURVIVORS) <= {each.name for each in TABLE} and len(SURVIVORS) <= MOST_SURVIVORS


@pytest.mark.parametrize("mutation", TABLE, ids=lambda each: each.name)
def test_a_mutant_is_code(mutation: Mutation) -> None:
    """One that does not compile is noticed by everything and shows nothing; its tests exist."""
    path = ROOT / mutation.file
    text = path.read_text(encoding="utf-8")
    changed = text.replace(mutation.old, mutation.new)
    assert changed != text and ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))
    for test in mutation.tests:
        file, _, function = test.partition("::")
        assert (ROOT / file).is_file() and f"def {function.partition('[')[0]}" in (ROOT / file).read_text(
            encoding="utf-8"
        )


def test_what_the_code_left_behind_is_named(tmp_path: Path) -> None:
    """No file, no text, twice the text."""
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n", encoding="utf-8")
    rows = [
        Mutation(name, file, old, "", ())
        for name, file, old in (("a", "b.py", "x"), ("b", "a.py", "y"), ("c", "a.py", "x"))
    ]
    assert [each.partition(":")[0] for each in stale(rows, tmp_path)] == ["a", "b", "c"]


def test_every_test_passes_once_before_any_mutant() -> None:
    """Each test that a mutant names is in one share, and no processor has to wait for another's."""
    found = shares(TABLE, 3)
    assert sorted(test for share in found for test in share) == sorted({test for each in TABLE for test in each.tests})
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert shares(TABLE[:1], 8) == [[test] for test in sorted(TABLE[0].tests)]


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor() -> None:
    """And more than two reasons are too many."""
    outcomes = [
        Outcome("a", "FAILED x", 1.0),
        Outcome("b", "", 1.0),
        Outcome("c", "", 1.0),
        Outcome("d", "FAILED y", 1.0),
    ]
    assert [each.split()[0] for each in judge(outcomes, {"c": "why", "d": "why"})] == ["b", "d"]
    assert len(list(judge([], {"a": "", "b": "", "c": ""}))) == 1


def test_a_mutant_is_noticed_by_a_test_that_sees_it_alone(tmp_path: Path) -> None:
    """In a copy: the checkout stays as it is, and the copy is as it was afterwards."""
    mutation = next(each for each in TABLE if each.name == "strengths are equal")
    tree = Tree(tmp_path / "copy")
    assert tree.failure(mutation.tests, 120) == ""
    with tree.holding(mutation):
        assert tree.failure(mutation.tests, 120).startswith("FAILED")
    assert tree.failure(mutation.tests, 120) == "" and list(stale([mutation])) == []
