"""Narrow terminals: words, names and links stay whole, or can be copied whole; Chinese keeps its columns."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from workflow.cli.console import console as opened
from workflow.cli.console import show_error, show_log, show_message, show_table
from workflow.model.reply import Failure, Reply, Said

LINK = "https://www.example.org/task/a-very-long-name-of-a-task-1234567890"


@pytest.fixture
def columns(request: pytest.FixtureRequest, terminal: None, monkeypatch: pytest.MonkeyPatch) -> int:
    """A terminal of so many columns, 40 unless the test says otherwise; a dumb one would be taken for 80."""
    count = int(getattr(request, "param", 40))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(count))
    return count


@pytest.fixture
def shown(columns: int, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The lines on the terminal since the last call, without styles and blanks at their ends."""
    return lambda: lines(capsys.readouterr().out)


def lines(out: str) -> list[str]:
    """Without styles, and blanks at the ends."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()]


@pytest.mark.parametrize("columns", [40, 60, 80], indirect=True)
def test_names_and_states_stay_whole(cli: Commands, sandbox: Sandbox, columns: int) -> None:
    """In the list, where a run stands, and in what waits for a person; no line is wider than the terminal."""
    name = cli.begun()
    for ended in (cli("sessions"), cli("status", name), cli.admin("approve")):
        text = "\n".join(lines(ended.out))
        assert name in text and "confirm.presenting" in text
        assert max(map(cell_len, text.splitlines())) <= columns
    assert "user_approved" in "\n".join(lines(cli("status", name).out))


def test_a_link_that_a_frame_breaks_stands_below_it(shown: Callable[[], list[str]]) -> None:
    """On a line of its own, which the terminal folds, and a copy does not; a short one is not told twice."""
    for link, times in ((LINK, 1), ("https://a.example/1", 0)):
        show_message(opened(), Said("m", f"Here 看这里：{link}。", "en", None, ()))
        assert shown().count(link) == times


def test_a_table_that_does_not_fit_is_told_row_by_row(shown: Callable[[], list[str]]) -> None:
    """The first cell, then the others behind their names; what is empty is left out."""
    rows = [("create_now", "ordered_directly (relayed)", "海港 words: text"), ("go", "", "")]
    show_table(("event", "gate", "input"), rows)
    assert shown() == [
        "event: create_now",
        "  gate: ordered_directly (relayed)",
        "  input: 海港 words: text",
        "event: go",
    ]


def test_an_entry_is_told_below_its_head(shown: Callable[[], list[str]]) -> None:
    """Day once, then the time; the story is set in and folded between words, behind a margin."""
    told = "confirm.presenting → create.creating, and on"
    show_log([(seq, "2025-01-01", "10:00:00", "move", told, [("because", "plan_ready holds")]) for seq in "12"])
    story = ["  confirm.presenting → create.creating,", "  │ and on", "  because: plan_ready holds"]
    assert shown() == ["1  2025-01-01 10:00:00  move", *story, "2  10:00:00  move", *story]


def test_an_error_keeps_its_left_edge(columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    """What is folded of a reason or of a way out stands behind a margin: it can begin no line of ours."""
    show_error(Reply(error=Failure("refused", "one two three four five six seven eight nine", "ten " * 12)))
    assert lines(capsys.readouterr().err) == [
        "✗ one two three four five six seven",
        "│ eight nine",
        "  → " + " ".join(["ten"] * 9),
        "  │ ten ten ten",
    ]
