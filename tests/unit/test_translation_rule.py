"""One rule for translation, wherever an agent reads it; parts say whose words they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.author.skill import TARGETS, write_skill
from workflow.bundle import open_bundle
from workflow.machine.messages import OURS, UNKNOWN, Part
from workflow.mcp_server.instructions import instructions
from workflow.model.translation import RULE

ROOT = Path(__file__).parents[2]


def words(text: str) -> str:
    """The text without its line breaks and the marks of a quotation."""
    return " ".join(text.replace("\n> ", "\n").split())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_the_skill_gives_the_rule(target: str) -> None:
    """In every export, word for word, and no other rule beside it."""
    bundle = open_bundle(ROOT)
    text = words(write_skill(bundle.definition, bundle.digest, target))
    assert text.count(RULE) == 1 and text.lower().count("`translate_to`") == 1 and "verbatim" not in text


def test_the_instructions_and_the_page_give_the_rule() -> None:
    """The same words again."""
    assert instructions("", ["change"], by_content=True).count(RULE) == 1
    assert words((ROOT / "docs" / "reply.md").read_text(encoding="utf-8")).count(RULE) == 1


@pytest.mark.parametrize(
    ("origin", "marks"),
    [
        ("verbatim", {"by": "service", "language": UNKNOWN}),
        ("text", {"by": "user", "language": UNKNOWN}),
        ("files", {"by": "agent"}),
        ("described", {"by": "agent", "language": UNKNOWN}),
        ("url", {}),
        ("number", {}),
        ("flag", {}),
        (OURS, {}),
    ],
)
def test_a_part_says_whose_words_it_has(origin: str, marks: dict[str, str]) -> None:
    """Each origin of a piece; names of files are in no language."""
    assert Part("x", origin).marks == marks
