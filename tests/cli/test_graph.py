"""``workflow graph``: the machine of a bundle, for people, for pipes and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.show.formats import FORMATS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("form", [*FORMATS, "html"])
def test_a_drawing_in_a_pipe_is_the_text_itself(cli: Commands, form: str) -> None:
    """What another program reads needs no unwrapping; with --json it is wrapped in a reply."""
    ended = cli("graph", "--format", form, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    first = {
        "ascii": "anygen-image: Guided image creation with AnyGen",
        "mermaid": "---",
        "dot": 'digraph "anygen-image: Guided image creation with AnyGen" {',
        "svg": '<svg class="machine"',
        "html": "<!DOCTYPE html>",
    }
    assert ended.out.splitlines()[0].startswith(first[form])
    assert cli("graph", "--format", form, "--json").json == {"v": 1, "ok": True, "format": form, "graph": ended.out}


def test_to_draw_creates_nothing(cli: Commands) -> None:
    """Without a session no store is opened, and none is made."""
    assert cli("graph").code == 0
    assert [each.name for each in cli.folder.iterdir()] == ["config"]


def test_the_way_of_a_session_is_marked(cli: Commands, sandbox: Sandbox) -> None:
    """From its first state over the plan and a change of it to where it stands now."""
    plan = cli.planned()
    name = plan["session"]
    cli.turn("advance", name, "adjust", input={"words": "Bolder, please"}, expect_revision=plan["revision"])
    tree = cli("graph", "--session", name).out.splitlines()
    assert tree[1] == f"{name} (sandbox) is now in confirm.presenting"
    assert [line for line in tree if line.startswith(">> ")] == [
        ">> `-- ? presenting  asks user_approved; 2 times",
    ]
    assert " * |-- . preparing  prepare (repeatable); 2 times" in tree
    assert " *       |-- adjust -> understand.receiving" in tree
    assert f" *  where {name} (sandbox) has been;  >>  where it is now" in tree
    assert "  class s_confirm_presenting current" in cli("graph", "--session", name, "--format", "mermaid").out


def test_the_bundle_of_a_session_is_drawn(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever bundle a start would use by now."""
    name = cli.planned()["session"]
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(ROOT / "tests" / "courier"))
    assert cli("graph").out.startswith("courier: A parcel by courier\n")
    assert cli("graph", "--session", name).out.startswith("anygen-image: ")
    assert cli("graph", str(ROOT / "tests" / "courier"), "--session", name).out.splitlines()[:2] == [
        "courier: A parcel by courier",
        f"{name} (sandbox) is now in a state that is gone",
    ]


def test_an_unknown_session_or_bundle_is_an_error(cli: Commands) -> None:
    """Each with its own exit code and the next step."""
    ended = cli("graph", "--session", "amber-fox", "--json")
    assert (ended.code, ended.error["type"]) == (5, "not_found")
    ended = cli("graph", str(cli.folder / "nowhere"), "--json")
    assert (ended.code, ended.error["type"]) == (2, "bundle")
    assert cli("graph", "--format", "png").code == 2


def test_on_a_terminal_it_fits(cli: Commands, terminal: None) -> None:
    """The tree with its legend, no line wider than the terminal."""
    ended = cli("graph")
    assert ended.code == 0 and "makes a paid call, at most once" in ended.out
    assert max(len(line.rstrip()) for line in ended.out.splitlines()) <= 80
