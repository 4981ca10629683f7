"""``workflow play``: a person plays a bundle on a terminal, against its own sandbox."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli import terminals
from tests.cli.conftest import Commands

ROOT = Path(__file__).parents[2]
COURIER = ROOT / "tests" / "courier"
RELEASE = ROOT / "examples" / "release"
WORDS = "words, in your own words"
WHAT = "What happens?"


def latest(cli: Commands) -> dict[str, object]:
    """The session that was played last, with what its log says of answers."""
    name = cli("sessions", "--limit", "1", "--json").json["sessions"][0]["name"]
    status: dict[str, object] = cli("status", name).json
    return status


def answers(cli: Commands, name: object) -> list[tuple[str, str, str, str]]:
    """The evidence of a session: gate, strength, channel and words."""
    entries = [line for line in cli("audit", "log", str(name), "--json").out.splitlines() if '"evidence"' in line]
    found = [each for line in entries for each in json.loads(line)["body"].get("evidence", ())]
    return [(each["gate"], each["strength"], each["channel"], each["quote"]) for each in found]


def to_the_plan(terminal: terminals.Terminal) -> None:
    """The first words, no files, no link, and an answer to the questions in words alone."""
    terminal.answer(WORDS, "A poster for a jazz night")
    terminal.answer("references: the path of a file", "")
    terminal.answer("task url (the full link; Enter: none)", "")
    terminal.answer("or just words: 'answer'", "Warm and lively")
    terminal.expect("Shall I go ahead with it")
    terminal.expect(WHAT)


def test_a_person_plays_from_the_first_words_to_the_log(cli: Commands) -> None:
    """Words, numbers and a yes of one's own lead to the image; the answer is `asked`, and the log comes in the end."""
    terminal = terminals.workflow("play")
    terminal.expect("bundle: ")
    to_the_plan(terminal)
    terminal.type("approve")
    terminal.answer("Your answer, in your own words", "yes, that is the one")
    terminal.expect("The service is at work.")
    terminal.expect("Your image is ready!")
    terminal.answer(WHAT, "finish")
    terminal.answer("Enter: the end", "")
    terminal.expect("what happened (UTC)")
    terminal.expect("“yes, that is the one”")
    assert terminal.end() == 0
    played = latest(cli)
    assert (played["state"], played["status"], played["sandbox"]) == ("over.finished", "done", True)
    assert answers(cli, played["session"]) == [("user_approved", "asked", "terminal", "yes, that is the one")]


@pytest.mark.parametrize("typed", ["no", "yes", "No.", "ok", "99", "0"])
def test_a_bare_yes_or_no_is_nobodys_wish(cli: Commands, typed: str) -> None:
    """Where words alone would be a change of the plan, an answer to the question is none, and a number is no word."""
    terminal = terminals.workflow("play")
    to_the_plan(terminal)
    terminal.type(typed)
    if typed in ("99", "0"):
        terminal.expect("There is no number")
    else:
        terminal.expect("A number chooses what happens.")
    terminal.answer(WHAT, "q")
    terminal.expect("continues.")
    assert terminal.end() == 0
    assert latest(cli)["state"] == "confirm.presenting"


def test_ctrl_c_leaves_a_session_that_can_be_continued(cli: Commands) -> None:
    """130 and the command that goes on; that begins a sandbox at the same address, and the play goes on with it."""
    terminal = terminals.workflow("play")
    to_the_plan(terminal)
    assert terminal.interrupt() == 130
    name = latest(cli)["session"]
    assert f"`workflow play --session {name}` continues" in " ".join(terminal.shown.replace("│", " ").split())
    terminal = terminals.workflow("play", "--session", str(name))
    terminal.expect("Shall I go ahead with it")
    terminal.answer(WHAT, "approve")
    terminal.answer("Your answer, in your own words", "yes")
    terminal.expect("Your image is ready!")
    terminal.answer(WHAT, "q")
    assert terminal.end() == 0
    assert latest(cli)["state"] == "deliver.ready"


def test_the_sandbox_ends_with_the_play(cli: Commands) -> None:
    """Nothing serves its address any more."""
    terminal = terminals.workflow("play")
    terminal.expect("the sandbox at ")
    terminal.expect(WORDS)
    address = urlsplit(terminal.shown.partition("the sandbox at ")[2].split()[0])
    assert terminal.interrupt() == 130
    with pytest.raises(OSError), socket.create_connection((str(address.hostname), address.port or 0), timeout=5):
        pass
    assert cli("sessions", "--json").json["sessions"] == []


@pytest.mark.parametrize("bundle", [COURIER, RELEASE], ids=lambda path: path.name)
def test_other_bundles_are_played_alike(cli: Commands, bundle: Path) -> None:
    """One with a sandbox of its own, and one whose sandbox is a table in its YAML; inputs come by name and type."""
    terminal = terminals.workflow("play", str(bundle))
    terminal.expect("the sandbox at http://127.0.0.1:")
    if bundle is COURIER:
        terminal.answer("address, in your own words", "Harbour Street 1")
        terminal.answer("weight", "heavy")
        terminal.expect("That cannot be read.")
        terminal.answer("weight", "2.5")
    else:
        terminal.answer("project", "site")
        terminal.answer("version", "1.2.0")
    terminal.expect(WHAT)
    terminal.type("q")
    terminal.expect("what happened (UTC)")
    assert terminal.end() == 0
    assert latest(cli)["sandbox"] is True


def test_the_real_service_is_used_only_on_a_yes(cli: Commands) -> None:
    """The host and what may follow are said first; Enter begins nothing."""
    terminal = terminals.workflow("play", "--real")
    terminal.expect("This calls www.anygen.io with your key. What you approve may cost money.")
    terminal.answer("Go on?", "")
    assert terminal.end() == 0
    assert cli("sessions", "--json").json["sessions"] == []


def test_the_readme_shows_what_is_printed(cli: Commands) -> None:
    """Line by line, except what it leaves out and the name of the session."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("workflow play\n```\n\n```text\n")[2].partition("```")[0]
    terminal = terminals.workflow("play")
    terminal.answer(WORDS, "A poster for a jazz night")
    terminal.answer("references: the path of a file", "")
    terminal.answer("task url", "")
    terminal.expect(WHAT)
    assert terminal.interrupt() == 130
    shown = terminal.shown.replace(str(latest(cli)["session"]), "amber-fox").splitlines()
    printed = {line.rstrip("─ ") for line in shown}
    assert len(block.splitlines()) > 5
    for line in block.splitlines():
        assert line == "…" or any(each.startswith(line.rstrip("─ ")) for each in printed), line


def test_without_a_terminal_it_says_what_to_do(cli: Commands) -> None:
    """Nobody could answer."""
    ended = cli("play")
    assert ended.code == 2 and "must be a terminal" in ended.why and "`workflow test`" in ended.why
