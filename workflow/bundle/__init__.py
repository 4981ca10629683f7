"""A bundle on disk: read once, checked once, its Python imported by path.

Every file is read exactly once: what is digested is what is checked, said and run. So the Python is compiled
from those same bytes; no bytecode is read, which could be of an older text, and none is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from workflow.bundle.code import MODULES, complete, package_name
from workflow.bundle.content import Texts, read
from workflow.machine.definition import Definition
from workflow.machine.kept import known as kept_as
from workflow.machine.registry import Registry
from workflow.model.digest import digest, sealed, sha256
from workflow.model.errors import BundleError, BundleFaults, DefinitionError, UnknownName
from workflow.model.frozen import Noun
from workflow.model.strict_json import write_json
from workflow.model.version import VERSION

_CHECKED_BY = ("bundle", "bundle/lint", "machine", "model", "service")
"""Folders whose code decides whether a bundle passes."""


class Bundle(Noun):
    """A bundle that passed every check; ``prompts`` are by language and message, ``briefs`` by name.

    ``document`` is what its YAML says, as the store keeps it.
    """

    path: Path
    digest: str
    document: Mapping[str, Any]
    definition: Definition
    registry: Registry
    prompts: Texts
    briefs: Mapping[str, str]

    @cached_property
    def compiled(self) -> str:
        """The digest of the compiled definition, for the journal."""
        return digest(self.document)

    def module(self, dotted: str) -> ModuleType:
        """A module of the bundle, such as ``phases.sandbox``, imported when it is first asked for.

        Raises :class:`UnknownName` if the bundle has none of that name, :class:`BundleError` if it fails.
        """
        code = MODULES.found.get(package_name(self.path, self.digest))
        if code is None or not code.has(dotted):
            raise UnknownName(f"the bundle {self.path} has no module {dotted}")
        return code.module(dotted)


def open_bundle(
    path: Path,
    *,
    kept: Callable[[str], str | None] = lambda key: None,
    keep: Callable[[str, str], None] = lambda key, content: None,
) -> Bundle:
    """The bundle in this folder; raises :class:`BundleError`, for its faults with all of them at once.

    ``keep`` is given what was found out about a bundle that passed, and ``kept`` gives it back: then no YAML
    is read, nothing checked again, and no Python imported before it is called.
    """
    files = read(path)
    key = f"{files.digest}:{engine()}"
    known = kept_as(kept(key))
    if known is None:
        from workflow.bundle.checks import examine

        document, problems = examine(files)
        if problems:
            raise BundleFaults(problems)
        known = {"document": document, "marks": files.code.marks}
        keep(key, sealed(write_json(known)))
    definition = Definition.from_document(known["document"])
    prompts, briefs = files.texts()
    registry = complete(files.code.late(known["marks"]), definition)
    return Bundle(files.path, files.digest, known["document"], definition, registry, prompts, briefs)


def find_problems(path: Path) -> list[DefinitionError]:
    """Everything that is wrong with the bundle in this folder; never raises for a fault of the bundle."""
    from workflow.bundle.checks import examine, problems_of

    try:
        return list(examine(read(path))[1])
    except BundleError as fault:
        return list(problems_of(fault))


def find_warnings(path: Path) -> list[DefinitionError]:
    """What makes the bundle in this folder worse and stops nothing; none where it cannot be read."""
    from workflow.bundle.checks import advise

    try:
        return advise(read(path))
    except BundleError:
        return []


def known_names(path: Path) -> dict[str, list[str]]:
    """Every name in the bundle in this folder by its kind, for editors, whatever else is wrong with it.

    Raises :class:`BundleError` if its ``workflow.yaml`` cannot be read.
    """
    from workflow.bundle.checks import names

    return names(read(path))


def packaged() -> Path:
    """The bundle that comes along: within a wheel ``workflow/_bundle``, else the folder above the package."""
    package = _package_folder()
    inside = package / "_bundle"
    return inside if inside.is_dir() else package.parent


@cache
def engine() -> str:
    """What a kept document depends on beside its bundle: the code that reads and checks it.

    So nobody has to remember to count a version up: where a check has changed, every bundle is checked again.
    The files' sizes and times tell, since every turn asks; their bytes would cost it a millisecond.
    """
    folder = str(_package_folder())
    found = (each for room in _CHECKED_BY for each in os.scandir(f"{folder}/{room}") if each.name.endswith(".py"))
    states = sorted((each.path[len(folder) :], each.stat().st_size, each.stat().st_mtime_ns) for each in found)
    return sha256(f"{VERSION} {states}".encode())[:16]


def _package_folder() -> Path:
    return Path(__file__).resolve().parent.parent
