"""The table of threats in docs/security.md names tests that exist, and every test of this folder."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.docs.pages import DOCS, rows, section
from tests.mutants.source import TABLE

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent


def table() -> list[tuple[str, list[str], list[str]]]:
    """Each threat, its tests, such as ``threats/test_key.py::test_canary_key_in_tracebacks``, and their mutants."""
    found = rows(section(DOCS / "security.md", "Threats, and the tests that play them"))
    assert len(found) >= 24
    return [(threat, _quoted(threat, tests), _quoted(threat, mutants)) for threat, tests, mutants in found]


def _quoted(threat: str, cell: str) -> list[str]:
    """Names one after the other, at least one."""
    assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", cell), threat
    return re.findall("`([^`]+)`", cell)


def named() -> list[str]:
    """The tests that the table names."""
    return [name for _, tests, _ in table() for name in tests]


def functions_of(file: Path) -> set[str]:
    """The names of the test functions of a file; those that are skipped do not count."""
    found = ast.parse(file.read_text(encoding="utf-8")).body
    return {
        each.name
        for each in found
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_") and not _skipped(each)
    }


def _skipped(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(mark).startswith("pytest.mark.skip(") for mark in function.decorator_list)


def test_every_test_that_the_table_names_exists() -> None:
    """A test that is renamed or removed takes its line along."""
    for name in named():
        file, _, test = name.partition("::")
        assert test in functions_of(TESTS / file), name


def test_every_mutant_that_the_table_names_exists() -> None:
    """Each threat has a check whose loss its tests notice; `make mutants MUTANTS=source` shows that they do."""
    known = {each.name for each in TABLE}
    assert [name for _, _, mutants in table() for name in mutants if name not in known] == []


def test_every_test_of_this_folder_is_in_the_table() -> None:
    """A threat that is tested is told."""
    known = set(named())
    ours = {f"threats/{file.name}::{test}" for file in HERE.glob("test_*.py") for test in functions_of(file)}
    assert {name for name in ours if not name.startswith("threats/test_table.py")} - known == set()
