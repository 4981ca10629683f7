"""Checking a bundle: everything that is wrong with it, at once.

Loaded by name, and only for a bundle that was not checked before: a turn does not pay for YAML and lint.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from workflow.bundle import lint, loader
from workflow.bundle.code import complete
from workflow.bundle.content import YAML, Files
from workflow.bundle.lint import slips
from workflow.machine.definition import Definition
from workflow.machine.fragments import RUN
from workflow.machine.registry import Registry
from workflow.model.errors import BundleError, BundleFaults, DefinitionError

_CODES = {"workflow": "yaml", "prompts": "prompts", "phases": "python"}
"""Codes of problems that are found before any check, by where they are."""
_PIECE = RUN - 1
"""Characters of a key that are not a key."""


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
        problems = [*_linted(files, source, registry, texts), *problems]
    for each in problems:
        each.code = each.code or _CODES.get(each.path.partition("/")[0].partition(".")[0], "bundle")
    return _to_keep(source.document) if source else {}, problems


def _linted(files: Files, source: loader.Source, registry: Registry | None, texts: Any) -> list[DefinitionError]:
    """What lint finds; an unknown name once, without what follows from it."""

    def look(at: loader.Source, registry: Registry | None, prompts: Any) -> list[DefinitionError]:
        definition = Definition.from_document(at.document)
        return lint.lint(definition, at, registry and complete(registry, definition), prompts, texts[1], files.phases)

    found = look(source, registry, texts[0])
    if not any(each.slip for each in found):
        return found
    data = slips.meant(found)
    again = None
    with suppress(BundleFaults):  # two keys may be one now
        right = loader.read(slips.repaired(files.content[YAML].decode(), YAML, found), YAML)
        again = look(right, registry and slips.in_registry(registry, data), slips.in_texts(texts[0], data))
    return slips.settled(found, again)


def advise(files: Files) -> list[DefinitionError]:
    """What makes the bundle worse and stops nothing; nothing of one whose document cannot be read."""
    with suppress(BundleError):
        source = loader.read(files.content[YAML], YAML)
        definition, registry, prompts = Definition.from_document(source.document), None, None
        with suppress(BundleError):
            registry = complete(files.code.registry, definition)
            prompts = files.texts()[0]
        return lint.advise(definition, source, files.phases, registry, prompts)
    return []


def _to_keep(document: dict[str, Any]) -> dict[str, Any]:
    """The document without a key in one piece: a search of a store for a key then finds leaks alone."""
    service = document.get("service", {})
    key = service.get("sandbox_key", "")
    pieces = [key[at : at + _PIECE] for at in range(0, len(key), _PIECE)]
    return {**document, "service": {**service, "sandbox_key": pieces}} if key else document


def names(files: Files) -> dict[str, list[str]]:
    """Every name that the document and the files beside it define, by its kind.

    Raises :class:`BundleFaults` for a document without a shape; Python or prompts that cannot be read have no names.
    """
    definition = Definition.from_document(loader.read(files.content[YAML], YAML).document)
    found = {
        "state": list(definition.states),
        "event": list(definition.events),
        "gate": list(definition.gates),
        "role": list(definition.roles),
        "datum": list(definition.data),
        "setting": list(definition.settings),
        "class": list(definition.classes),
    }
    with suppress(BundleError):
        registry = files.code.registry
        found |= {"guard": sorted(registry.guards), "action": sorted(registry.actions)}
    with suppress(BundleError):
        prompts, briefs = files.texts()
        messages = {name for texts in prompts.values() for name in texts if "." not in name}
        found |= {"message": sorted(messages), "brief": sorted(briefs)}
    return found


def problems_of(fault: BundleError) -> list[DefinitionError]:
    """A fault as the problems that it stands for."""
    if isinstance(fault, BundleFaults):
        return list(fault.problems)
    if isinstance(fault, DefinitionError):
        return [fault]
    return [DefinitionError(fault.message, YAML, 1, 1, fault.hint)]
