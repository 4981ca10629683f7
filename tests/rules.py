"""Which test asserts which rule of the reference bundle: ``python -m tests.rules``, or ``make rules``.

The marks are read from the source by ``ast``, so that nothing is imported and nothing runs.
"""

from __future__ import annotations

import argparse
import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST_MARKS = 3
"""A test that claims more rules than this asserts none of them well."""


@dataclass(frozen=True)
class Rule:
    """A line of ``rules.csv``; ``needed`` is false for a rule that no test of this project can decide."""

    number: str
    needed: bool
    title: str


@dataclass(frozen=True)
class Marked:
    """A test and the rules that its marks name; ``unread`` counts marks that are not plain strings."""

    test: str
    rules: tuple[str, ...]
    unread: int = 0


@dataclass(frozen=True)
class Coverage:
    """What the marks of all tests amount to."""

    tests: Mapping[str, Sequence[str]]
    faults: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a needed rule has no test or a mark is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("--tests", type=Path, default=HERE, help="the folder that holds the tests")
    parser.add_argument("--rules", type=Path, default=HERE / "rules.csv", help="the list of rules")
    chosen = parser.parse_args(arguments)
    rules = read_rules(chosen.rules)
    coverage = cover(rules, read_tests(chosen.tests))
    print_table(rules, coverage.tests)
    for fault in coverage.faults:
        print(fault, file=sys.stderr)
    return 1 if coverage.faults else 0


def read_rules(path: Path) -> list[Rule]:
    """The rules in the order of the file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [Rule(row["number"], row["needs test"] == "yes", row["title"]) for row in csv.DictReader(lines)]


def read_tests(folder: Path) -> list[Marked]:
    """Every test below the folder that carries a rule mark, in the order of files and lines."""
    found: list[Marked] = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        found += _marked(tree, path.relative_to(folder).as_posix())
    return found


def cover(rules: Iterable[Rule], marked: Iterable[Marked]) -> Coverage:
    """Match tests to rules; every fault is named, not just the first."""
    rules = list(rules)
    known = {rule.number for rule in rules}
    tests: dict[str, list[str]] = defaultdict(list)
    faults: list[str] = []
    for each in marked:
        if each.unread:
            faults.append(f"{each.test}: a rule mark takes plain strings, such as 'R48'")
        if len(each.rules) > MOST_MARKS:
            faults.append(f"{each.test}: {len(each.rules)} rules in one test; at most {MOST_MARKS}")
        for number in each.rules:
            if number in known:
                tests[number].append(each.test)
            else:
                faults.append(f"{each.test}: there is no rule {number!r}")
    faults += [
        f"{rule.number}: no test asserts it ({rule.title})"
        for rule in rules
        if rule.needed and rule.number not in tests
    ]
    return Coverage(tests, faults)


def print_table(rules: Iterable[Rule], tests: Mapping[str, Sequence[str]]) -> None:
    """One line per rule and test, then the sums."""
    rules = list(rules)
    width = max((len(rule.title) for rule in rules), default=0)
    for rule in rules:
        shown = tests.get(rule.number) or ["NO TEST" if rule.needed else "-"]
        for title, test in zip([rule.title] + [""] * (len(shown) - 1), shown, strict=True):
            print(f"{rule.number if title else '':<5}{title:<{width}}  {test}")
    needed = [rule for rule in rules if rule.needed]
    covered = sum(1 for rule in needed if tests.get(rule.number))
    print(f"\n{covered} of {len(needed)} rules that need a test have one; {len(rules)} rules in all")


def _marked(tree: ast.Module, path: str) -> Iterator[Marked]:
    for statement in tree.body:
        yield from _of_statement(statement, path, _assigned(tree.body))


def _of_statement(node: ast.stmt, prefix: str, inherited: list[ast.expr]) -> Iterator[Marked]:
    """Tests are functions named ``test_...``, their classes, and marked classes that only inherit tests."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
        yield from _of_marks(f"{prefix}::{node.name}", [*inherited, *node.decorator_list])
    elif isinstance(node, ast.ClassDef):
        marks = [*inherited, *node.decorator_list, *_assigned(node.body)]
        inner = [test for each in node.body for test in _of_statement(each, f"{prefix}::{node.name}", marks)]
        yield from inner or _of_marks(f"{prefix}::{node.name}", marks)


def _of_marks(test: str, marks: Sequence[ast.expr]) -> Iterator[Marked]:
    """A skipped test or one that is expected to fail asserts nothing; a case's marks are its own."""
    if any(_mark_name(mark) in {"skip", "xfail"} for mark in marks):
        return
    own = [mark for mark in marks if _mark_name(mark) == "rule"]
    cases = [case for mark in marks if _mark_name(mark) == "parametrize" for case in _cases(mark)]
    for rules in [own, *([*own, *case] for case in cases)]:
        names = [argument for mark in rules for argument in _arguments(mark)]
        plain = [name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)]
        if names:
            yield Marked(test, tuple(dict.fromkeys(plain)), len(names) - len(plain))


def _cases(parametrize: ast.expr) -> Iterator[list[ast.expr]]:
    for call in ast.walk(parametrize):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "param":
            marks = [each for word in call.keywords if word.arg == "marks" for each in _listed(word.value)]
            rules = [mark for mark in marks if _mark_name(mark) == "rule"]
            if rules and not any(_mark_name(mark) in {"skip", "xfail"} for mark in marks):
                yield rules


def _assigned(body: Sequence[ast.stmt]) -> list[ast.expr]:
    """The marks of ``pytestmark = ...`` in a module or a class."""
    return [
        mark
        for statement in body
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets)
        for mark in _listed(statement.value)
    ]


def _listed(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, ast.List | ast.Tuple) else [value]


def _mark_name(mark: ast.expr) -> str | None:
    """``rule`` of ``pytest.mark.rule("R48")``, with or without the call."""
    inner = mark.func if isinstance(mark, ast.Call) else mark
    if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Attribute) and inner.value.attr == "mark":
        return inner.attr
    return None


def _arguments(mark: ast.expr) -> Sequence[ast.expr]:
    return mark.args if isinstance(mark, ast.Call) else ()


if __name__ == "__main__":
    sys.exit(main())
