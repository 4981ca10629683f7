"""Reads: what the source of actions and guards names by constants is declared, and is there.

Only plain constants are looked for; whatever else a guard reads is checked when it reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from workflow.bundle.lint.subject import Check, Subject, about
from workflow.model.errors import DefinitionError
from workflow.model.frozen import Noun
from workflow.model.spelling import did_you_mean

_SEEN = ("data", "input", "settings")
"""What of its facts, or of its call, a function looks things up in."""

_ERRORS = ("ActionError", "ApiError", "BadResponse", "InDoubt", "NoAnswer", "Unreachable")
_HELD_BACK = ("set_back", "ledger", "paused", "limited")
_OWN_CLASSES = ("upstream", "internal", "stale", "void", "no_key", "credentials", *_HELD_BACK)
"""Error classes that the engine raises by itself; a bundle may leave their words to `else`."""


class Read(Noun):
    """A name that a function looks up in ``where``, and the line and column where it does."""

    where: str
    name: str
    line: int
    column: int


class Marked(Noun):
    """A function that is marked as ``kind`` (action or guard), what it reads, and what it gives by plain names."""

    kind: str
    name: str
    reads: tuple[Read, ...]
    gives: tuple[Read, ...]


def marked_in(source: str) -> Iterator[Marked]:
    """The actions and guards of a module; nothing of one that is not Python, which is told elsewhere."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return
    for function in body:
        kind = _kind(function) if isinstance(function, ast.FunctionDef) else None
        if kind and isinstance(function, ast.FunctionDef):
            yield Marked(kind, function.name, tuple(_reads(function)), tuple(_gives(function)))


def _undeclared(subject: Subject) -> Iterator[DefinitionError]:
    """A guard's constants are among what it declares, and everybody's are names of the bundle."""
    registry, definition = subject.registry, subject.definition
    for path, source in subject.code.items():
        for each in marked_in(source):
            for read in each.reads:
                known: Any = definition.settings if read.where == "settings" else definition.data
                what = "setting" if read.where == "settings" else "datum"
                if read.name not in known:
                    hint = did_you_mean(read.name, list(known))
                    message = f"the {each.kind} '{each.name}' reads '{read.name}', which is not a {what}{hint}"
                    yield about(DefinitionError(message, path, read.line, read.column), what, read.name, known)
                elif each.kind == "guard" and registry and read.where != "settings":
                    yield from _beside(path, each, read, registry.guards)


def _beside(path: str, each: Marked, read: Read, guards: Mapping[str, Any]) -> Iterator[DefinitionError]:
    guard = guards.get(each.name)
    if guard is not None and read.name not in guard.reads:
        listed = ", ".join(f'"{name}"' for name in sorted({*guard.reads, read.name}))
        message = f"the guard '{each.name}' reads '{read.name}', which it does not declare"
        yield DefinitionError(message, path, read.line, read.column, f"Declare it: @guard(reads=[{listed}]).")


def _ungiven(subject: Subject) -> Iterator[DefinitionError]:
    """What an action gives is among what it declares to set: found out after a paid call, it is doubt."""
    actions = subject.registry.actions if subject.registry else {}
    for path, source in subject.code.items():
        for each in marked_in(source):
            known = actions.get(each.name) if each.kind == "action" else None
            for given in each.gives if known else ():
                if known and given.name not in known.sets:
                    listed = ", ".join(f'"{name}"' for name in sorted({*known.sets, given.name}))
                    message = f"the action '{each.name}' gives '{given.name}', which it does not declare to set"
                    yield DefinitionError(message, path, given.line, given.column, f"Declare it: sets=[{listed}].")


def _classes(subject: Subject) -> Iterator[DefinitionError]:
    """Where `trouble` names classes, it names those that actions raise: another is taken for any failed call."""
    known = {*subject.definition.classes, *_OWN_CLASSES}
    if not subject.definition.classes:
        return
    for path, source in subject.code.items():
        for name in _raised(source):
            if name.name not in known:
                hint = did_you_mean(name.name, sorted(known))
                message = f"unknown error class '{name.name}'{hint}: `trouble` has no words for it"
                yield DefinitionError(message, path, name.line, name.column)


def _raised(source: str) -> Iterator[Read]:
    """The constant classes of the errors that a module makes."""
    try:
        made = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError):
        return
    for call in made:
        if _dotted(call.func).rpartition(".")[2] in _ERRORS:
            kinds = [*call.args[1:2], *(key.value for key in call.keywords if key.arg == "kind")]
            for kind in kinds:
                if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                    yield Read("kind", kind.value, kind.lineno, kind.col_offset + 1)


def _kind(function: ast.FunctionDef) -> str | None:
    for mark in function.decorator_list:
        called = mark.func if isinstance(mark, ast.Call) else mark
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in ("action", "guard"):
            return str(name)
    return None


def _reads(function: ast.FunctionDef) -> Iterator[Read]:
    """Constants in ``x["name"]``, ``x.get("name")`` and ``"name" in x``, where x is of the facts or the call."""
    given = [*function.args.posonlyargs, *function.args.args]
    if not given:
        return
    seen = _aliases(function, given[0].arg)
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript):
            yield from _read(node.value, node.slice, seen)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr == "get":
                yield from _read(node.func.value, node.args[0], seen)
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            yield from _read(node.comparators[0], node.left, seen)


def _aliases(function: ast.FunctionDef, parameter: str) -> Mapping[str, str]:
    """How the function calls what it looks things up in: ``facts.data``, and a name that it is assigned to."""
    seen = {f"{parameter}.{where}": where for where in _SEEN}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yet = _pairs(target, node.value)
                seen |= {to: seen[of] for to, of in yet if of in seen and "." not in to}
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            to, of = _dotted(node.target), _dotted(node.value)
            if of in seen and to:
                seen[to] = seen[of]
    return seen


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[str, str]]:
    """What is assigned to what, in ``a = b`` and in ``a, c = b, d``."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return [pair for to, of in zip(target.elts, value.elts, strict=True) for pair in _pairs(to, of)]
    return [(_dotted(target), _dotted(value))]


def _read(value: ast.expr, name: ast.expr, seen: Mapping[str, str]) -> Iterator[Read]:
    where = seen.get(_dotted(value))
    if where and isinstance(name, ast.Constant) and isinstance(name.value, str):
        yield Read(where, name.value, name.lineno, name.col_offset + 1)


def _gives(function: ast.FunctionDef) -> Iterator[Read]:
    """The plain names in ``Done({"name": …})``."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == "Done":
            given = node.args[0] if node.args else next((key.value for key in node.keywords if key.arg == "data"), None)
            for name in given.keys if isinstance(given, ast.Dict) else ():
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield Read("sets", name.value, name.lineno, name.col_offset + 1)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


CHECKS: tuple[Check, ...] = (_undeclared, _ungiven, _classes)
