"""What the import contracts cannot say, read from the source by ``ast``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"workflow", "phases"}
STARTER = ROOT / "workflow" / "author" / "scaffold" / "starter"
ENGINE = sorted(file for file in (ROOT / "workflow").rglob("*.py") if not file.is_relative_to(STARTER))
PHASES = sorted(file for root in (ROOT, STARTER) for file in (root / "phases").rglob("*.py"))
TWIN = "workflow.twin"
"""Of its own, so that no turn pays for a web server; a sandbox may stand on it."""
ALSO = {"phases/anygen/api.py": {"click"}, "phases/anygen/options.py": {"click"}}
"""The raw client is a command of its own, which `workflow-admin` takes in; no turn imports it."""
Import = ast.Import | ast.ImportFrom


def name(path: Path) -> str:
    """The test id of a file."""
    return path.relative_to(ROOT).as_posix()


def modules(node: Import) -> list[str]:
    """The dotted names an absolute import statement loads; a relative one gives the package's own name."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return ["." * node.level + (node.module or "")]


def imports(tree: ast.AST) -> Iterator[Import]:
    """Every import statement, wherever it stands."""
    return (node for node in ast.walk(tree) if isinstance(node, Import))


def ours(node: Import) -> bool:
    """Whether the statement loads a module of this project."""
    return any(module.startswith(".") or module.split(".")[0] in OURS for module in modules(node))


LATE = {
    "workflow/bundle/__init__.py": {"workflow.bundle.checks"},
    "workflow/bundle/code.py": {"workflow.service.declared_calls"},
    "workflow/cli/agent/mcp.py": {"workflow.mcp_server"},
    "workflow/cli/agent/page.py": {"workflow.web"},
    "workflow/cli/agent/serve.py": {"workflow.mcp_server", "workflow.web"},
    "workflow/cli/agent/store_health.py": {"workflow.store.postgres.queries"},
    "workflow/cli/completion.py": {
        "workflow.author.published",
        "workflow.author.scenario_file",
        "workflow.local.approvers",
        "workflow.local.browsers",
        "workflow.local.tokens",
    },
    "workflow/compose.py": {
        "workflow.local.approvers",
        "workflow.local.network",
        "workflow.local.passkeys",
        "workflow.service.http",
        "workflow.service.probe",
        "workflow.store.postgres.queries",
        "workflow.store.postgres.schema",
        "workflow.store.postgres.store",
    },
    "workflow/engine/run.py": {"workflow.engine.causes"},
    "workflow/engine/view.py": {"workflow.engine.bundle_change"},
}
"""Imports that may stand inside a function, so that a turn does not load what it does not use."""


def hidden(tree: ast.Module) -> Iterator[Import]:
    """Imports of our own modules that are not at the top level of the module."""
    plain = {id(node) for node in tree.body}
    return (node for node in imports(tree) if ours(node) and id(node) not in plain)


def public_names() -> set[str]:
    """``workflow.__all__``, as it is written."""
    tree = ast.parse((ROOT / "workflow" / "__init__.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                return set(ast.literal_eval(value))
    raise AssertionError("workflow/__init__.py declares no __all__")


@pytest.mark.parametrize("path", [*ENGINE, *PHASES], ids=name)
def test_own_modules_are_imported_at_the_top(path: Path) -> None:
    """No import of ours inside a function, a condition or TYPE_CHECKING, except the listed handful."""
    late = LATE.get(name(path), set())
    found = {f"{name(path)}:{node.lineno}": modules(node) for node in hidden(ast.parse(path.read_bytes()))}
    assert {where: each for where, each in found.items() if not late.issuperset(each)} == {}
    assert {module for each in found.values() for module in each} == late, "listed, and not there"


@pytest.mark.parametrize("path", [*ENGINE, *PHASES], ids=name)
def test_no_module_of_ours_is_imported_by_a_string(path: Path) -> None:
    """``import_module("workflow...")`` is an arrow that no checker sees."""
    calls = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call) and node.args)
    named = [(node.lineno, node.func, node.args[0]) for node in calls]
    found = [line for line, func, first in named if _imports(func) and isinstance(first, ast.Constant)]
    assert not found, f"{name(path)}:{found}"


def _imports(func: ast.expr) -> bool:
    called = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    return called in {"import_module", "__import__"}


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_engine_never_imports_its_own_front_door(path: Path) -> None:
    """``from workflow import X`` is for bundles and callers; inside, it is an arrow up to everything."""
    inside = {each.stem for each in (ROOT / "workflow").iterdir()}
    for node in imports(ast.parse(path.read_bytes())):
        if "workflow" in modules(node):
            submodules = isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} <= inside
            assert submodules, f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", PHASES, ids=name)
def test_phases_import_only_the_public_names(path: Path) -> None:
    """A bundle stands on ``from workflow import ...``, the standard library and itself, relatively."""
    public = public_names()
    root = STARTER if path.is_relative_to(STARTER) else ROOT
    depth = len(path.relative_to(root / "phases").parts)
    for node in imports(ast.parse(path.read_bytes())):
        where = f"{name(path)}:{node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level <= depth, f"{where}: reaches above phases/"
        elif isinstance(node, ast.ImportFrom) and node.module == "workflow":
            missing = {alias.name for alias in node.names} - public
            assert not missing, f"{where}: not public names of workflow: {sorted(missing)}"
        elif modules(node) != [TWIN]:
            known = sys.stdlib_module_names | ALSO.get(name(path), set())
            foreign = [each for each in modules(node) if each.split(".")[0] not in known]
            assert not foreign, f"{where}: {foreign}"
