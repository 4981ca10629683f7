"""The bundle's actions over a real connection to the sandbox, with nothing of the engine between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from phases.anygen.api import commands
from phases.anygen.client import Client
from phases.anygen.sandbox import SANDBOX_KEY, Request, Sandbox
from workflow import Call, Done, Facts, Verdict
from workflow.model.instant import Instant
from workflow.service.http import Http

Json = dict[str, Any]
Run = Callable[..., Result]


@dataclass
class Bench:
    """A session's data without a session: what an action gives is kept, as the engine would."""

    sandbox: Sandbox
    data: Json = field(default_factory=dict)

    @property
    def service(self) -> Http:
        """The guarded connection that the engine would give."""
        return Http(self.sandbox.url, lambda: SANDBOX_KEY)

    @property
    def client(self) -> Client:
        """The client itself."""
        return Client(self.service, self.sandbox.url)

    def do(self, action: Callable[[Call], Done], item: Json | None = None, content: bytes = b"") -> Done:
        """Perform an action and keep what it sets."""
        done = action(Call(dict(self.data), {}, self.service, self.sandbox.url, item, lambda: content))
        self.data |= done.data
        return done

    def asked(self, method: str, ending: str) -> list[Request]:
        """The requests of one call, oldest first."""
        return [each for each in self.sandbox.requests if each.method == method and each.path.endswith(ending)]


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    passed: float = 0.0
    naps: list[float] = field(default_factory=list)

    def now(self) -> Instant:
        """This moment."""
        return Instant(self.passed, self.passed, "boot")

    def sleep(self, seconds: float) -> None:
        """At once."""
        self.naps.append(seconds)
        self.passed += seconds


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A fresh sandbox that is ready at the second message and done at the first look."""
    with Sandbox(rounds=2, looks=1) as sandbox:
        yield Bench(sandbox)


@pytest.fixture
def clock() -> Clock:
    """A clock of our own."""
    return Clock()


@pytest.fixture
def run(bench: Bench, clock: Clock) -> Run:
    """Run a command of the raw client against the sandbox; its exception is in the result."""

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        group: click.Group = commands(lambda: (bench.service, bench.sandbox.url, clock))
        return CliRunner().invoke(group, arguments, input=stdin)

    return invoke


@pytest.fixture
def judge() -> Callable[..., Verdict]:
    """Ask a guard about data, input and settings."""

    def ask(guard: Callable[[Facts], Verdict], data: Json, given: Any = None, **settings: Any) -> Verdict:
        return guard(Facts(data, given or {}, settings, watched=False, in_doubt=False))

    return ask


@pytest.fixture
def offer() -> Callable[..., Json]:
    """A reference as the engine records it."""

    def describe(name: str, content: bytes, description: str) -> Json:
        digest = hashlib.sha256(content).hexdigest()
        return {
            "path": f"/x/{name}",
            "name": name,
            "description": description,
            "sha256": digest,
            "size": len(content),
        }

    return describe
