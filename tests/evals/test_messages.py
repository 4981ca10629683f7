"""The golden table of messages: it speaks of what is possible, leaves nothing out, and can be scored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.evals import messages
from tests.evals.messages import NO_EVENT, Line, table
from tests.evals.replies import ROOT, tried
from workflow.author.skill import TARGETS, write_skill
from workflow.machine.definition import NOTE, OURS, Definition
from workflow.machine.denials import denies
from workflow.machine.wishes import found as kept
from workflow.model.frozen import replace
from workflow.model.session import Session, Wish

TABLE = table()
SESSION = Session("amber-fox", "w", "b", "", "en", "")
WAITS_FOR = re.compile(r"\bfor (\w+), when")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def definition() -> Definition:
    """The reference bundle's."""
    return tried(".").bundle.definition


def test_it_has_many_lines_in_both_languages() -> None:
    """At least a hundred, no message twice in one place, and each in the language that it says."""
    assert len(TABLE) >= 100
    assert len({(line.state, line.given, line.message) for line in TABLE}) == len(TABLE)
    languages = [line.language for line in TABLE]
    assert languages.count("zh-CN") >= 40 and languages.count("en") >= 60 and set(languages) == {"en", "zh-CN"}
    assert all(bool(CHINESE.search(line.message)) == (line.language == "zh-CN") for line in TABLE)


@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.state}-{line.message[:24]}")
def test_each_event_is_possible_where_the_message_comes(line: Line) -> None:
    """The machine offers it there; a message without an event comes where the bundle waits, and says why."""
    places = line.places()
    assert places, f"no scenario waits in {line.state} ({line.given})"
    if line.event in NO_EVENT:
        assert line.why or line.event == "none"
    elif line.event == NOTE:
        found = WAITS_FOR.search(line.why)
        assert found, "a wish waits for an event, and the table says for which"
        given = {"words": line.message, "for": found[1]}
        assert isinstance(kept(definition(), replace(SESSION, state=line.state), given), Wish)
    elif line.event == "start":
        assert definition().states[line.state].end, "a new session is begun where one has ended"
    else:
        assert any(line.event in given.offered for given in places)


def test_every_event_occurs() -> None:
    """Those of the bundle and those that every bundle has."""
    events = {*definition().events, *OURS}
    assert {line.event for line in TABLE} == events | set(NO_EVENT)


def test_every_waiting_state_occurs() -> None:
    """Each state that waits for the user, with a failed call as well; and each has messages that are no event."""
    states = definition().states.values()
    waiting = {state.name for state in states if not state.works}
    assert waiting <= {line.state for line in TABLE}
    assert "trouble" in {line.given for line in TABLE}
    spoken = {line.state for line in TABLE if line.event in NO_EVENT}
    assert len(spoken) >= 10


def test_a_yes_of_the_table_is_not_taken_for_a_no() -> None:
    """Words that a good agent passes on for a gate are not stopped as a refusal."""
    gated = {event.name for event in definition().events.values() if event.gate in definition().guarding}
    said = [line.message for line in TABLE if line.event in gated]
    assert said and not [message for message in said if denies(message)]


@pytest.mark.parametrize("target", TARGETS)
def test_the_skill_says_what_each_event_means(target: str) -> None:
    """Each event of the table stands in the exported skill, with its meaning beside it."""
    text = write_skill(definition(), "d" * 64, target)
    for event in {line.event for line in TABLE} - {"start", *NO_EVENT}:
        row = re.search(rf"^\| `{event}` \|(.*)\|$", text, re.MULTILINE)
        assert row, f"`{event}` stands in no table of the skill"
        cells = [cell.strip() for cell in row[1].split("|")]
        assert any(len(cell.split()) >= 4 for cell in cells), f"`{event}` has no meaning in the skill: {cells}"


def test_answers_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Right answers end with 0; a wrong one is named with its line and reason, and ends with 1."""
    file = tmp_path / "answers.txt"
    right = [f"`{line.event}`" if number % 2 else line.event.upper() for number, line in enumerate(TABLE)]
    file.write_text("\n".join(right), encoding="utf-8")
    assert messages.main(["--score", str(file)]) == 0
    assert f"{len(TABLE)} of {len(TABLE)} are right" in capsys.readouterr().out
    number, line = next((number, line) for number, line in enumerate(TABLE) if line.event == "ask")
    file.write_text("\n".join([*right[:number], "approve", *right[number + 1 :]]), encoding="utf-8")
    assert messages.main(["--score", str(file)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{number + 1}: {line.state}: ") and line.why in out
    file.write_text("approve\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        messages.main(["--score", str(file)])


def test_a_prompt_holds_all_that_an_agent_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """The skill, a reply of that state, and the message; a line that is not there is a fault of the call."""
    number, line = next((n, each) for n, each in enumerate(TABLE, 1) if each.state == "confirm.presenting")
    assert messages.main(["--prompt", str(number)]) == 0
    out = capsys.readouterr().out
    bundle = tried(".").bundle
    assert write_skill(bundle.definition, bundle.digest, "generic") in out
    assert '"state": "confirm.presenting"' in out and line.message in out
    with pytest.raises(SystemExit, match="2"):
        messages.main(["--prompt", str(len(TABLE) + 1)])
    assert (ROOT / "evals" / "messages.csv").is_file()
