"""What a sandbox is to those who try a bundle; by itself, since no turn needs to know (decision 51)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol


class Asked(Protocol):
    """One request as a sandbox recorded it; ``json`` is its body, None where that is something else."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def path(self) -> str:
        """Without the query."""

    @property
    def json(self) -> Any:
        """The body, read."""


class Sandbox(Protocol):
    """A service's offline twin, as scenarios and simulations drive it: the ``Sandbox`` of a bundle's sandbox module.

    It is made with keywords of its own choice, ``port`` (0 = any free one), ``rounds`` and ``looks`` among them.
    """

    @property
    def FAULTS(self) -> Mapping[str, str]:
        """What it can be asked for: name → meaning."""

    @property
    def SLOW(self) -> Collection[str]:
        """Those faults that take real time."""

    @property
    def PAID(self) -> Collection[str]:
        """The requests that cost something, as ``METHOD /path`` with ``*`` for any part."""

    @property
    def url(self) -> str:
        """Where it listens, ``http://127.0.0.1:PORT``."""

    @property
    def requests(self) -> Sequence[Asked]:
        """Every request so far, oldest first."""

    @property
    def found(self) -> Sequence[str]:
        """The pages that a person would find in their account, oldest first."""

    def start(self) -> object:
        """Listen on loopback, on threads of its own."""

    def stop(self) -> None:
        """Listen no more, and leave nothing behind; idempotent."""

    def fault(self, name: str, *, on: str = "*", times: int = 1, **options: Any) -> None:
        """Let this many answers go wrong; raises KeyError or ValueError for what it does not know."""

    def clear(self) -> None:
        """Forget all faults."""
