"""What holds for every test: no key, no home and no settings of the person who runs them."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

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
