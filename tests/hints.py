"""The hints of the program, read from its source: each with the command that it names, or why it names none.

``hints.csv`` lists the hints without a command, each with its reason. The commands of the others are typed by
``tests/cli/test_named_commands.py``.
"""

from __future__ import annotations

import ast
import csv
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow.model import errors

ROOT = Path(__file__).parents[1]
FILE = Path(__file__).with_suffix(".csv")
HOLE = "{}"
"""What stands for a part that is filled in as the program runs."""
REASONS = {
    "typed": "the same command again, with another argument or value, which only its user knows",
    "turn": "the next turn, with other content; the reply says how turns are sent",
    "file": "the user's own file, folder, disk or rights, which no command of ours changes",
    "machine": "another program, or this machine",
    "wait": "the same command again, later or as it was",
    "bundle": "the author's own text of the bundle",
    "filled": "the command is filled in by what makes the hint, and is typed by the tests of that",
    "end": "there is no step: it says what is as it was, or where to report",
}
TAKES: Mapping[str, int] = {
    name: list(inspect.signature(each).parameters).index("hint")
    for name, each in vars(errors).items()
    if inspect.isclass(each) and issubclass(each, errors.WorkflowError) and "hint" in inspect.signature(each).parameters
} | {"Failure": 2, "Check": 3}
"""Whatever takes a hint, and at which place."""


def hints() -> dict[str, set[str]]:
    """Text of a hint → the files that give it. What is passed on from another error is collected where it was made."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((ROOT / "workflow").rglob("*.py")):
        tree = ast.parse(file.read_bytes())
        for scope, call in _calls(tree):
            for text in _texts(_hint(call), scope, tree):
                found[text].add(str(file.relative_to(ROOT)))
    return found


def explained() -> dict[str, str]:
    """The hints without a command, and why they name none."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {row["hint"]: row["reason"] for row in csv.DictReader(lines)}


def names_a_command(hint: str) -> bool:
    """Whether a command stands in it, in backticks."""
    return "`workflow " in hint or "`workflow-admin " in hint


def _calls(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Each call that makes an error, with the function around it."""
    scopes: list[ast.AST] = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
    inner: dict[ast.Call, ast.AST] = {}
    for scope in scopes:  # an inner function comes after the one around it
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and _hint(node) is not None:
                inner[node] = scope
    for call, scope in inner.items():
        yield scope, call


def _hint(call: ast.Call) -> ast.expr | None:
    place = TAKES.get(_name(call.func), len(call.args))
    named = next((each.value for each in call.keywords if each.arg == "hint"), None)
    return named or (call.args[place] if len(call.args) > place else None)


def _texts(node: ast.expr | None, scope: ast.AST, tree: ast.Module) -> set[str]:
    """All that an expression can be, as far as it is written here."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) and node.value else set()
    if isinstance(node, ast.JoinedStr):
        return {"".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)}
    if isinstance(node, ast.IfExp):
        return _texts(node.body, scope, tree) | _texts(node.orelse, scope, tree)
    if isinstance(node, ast.BoolOp):
        return {text for value in node.values for text in _texts(value, scope, tree)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_texts(each, scope, tree) or {HOLE} for each in (node.left, node.right))
        return {first + second for first in left for second in right}
    if isinstance(node, ast.Name):
        return {text for each in _values(node.id, scope, tree) for text in _texts(each, scope, tree)}
    if isinstance(node, ast.Call):
        return _made(node, scope, tree)
    return set()


def _made(call: ast.Call, scope: ast.AST, tree: ast.Module) -> set[str]:
    """What a call makes: a text for one surface, one with its holes filled, or what a function of the file returns."""
    if _name(call.func) == "Machine":
        return _texts(call.args[0], scope, tree)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "format":
        return _texts(call.func.value, scope, tree)
    made = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == _name(call.func)]
    returned = [(node, each.value) for node in made for each in ast.walk(node) if isinstance(each, ast.Return)]
    return {text for node, value in returned if node is not scope for text in _texts(value, node, tree)}


def _values(name: str, scope: ast.AST, tree: ast.Module) -> Iterator[ast.expr]:
    """What is assigned to a name in its function, or else in its file."""
    for around in (scope, tree):
        found = [
            node.value
            for node in (ast.walk(around) if around is scope else ast.iter_child_nodes(around))
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value and name in _targets(node)
        ]
        if found:
            yield from found
            return


def _targets(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
