"""Links lead somewhere, and what is named is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, headings, name, prose
from tests.docs.tables import commands, grammar

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:workflow|phases|tests|docs|prompts)/[\w./-]*")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link within the project names a file or folder that is there, and a heading that is in it."""
    for target in _LINK.findall(prose(page)):
        if re.match("[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        assert place.exists() and place.is_relative_to(ROOT), f"{name(page)}: {target}"
        if heading:
            assert heading in map(anchor, headings(place)), f"{name(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    """A path of ours in a page is that of a file or folder; a capital name or a wheel's own copy stands for others."""
    for code in filter(_FILE.fullmatch, _CODE.findall(prose(page))):
        other = re.search("[A-Z]{4}", code) or code == "workflow/_bundle"
        assert other or (ROOT / code).exists(), f"{name(page)}: {code}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_is_named_is_there(page: Path) -> None:
    """A sentence promises no command and no option that does not exist."""
    known = commands()
    groups = {path.rpartition(" ")[0] for path in known}
    for code in _CODE.findall(prose(page)):
        words = code.split()
        if words[0] not in ("workflow", "workflow-admin") or len(words) == 1:
            continue
        plain = [word for word in words if not word.startswith("-")]
        path = next((path for path in (" ".join(plain[:length]) for length in (4, 3, 2)) if path in known), None)
        assert path or " ".join(plain[:2]) in groups or words[1].startswith("-"), f"{name(page)}: {code}"
        given = {word for word in words if word.startswith("--")} - {"--help", "--version", "--quiet", "--no-color"}
        assert given <= options_of(known[path]) if path else not given, f"{name(page)}: {code}"


def test_the_index_leads_to_every_page() -> None:
    """Nobody has to look for a page."""
    found = {(DOCS / target.partition("#")[0]).resolve() for target in _LINK.findall(prose(DOCS / "index.md"))}
    assert {page for page in DOCS.rglob("*.*") if page.name != "index.md"} <= found


def test_the_hooks_fetch_nothing() -> None:
    """Every hook before a commit is local, and calls `make` or what is in `.venv`."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert re.findall(r"^ *- repo: (.*)$", text, re.MULTILINE) == ["local"]
    for entry in re.findall(r"^ *entry: (.*)$", text, re.MULTILINE):
        program, what, *_ = entry.split()
        assert program.startswith(".venv/bin/") or (program == "make" and what in targets), entry


def test_the_grammar_is_explained_key_by_key() -> None:
    """Every key of every table of the grammar has a row in the page about it."""
    text = (DOCS / "yaml.md").read_text(encoding="utf-8")
    schema = grammar()
    for kind in [schema, *schema["$defs"].values()]:
        for key, about in kind["properties"].items():
            row = re.search(rf"^\| `{key}` \| (.+?) \| .+ \|$", text, re.MULTILINE)
            assert row, key
            assert "description" not in about or " ".join(about["description"].split()) in text, key


def options_of(command: click.Command) -> set[str]:
    """The long options of a command."""
    return {word for each in command.params for word in each.opts if word.startswith("--")}


def anchor(heading: str) -> str:
    """How a heading is linked to."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
