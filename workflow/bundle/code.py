"""A bundle's Python: imported by path from the very bytes that were digested, under a private name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from workflow.machine import messages as render
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.registry import Action, Guard, Registry, collect
from workflow.model.digest import sha256
from workflow.model.errors import BundleError, DefinitionError


class Code:
    """A bundle's Python, under a private package name, so that several bundles can live in one process."""

    def __init__(self, path: Path, package: str, content: Mapping[str, bytes]) -> None:
        self._path = path
        self._package = package
        self._content = content
        self._late: Registry | None = None

    @cached_property
    def registry(self) -> Registry:
        """What the modules directly in ``phases/`` mark; raises :class:`BundleError`."""
        names = [name for name in self._content if is_phase(name)]
        found = [self.module(name[:-3].replace("/", ".")) for name in names]
        try:
            return collect(found, BUILT_IN)
        except BundleError as error:
            raise DefinitionError(self._own_words(error), "phases", 1, 1) from error

    @property
    def marks(self) -> dict[str, Any]:
        """What the registry says of each function, and where it is: enough to do without importing any."""
        return {
            "actions": {
                name: [self._home(each.perform), each.effect, sorted(each.sets)]
                for name, each in self.registry.actions.items()
            },
            "guards": {
                name: [self._home(each.judge), sorted(each.reads)]
                for name, each in self.registry.guards.items()
                if each not in BUILT_IN
            },
        }

    def late(self, marks: Mapping[str, Any]) -> Registry:
        """The registry of a bundle whose marks were kept: a module is imported when one of its functions is called."""
        if "registry" in vars(self):
            return self.registry
        if self._late is None:
            actions = {
                name: Action(name, effect, frozenset(sets), self._called(module, name))
                for name, (module, effect, sets) in marks["actions"].items()
            }
            guards = {
                name: Guard(name, frozenset(reads), self._called(module, name))
                for name, (module, reads) in marks["guards"].items()
            }
            self._late = Registry(actions, {**{each.name: each for each in BUILT_IN}, **guards})
        return self._late

    def has(self, dotted: str) -> bool:
        """Whether there is such a module."""
        return dotted.startswith("phases.") and self._file(dotted) is not None

    def module(self, dotted: str) -> ModuleType:
        """The module, imported; whatever it raises becomes one line with file and line."""
        MODULES.install()
        try:
            return import_module(f"{self._package}.{dotted}")
        except (Exception, SystemExit) as error:
            file, line = self._where(error) or (self._file(dotted) or "phases", 1)
            kind = "" if isinstance(error, BundleError) else f"{type(error).__name__}: "
            said = f"{kind}{self._own_words(error)}"
            raise DefinitionError(said, file, line, 1) from error

    def spec(self, fullname: str) -> ModuleSpec:
        """How to import this name: from the bytes that were digested, or not at all."""
        dotted = fullname.removeprefix(self._package).lstrip(".")
        file = self._file(dotted)
        if file is None:
            folder = dotted.replace(".", "/") + "/"
            if dotted and not any(name.startswith(folder) for name in self._content):
                raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
            return ModuleSpec(fullname, None, is_package=True)
        place = str(self._path / file)
        spec = spec_from_file_location(fullname, place, loader=_Loader(fullname, place, self._content[file]))
        assert spec is not None  # a loader was given
        return spec

    def _home(self, function: Callable[..., Any]) -> str:
        return str(function.__module__).removeprefix(f"{self._package}.")

    def _called(self, dotted: str, name: str) -> Callable[..., Any]:
        def call(given: Any) -> Any:
            return getattr(self.module(dotted), name)(given)

        return call

    def _file(self, dotted: str) -> str | None:
        stem = dotted.replace(".", "/")
        return next((name for name in (f"{stem}/__init__.py", f"{stem}.py") if name in self._content), None)

    def _where(self, error: BaseException) -> tuple[str, int] | None:
        """The last line of the bundle that had a part in the error."""
        places, trace = [], error.__traceback__
        while trace:
            places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        if isinstance(error, SyntaxError):
            places.append((error.filename or "", error.lineno or 1))
        for file, line in reversed(places):
            if file.startswith(f"{self._path}{os.sep}"):
                return os.path.relpath(file, self._path), line
        return None

    def _own_words(self, error: BaseException) -> str:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return render.visible(" ".join(text.replace(f"{self._package}.", "").split()))[:300]


class _Loader(SourceFileLoader):
    """Compiles the bytes it was given; without the times of a file, no bytecode is looked for or written."""

    def __init__(self, fullname: str, path: str, content: bytes) -> None:
        super().__init__(fullname, path)
        self._content = content

    def get_data(self, path: Any) -> bytes:
        return self._content

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        raise OSError("no times")


class _Modules:
    """Finds the modules of every bundle that was opened in this process."""

    def __init__(self) -> None:
        self.found: dict[str, Code] = {}

    def install(self) -> None:
        """Ahead of the others, which would look on the disk."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Called by Python for every import."""
        code = self.found.get(fullname.partition(".")[0])
        return code.spec(fullname) if code else None


MODULES = _Modules()


def complete(registry: Registry, definition: Definition) -> Registry:
    """With what the YAML itself declares; a bundle that declares nothing does not load what performs it."""
    if not (definition.actions or definition.guards):
        return registry
    from workflow.service.declared_calls import completed

    return completed(registry, definition)


def package_name(path: Path, digest: str) -> str:
    """The private name of a bundle's Python: equal bundles in two places share nothing."""
    return f"_phasegate_{sha256(f'{path}:{digest}'.encode('utf-8', 'surrogateescape'))[:12]}"


def is_phase(name: str) -> bool:
    """Whether the file of this name is a module in which actions and guards are looked for."""
    parts = name.split("/")
    return len(parts) == 2 and parts[0] == "phases" and parts[1] != "__init__.py"
