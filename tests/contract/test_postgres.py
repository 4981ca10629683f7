"""The store in PostgreSQL: the contract here, what is its own in the modules beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.brakes import BrakesContract
from tests.contract.suite import StoreContract
from tests.database import Server
from workflow.model.ports import Store
from workflow.store.postgres.store import PostgresStore


class TestPostgresStore(StoreContract, BrakesContract):
    """All of the contract."""

    @pytest.fixture
    def store(self, postgres: Server, tmp_path: Path) -> Iterator[Store]:
        """An empty store."""
        store = PostgresStore(postgres.emptied(), tmp_path / "state")
        yield store
        store.close()
