"""Where nothing is found, the store that was searched is named: often it is another one than was meant."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands, Ended

EMPTY = (
    ("workflow", "sessions"),
    ("workflow", "status"),
    ("workflow", "resume"),
    ("workflow", "upgrade-check"),
    ("workflow", "backup", "copy.db"),
    ("admin", "approve"),
    ("admin", "resolve"),
    ("admin", "log"),
)
UNKNOWN = (
    *(("workflow", name, "no-such") for name in ("status", "advance", "resume", "watch", "fork", "replay", "graph")),
    *(("workflow", "audit", name, "no-such") for name in ("log", "verify", "prove", "export")),
    ("workflow", "watch", "no-such", "nor-this"),
    *(("admin", name, "no-such") for name in ("resolve", "forget", "upgrade", "log")),
)


def typed(cli: Commands, program: str, *arguments: str) -> Ended:
    """A command of either program."""
    return cli.admin(*arguments) if program == "admin" else cli(*arguments)


@pytest.mark.parametrize("command", EMPTY, ids=" ".join)
def test_an_empty_store_is_named(cli: Commands, command: tuple[str, ...]) -> None:
    """Whatever is listed, taken up or copied."""
    ended = typed(cli, *command)
    assert str(cli.folder / "state") in " ".join(f"{ended.out} {ended.err}".split())


@pytest.mark.parametrize("command", UNKNOWN, ids=" ".join)
def test_the_store_without_such_a_session_is_named(cli: Commands, sandbox: Sandbox, command: tuple[str, ...]) -> None:
    """Another session is in it: it is the name that is not known."""
    cli.begun()
    ended = typed(cli, *command)
    told = f"{ended.out} {ended.err}"
    where = cli.folder / ("no-such" if command[1] == "graph" else "state")  # a graph's name can also be a bundle's
    assert ended.code and "no-such" in told and str(where) in told.replace("│", "")
