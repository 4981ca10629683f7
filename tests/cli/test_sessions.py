"""``workflow sessions``: what is saved, for programs and for people."""

from __future__ import annotations

import re

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.model.frozen import names
from workflow.model.ports import Summary


def test_without_sessions_the_list_is_empty(cli: Commands) -> None:
    """An empty list is an answer, not an error."""
    ended = cli("sessions", "--json")
    assert (ended.code, ended.json) == (
        0,
        {"v": 1, "ok": True, "sessions": [], "next_offset": None, "sandboxes": [], "paused": []},
    )


def test_sessions_are_listed_latest_first(cli: Commands, sandbox: Sandbox) -> None:
    """Each with where it stands; the one that was used last comes first."""
    first, second = cli.planned(), cli.planned()
    cli("advance", first["session"], "cancel")
    found = cli("sessions", "--json").json["sessions"]
    assert [each["name"] for each in found] == [first["session"], second["session"]]
    assert set(found[0]) == {*names(Summary)}
    assert {each["sandbox"] for each in found} == {sandbox.url}
    assert (found[0]["state"], found[0]["status"], found[0]["revision"]) == ("over.cancelled", "cancelled", 2)
    assert found[1]["workflow"] == "anygen-image"


def test_live_leaves_out_what_has_ended(cli: Commands, sandbox: Sandbox) -> None:
    """With --live only sessions that can still be advanced are listed."""
    ended, live = cli.planned(), cli.planned()
    cli("advance", ended["session"], "cancel")
    assert [each["name"] for each in cli("sessions", "--live", "--json").json["sessions"]] == [live["session"]]


def test_limit_and_offset_page_through_the_list(cli: Commands, sandbox: Sandbox) -> None:
    """Pages of one hold every session once."""
    names = {cli.planned()["session"] for _ in range(3)}
    replies = [cli("sessions", "--limit", "1", "--offset", str(n), "--json").json for n in range(4)]
    assert [reply["next_offset"] for reply in replies] == [1, 2, None, None]
    pages = [reply["sessions"] for reply in replies]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert {page[0]["name"] for page in pages[:3]} == names


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--limit", "1001"), ("--offset", "-1"), ("--limit", "x")])
def test_a_page_that_cannot_be_is_a_usage_error(cli: Commands, arguments: tuple[str, ...]) -> None:
    """Numbers out of range are refused with the range."""
    ended = cli("sessions", *arguments, "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert arguments[0] in ended.error["message"]


def test_on_a_terminal_it_is_a_table(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """One line a session under a heading."""
    assert cli("sessions").out.split("\n")[0].startswith("There are none in ")
    cli("start", "--input-file", _start(cli))
    out = cli("sessions").out
    assert "last change (UTC)" in out.splitlines()[0]
    assert "confirm.presenting" in out and "waiting" in out


def test_sessions_can_be_looked_for(cli: Commands, sandbox: Sandbox) -> None:
    """By text, by state or phase, and by status; all of them together narrow the list."""
    ended, live = cli.planned()["session"], cli.planned()["session"]
    cli("advance", ended, "cancel")

    def found(*options: str) -> list[str]:
        return [each["name"] for each in cli("sessions", *options, "--json").json["sessions"]]

    assert found("--search", live[:-1]) == found("--state", "confirm") == found("--status", "waiting") == [live]
    assert found("--search", "over.") == found("--status", "cancelled", "--state", "over") == [ended]
    assert found("--search", ended, "--live") == []


def test_what_is_no_text_cannot_be_looked_for(cli: Commands) -> None:
    """Bytes that are not UTF-8 are refused, with the option's name."""
    ended = cli("sessions", "--search", "\udcff", "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert "--search" in ended.error["message"]


def test_the_next_page_is_named_on_a_terminal(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """The very command that shows it, with the same filters; the last page names none."""
    for _ in range(3):
        cli("start", "--input-file", _start(cli))
    out = cli("sessions", "--limit", "2", "--state=confirm", "--live").out
    assert "There are more: workflow sessions --live --state=confirm --limit 2 --offset 2" in " ".join(out.split())
    assert "There are more" not in cli("sessions", "--limit", "2", "--offset", "2").out
    assert "There are more" not in cli("sessions", "--limit", "2", "--quiet").out
    assert cli("sessions", "--search", "nowhere").out.startswith("None of the saved sessions is like that")


def test_a_narrow_terminal_gets_the_columns_that_fit(
    cli: Commands, sandbox: Sandbox, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty columns: one line a session, nothing folded."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    cli("start", "--input-file", _start(cli))
    lines = re.sub(r"\x1b\[\d*m", "", cli("--quiet", "sessions").out).splitlines()
    assert lines[0].split() == ["session", "state", "status", "changed"]
    assert len(lines) == 3 and all(len(line) <= 60 for line in lines)


def _start(cli: Commands) -> str:
    file = cli.folder / "start.json"
    file.write_text('{"input": {"words": "A poster"}}', encoding="utf-8")
    return str(file)
