"""What a prose skill demands is found sentence by sentence, tied to rules by number alone, and never by likeness."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.author.rule_coverage import Cover, Demand, Sentence, covers, demands, sentences
from workflow.author.rule_marks import Marked
from workflow.bundle import open_bundle

ROOT = Path(__file__).parents[2]

PROSE = """\
---
name: tea
---
# Tea

You MUST ask for the
price first. <!-- R1 --> Tea is nice. NEVER pour it
without consent! <!-- R2, R3 -->

- Do not heat it twice <!-- R4 -->
- Serve it hot, e.g. MUST be above 60 degrees.
  It cools.
1. **Never** drink it for the guest
```sh
brew --seconds 180   # REQUIRED
```
必须先询问价格。茶很好喝。绝对不能自行倒茶\uff01该功能不可用。
"""


def found(text: str, *quotes: tuple[str, str]) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """The demands of a text as plain tuples."""
    return [(each.line, each.kind, each.text, each.rules) for each in sentences(text, quotes)]


def test_the_demands_of_prose() -> None:
    """Sentences over several lines, items, code and Chinese; each with its line, its kind and its numbers."""
    assert found(PROSE) == [
        (6, "must", "You MUST ask for the price first.", ("R1",)),
        (7, "never", "NEVER pour it without consent!", ("R2", "R3")),
        (10, "never", "Do not heat it twice", ("R4",)),
        (11, "must", "Serve it hot, e.g. MUST be above 60 degrees.", ()),
        (13, "never", "Never drink it for the guest", ()),
        (15, "must", "brew --seconds 180 # REQUIRED", ()),
        (17, "must", "必须先询问价格。", ()),
        (17, "never", "绝对不能自行倒茶\uff01", ()),
    ]


TABLES = """\
| R | In | Rule | Where it is seen at very great length |
|---|---|---|---|
| R7 | N | The price comes first | in the log, in the reply, on the page |
| R8 | N | No tea is NEVER poured \\| spilt | x |

| word | meaning |
|---|---|
| pot | You MUST rinse it. <!-- R9 --> It holds tea. |
"""


def test_the_demands_of_tables() -> None:
    """A row with a rule's number is one demand, whatever its words; another row is prose, cell by cell."""
    assert found(TABLES) == [
        (3, "must", "The price comes first", ("R7",)),
        (4, "never", "No tea is NEVER poured \\| spilt", ("R8",)),
        (8, "must", "You MUST rinse it.", ("R9",)),
    ]


def test_a_table_without_a_title_column_gives_its_longest_cell() -> None:
    """Nothing says which cell the rule is: the one with the most words."""
    assert found("| R7 | x | The price comes first |\n") == [(1, "must", "The price comes first", ("R7",))]


@pytest.mark.parametrize(
    ("quote", "rules"),
    [
        ("NEVER pour it without", ("R2", "R3", "R5")),
        ("never   POUR it **without** consent", ("R2", "R3", "R5")),
        ("NEVER pours it", ("R2", "R3")),
        (" ", ("R2", "R3")),
    ],
)
def test_a_quotation_ties_a_sentence(quote: str, rules: tuple[str, ...]) -> None:
    """Breaks, emphasis and case do not count; every letter does, and an empty quotation is in no sentence."""
    assert found(PROSE, ("R5", quote))[1][3] == rules


def test_short_lines_stand_for_themselves() -> None:
    """Text that was copied from a page has headings without marks: they are no part of the sentence below."""
    text = "Communication\nYou MUST be kind\nNever shout\n"
    assert [each[2] for each in found(text)] == ["You MUST be kind", "Never shout"]


@pytest.mark.parametrize("text", ["", "\n\n", "|\n|", "| |", "```", "<!-- R1 -->", "- \n-", ". ! ?", "|---|\n| R1 |"])
def test_nothing_is_demanded_by_nothing(text: str) -> None:
    """Remains of a text are read past."""
    assert [each[2] for each in found(text) if each[2]] == []


def test_how_a_demand_stands() -> None:
    """Covered only if each of its rules is kept; untied without a number, even where everything is kept."""
    kept = {"R1": [Cover("state", "a.b")], "R2": [Cover("gate", "g"), Cover("state", "a.b")]}
    both, one, none = (Sentence(1, "must", "x", rules) for rules in (("R1", "R2"), ("R1", "R3"), ()))
    assert list(demands([both, one, none], kept)) == [
        Demand(both, "covered", (Cover("state", "a.b"), Cover("gate", "g"))),
        Demand(one, "uncovered", (Cover("state", "a.b"),)),
        Demand(none, "untied"),
    ]


def test_what_keeps_the_rules_of_the_reference_bundle() -> None:
    """States, events and gates say it themselves; the rest is listed, each as what it is; tests come last."""
    kept = covers(open_bundle(ROOT).definition, [Marked("test_plan.py::test_it", ("R48",))])
    assert kept["R48"] == [Cover("gate", "user_approved"), Cover("test", "test_plan.py::test_it")]
    assert Cover("state", "deliver.generating") in kept["R66"]
    assert kept["R49"] == [Cover("event", "adjust"), Cover("action", "prepare")]
    assert kept["R31"] == [Cover("guard", "files_usable")]
    assert kept["R74"] == [Cover("message", "ready")]
    assert kept["R64"] == [Cover("brief", "generation")]
    assert kept["R55"] == [Cover("datum", "task_id")]
