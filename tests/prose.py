"""Words that the project's English does without: ``make prose`` names each place in pages, help and docstrings.

:data:`INSTEAD` says what to write. Code does not count, nor does what :data:`QUOTED` lists.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "workflow/**/*.md", "phases/**/*.md", "*/README.md")
FIRST_DECISION = 68
"""Earlier ones are kept as they were written."""
ROOMS = tuple(sorted(each.name for each in (ROOT / "workflow").iterdir() if (each / "__init__.py").is_file()))
"""Whose docstrings, help and errors are read."""
MOST_WORDS = 40
"""Of a sentence on a page, in help or in a docstring."""
INSTEAD: Mapping[str, str] = {
    r"anew": "again",
    r"mend(s|ed|ing)?": "fix",
    r"so many": "at most N, or how many",
    r"but for": "except",
    r"for ever": "always, or without end",
    r"(?<!nothing )(?<!left )(?<!stay )(?<!no file )behind(?! (a|the) (margin|proxy|broker)| HTTP| CODE)": "after",
    r"(?<!there )(is|are|was|were) no (?!longer|more|less|later|\w+er\b)\w+": "is not a",
}
"""A pattern, and what to write instead. A thing may stand behind another, and nothing be left behind."""
QUOTED = ("A wait begins anew where the wall ran back",)
"""What others say, or how an older page is called."""
_TABLE = {re.compile(rf"\b(?:{words})\b", re.IGNORECASE): better for words, better in INSTEAD.items()}
_BLOCK = re.compile(r"\n\s*\n|\n\s*(?:[-*#>]+|\d+\.|[│├└].*?) |\||:\n")
_END = re.compile(r"(?<=[.!?:;])[)\"'*”]*\s+")


class Fault(NamedTuple):
    """One place, and what to write instead."""

    place: str
    found: str
    better: str


def faults() -> list[Fault]:
    """Return all, page by page and module by module."""
    found = [fault for place, text in (*pages(), *texts()) for fault in judged_words(place, text)]
    return found + [fault for place, text in (*pages(), *docstrings()) for fault in judged_length(place, text)]


def judged_words(place: str, text: str) -> Iterator[Fault]:
    """The words of one text that have a better one."""
    plain = prose(text)
    for pattern, better in _TABLE.items():
        for each in pattern.finditer(plain):
            around = plain[max(0, each.start() - 40) : each.end() + 30]
            yield Fault(place, " ".join(around.split()), better)


def judged_length(place: str, text: str) -> Iterator[Fault]:
    """The sentences of one text that are too long; items of lists and cells of tables end one as well."""
    for sentence in (each for block in _BLOCK.split(prose(text)) for each in _END.split(block)):
        words = len(sentence.split())
        if words > MOST_WORDS:
            yield Fault(place, " ".join(sentence.split())[:80], f"several sentences: it has {words} words")


def prose(text: str) -> str:
    """The text without code, comments, addresses of links and quotations."""
    text = re.sub(r"^ *```.*?^ *```", ".\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"``.*?``|`[^`]*`", "CODE", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)\s]*\)", "]", text)
    for quoted in QUOTED:
        text = text.replace(quoted, "QUOTED")
    return text


def pages() -> Iterator[tuple[str, str]]:
    """The project's own pages."""
    found = {page for pattern in PAGES for page in ROOT.glob(pattern) if ".venv" not in page.parts}
    for page in sorted(found):
        if page.parent.name != "decisions" or int(page.name[:3]) >= FIRST_DECISION:
            yield str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")


def docstrings() -> Iterator[tuple[str, str]]:
    """Those of modules, classes, functions and constants."""
    for place, node in _nodes():
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield place, node.value.value


def texts() -> Iterator[tuple[str, str]]:
    """Docstrings, help, errors and every other text of more than a word."""
    for place, node in _nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield place, node.value


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for module in sorted(module for room in ROOMS for module in (ROOT / "workflow" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            yield f"{module.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node


def main() -> int:
    """Print each place; the exit code is 1 if there is one."""
    found = faults()
    for fault in found:
        print(f"{fault.place}: {fault.found!r} → {fault.better}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
