"""``workflow backup``: the whole store in one file, which can be put in its place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import apsw
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.store import connection, whole


def test_a_backup_can_be_put_in_the_place_of_the_store(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file, for its owner only, under any umask, every session verified; it pays once a person has adopted it."""
    plan = cli.planned()
    before = os.umask(0)
    try:
        reply = cli("backup", "copy.db", "--json").json
    finally:
        os.umask(before)
    assert (reply["ok"], reply["sessions"]) == (True, 1)
    assert cli("audit", "verify", "--store", "--expect-head", reply["receipt"], "--json").code == 0
    assert stat.S_IMODE((cli.folder / "copy.db").stat().st_mode) == 0o600
    assert [path.name for path in cli.folder.glob("copy.db*")] == ["copy.db"]
    cli.approved(plan)
    (cli.folder / "other").mkdir()
    (cli.folder / "copy.db").rename(cli.folder / "other" / "phasegate.db")
    monkeypatch.setenv("PHASEGATE_STATE", str(cli.folder / "other"))
    assert cli("audit", "verify", plan["session"], "--json").json["receipt"] == plan["receipt"]
    assert cli.approved(plan)["error"]["class"] == "set_back"
    assert cli.admin("adopt", "--yes", "--json").json["voided"] == [plan["session"]]
    assert (
        cli.turn("advance", plan["session"], "retry", seen=cli("status", plan["session"], "--json").json["seen"])[
            "state"
        ]
        == "confirm.presenting"
    )


def test_a_backup_is_taken_while_another_writes(cli: Commands, sandbox: Sandbox) -> None:
    """What is not committed yet is not in it."""
    cli.planned()
    pen = apsw.Connection(str(cli.folder / "state" / "phasegate.db"))
    pen.execute("BEGIN IMMEDIATE; UPDATE sessions SET status = 'done'")
    assert cli("backup", "copy.db", "--json").code == 0
    pen.execute("ROLLBACK")
    pen.close()
    copy = apsw.Connection(str(cli.folder / "copy.db"))
    assert copy.execute("SELECT status FROM sessions").fetchall() == [("waiting",)]
    copy.close()


@pytest.mark.parametrize("name", ["file", "link", "folder", "nowhere/copy.db"])
def test_nothing_is_overwritten(cli: Commands, sandbox: Sandbox, name: str) -> None:
    """What is there stays as it is; where no file can be made, it is said."""
    cli.planned()
    (cli.folder / "file").write_text("mine")
    (cli.folder / "link").symlink_to(cli.folder / "gone")
    (cli.folder / "folder").mkdir()
    ended = cli("backup", name, "--json")
    assert (ended.code, ended.error["type"]) == (1, "store")
    assert ("cannot be used" if "/" in name else "is there already") in ended.error["message"]
    assert (cli.folder / "file").read_text() == "mine" and not (cli.folder / "gone").exists()


def test_a_copy_that_is_damaged_is_not_kept(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked before it is called a backup."""
    cli.planned()
    rows = connection.fetch_all
    monkeypatch.setattr(
        whole,
        "fetch_all",
        lambda to, query, *values: [("page 3 is odd",)] if "integrity" in query else rows(to, query, *values),
    )
    ended = cli("backup", "copy.db", "--json")
    assert ended.code == 1 and "page 3 is odd" in ended.error["message"]
    assert not list(Path(cli.folder).glob("*copy.db*"))
