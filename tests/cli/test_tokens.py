"""``workflow-admin token``: shown once, kept as a digest, revoked at once."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from workflow.local.tokens import FILE, Tokens
from workflow.model.errors import StoreError

SOMEBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


def file(cli: Commands) -> Path:
    """Where they are kept."""
    return cli.folder / "config" / FILE


def test_a_token_is_shown_once_and_kept_as_a_digest(cli: Commands) -> None:
    """The file is its owner's alone, and nothing in it opens the door."""
    made = cli.admin("token", "new", "openclaw", "--json").json
    assert made["ok"] and made["scope"] == "agent" and len(made["token"]) == len("phasegate_") + 64
    text = file(cli).read_text(encoding="utf-8")
    assert made["token"] not in text and hashlib.sha256(made["token"].encode()).hexdigest() in text
    assert stat.S_IMODE(file(cli).stat().st_mode) == 0o600
    listed = cli.admin("token", "list", "--json")
    assert [each["name"] for each in listed.json["tokens"]] == ["openclaw"] and made["token"] not in listed.out
    assert set(listed.json["tokens"][0]) == {"name", "owner", "scope", "created"}


def test_a_token_is_good_until_it_is_revoked(cli: Commands) -> None:
    """Each is found by itself alone; a revoked name is free for another token."""
    one = cli.admin("token", "new", "one", "--json").json["token"]
    two = cli.admin("token", "new", "two", "--scope", "auditor", "--json").json["token"]
    tokens = Tokens(cli.folder / "config")
    found = [tokens.find(each) for each in (one, two, "", one[:-1], one + "0", "\udcff")]
    assert [each and (each.name, each.scope) for each in found] == [("one", "agent"), ("two", "auditor")] + [None] * 4
    assert cli.admin("token", "revoke", "one", "--json").json["name"] == "one"
    assert tokens.find(one) is None and tokens.find(two) is not None
    again = cli.admin("token", "new", "one", "--json").json["token"]
    assert again != one and tokens.find(one) is None


def test_what_cannot_be_is_told(cli: Commands) -> None:
    """A name that is taken, or none; a scope that is none; a token that is not there, with the one that is near."""
    cli.admin("token", "new", "openclaw", "--json")
    assert "already" in cli.admin("token", "new", "openclaw", "--json").error["message"]
    for name in ("", "../x", "A", "-x", "x" * 65, "x y"):
        assert cli.admin("token", "new", "--", name, "--json").error["type"] == "usage"
    assert cli.admin("token", "new", "x", "--scope", "owner", "--json").error["type"] == "usage"
    assert "did you mean 'openclaw'" in cli.admin("token", "revoke", "openclow", "--json").error["message"]


def test_a_token_needs_no_store(cli: Commands) -> None:
    """It is made and revoked beside the configuration, whose folder keeps its mode."""
    (cli.folder / "config").chmod(0o755)
    assert (
        cli.admin("token", "new", "openclaw", "--json").json["ok"]
        and cli.admin("token", "revoke", "openclaw", "--json").json["ok"]
    )
    assert sorted(each.name for each in (cli.folder / "config").iterdir()) == ["config.toml", FILE]
    assert stat.S_IMODE((cli.folder / "config").stat().st_mode) == 0o755 and not (cli.folder / "state").exists()


@pytest.mark.parametrize("foreign", [False, pytest.param(True, marks=as_root)])
def test_a_state_folder_of_others_holds_no_token(cli: Commands, foreign: bool) -> None:
    """A file that they put there opens nothing; a token can be made, and the folder is refused for everything else."""
    state = cli.folder / "state"
    state.mkdir()
    Tokens(state).new("planted", "all", "2027-01-15T08:00:00.000Z")
    state.chmod(0o755 if foreign else 0o777)
    if foreign:
        os.chown(state, SOMEBODY, SOMEBODY)
    assert cli.admin("token", "list", "--json").json["tokens"] == []
    assert cli.admin("token", "new", "real", "--json").json["ok"]
    assert [each["name"] for each in cli.admin("token", "list", "--json").json["tokens"]] == ["real"]
    turn = cli.write({"input": {"words": "A poster"}})
    assert str(state) in cli("serve", "--port", "0").why
    for refused in (cli("start", "--input-file", turn), *([] if foreign else [cli("sessions", "--json")])):
        assert refused.error["type"] == "store" and str(state) in refused.error["message"]
    checks = {each["name"]: each["state"] for each in cli("doctor", "--json").json["checks"]}
    assert (checks["store"], checks["tokens"]) == ("bad", "ok")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_the_token_alone_is_on_stdout(cli: Commands) -> None:
    """So that it can be caught in a variable; what there is to say about it is beside it."""
    made = cli.admin("token", "new", "openclaw")
    assert made.out.startswith("phasegate_") and made.out.count("\n") == 1 and "cannot be shown again" in made.err
    assert "openclaw" in cli.admin("token", "list").out
    assert "worthless" in cli.admin("token", "revoke", "openclaw").out
    assert "no token" in cli.admin("token", "list").out


@pytest.mark.parametrize("content", ["", "[]", '{"tokens": [{}]}', '{"tokens": 5}', '{"tokens": [{"name": 1}]}'])
def test_a_file_that_holds_something_else_is_told(cli: Commands, content: str) -> None:
    """Nobody is let in, and nothing is written over it."""
    cli.admin("token", "new", "x", "--json")
    file(cli).write_text(content, encoding="utf-8")
    assert cli.admin("token", "list", "--json").error["type"] == "store"
    assert cli.admin("token", "new", "y", "--json").error["type"] == "store"
    assert file(cli).read_text(encoding="utf-8") == content
    with pytest.raises(StoreError):
        Tokens(cli.folder / "config").find("x")


def test_a_link_in_its_place_is_not_followed(cli: Commands) -> None:
    """Nor is a mode that others could read by kept."""
    cli.admin("token", "new", "x", "--json")
    file(cli).chmod(0o644)
    cli.admin("token", "list", "--json")
    assert stat.S_IMODE(file(cli).stat().st_mode) == 0o600
    file(cli).rename(file(cli).with_name("elsewhere"))
    file(cli).symlink_to("elsewhere")
    assert cli.admin("token", "list", "--json").error["type"] == "store"


def test_two_who_make_tokens_lose_none(tmp_path: Path) -> None:
    """They take turns, and the file is whole at every moment."""
    tokens = Tokens(tmp_path)

    def make(first: str) -> None:
        for number in range(8):
            Tokens(tmp_path).new(f"{first}{number}", "agent", "")
            Tokens(tmp_path).listed()

    threads = [threading.Thread(target=make, args=(first,)) for first in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens.listed()) == 24
