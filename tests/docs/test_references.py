"""What code and pages cite is in the repository: decisions, rules, documents, files, and names in docstrings."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOMS, ROOT, name

_DECISION = re.compile(r"\b[Dd]ecisions?\s+((?:\d+(?:\s*,\s*|\s+and\s+)?)+)")
_RULE = re.compile(r"\bR\d{1,3}\b")
_SECTION = re.compile(r"\b[A-Z]{4,}(?:\.md)? ?§+ ?\d*")
_DOCUMENT = re.compile(r"(?<![\w./-])(?:docs|tests|workflow|examples|compare|benchmarks)/[\w./-]*\w\.\w{2,4}\b")
"""A bundle's own ``phases/`` and ``prompts/`` are those of whichever bundle is meant."""
_ROLE = re.compile(r":(?:class|func|mod|meth|data):`~?(workflow\.[\w.]+)`")
_CODE = re.compile(r"`([\w/]+\.(?:py|css)|[\w/]+/)`")


def tracked() -> list[str]:
    """The text files of the repository that people read, oldest decisions and kept journals aside."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kinds = (".py", ".md", ".sql", ".toml", ".yaml", ".css")
    return [each for each in listed.splitlines() if each.endswith(kinds) and not each.startswith("tests/golden/")]


FILES = tracked()


def missing(pattern: re.Pattern[str], known: Callable[[str], bool], files: list[str]) -> list[str]:
    """Each citation that leads nowhere, as ``file: citation``."""
    return [f"{file}: {cited}" for file in files for cited in cites(pattern, file) if not known(cited)]


def cites(pattern: re.Pattern[str], file: str) -> Iterator[str]:
    """What a file cites."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return (match[match.lastindex or 0] for match in pattern.finditer(text))


def test_every_decision_that_is_cited_exists() -> None:
    """By its number, with or without leading zeros."""
    numbers = {int(page.name[:3]) for page in (DOCS / "decisions").glob("*.md")}
    found = missing(_DECISION, lambda cited: {int(each) for each in re.findall(r"\d+", cited)} <= numbers, FILES)
    assert not found


def test_no_section_of_a_document_is_cited() -> None:
    """A section sign behind a name in capitals cites a document that no reader has."""
    assert not missing(_SECTION, lambda cited: False, FILES)


def test_every_rule_that_is_cited_exists() -> None:
    """Rules are those of the reference bundle; examples of an unknown rule use 96 and above."""
    with (ROOT / "tests" / "rules.csv").open(encoding="utf-8") as file:
        rules = {row["number"] for row in csv.DictReader(file)}
    assert len(rules) == 95
    assert not missing(_RULE, (rules | {"R96", "R98", "R99"}).__contains__, FILES)


def test_the_engine_cites_no_rule() -> None:
    """Rules belong to a bundle; the engine knows none."""
    assert not missing(_RULE, lambda cited: False, [file for file in FILES if file.startswith("workflow/")])


def test_every_file_that_is_cited_exists() -> None:
    """Paths from the root of the repository, in code, comments and pages."""
    assert not missing(_DOCUMENT, lambda cited: (ROOT / cited).exists(), FILES)


def test_every_name_in_a_docstring_exists() -> None:
    """A role with a dotted name of ours leads to a module or to something in it."""
    assert not missing(_ROLE, _is_there, FILES)


def _is_there(dotted: str) -> bool:
    module, _, name = dotted.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ModuleNotFoundError:
        owner, _, kind = module.rpartition(".")
        return hasattr(getattr(import_module(owner), kind), name)


def test_every_room_has_a_readme() -> None:
    """Every package says what lives there, what it may import, and where to begin reading."""
    inside = ROOT / "workflow"
    packages = {file.parent for file in inside.rglob("__init__.py") if "scaffold" not in file.parts} - {inside}
    assert packages == {page.parent for page in ROOMS}
    for page in ROOMS:
        text = page.read_text(encoding="utf-8")
        assert "**May import**" in text and "**Begin with**" in text, page


@pytest.mark.parametrize("page", ROOMS, ids=name)
def test_a_readme_names_what_is_there(page: Path) -> None:
    """Files of the room by their names; other rooms by their paths below `workflow/`, or from the root."""
    for code in _CODE.findall(page.read_text(encoding="utf-8")):
        places = (page.parent / code, ROOT / "workflow" / code, ROOT / code)
        bundle = code in ("prompts/", "phases/")
        assert bundle or any(place.exists() for place in places), code
