"""The store in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.brakes import BrakesContract
from tests.contract.suite import StoreContract
from workflow.model.ports import Store
from workflow.store.memory import MemoryStore


class TestMemoryStore(StoreContract, BrakesContract):
    """All of the contract, and nothing else."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """An empty store."""
        store = MemoryStore()
        yield store
        store.close()
