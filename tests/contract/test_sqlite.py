"""The store in SQLite: the contract here, what is its own in the modules beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.brakes import BrakesContract
from tests.contract.suite import StoreContract
from workflow.model.ports import Store
from workflow.store.sqlite import SqliteStore


class TestSqliteStore(StoreContract, BrakesContract):
    """All of the contract."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store in a folder that is not there yet."""
        store = SqliteStore(tmp_path / "state")
        yield store
        store.close()
