"""What the pages say to type is typed, and prints what they say it prints."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks, name
from tests.docs.shell import check_usage, commands_of, followed, is_set_up
from tests.docs.tables import grammar
from workflow.author.scenario_file import parse
from workflow.bundle import loader

LANGUAGES = {"", "sh", "console", "json", "yaml", "toml", "python", "text", "mermaid", "markdown", "dockerfile"}


def runs(page: Path) -> bool:
    """Whether the page has a command that is more than set-up."""
    return any(not is_set_up(line) for block in blocks(page, "sh") for line in commands_of(block.text))


@pytest.mark.parametrize("page", [page for page in PAGES if runs(page)], ids=name)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    """Each `sh` block is run, in order, against a sandbox; a `console` block after one is what was printed."""
    for block, shown in followed(page, tmp_path):
        if block.language == "console" and block.after:
            check_shown(block, shown)


def check_shown(block: Block, shown: str) -> None:
    """Each line of the block was printed, in this order; `…` stands for whatever there was."""
    rest = [line.rstrip() for line in shown.splitlines()]
    for line in filter(None, map(str.rstrip, block.text.splitlines())):
        wanted = ".*".join(map(re.escape, line.split("…")))
        while rest and not re.fullmatch(wanted, rest[0]):
            rest.pop(0)
        assert rest, f"line {block.line}: {line!r} was not printed, or not here:\n{shown}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_is_only_named_is_there(page: Path) -> None:
    """The targets of `make` exist, and every command in a block or in a sentence takes what it is given."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for block in blocks(page, "sh"):
        for line in commands_of(block.text):
            check_usage(line)
            words = line.partition("#")[0].split()
            if words[0] == "make":
                named = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
                assert set(named) <= targets, f"line {block.line}: {line}"
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z-]+)[^`]*`", text)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_can_be_read(page: Path) -> None:
    """JSON, TOML, Python and YAML in the pages are what they claim to be; a whole `workflow.yaml` is a valid one."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{name(page)}:{block.line}: a block in an unknown language"
        try:
            read(block)
        except Exception as error:
            raise AssertionError(f"{name(page)}:{block.line}: {error}") from error


def read(block: Block) -> None:
    """Raises what is wrong with a block."""
    match block.language:
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "python":
            compile(block.text, "block", "exec")
        case "yaml" if re.search(r"^scenario:", block.text, re.MULTILINE):
            parse("example", block.text, "example.yaml")
        case "yaml" if re.search(r"^format:", block.text, re.MULTILINE):
            loader.read(block.text, "workflow.yaml")
        case "yaml":
            loader.read(completed(textwrap.dedent(block.text)), "workflow.yaml")


_TOP = {
    "format": "format: 1",
    "workflow": "workflow: example",
    "languages": "languages: [en]",
    "service": "service: {base_url: 'https://example.org', sandbox: phases.sandbox}",
    "events": "events: {}",
    "trouble": "trouble: {else: try_later}",
    "start": "start: a.b",
}


def completed(piece: str) -> str:
    """A piece of a document with what it needs around it: top-level keys as they are, else phases, else states."""
    keys = re.findall(r"^([a-z_]+):", piece, re.MULTILINE)
    if not set(keys) <= set(grammar()["properties"]):
        levels = "phases:\n" if _phases(piece) else "phases:\n  example:\n"
        return _frame(["phases"]) + levels + textwrap.indent(piece, "  " if _phases(piece) else "    ")
    return _frame(keys) + piece + ("" if "phases" in keys else "\nphases: {}\n")


def _phases(piece: str) -> bool:
    """Whether the piece shows phases, not states: the keys of its second level are no keys of a state."""
    known = grammar()["$defs"]["StateTable"]["properties"]
    inner = re.findall(r"^  ([a-z_]+):", piece, re.MULTILINE)
    return bool(inner) and not set(inner) <= set(known)


def _frame(given: list[str]) -> str:
    return "".join(f"{line}\n" for key, line in _TOP.items() if key not in given)
