"""Which rules a test asserts: marks, ``@pytest.mark.rule("NUMBER")``, read from its source by ``ast``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from workflow.model.frozen import Noun


class Marked(Noun):
    """A test and the rules that its marks name; ``unread`` counts marks that are not plain strings."""

    test: str
    rules: tuple[str, ...]
    unread: int = 0


def read_marks(source: str, path: str) -> Iterator[Marked]:
    """Every test of a file that carries a rule mark, in order; raises ``SyntaxError`` for what is not Python."""
    body = ast.parse(source, path).body
    for statement in body:
        yield from _of_statement(statement, path, _assigned(body))


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
    """``rule`` of ``pytest.mark.rule("NUMBER")``, with or without the call."""
    inner = mark.func if isinstance(mark, ast.Call) else mark
    if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Attribute) and inner.value.attr == "mark":
        return inner.attr
    return None


def _arguments(mark: ast.expr) -> Sequence[ast.expr]:
    return mark.args if isinstance(mark, ast.Call) else ()
