"""What holds for every test: no key, no home and no settings of the person who runs them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.database import Server

# Examples take as long as the machine is busy: a test must not fail by the time it took, nor by chance.
settings.register_profile("phasegate", deadline=None, derandomize=True, print_blob=True)
# `pytest --hypothesis-profile=long`: other examples each time, and many more of them.
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("phasegate")


@pytest.fixture(autouse=True)
def stranger(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An empty HOME, and no variable that could lead to a real key, store, bundle or proxy."""
    for variable in list(os.environ):
        if variable.startswith(("PHASEGATE_", "ANYGEN_", "XDG_")) or variable.lower().endswith("_proxy"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started once for a process of tests that asks for it."""
    from tests.database import server  # most runs ask for none

    with server() as found:
        yield found


@pytest.fixture
def database(postgres: Server) -> str:
    """The address of a database with an empty store."""
    return postgres.store()


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """The loggers as they were: a library that sets up its own, as import-linter does, silences those of all others."""
    before = {name: each.disabled for name, each in _loggers()}
    yield
    for name, each in _loggers():
        each.disabled = before.get(name, False)


def _loggers() -> list[tuple[str, logging.Logger]]:
    found = logging.root.manager.loggerDict
    return [(name, each) for name, each in found.items() if isinstance(each, logging.Logger)]
