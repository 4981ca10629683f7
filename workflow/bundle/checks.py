"""Checking a bundle: everything that is wrong with it, at once.

Loaded by name, and only for a bundle that was not checked before: a turn does not pay for YAML and lint.
"""

from __future__ import annotations

from typing import Any

from workflow import lint, loader
from workflow.bundle.code import complete
from workflow.bundle.content import YAML, Files
from workflow.definition import Definition
from workflow.errors import BundleError, BundleFaults, DefinitionError


def examine(files: Files) -> tuple[dict[str, Any], list[DefinitionError]]:
    """The document, and every problem of the bundle; where one part cannot be read, the others still are."""
    problems: list[DefinitionError] = []
    source, registry, texts = None, None, None
    try:
        source = loader.read(files.content[YAML], YAML)
    except BundleFaults as faults:
        problems += faults.problems
    try:
        texts = files.texts()
    except BundleFaults as faults:
        problems += faults.problems
    try:
        registry = files.code.registry
    except BundleError as fault:
        problems += problems_of(fault)
    if source and texts:
        definition = Definition.from_document(source.document)
        found = lint.lint(definition, source, registry and complete(registry, definition), *texts)
        problems = [*found, *problems]
    return source.document if source else {}, problems


def problems_of(fault: BundleError) -> list[DefinitionError]:
    """A fault as the problems that it stands for."""
    if isinstance(fault, BundleFaults):
        return list(fault.problems)
    if isinstance(fault, DefinitionError):
        return [fault]
    return [DefinitionError(fault.message, YAML, 1, 1, fault.hint)]
