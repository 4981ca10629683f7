"""Where a bundle is tried: a sandbox of its own, a store in memory, a folder for files, a clock set by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from workflow.author.people import Roles, TrialPasskeys, table
from workflow.bundle import Bundle, open_bundle
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.local.settings import Settings
from workflow.model.errors import UnknownName, UsageError
from workflow.model.fault import Fault
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.service.sandbox.protocol import Asked, Sandbox
from workflow.service.sandbox.table import Answers
from workflow.store.memory import MemoryStore

PROFILE = "trial"


class Candidate(Noun, hide=("kept",)):
    """A bundle that is to be tried, and what a store keeps of it, by which a log proves itself."""

    bundle: Bundle
    kept: Mapping[str, str]


def candidate(folder: Path) -> Candidate:
    """The bundle in this folder, checked once for all its trials; raises ``BundleError``."""
    kept: dict[str, str] = {}
    return Candidate(open_bundle(folder, keep=kept.__setitem__), kept)


class SetClock:
    """Time that passes only when it is told to, and when somebody sleeps."""

    def __init__(self) -> None:
        self._passed = 0.0

    def now(self) -> Instant:
        """This moment; it all begins on 15 January 2027."""
        return Instant(1_800_000_000.0 + self._passed, 1_000.0 + self._passed, "trial")

    def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self._passed += seconds


class Stand:
    """One bundle with everything that a run of it needs; ``files`` is what names of files start from.

    ``people`` are the roles that each person holds now.
    """

    def __init__(
        self, bundle: Bundle, sandbox: Sandbox, engine: Engine, clock: SetClock, files: Path, people: Roles
    ) -> None:
        self.bundle = bundle
        self.people = {name: tuple(roles) for name, roles in people.items()}
        self.sandbox = sandbox
        self.clock = clock
        self.files = files
        self._faults: list[Fault] = []
        world = replace(engine.world, report=self._faults.append, people=lambda: table(self.people))
        self.engine = Engine(replace(world, passkeys=TrialPasskeys()))

    def faults(self) -> tuple[Fault, ...]:
        """The faults in the bundle's own code since the last time that they were asked for."""
        found, self._faults[:] = tuple(self._faults), []
        return found

    def save(self, name: str, content: str | int) -> None:
        """Write a file into the working folder: a text, or this many zeros."""
        place = self.files / name
        if not place.resolve().is_relative_to(self.files.resolve()) or place.resolve() == self.files.resolve():
            raise UsageError(f"the file {name!r} is outside of the working folder", "Give a plain name.")
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            if isinstance(content, int):
                file.truncate(content)
            else:
                file.write(content.encode())

    def filled(self, value: Any) -> Any:
        """An input with ``${sandbox}`` and ``${found}`` replaced in its texts."""
        if isinstance(value, str):
            found = self.sandbox.found[-1] if "${found}" in value and self.sandbox.found else "${found}"
            return value.replace("${sandbox}", self.sandbox.url).replace("${found}", found)
        if isinstance(value, Mapping):
            return {name: self.filled(each) for name, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value


@contextmanager
def set_up(
    tried: Candidate,
    *,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    gates: Mapping[str, str] | None = None,
    people: Roles | None = None,
) -> Iterator[Stand]:
    """A stand for a bundle; nothing of it is left behind.

    ``options`` are what its sandbox is made with, ``settings`` and ``gates`` the user's configuration, ``people`` its
    approvers. What is
    chosen by chance elsewhere is chosen by ``seed`` here, except the ids that the sandbox gives.
    """
    with tempfile.TemporaryDirectory(prefix="phasegate-trial-") as name:
        folder = Path(name).resolve()
        files = folder / "files"
        files.mkdir()
        sandbox = make_sandbox(tried.bundle, options or {})
        clock, store = SetClock(), MemoryStore()
        for key, content in tried.kept.items():
            store.keep_definition(key, content)
        configured = Settings(
            file=folder / "config" / "config.toml",
            state=folder / "state",
            settings=dict(settings or {}),
            gates=dict(gates or {}),
        )
        engine = open_engine(store=store, clock=clock, environ={"HOME": str(folder)}, base=files, settings=configured)
        sandbox.start()
        try:
            yield Stand(tried.bundle, sandbox, _by_seed(engine, tried.bundle, seed), clock, files, people or {})
        finally:
            sandbox.stop()


def make_sandbox(bundle: Bundle, options: Mapping[str, Any]) -> Sandbox:
    """The bundle's sandbox, not yet started; raises :class:`UnknownName` if there is none to be had."""
    if bundle.definition.service.answers:
        return Answers(bundle.definition, **options)
    dotted = bundle.definition.service.sandbox
    make: Callable[..., Sandbox] | None = getattr(bundle.module(dotted), "Sandbox", None)
    if not callable(make):
        raise UnknownName(
            f"{dotted} of the bundle {bundle.path} has no Sandbox",
            "A bundle is tried against one: derive it from workflow.twin.Twin; docs/scenarios.md shows how.",
        )
    try:
        return make(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the sandbox cannot be made with {dict(options)}: {error}", "Correct `sandbox`.") from error


def asked(requests: Sequence[Asked]) -> list[str]:
    """Requests as they are counted and shown: ``METHOD /path``."""
    return [f"{each.method} {each.path}" for each in requests]


def _by_seed(engine: Engine, bundle: Bundle, seed: int) -> Engine:
    """The engine with nothing left to chance; bundles are not read again."""
    random = Random(seed)
    return Engine(
        replace(
            engine.world,
            open_bundle=lambda path: bundle,
            choose=random.choice,
            nonce=lambda: f"{random.getrandbits(96):024x}",
        )
    )
