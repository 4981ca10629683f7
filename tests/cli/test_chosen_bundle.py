"""Which bundle a command for authors works on where none is named: the one around the folder you are in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from workflow.bundle import packaged

COURIER = Path(__file__).parent.parent / "courier"
COMMANDS = {
    "lint": (),
    "test": ("--scenario", "to-the-door"),
    "simulate": ("--walks", "1", "--steps", "3"),
    "graph": (),
    "sandbox": ("--faults",),
    "skill export": ("--target", "generic", "courier"),
    "skill coverage": ("SKILL.md",),
}
"""Every command that takes a bundle which need not be named, and what else it is given here."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one's own, which is neither chosen nor packaged."""
    folder = tmp_path / "mine"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "prompts" / "SKILL.md").write_text("You must ask.\n", encoding="utf-8")
    (folder / "SKILL.md").write_text("You must ask.\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("below", ["", "prompts"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_bundle_around_the_folder_is_meant(
    cli: Commands, terminal: None, bundle: Path, monkeypatch: pytest.MonkeyPatch, command: str, below: str
) -> None:
    """In its own folder and below it, before what the configuration chooses; and the command says so."""
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(packaged()))
    monkeypatch.chdir(bundle / below)
    ended = cli(*command.split(), *COMMANDS[command])
    where = "around the folder you are in" if below else "the folder you are in"
    assert (ended.code, ended.err) == (0, f"bundle: {bundle} ({where})\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_elsewhere_the_command_says_which_bundle_it_took(
    cli: Commands, terminal: None, bundle: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The configured one with its source; `--quiet` leaves the line out."""
    (bundle.parent / "SKILL.md").write_text("You must ask.\n", encoding="utf-8")
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(bundle))
    ended = cli(*command.split(), *COMMANDS[command])
    assert (ended.code, ended.err) == (0, f"bundle: {bundle} (from PHASEGATE_BUNDLE)\n")
    shutil.rmtree("courier", ignore_errors=True)
    assert cli(*command.split(), *COMMANDS[command], "--quiet").err == ""


def test_the_packaged_bundle_is_named_as_such(cli: Commands, terminal: None) -> None:
    """No green that could be of another bundle than one thinks."""
    ended = cli("lint")
    assert ended.err == f"bundle: {packaged()} (the packaged one; no workflow.yaml is here)\n"


def test_one_that_is_named_counts_before_the_folder(
    cli: Commands, terminal: None, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And needs no line of its own."""
    monkeypatch.chdir(bundle)
    ended = cli("lint", str(COURIER))
    assert (ended.err, ended.out) == ("", f"no problems in {COURIER}\n")


def test_faults_of_the_bundle_around_are_found(
    cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch, terminal: None
) -> None:
    """What is broken here is not green because another bundle is fine; a `workflow.yaml` that is none counts too."""
    monkeypatch.chdir(bundle)
    (bundle / "workflow.yaml").write_text("format: 1\n", encoding="utf-8")
    assert cli("lint").code == cli("test").code == cli("simulate").code == cli("graph").code == 2
    (bundle / "workflow.yaml").unlink()
    (bundle / "workflow.yaml").symlink_to("nowhere")
    assert cli("lint").code == 2


def test_a_misspelt_file_stops(cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`workflow.yml` is not passed over for the packaged bundle."""
    monkeypatch.chdir(bundle)
    (bundle / "workflow.yaml").rename(bundle / "workflow.yml")
    error = cli("lint", "--json").error
    assert "holds a workflow.yml" in error["message"] and error["hint"] == "Rename it to workflow.yaml."
    (bundle / "workflow.yml").rename(bundle / "workflow.yaml")
    assert cli("lint", "--json").code == 0


def test_another_users_bundle_further_up_is_not_run_unasked(
    cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Python would run; named, it is used."""
    monkeypatch.chdir(bundle / "prompts")
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert "belongs to another user" in cli("lint", "--json").error["message"]
    assert cli("lint", str(bundle), "--json").code == 0


def test_json_names_the_bundle(cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stdout alone, as data."""
    monkeypatch.chdir(bundle)
    for command in ("lint", "test", "simulate"):
        ended = cli(command, *COMMANDS[command], "--json")
        assert (json.loads(ended.out)["bundle"], ended.err) == (str(bundle), "")


def test_a_session_is_begun_with_what_was_chosen_wherever_one_stands(
    cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Agents stand in folders that others filled: `start` takes no bundle from there."""
    monkeypatch.chdir(bundle)
    session = cli.turn("start", input={"words": "x"})["session"]
    assert cli("status", session).json["state"] != "order.offering"


def test_a_skill_exported_in_a_bundles_folder_begins_sessions_with_it(
    cli: Commands, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text names the bundle, as with --bundle."""
    monkeypatch.chdir(bundle)
    assert cli("skill", "export", "--target", "generic", "courier", "--json").code == 0
    assert f"--bundle {bundle}" in (bundle / "courier" / "SKILL.md").read_text(encoding="utf-8")
