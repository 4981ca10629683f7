"""A user id that the system does not know, without HOME: each command works, or says which variable to set."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.tables import commands
from tests.readable import found, missing
from tests.surroundings.everything import CELLS, Ended, Everything

UID = 54321
"""No entry of the system's list of users has it."""
IN_HOME = {f"workflow-admin api config {what}" for what in ("set", "get", "delete", "path")}
"""The service's own file of its key is in the home of its user; no variable of ours says where else."""


@pytest.fixture(scope="module")
def somebody() -> Iterator[Everything]:
    """What root alone can make: a process of a user id that is nobody's."""
    if os.geteuid() != 0:
        missing("only root can run a process of a user id that has no entry")
    folder = Path(tempfile.mkdtemp(prefix="phasegate-"))
    folder.chmod(0o755)
    try:
        (folder / "runs").mkdir()
        os.chown(folder / "runs", UID, UID)
        python, path = found(UID, folder / "runs", folder / "readable")
        yield Everything(folder / "runs", python, path, UID)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def usual(somebody: Everything) -> dict[str, Ended]:
    """How each command ends for the same user with a home."""
    return somebody.run({"HOME": "{}"})


def test_every_command_is_tried() -> None:
    """One that is added has to say what it is given here."""
    assert set(CELLS) == set(commands()) - {"workflow-admin api"}


def test_with_two_variables_nothing_needs_a_home(somebody: Everything, usual: dict[str, Ended]) -> None:
    """PHASEGATE_STATE and PHASEGATE_CONFIG say where all of ours is: each command ends as it does with a home."""
    for name, ended in somebody.run({"PHASEGATE_STATE": "{}/state", "PHASEGATE_CONFIG": "{}/config.toml"}).items():
        assert ended.sound, (name, ended)
        if name in IN_HOME:
            assert ended.code == 2 and "Set HOME" in ended.told, (name, ended)
        else:
            assert (ended.code, ended.fault) == (usual[name].code, usual[name].fault), (name, ended, usual[name])


def test_with_nothing_each_command_works_or_says_what_to_set(somebody: Everything, usual: dict[str, Ended]) -> None:
    """What needs no folder of the user's works; what needs one names the variable."""
    works = set()
    for name, ended in somebody.run({}).items():
        assert ended.sound, (name, ended)
        if any(f"Set {way}" in ended.told for way in ("PHASEGATE_STATE to", "PHASEGATE_CONFIG to", "HOME to")):
            assert ended.code != 0, (name, ended)
        else:
            assert (ended.code, ended.fault) == (usual[name].code, usual[name].fault), (name, ended, usual[name])
            works.add(name.removeprefix("workflow "))
    assert {"graph", "init", "lint", "test", "simulate", "schema", "demo", "config", "completion"} <= works
