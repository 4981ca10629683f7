"""The import contracts of ``pyproject.toml``, run as a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter import api, cli

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "pyproject.toml"
CONTRACTS = [contract["id"] for contract in api.read_configuration(str(CONFIG))["contracts_options"]]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_is_kept(contract: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The arrows between our modules, and to the drivers, are the ones the design allows."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    kept = cli.lint_imports(config_filename=str(CONFIG), limit_to_contracts=(contract,), no_cache=True, no_logo=True)
    assert kept == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out
