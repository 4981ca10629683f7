"""A slice of `make hosts` for every change: two real hosts from npm, and the form of the entries of the others."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.play import Outcome, play_call, play_key, play_start
from tests.hosts.programs import PINNED, PROGRAMS, Program, installed
from tests.hosts.shapes import SHAPES, misshapen
from tests.node import missing
from workflow.cli.agent.host_config import HOSTS

SLICE = ("claude-code", "generic")
"""One that hands on everything, and one that hands on HOME and PATH only."""


@pytest.fixture(params=SLICE)
def program(request: pytest.FixtureRequest) -> Program:
    """The host, as it is installed; on a machine for CI it must be."""
    found = next(each for each in PROGRAMS if each.host == request.param)
    if not installed(found):
        missing(f"{found.package} {PINNED[found.package]} is not here; `make hosts` installs it")
    return found


@pytest.fixture
def account() -> Iterator[Path]:
    """A folder with a short path: a host may keep a UNIX socket in its home, and the path of one ends at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as folder:
        yield Path(folder)


def right(outcome: Outcome) -> None:
    """Fails with what the host printed."""
    assert not outcome.wrong, outcome.wrong


def test_an_entry_starts_the_server_where_its_user_wants_it(program: Program, account: Path) -> None:
    """The host is connected, and the server has the moved store and the sandbox, whatever the host keeps to itself."""
    right(play_start(program, account))


def test_a_key_is_handed_on_as_the_table_says(program: Program, account: Path) -> None:
    """By the host itself, by its name in the entry, or not at all."""
    right(play_key(program, account))


def test_an_entry_calls_a_broker(program: Program, account: Path) -> None:
    """Over HTTP, with the token that the host finds by its name."""
    right(play_call(program, account))


@pytest.mark.parametrize("host", SHAPES)
def test_an_entry_has_the_documented_form(host: str) -> None:
    """Where there is no command line to execute it with."""
    assert misshapen(host) == ""


def test_every_host_is_executed_or_held_against_its_form() -> None:
    """A new row of the table is one of both, or fails here."""
    assert {program.host for program in PROGRAMS} | set(SHAPES) == set(HOSTS)
