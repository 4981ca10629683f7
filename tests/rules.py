"""Which test asserts which rule of the reference bundle: ``python -m tests.rules``, or ``make rules``.

The marks are read from the source, so that nothing is imported and nothing runs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.author.rule_marks import Marked, read_marks

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
        found += read_marks(path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix())
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


if __name__ == "__main__":
    sys.exit(main())
